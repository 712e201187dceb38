"""`stepdown rollout`: tried on made-up traffic before it is trusted with any, then driven (`rollout_driving`)."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from stepdown.cli import rollout_driving as driving
from stepdown.cli import rollout_output, rollout_planned
from stepdown.cli.output import show_tables
from stepdown.cli.rollout_runs import runs_of
from stepdown.cli.rollout_traffic import EXIT_UNUSABLE, Supposed, give_up, of_contracts, per_second, supposed
from stepdown.cli.rollout_watch import watch
from stepdown.cli.shadow_limits import share_of
from stepdown.config import RefusedError, load
from stepdown.config.findings import listed, nearest_name
from stepdown.decide import checks
from stepdown.decide.driving import by_name
from stepdown.decide.rollout_spec import Rollout
from stepdown.rollout.peers import Check
from stepdown.rollout.rehearsal import together
from stepdown.rollout.simulate import Traffic

EXIT_LIMIT = 1
_SLACK = 2.0
"""A check lets through twice what is usual of what must not rise,"""
_LEAST = 0.01
"""or one of a hundred, as Flagger does with its success rate of 99 %;"""
_LOST = 0.9
"""and nine tenths of what must not fall."""

HELP = """Bring a new version in by steps, watched by guards that take it back by themselves.

A rollout is written in the file (docs/rollouts.md). Before it starts, it is tried on made-up traffic:

\b
  simulate NAME --rate 200/s   how often its guards would be wrong, and how soon they are right
  plan NAME --rate 200/s       how long each step takes, and what is found in that time

Then it is started on a running sidecar, and watched:

\b
  start NAME                   give the candidate its first step; also after it was taken back
  watch NAME                   ladder, evidence and what it waits for, live, until it is over
  status [NAME]                where all of them stand, or one with its guards
  history NAME                 what happened, and why, with the numbers

It walks by itself. A person may hold it, let it on, or end it:

\b
  pause NAME, resume NAME      keep the weight; go on, also from a step that waits for a person
  promote NAME                 give the candidate everything now
  abort NAME                   give stable everything now
  undo NAME                    take a promotion back

These ask the admin API of the sidecar (--admin, or STEPDOWN_ADMIN) with a bearer token (STEPDOWN_ADMIN_TOKEN): looking
takes the role `view`, everything else `operate`. For deployment tools there is `verdict NAME`: success, failure or
inconclusive, by its exit code.
"""

rollout = typer.Typer(
    name="rollout",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="One of the file's rollouts.", show_default=False)]
ConfigOption = Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration file.")]
RateOption = Annotated[
    str,
    typer.Option("--rate", metavar="RATE", help="Requests of the rule: 200/s, 12k/min, 1.5M/d.", show_default=False),
]
StableOption = Annotated[
    list[str] | None,
    typer.Option(
        "--stable",
        metavar="GUARD=RATE",
        help="Stable's events a request, such as errors=0.1%; may be given often.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="The result as JSON, for machines.")]
CONFIG = Path("stepdown.yaml")


rollout.command(short_help="Give the candidate its first step.")(driving.start)
rollout.command(short_help="See ladder and evidence, live, until it is over.")(watch)
rollout.command(short_help="Where rollouts stand: all, or one with its guards.")(driving.status)
rollout.command(short_help="What happened, and why.")(driving.history)
rollout.command(short_help="Success, failure or inconclusive: exit codes.")(driving.verdict)
rollout.command(short_help="Keep the weight; guards go on watching.")(driving.pause)
rollout.command(short_help="Go on, also from a step that waits for a person.")(driving.resume)
rollout.command(short_help="Give the candidate everything now.")(driving.promote)
rollout.command(short_help="Give stable everything now.")(driving.abort)
rollout.command(short_help="Take a promotion back.")(driving.undo)


@rollout.command(short_help="How often its guards would be wrong, and how late.")
def simulate(
    name: NameArgument,
    *,
    config: ConfigOption = CONFIG,
    rate: RateOption,
    effect: Annotated[
        list[str] | None,
        typer.Option(
            "--effect",
            metavar="GUARD=EFFECT",
            help="What is different about the candidate: ctr=-25%, errors=1%, errors=x10, errors=+0.9pp; may be given "
            "often. None: it is the same as stable.",
            show_default=False,
        ),
    ] = None,
    stable: StableOption = None,
    runs: Annotated[int, typer.Option("--runs", min=1, max=1_000_000, help="Rollouts to simulate.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Of the dice: the same seed gives the same result.")] = 1,
    max_rolled_back: Annotated[
        str | None,
        typer.Option(
            "--max-rolled-back", metavar="SHARE", help="Exit with 1 if more are rolled back.", show_default=False
        ),
    ] = None,
    min_rolled_back: Annotated[
        str | None,
        typer.Option(
            "--min-rolled-back", metavar="SHARE", help="Exit with 1 if fewer are rolled back.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let a rollout run a thousand times on made-up traffic, and see how often its guards are wrong, and how late.

    What is judged is what would judge live traffic: the same guards, phases and steps. Without an effect the candidate
    is the same as stable, so everything that is rolled back is rolled back for nothing. Beside it stands what plain
    checks of a limit would have done with the same traffic: 5 failed ones (Flagger's way), or 3 in a row.

    \b
    An effect is one of these, here on errors of which stable has 0.1 %:
      errors=1%       the candidate has 1 %
      errors=x10      ten times stable's rate: 1 %
      errors=+0.9pp   0.9 points more: 1 %
      errors=+50%     a half more: 0.15 %
    The rate of `latency` is the share of answers slower than stable's p99: 1 % by itself, about 6.5 % if the p99 is 1.5
    times as long.

    \b
    Examples:
      stepdown rollout simulate churn-2 --rate 200/s
      stepdown rollout simulate churn-2 --rate 200/s --effect ctr=-25%
      stepdown rollout simulate churn-2 --rate 20/s --stable errors=0.5% --effect errors=x4 --runs 5000
      stepdown rollout simulate churn-2 --rate 200/s --max-rolled-back 2% --json

    Exits with 0, with 1 if a limit is not kept, or with 2 if something cannot be used.
    """
    most, least = _limit("--max-rolled-back", max_rolled_back), _limit("--min-rolled-back", min_rolled_back)
    one, looked_at = _rollout(config, name)
    known = supposed(one, stable or (), effect or (), "--effect")
    per_window = round(per_second(rate) * one.window)
    if per_window < 1:
        give_up(f"--rate {rate}: less than a request in a window of {one.window:g} s; allowed more, or a longer window")
    checks = _checks(known)
    traffic = Traffic(
        per_window, {one.kind: one.stable for one in known}, {one.kind: one.candidate for one in known}, checks
    )
    found = together(runs_of(one, traffic, seed, runs), len(one.steps))
    simulated = rollout_output.Simulated(one, per_window, runs, seed, known, checks, found)
    if as_json:
        print(json.dumps(rollout_output.as_json(simulated), indent=2))
    else:
        print(f"{one.name}: {one.candidate} for {one.stable}, simulated {runs:,} times at {rate} (seed {seed})")
        show_tables(rollout_output.tables(simulated))
        print("\n" + "\n".join(filter(None, [*rollout_output.lines(simulated), of_contracts(looked_at)])))
    _hold(found.ours.rolled_back / runs, most, least)


@rollout.command(short_help="How long steps take, and what they find.")
def plan(
    name: NameArgument,
    *,
    config: ConfigOption = CONFIG,
    rate: RateOption,
    detect: Annotated[
        list[str] | None,
        typer.Option(
            "--detect",
            metavar="GUARD=EFFECT",
            help="What has to be found: ctr=-10%, errors=x3; may be given often. Other guards: half more, or a quarter "
            "less where it must not fall.",
            show_default=False,
        ),
    ] = None,
    stable: StableOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how long each step takes at a rate of requests, and which effects are found while it lasts.

    For each guard that compares both versions: the requests that it needs at each step until the effect is found, and
    from which weight on it is found in time. Effects are written as for `simulate`.

    \b
    Examples:
      stepdown rollout plan churn-2 --rate 200/s
      stepdown rollout plan churn-2 --rate 200/s --detect ctr=-10% --stable ctr=4%
      stepdown rollout plan churn-2 --rate 1.5M/d --detect errors=1% --json

    Exits with 0, or with 2 if something cannot be used.
    """
    one, looked_at = _rollout(config, name)
    asked = rollout_planned.asked(one, supposed(one, stable or (), detect or (), "--detect"))
    planned = rollout_planned.planned(one, per_second(rate), asked)
    if as_json:
        print(json.dumps(rollout_planned.as_json(planned), indent=2))
        return
    print(f"{one.name}: {one.candidate} for {one.stable} at {rate}")
    show_tables(rollout_planned.tables(planned))
    print("\n" + "\n".join(filter(None, [*rollout_planned.lines(planned), of_contracts(looked_at)])))


def _rollout(file: Path, name: str) -> tuple[Rollout, float]:
    """And the share (0 to 1) of its answers that is held against contracts, where a guard asks for that; else 1."""
    try:
        loaded = load(file, os.environ)
    except RefusedError as refused:
        give_up(str(refused))
    rollouts = by_name(loaded.spec)
    if name in rollouts:
        return rollouts[name], checks.shares(loaded.spec, at_rest=True).get(name, 1.0)
    near = nearest_name(name, rollouts)
    meant = f'; did you mean "{near}"?' if near else ""
    give_up(
        f'{file}: found no rollout "{name}"; allowed one of rollouts: {listed(rollouts) or "there are none"}{meant}'
    )


def _checks(known: Sequence[Supposed]) -> tuple[Check, ...]:
    """The limits that a team might set for plain checks."""
    by_kind = {one.kind: one for one in known}
    return tuple(
        Check(one.kind, _LOST * one.stable, "fall")
        if one.must_not == "fall"
        else Check(one.kind, max(_LEAST, _SLACK * one.stable))
        for one in by_kind.values()
    )


def _limit(option: str, text: str | None) -> float | None:
    return share_of(option, text, EXIT_UNUSABLE) if text is not None else None


def _hold(share: float, most: float | None, least: float | None) -> None:
    """Exit where a limit is not kept."""
    if share > (math.inf if most is None else most):
        print(f"{share:.2%} were rolled back, and at most {most:.2%} may be", file=sys.stderr)
        raise typer.Exit(EXIT_LIMIT)
    if share < (least or 0.0):
        print(f"{share:.2%} were rolled back, and at least {least:.2%} have to be", file=sys.stderr)
        raise typer.Exit(EXIT_LIMIT)
