"""Reports of shadows on a board, as a comparer would have left them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from stepdown.comparison import posts
from stepdown.comparison.book import Book
from stepdown.comparison.posts import Post, meaning
from stepdown.comparison.report import Report
from stepdown.comparison.view import view
from stepdown.decide.shadow_spec import Comparing, Examples, Shadow
from stepdown.decide.spec import SnapshotSpec
from stepdown.telemetry.board import Board
from tests.kit.comparing import judged
from tests.kit.controller_state import a_spec

NEXT = Shadow(name="next", version="2.0.0")
SIZE = 4 * 1024 * 1024


def with_shadows(*shadows: Shadow) -> SnapshotSpec:
    """The route `churn` has these; one called `next` unless others are given."""
    spec = a_spec()
    churn, fraud = spec.routes
    return replace(spec, routes=(replace(churn, shadows=shadows or (NEXT,)), fraud))


def counted(
    compared: int, different: int = 0, noise: int | None = None, failed: int = 0, errors: int = 0, **rules: Any
) -> Report:
    """So many pairs, of which so many differ in `/score`, and in the label that goes with it.

    With `noise`, every pair has a noise copy, of which so many differ in `/note`, as the candidate's do as often.
    """
    book = Book(Comparing(**{"labels": ("/plan",), **rules}), Examples(keep=8), lambda: 0.5)
    for number in range(compared):
        served = {"score": 0.5, "plan": "basic", "note": "short"}
        bad = number < different
        candidate = served | ({"score": 0.75, "plan": "plus"} if bad else {})
        more: dict[str, Any] = {}
        if noise is not None:
            more["noise"] = served | ({"note": "brief"} if compared - number <= noise else {})
            if compared - number <= 2 * noise and compared - number > noise:
                candidate = candidate | {"note": "long"}
        one = judged(
            served,
            candidate,
            at=1_700_000_000.0 + number,
            name=f"2023-11-14T22:{number // 60 % 60:02}:{number % 60:02}.000Z",
            **more,
        )
        assert one.candidate is not None
        one.served.seconds, one.candidate.seconds = 0.02, 0.03
        one.served.size, one.candidate.size = 120, 132
        if one.noise is not None:
            one.noise.seconds, one.noise.size = 0.021, 120
        if number >= compared - errors:
            one.candidate.status = 503
        book.add(one)
    for _ in range(failed):
        one = judged({}, {}, at=1_700_000_000.0)
        one.candidate, one.reason = None, "timeout"
        book.add(one)
    return book.report("churn/next")


def whole(report: Report) -> dict[str, Any]:
    """As the admin API gives it."""
    return {
        "route": "churn",
        "shadow": "next",
        "begun": "2026-11-26T04:00:00.000Z",
        "skipped": {},
        "report": view(report),
    }


def post(report: Report, shadow: Shadow = NEXT, wish: str = "", route: str = "churn") -> Post:
    """What a comparer would pin up of a shadow."""
    return Post(route, shadow.name, meaning("churn", shadow), 1_700_000_000.0, wish, report.encode())


def pin_up(board: Board, pinned: Sequence[Post]) -> None:
    """In place of what was there."""
    assert board.write(posts.encode(pinned, board.room))


@contextmanager
def boarded(*pinned: Post) -> Iterator[Board]:
    """A board with these on it."""
    fd = os.memfd_create("board")
    os.ftruncate(fd, SIZE)
    board = Board(fd, SIZE)
    try:
        if pinned:
            pin_up(board, pinned)
        yield board
    finally:
        board.close()
        os.close(fd)
