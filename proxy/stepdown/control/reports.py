"""What shadows' answers are like, for those who ask: read off the board that the comparer keeps.

A report is shown only while the configuration in force has its shadow with the same meaning (`comparison.posts`); what
is left on the board of another configuration is not. To begin one anew is a wish that goes to the comparer by way of
the parent. It has come true when the board says whose wish the report was begun by, and nothing is known of it before:
the comparer may die with the wish in its hands.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from stepdown.comparison import posts
from stepdown.comparison.failures import failures
from stepdown.comparison.findings import Finding, answers
from stepdown.comparison.merging import counts
from stepdown.comparison.posts import Post, meaning
from stepdown.comparison.report import Report, Section, decode
from stepdown.comparison.view import finding_view, time_view, view
from stepdown.control.counting import Counted
from stepdown.control.refusals import ProblemError
from stepdown.decide.shadow_spec import REPORTED, Shadow
from stepdown.decide.spec import Route, SnapshotSpec
from stepdown.telemetry.board import Board
from stepdown.telemetry.slab import SlabReader

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds in which a wish has to come true."""
_LOOK = 0.02
_LEFT_OUT = (
    f"The answers of {{name}}/{{shadow}} are not compared: that is done for the first {REPORTED} shadows of the "
    "configuration. Put it before others, or take some out."
)

Key = tuple[str, str]
"""Route and shadow."""


class ReportError(ProblemError):
    """There is no such report, or none that can be told of now."""


class Headline(NamedTuple):
    """One shadow's report in a few numbers."""

    route: Route
    shadow: Shadow
    post: Post | None
    """`None` while there is no report."""
    since: float
    until: float
    section: Section
    """Counts of all pinned versions together."""
    finding: Finding
    """How often anything differs."""
    left_out: bool = False
    """There are too many shadows for it to have one."""

    @property
    def failed(self) -> int:
        """Answers that the candidate owed."""
        return failures(self.section)


class Reports:
    """Of the configuration in force, which comes with each question."""

    def __init__(
        self, board: Board | None, begin_anew: Callable[[str, str, str], None], slabs: Sequence[SlabReader] = ()
    ) -> None:
        """`begin_anew(route, shadow, wish)` tells the comparer, if there is one; `slabs` say what it was not sent."""
        self._board = board
        self._slabs = slabs
        self._begin_anew = begin_anew
        self._payload: bytes | None = None
        self._posts: dict[Key, Post] = {}
        self._known: dict[Key, tuple[bytes, Report]] = {}

    def headlines(self, spec: SnapshotSpec) -> Iterator[Headline]:
        """Of every shadow whose answers are compared."""
        found = self._read()
        for number, (route, shadow) in enumerate(_compared(spec)):
            headline = self._headline(route, shadow, _fitting(found, route, shadow))
            yield headline._replace(left_out=number >= REPORTED)

    async def whole(self, spec: SnapshotSpec, route: str, shadow: str) -> dict[str, Any]:
        """All of one report, as `comparison.view` shows it, and what was not sent; raises `ReportError`."""
        post = self._post(spec, route, shadow)
        if post is None:
            raise ReportError(503, "no-report", f"There is no report of {shadow} yet; the comparer may be starting.")
        with Counted(self._slabs, frozenset({route})) as counted:
            skipped = counted.skipped(shadow)
        shown = await asyncio.to_thread(_shown, post.report)  # a large one takes a while
        begun = time_view(post.begun)
        return {"route": route, "shadow": shadow, "begun": begun, "skipped": skipped, "report": shown}

    async def begin_anew(self, spec: SnapshotSpec, route: str, shadow: str) -> float:
        """Have a report begun anew; since when it counts. Raises `ReportError`, and then it is not known whether."""
        self._post(spec, route, shadow)
        wish = secrets.token_hex(8)
        self._begin_anew(route, shadow, wish)
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            post = self._read().get((route, shadow))
            if post is not None and post.wish == wish:
                return post.begun
            await asyncio.sleep(_LOOK)
        detail = f"The comparer has not begun the report of {shadow} anew within {PATIENCE:g} s; ask again."
        raise ReportError(503, "not-begun-anew", detail)

    def _post(self, spec: SnapshotSpec, name: str, shadow_name: str) -> Post | None:
        """Raises `ReportError` where the configuration has no such shadow."""
        for number, (route, shadow) in enumerate(_compared(spec)):
            if (route.name, shadow.name) == (name, shadow_name):
                if number >= REPORTED:
                    raise ReportError(404, "not-compared", _LEFT_OUT.format(name=name, shadow=shadow_name))
                return _fitting(self._read(), route, shadow)
        known = [f"{route.name}/{one.name}" for route, one in _compared(spec)]
        detail = f"Route {name} has no shadow {shadow_name} whose answers are compared; "
        raise ReportError(404, "not-found", detail + f"there are: {', '.join(known) or 'none'}.")

    def _read(self) -> dict[Key, Post]:
        """What is on the board, decoded once."""
        payload = None if self._board is None else self._board.read()
        if payload is not None and payload != self._payload:  # a reader that is overtaken for long keeps what it has
            self._payload = payload
            self._posts = _posts(payload)
            self._known = {key: known for key, known in self._known.items() if key in self._posts}
        return self._posts

    def _headline(self, route: Route, shadow: Shadow, post: Post | None) -> Headline:
        if post is None:
            return Headline(route, shadow, None, 0.0, 0.0, Section(), answers(Section()))
        key = (route.name, shadow.name)
        known = self._known.get(key)
        if known is None or known[0] is not post.report:
            known = self._known[key] = (post.report, decode(post.report))
        report = known[1]
        section = counts(report)
        return Headline(route, shadow, post, report.since, report.until, section, answers(section))


def _compared(spec: SnapshotSpec) -> Iterator[tuple[Route, Shadow]]:
    """Every shadow that is one to compare, in the order of the file."""
    return ((route, shadow) for route in spec.routes for shadow in route.shadows if not shadow.idle)


def _posts(payload: bytes) -> dict[Key, Post]:
    try:
        return {(post.route, post.shadow): post for post in posts.decode(payload)}
    except ValueError as error:  # of another release, whose comparer is about to be replaced
        logger.warning("reports cannot be read: %s", error)
        return {}


def _fitting(found: dict[Key, Post], route: Route, shadow: Shadow) -> Post | None:
    post = found.get((route.name, shadow.name))
    return post if post is not None and post.meaning == meaning(route.model, shadow) else None


def _shown(report: bytes) -> dict[str, Any]:
    return view(decode(report))


def headline_view(one: Headline) -> dict[str, Any]:
    """For `GET /v1/shadows`."""
    section = one.section
    return {
        "route": one.route.name,
        "shadow": one.shadow.name,
        "version": one.shadow.version,
        "reported": one.post is not None,
        "left_out": one.left_out,
        "begun": None if one.post is None else time_view(one.post.begun),
        "since": time_view(one.since),
        "until": time_view(one.until),
        "compared": section.compared,
        "equal": section.equal,
        "different": section.different,
        "incomparable": sum(section.incomparable.values()),
        "failed": one.failed,
        "noise_copies": section.paired,
        "answers": finding_view(one.finding),
    }
