"""The commands of `stepdown`, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from stepdown import __version__
from stepdown.cli.catalogue import catalogue
from stepdown.cli.check import check
from stepdown.cli.deciding import DecidingCommand, DecidingGroup
from stepdown.cli.diff import diff
from stepdown.cli.explain import explain
from stepdown.cli.gate import gate
from stepdown.cli.override_token import override_token
from stepdown.cli.prove import prove
from stepdown.cli.registry import registry
from stepdown.cli.replay import replay
from stepdown.cli.rollout import rollout
from stepdown.cli.run import run
from stepdown.cli.schema import schema
from stepdown.cli.shadow import shadow
from stepdown.cli.switch import switch

HELP = """Routes requests to the right version of a model, and steps answers down to the shape that each client knows.

\b
  stepdown run stepdown.yaml       start the sidecar
  stepdown check stepdown.yaml     find every mistake in a configuration, and see who can be served what
  stepdown explain stepdown.yaml   see which version would answer one request, in which shape, and why
  stepdown diff OLD NEW            see what a new contract breaks, for whom, and how to repair it
  stepdown gate --base origin/main refuse a change that would break clients, in CI
  stepdown prove stepdown.yaml     prove that adapters keep what contracts promise, or see a counterexample
  stepdown catalogue               see the adapters that come with Stepdown: OpenAI, vLLM, Anthropic, KServe, MLflow
  stepdown replay RECORDING        send recorded requests to a candidate, and compare its answers
  stepdown rollout simulate NAME   see how often a rollout's guards would be wrong, and how soon they are right
  stepdown rollout start NAME      bring a version in by steps, watched by guards; watch, pause, promote and abort it
  stepdown override-token          let a tester choose a server for a while
  stepdown switch churn green      move a running sidecar's traffic between blue and green, and back
  stepdown shadow report           see how shadows' answers compare with what clients got; gate and reset them
  stepdown schema                  let the editor complete and check the configuration
  stepdown registry list           see which versions of which models there are; add, verify and load them
"""

app = typer.Typer(
    name="stepdown",
    cls=DecidingGroup,  # who mistypes `shadow gate` is not told that it is still open
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"stepdown {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the whole."""


app.command()(catalogue)
app.command()(check)
app.command()(diff)
app.command()(explain)
app.command()(gate)
app.command("override-token")(override_token)
app.command()(prove)
app.command(cls=DecidingCommand)(replay)
app.command()(schema)
app.command()(switch)
app.add_typer(registry)
app.add_typer(rollout)
app.add_typer(shadow)


@app.command("run", add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def run_(context: typer.Context) -> None:
    """Start the sidecar with a configuration file."""
    raise typer.Exit(run(context.args))
