"""`stepdown rollout watch`: a rollout as it goes on, live on a terminal and in lines elsewhere, until it is over."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic_core import PydanticCustomError

from stepdown.cli import rollout_shown as shown
from stepdown.cli.admin_client import AdminError
from stepdown.cli.admin_options import ADMIN, TOKEN_ENV, AdminOption, TokenOption
from stepdown.cli.rollout_client import Sidecar, View
from stepdown.cli.rollout_driving import NameArgument, give_up
from stepdown.cli.rollout_traffic import give_up as unusable
from stepdown.config.file.values import read_duration

if TYPE_CHECKING:  # it costs a third of the start-up, and only terminals want it
    from rich.console import Group

EXIT_TAKEN_BACK = 1
EXIT_STILL_OPEN = 3
BETWEEN_LINES = 10.0
"""Seconds, where nothing but numbers have changed."""
PATIENCE = 30.0
"""Seconds for which a sidecar that does not answer any more is waited for: its controller may be starting again."""
_BAR = 12

Show = Callable[[View, str], None]
"""Show a look, or the one before with why there is no newer one."""


def watch(
    name: NameArgument,
    *,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="Give up after so long, e.g. 2h.", show_default=False)
    ] = "",
    every: Annotated[
        float, typer.Option("--every", min=0.1, max=60.0, metavar="SECONDS", help="Between two looks.")
    ] = 1.0,
    admin: AdminOption = ADMIN,
    token_env: TokenOption = TOKEN_ENV,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each look, for machines.")] = False,
) -> None:
    """Watch a rollout until it is over: the ladder, the evidence of each guard, what it waits for and for how long.

    E is the evidence that the candidate is worse; where the mean over all guards reaches its level, the candidate is
    taken back. Beside it stands between which ratios of both rates the truth is (the candidate's by stable's): 1 is the
    same. All of these may be looked at as often as one likes without making mistakes more likely.

    On a terminal the picture changes in place; elsewhere a line is printed when something happens, and now and then.

    \b
    Examples:
      stepdown rollout start churn-2 && stepdown rollout watch churn-2
      stepdown rollout watch churn-2 --timeout 2h    # in a pipeline

    \b
    Exits with
      0  promoted
      1  rolled back or aborted
      2  nothing is known: a mistake in the command, no such rollout, no admin API or none that takes the token
      3  not over within --timeout
    """
    until = _until(timeout)
    sidecar = Sidecar.of(admin, token_env)
    try:
        with _screen(as_json=as_json) as show:
            last = _follow(lambda: sidecar.rollout(name), show, every, until)
    except AdminError as error:
        give_up(error)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if last["ended"]:
        raise typer.Exit(0 if last["phase"] == "promoted" else EXIT_TAKEN_BACK)
    print(f"{name} is not over after {timeout}: {shown.one_line(last)}", file=sys.stderr)
    raise typer.Exit(EXIT_STILL_OPEN)


def _until(timeout: str) -> float:
    """On the monotonic clock."""
    if not timeout:
        return math.inf
    try:
        return time.monotonic() + read_duration(timeout)
    except PydanticCustomError:
        unusable(f"--timeout {timeout}: found no duration such as 90s, 30m or 2h.")


def _follow(look: Callable[[], View], show: Show, every: float, until: float) -> View:
    """The last look: at its end, or when there is no more time."""
    view = look()
    answered = time.monotonic()
    show(view, "")
    while not view["ended"] and time.monotonic() < until:
        time.sleep(max(0.0, min(every, until - time.monotonic())))
        try:
            view = look()
        except AdminError as error:
            if error.status in {401, 403, 404} or time.monotonic() > answered + PATIENCE:
                raise
            show(view, str(error))
        else:
            answered = time.monotonic()
            show(view, "")
    return view


# --- what is seen -----------------------------------------------------------------------------------------------------


@contextmanager
def _screen(*, as_json: bool) -> Iterator[Show]:
    if as_json:
        yield _print_json
    elif not sys.stdout.isatty():
        yield Lines().show
    else:
        from rich.console import Console  # noqa: PLC0415 - only terminals want it
        from rich.live import Live  # noqa: PLC0415

        with Live(console=Console(highlight=False), auto_refresh=False, vertical_overflow="visible") as live:
            yield lambda view, trouble: live.update(frame(view, trouble), refresh=True)


def _print_json(view: View, trouble: str) -> None:
    if trouble:
        print(trouble, file=sys.stderr)
    else:
        print(json.dumps(view), flush=True)


class Lines:
    """A line for what happens, and one now and then for how far it is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: Any = None
        self._line = ""
        self._at = -math.inf
        self._trouble = ""

    def show(self, view: View, trouble: str) -> None:
        """A look."""
        if trouble:
            if trouble != self._trouble:
                print(trouble, file=sys.stderr)
            self._trouble = trouble
            return
        self._trouble = ""
        if self._known is None:
            self._say(shown.headline(view))
        known, now, line = (view["phase"], view["run"], view["step"], view["said"]), self._clock(), shown.one_line(view)
        if known != self._known:
            if view["said"] and (self._known is None or view["said"] != self._known[3]):
                self._say(view["said"])
        elif line == self._line or now < self._at + BETWEEN_LINES:
            return
        self._known, self._line, self._at = known, line, now
        estimate = shown.estimated(view)
        self._say(f"{line}. {estimate}" if estimate else line)

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S', time.gmtime())} {text}", flush=True)


def frame(view: View, trouble: str = "") -> Group:
    """Everything about a rollout, for a terminal."""
    from rich.console import Group  # noqa: PLC0415 - only terminals want it
    from rich.text import Text  # noqa: PLC0415

    head = Text(shown.headline(view), style="bold")
    place = Text(shown.standing(view), style=shown.STYLES[view["phase"]])
    ladder, *guards = shown.tables(view)
    parts: list[Any] = [head, place, _table(ladder, 2, shown.STEP_STYLES)]
    if guards:
        bars = [_bar(one["e"], one["level"]) for one in view["guards"]]
        parts.append(_table(guards[0], 1, shown.VERDICT_STYLES, bars))
    if view["evidence"] is not None:
        known = view["evidence"]
        parts.append(Text.assemble("all guards  ", _bar(known["e"], known["level"]), "  to be taken back at the end"))
    parts.extend(Text(line) for line in shown.lines(view))
    if trouble:
        parts.append(Text(trouble, style="red"))
    return Group(*parts)


def _table(table: Any, styled: int, styles: dict[str, str], bars: list[Any] | None = None) -> Any:
    """A table of which the column `styled` is coloured by its first word."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Column, Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    head, *rows = table.rows
    columns = [Column(name, overflow="fold") for name in (*head, *([""] if bars is not None else []))]
    shown_ = Table(*columns, title=table.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for place, row in enumerate(rows):
        cells: list[Any] = [Text(cell) for cell in row]
        cells[styled].stylize(styles.get(row[styled].partition(",")[0], ""))
        shown_.add_row(*cells, *([bars[place]] if bars is not None else []))
    return shown_


def _bar(e: float | None, level: float | None) -> Any:
    """How far evidence has come towards its level, by its logarithm, in which it grows."""
    from rich.text import Text  # noqa: PLC0415

    if e is None or level is None:
        return Text("")
    part = min(max(math.log(e) / math.log(level), 0.0), 1.0) if e > 0 else 0.0
    full = round(part * _BAR)
    style = "red" if part >= 1 else "yellow" if part >= 0.5 else "green"
    return Text.assemble(("█" * full, style), ("░" * (_BAR - full), "dim"))
