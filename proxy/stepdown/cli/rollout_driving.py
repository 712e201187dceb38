"""`stepdown rollout status | verdict | history | start ...`: rollouts of a running sidecar, looked at and driven."""

from __future__ import annotations

import json
import sys
from typing import Annotated, NoReturn

import typer

from stepdown.cli import rollout_shown as shown
from stepdown.cli.admin_client import AdminError
from stepdown.cli.admin_options import ADMIN, TOKEN_ENV, AdminOption, TokenOption
from stepdown.cli.output import show_tables
from stepdown.cli.rollout_client import Sidecar, View
from stepdown.cli.rollout_traffic import EXIT_UNUSABLE
from stepdown.cli.shadow_output import said
from stepdown.cli.summary import Table

EXIT_NOT_MOVED = 1
EXIT_TROUBLE = 1
VERDICTS = {"success": 0, "failure": 1, "inconclusive": 3}
_CONFLICT = 409

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="One of the sidecar's rollouts.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="The answer as JSON, for machines.")]


def status(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only this one, whole.", show_default=False)
    ] = None,
    *,
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
    as_json: JsonOption = False,
) -> None:
    """Show where rollouts stand: all in a table, or one with its ladder, its guards and what it waits for.

    \b
    Examples:
      stepdown rollout status
      stepdown rollout status churn-2
      stepdown rollout status --json | jq '.rollouts[] | {name, phase, weight}'

    Exits with 0, with 1 where somebody should look at one (rolled back, inconclusive, frozen, or its state is lost), or
    with 2 if the admin API cannot be reached, refuses the token or has no such rollout.
    """
    sidecar = Sidecar.of(admin, token_env)
    try:
        views = [sidecar.rollout(name)] if name is not None else sidecar.rollouts()
    except AdminError as error:
        give_up(error, as_json=as_json)
    if as_json:
        print(json.dumps(views[0] if name is not None else {"rollouts": views}, indent=2))
    elif name is not None:
        show(views[0])
    elif views:
        show_tables([shown.overview(views)])
    else:
        print("The file has no rollouts.")
    raise typer.Exit(EXIT_TROUBLE if any(map(shown.in_trouble, views)) else 0)


def verdict(
    name: NameArgument,
    *,
    of: Annotated[
        str, typer.Option("--of", metavar="WHAT", help="`step` (where it stands), `rollout`, or the number of a step.")
    ] = "step",
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
    as_json: JsonOption = False,
) -> None:
    """Say what a rollout comes to, for scripts: success, failure or inconclusive, and why.

    A step is a success when it has passed; the whole rollout when the candidate was promoted. Both fail when the
    candidate was taken back. Everything else is inconclusive.

    \b
    Examples:
      stepdown rollout verdict churn-2
      stepdown rollout verdict churn-2 --of rollout

    Exits with 0 on success, 1 on failure, 3 if it is inconclusive, or 2 if the admin API cannot be reached, refuses the
    token, or has no such rollout.
    """
    try:
        found = Sidecar.of(admin, token_env).verdict(name, of)
    except AdminError as error:
        give_up(error, as_json=as_json)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        said(f"{found['outcome']}: {found['sentence']}", _style(found["score"]))
    raise typer.Exit(VERDICTS[found["outcome"]])


def history(
    name: NameArgument,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="The newest so many.")] = 20,
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each, for machines.")] = False,
) -> None:
    """Show what happened to a rollout and why, the newest first: a sentence with its numbers for every move.

    Exits with 0, or with 2 if the admin API cannot be reached, refuses the token, or has no such rollout.
    """
    try:
        found = list(Sidecar.of(admin, token_env).history(name, limit))
    except AdminError as error:
        give_up(error, as_json=as_json)
    if as_json:
        for one in found:
            print(json.dumps(one))
    elif found:
        rows = [(shown.moment(one["at"]), str(one["run"]), one["sentence"]) for one in found]
        show_tables([Table(f"history of {name}", (("time", "run", "what happened"), *rows))])
    else:
        print(f"Nothing has happened to {name} yet.")


def start(
    name: NameArgument,
    *,
    force: Annotated[bool, typer.Option("--force", help="Although the cool-down is not over.")] = False,
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
    as_json: JsonOption = False,
) -> None:
    """Give the candidate its first step, also one that was taken back before: that ends its quarantine.

    Takes a token that may operate. Exits with 0 if it was started, 1 if not, with the reason, or 2 if it could not be
    asked.
    """
    _act(Sidecar.of(admin, token_env), name, "start", force=force, as_json=as_json)


def pause(
    name: NameArgument, *, admin: AdminOption = ADMIN, token_env: TokenOption = TOKEN_ENV, as_json: JsonOption = False
) -> None:
    """Keep the weight where it is; guards go on watching, and still take the candidate back.

    Exits with 0 if it is paused, 1 if not, with the reason, or 2 if it could not be asked.
    """
    _act(Sidecar.of(admin, token_env), name, "pause", as_json=as_json)


def resume(
    name: NameArgument, *, admin: AdminOption = ADMIN, token_env: TokenOption = TOKEN_ENV, as_json: JsonOption = False
) -> None:
    """Go on: after a pause, from a step that waits for a person (`manual`), or with one that had no verdict.

    After a wrong ratio of units (frozen) the step begins with evidence anew. Exits with 0 if it goes on, 1 if not, with
    the reason, or 2 if it could not be asked.
    """
    _act(Sidecar.of(admin, token_env), name, "resume", as_json=as_json)


def promote(
    name: NameArgument, *, admin: AdminOption = ADMIN, token_env: TokenOption = TOKEN_ENV, as_json: JsonOption = False
) -> None:
    """Give the candidate everything now, whatever is known of it.

    Exits with 0 if it was promoted, 1 if not, with the reason, or 2 if it could not be asked.
    """
    _act(Sidecar.of(admin, token_env), name, "promote", as_json=as_json)


def abort(
    name: NameArgument, *, admin: AdminOption = ADMIN, token_env: TokenOption = TOKEN_ENV, as_json: JsonOption = False
) -> None:
    """Give stable everything now. The candidate does not go into quarantine.

    Exits with 0 if it was aborted, 1 if not, with the reason, or 2 if it could not be asked.
    """
    _act(Sidecar.of(admin, token_env), name, "abort", as_json=as_json)


def undo(
    name: NameArgument, *, admin: AdminOption = ADMIN, token_env: TokenOption = TOKEN_ENV, as_json: JsonOption = False
) -> None:
    """Take a promotion back: the version that was stable before gets everything again. On its way it is an abort.

    Exits with 0 if it was taken back, 1 if not, with the reason, or 2 if it could not be asked.
    """
    _act(Sidecar.of(admin, token_env), name, "undo", as_json=as_json)


def show(view: View) -> None:
    """One rollout, whole."""
    print(shown.headline(view))
    said(shown.standing(view), shown.STYLES[view["phase"]])
    show_tables(shown.tables(view))
    print("\n" + "\n".join(shown.lines(view)))


def give_up(error: AdminError, *, as_json: bool = False, code: int = EXIT_UNUSABLE) -> NoReturn:
    """End with why nothing could be asked."""
    if as_json and error.problem:
        print(json.dumps(error.problem, indent=2))
    else:
        print(error, file=sys.stderr)
    raise typer.Exit(code)


def _act(sidecar: Sidecar, name: str, action: str, *, force: bool = False, as_json: bool = False) -> None:
    try:
        done = sidecar.act(name, action, force=force)
    except AdminError as error:
        give_up(error, as_json=as_json, code=EXIT_NOT_MOVED if error.status == _CONFLICT else EXIT_UNUSABLE)
    if as_json:
        print(json.dumps(done, indent=2))
    else:
        sentence = shown.full(done["sentence"] or "nothing was changed")
        said(f"{name}: {sentence}", "green" if done["moved"] else "yellow")
    raise typer.Exit(0 if done["moved"] else EXIT_NOT_MOVED)


def _style(score: int) -> str:
    return {1: "green", -1: "red"}.get(score, "yellow")
