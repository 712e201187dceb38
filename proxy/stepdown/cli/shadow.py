"""`stepdown shadow report | gate | reset`: what shadows have come to, and whether it is good enough."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from stepdown.cli import shadow_gate
from stepdown.cli.admin_client import AdminError
from stepdown.cli.admin_options import ADMIN, TOKEN_ENV, AdminOption, TokenOption
from stepdown.cli.deciding import DecidingCommand, DecidingGroup
from stepdown.cli.shadow_client import Sidecar
from stepdown.cli.shadow_limits import give_up
from stepdown.cli.shadow_not_sent import not_sent
from stepdown.cli.shadow_output import show_report, show_shadows

_EVERY = 2.0
"""Seconds between two looks."""
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"

shadow = typer.Typer(
    name="shadow",
    cls=DecidingGroup,
    help="Show how the answers of a running sidecar's shadows compare with what clients got, and decide by it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RouteArgument = Annotated[str, typer.Argument(metavar="ROUTE", help="The route that is copied.", show_default=False)]
ShadowArgument = Annotated[
    str | None, typer.Argument(metavar="SHADOW", help="Its shadow, where it has several.", show_default=False)
]


@shadow.command(cls=DecidingCommand, short_help="What was compared, in tables.")
def report(
    route: Annotated[
        str | None, typer.Argument(metavar="ROUTE", help="Only this route's, whole.", show_default=False)
    ] = None,
    name: ShadowArgument = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every 2 seconds, until Ctrl-C.")] = False,
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON, for machines.")] = False,
) -> None:
    """Show what was compared: all shadows in a table, or those of a route with everything that is known of them.

    \b
    Examples:
      stepdown shadow report
      stepdown shadow report churn
      stepdown shadow report churn next --json

    Exits with 0, or with 3 where the admin API cannot be reached, refuses the token, or has no such shadow.
    """
    sidecar = Sidecar.of(admin, token_env)

    def look() -> None:
        if route is None:
            _shown(sidecar.shadows(), lambda view: show_shadows(view["shadows"]), as_json=as_json, lines=watch)
            return
        names = [name] if name is not None else sidecar.names(route)
        wholes = [sidecar.report(route, one) for one in names]
        view = wholes[0] if name is not None else {"shadows": wholes}
        _shown(view, lambda _: _show_wholes(wholes), as_json=as_json, lines=watch)

    try:
        look()
        while watch:
            time.sleep(_EVERY)
            if sys.stdout.isatty() and not as_json:
                print(_CLEAR, end="")
            try:
                look()
            except AdminError as error:
                print(error, file=sys.stderr)
    except AdminError as error:
        give_up(str(error))
    except KeyboardInterrupt:
        if not watch:
            raise


@shadow.command(cls=DecidingCommand, short_help="Whether it is good enough to go on: exit codes.")
def gate(
    route: RouteArgument,
    name: ShadowArgument = None,
    *,
    max_different: Annotated[
        str | None,
        typer.Option("--max-different", metavar="SHARE", help="Answers that may differ beyond noise, e.g. 0.5%."),
    ] = None,
    max_errors: Annotated[
        str | None,
        typer.Option("--max-errors", metavar="SHARE", help="Answers that may fail where the served one did not."),
    ] = None,
    min_compared: Annotated[
        int, typer.Option("--min-compared", min=1, metavar="N", help="Answers that a decision takes at least.")
    ] = 1000,
    wait: Annotated[
        str, typer.Option("--wait", metavar="DURATION", help="Look again until it is decided, e.g. for 10m.")
    ] = "0s",
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
    as_json: Annotated[bool, typer.Option("--json", help="The decision as JSON, for machines.")] = False,
) -> None:
    """Decide whether a shadow's answers are good enough for a deployment to go on.

    Limits are held against intervals that may be looked at as often as one likes, so that waiting is no cheating. With
    several limits all have to hold.

    \b
    Examples:
      stepdown shadow gate churn --max-different 0.5% --min-compared 5000
      stepdown shadow gate churn next --max-different 0.5% --max-errors 0.1% --wait 10m

    \b
    Exits with
      0  pass
      1  fail
      2  inconclusive: too few answers, or the limit is among the shares that are still possible
      3  nothing is known: a mistake in the command, no such shadow, no admin API or none that takes the token
    """
    limits = shadow_gate.limits_of(max_different, max_errors, min_compared)
    patience = shadow_gate.patience_of(wait)
    sidecar = Sidecar.of(admin, token_env)
    try:
        name = name if name is not None else _only(sidecar, route)
        decision = shadow_gate.wait_for(lambda: sidecar.report(route, name), limits, patience)
    except AdminError as error:
        give_up(str(error))
    shadow_gate.show(decision, as_json=as_json)
    raise typer.Exit(decision.exit_code)


@shadow.command(cls=DecidingCommand, short_help="Begin a report anew.")
def reset(
    route: RouteArgument,
    name: ShadowArgument = None,
    *,
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
) -> None:
    """Begin the report of a shadow anew, as after a new build of its version.

    Takes a token that may operate. Exits with 0 when the report is begun anew, and with 3 where that is not known.
    """
    sidecar = Sidecar.of(admin, token_env)
    try:
        name = name if name is not None else _only(sidecar, route)
        begun = sidecar.reset(route, name)["begun"]
    except AdminError as error:
        give_up(str(error))
    print(f"{route}/{name}: counted anew since {begun}.")


def _only(sidecar: Sidecar, route: str) -> str:
    """The shadow that is meant where none is named."""
    names = sidecar.names(route)
    if len(names) > 1:
        give_up(f"Route {route} has several shadows: name one of {', '.join(names)}.")
    return names[0]


def _shown(view: Mapping[str, Any], show: Callable[[Mapping[str, Any]], object], *, as_json: bool, lines: bool) -> None:
    if as_json:
        print(json.dumps(view, indent=None if lines else 2), flush=True)
    else:
        show(view)
        sys.stdout.flush()


def _show_wholes(wholes: Sequence[Mapping[str, Any]]) -> None:
    for place, one in enumerate(wholes):
        print("\n" if place else "", end="")
        show_report(one["report"])
        print(f"\nCounted since {one['begun']}.")
        if missed := not_sent(one):
            print(missed)
