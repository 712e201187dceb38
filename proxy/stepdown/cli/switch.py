"""`stepdown switch PLACE COLOUR`: moves a running sidecar's traffic between blue and green, and back."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import typer
from pydantic_core import PydanticCustomError

from stepdown.cli.admin_client import AdminError, call
from stepdown.cli.admin_options import ADMIN, TOKEN_ENV, AdminOption, TokenOption, token_of
from stepdown.cli.output import show_tables
from stepdown.cli.summary import Row, Table
from stepdown.cli.switch_progress import Progress, line
from stepdown.cli.switch_progress import told as told_of_warm_up
from stepdown.config.file.values import read_duration

EXIT_REFUSED = 1
EXIT_UNREACHED = 2
EXIT_UNKNOWN = 3
EXIT_INTERRUPTED = 130


def switch(
    place: Annotated[
        str | None, typer.Argument(metavar="[ROUTE | MODEL/VERSION]", help="What has the colours.", show_default=False)
    ] = None,
    colour: Annotated[
        str | None,
        typer.Argument(metavar="[COLOUR | back]", help="The colour that is to take requests.", show_default=False),
    ] = None,
    *,
    status: Annotated[bool, typer.Option("--status", help="Show what is active, and change nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check whether the colour is ready.")] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Switch also to a colour that is not ready or not warm: its requests may fail until it is, and where "
            "every endpoint is down, all of them do.",
        ),
    ] = False,
    warm_up: Annotated[
        str | None,
        typer.Option(
            "--warm-up",
            metavar="DURATION",
            help="Send the colour copies of requests for so long first (60s, 5m), and refuse the switch if too many "
            "fail or too few come. What is not said here is as in the file's `warm_up`.",
        ),
    ] = None,
    no_warm_up: Annotated[
        bool, typer.Option("--no-warm-up", help="Send no copies first, though the file says so.")
    ] = False,
    percent: Annotated[
        float | None,
        typer.Option("--percent", metavar="NUMBER", help="Of the requests, how many are copied to warm up."),
    ] = None,
    min_copies: Annotated[
        int | None,
        typer.Option("--min-copies", metavar="NUMBER", help="Copies that have to have come to say that it is warm."),
    ] = None,
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON, for machines.")] = False,
) -> None:
    """Switch a route, or a version, of a running sidecar to its other colour.

    The colour is checked before it takes requests, and requests that run finish on the colour before. `back` leads to
    the colour before the last switch. Where the file says `warm_up`, or `--warm-up` does, the colour gets copies of
    requests first; Ctrl-C ends that, and nothing is switched. `back` and `--force` do not wait for what the file says.
    What was switched by hand survives reloads, until `active` in the file is
    changed. Exits with 0 when the colour is active (or would be), 1 if the switch is refused, 2 if the admin API cannot
    be reached or refuses the token, 3 if the answer was lost, so that it is not known what became of it, 130 if it was
    interrupted.

    \b
    Examples:
      stepdown switch churn green
      stepdown switch churn green --warm-up 60s --percent 20
      stepdown switch churn back
      stepdown switch churn/1.1.0 green --dry-run
      stepdown switch --status --json
    """
    if (colour is None) != status or (place is None and not status):
        _give_up("Say what to switch to which colour, as in `stepdown switch churn green`, or --status.")
    token = token_of(token_env, EXIT_UNREACHED)
    asked = _warm_up_asked(warm_up, percent, min_copies, not_at_all=no_warm_up)
    progress = Progress(lambda: call(admin, token, "GET", "/v1/switches"), place or "")
    try:
        if status:
            _show_status(call(admin, token, "GET", "/v1/switches"), place, as_json=as_json)
            return
        members = {"colour": colour, "force": force, "dry_run": dry_run, "warm_up": asked}
        answer = call(admin, token, "POST", _path(place or ""), members, watch=progress.look)
    except AdminError as error:
        progress.clear()
        _failed(error, as_json=as_json)
    except KeyboardInterrupt:
        progress.clear()
        _give_up(progress.ended(), EXIT_INTERRUPTED)
    progress.clear()
    print(json.dumps(answer, indent=2) if as_json else "\n".join(_told(answer)))


def _warm_up_asked(
    duration: str | None, percent: float | None, min_copies: int | None, *, not_at_all: bool
) -> Mapping[str, float] | bool | None:
    """The member `warm_up` of the call; `None` where nothing was said of it."""
    wanted: dict[str, float | None] = {"percent": percent, "min_copies": min_copies}
    if duration is not None:
        try:
            wanted["duration"] = read_duration(duration)
        except PydanticCustomError:
            _give_up(f"--warm-up {duration}: found no duration such as 60s, 5m or 500ms.")
    given = {name: value for name, value in wanted.items() if value is not None}
    if given and not_at_all:
        _give_up("--no-warm-up does not go together with what a warm-up should be like.")
    return given or (False if not_at_all else None)


def _path(place: str) -> str:
    model, slash, version = place.partition("/")
    if slash:
        return f"/v1/models/{quote(model, safe='')}/versions/{quote(version, safe='')}/switch"
    return f"/v1/routes/{quote(place, safe='')}/switch"


def _told(report: Mapping[str, Any]) -> list[str]:
    """What a switch came to, in sentences."""
    place, before, colour = report["place"], report["before"], report["colour"]
    if before == colour:
        return [f"{place}: {colour} is active already; nothing was changed."]
    checked = [
        f"  {one['endpoint']}: {'ready' if one['ready'] else 'NOT READY'}, {one['passed']} in a row: {one['saw']}"
        for one in report["endpoints"]
    ]
    if report["dry_run"]:
        word = "is not ready, and would be forced" if report["forced"] else "is ready"
        return [f"{place}: {colour} {word}; a dry run, so {before} stays active.", *checked]
    workers = f"{report['workers']} worker{'s' if report['workers'] != 1 else ''}"
    lines = [
        f"{place}: {before} -> {colour}, on {workers} in {1000 * report['switch_seconds']:.0f} ms, "
        f"after a check of {report['check_seconds']:.1f} s.",
        *checked,
        *(told_of_warm_up(report["warm_up"]) if report["warm_up"] else []),
        f"  Meanwhile {report['answered']} requests were answered and {report['failed']} failed; "
        f"{report['finishing']} still run on {before}.",
    ]
    if report["forced"]:
        lines.append(f"  Forced: {colour} is not ready or not warm, and its requests may fail.")
    return lines + [f"  Warning: {warning}" for warning in report["warnings"]]


def _show_status(answer: Mapping[str, Any], place: str | None, *, as_json: bool) -> None:
    shown = [one for one in answer["places"] if place in {None, one["place"]}]
    if place is not None and not shown:
        _give_up(f"There is no {place} with colours.", EXIT_REFUSED)
    if as_json:
        print(json.dumps({**answer, "places": shown}, indent=2))
        return
    if not shown:
        print("Nothing has colours.")
        return
    rows: list[Row] = [("place", "colour", "active", "version", "endpoints ready", "in the file", "switched")]
    rows += [_row(one, colour) for one in shown for colour in one["colours"]]
    show_tables([Table("colours", tuple(rows))])
    for one in shown:
        if one["under_way"] is not None:
            print(f"Under way, by {one['under_way']['by']}: {line(one['place'], one['under_way'])}.")
    if answer["saved"] is False:
        print("Warning: what was switched by hand could not be written to disk; a stop would forget it.")


def _row(place: Mapping[str, Any], colour: str) -> Row:
    side = place["colours"][colour]
    ready = f"{sum(one['ready'] for one in side['endpoints'])} of {len(side['endpoints'])}"
    by_hand = place["switched"]
    active = colour == place["active"]
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(by_hand["when"])) if by_hand else ""
    return (
        place["place"],
        colour,
        "active" if active else "",
        side["version"],
        ready,
        "active" if colour == place["declared"] else "",
        f"by {by_hand['by']} at {when}" if by_hand and active else "",
    )


def _failed(error: AdminError, *, as_json: bool) -> NoReturn:
    if as_json and error.problem:
        print(json.dumps(error.problem, indent=2))
    else:
        print(error, file=sys.stderr)
    if error.lost:
        raise typer.Exit(EXIT_UNKNOWN)
    raise typer.Exit(EXIT_UNREACHED if error.status in {0, 401, 403, 429} else EXIT_REFUSED)


def _give_up(message: str, code: int = EXIT_UNREACHED) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(code)
