"""The reports of all shadows: pairs of answers come in, and what they say stands on the board a second later.

There is one book for each shadow of the configuration in force, up to as many as are compared at all. It is kept over
reloads while the shadow means the same (`comparison.posts.meaning`), and begun anew otherwise, or when somebody wishes
it. What this process had written when it died is what the next one goes on from: pairs that were counted after that are
lost, and none counts twice.

Writing costs what the reports that changed cost to encode, so it is done at most once a second, and more seldom where
it takes longer: it never takes more than a twentieth of the time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from stepdown.comparer.configurations import Configuration
from stepdown.comparer.judging import judged
from stepdown.comparer.pairing import Pair
from stepdown.comparer.shadow_tally import ShadowTally
from stepdown.comparison import posts
from stepdown.comparison.book import Book, Result
from stepdown.comparison.posts import Post, meaning
from stepdown.comparison.report import Report, decode
from stepdown.decide.shadow_spec import REPORTED, Shadow
from stepdown.telemetry.board import Board
from stepdown.telemetry.log import fields

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two writings, at the least."""
IDLE = 20.0
"""Times that a writing's own duration is waited after it."""

Key = tuple[str, str]
"""Route and shadow."""


class Clocks(NamedTuple):
    """What is not this room's to know."""

    seconds: Callable[[], float]
    """Monotonic, for intervals."""
    time: Callable[[], float]
    """Unix seconds, to say when a report was begun."""
    draw: Callable[[], float]
    """Numbers in [0, 1), for examples."""


class _Kept:
    """One shadow's book, and what was last posted of it."""

    __slots__ = ("book", "changed", "post", "shadow")

    def __init__(self, shadow: Shadow, book: Book, post: Post) -> None:
        self.shadow = shadow
        self.book = book
        self.post = post
        self.changed = True


class Reports:
    """Takes pairs, and keeps the board up to date."""

    def __init__(
        self,
        tally: ShadowTally,
        board: Board | None,
        clocks: Clocks,
        compared: Callable[[Pair, Result], None] | None = None,
    ) -> None:
        """What is on the board already is gone on from. Without one, reports are kept all the same.

        `compared` is told what came of each pair.
        """
        self._tally = tally
        self._board = board
        self._compared = compared
        self._clocks = clocks
        self._books: dict[Key, _Kept] = {}
        self._meanings: dict[tuple[str, Key], str] = {}
        """By configuration's digest and key."""
        self._found = _posted(board)
        self._changed = False
        self._next = 0.0

    def adopt(self, configuration: Configuration) -> None:
        """This configuration is in force from now on: its shadows have reports, and no others do."""
        self._meanings.clear()
        before, self._books = self._books, {}
        for route in configuration.routes.values():
            for shadow in route.shadows:
                if shadow.idle:
                    continue
                if len(self._books) >= REPORTED:
                    logger.warning("too many shadows for a report", extra=fields(route=route.name, shadow=shadow.name))
                    continue
                key = (route.name, shadow.name)
                self._books[key] = self._continued(key, meaning(route.model, shadow), shadow, before.get(key))
        self._found.clear()
        self._changed = True

    def _continued(self, key: Key, means: str, shadow: Shadow, kept: _Kept | None) -> _Kept:
        """The shadow's book, going on from what there is of it."""
        if kept is not None and kept.post.meaning == means:
            if kept.shadow.examples == shadow.examples:
                kept.shadow = shadow
                return kept
            found: Post | None = self._written(kept)
        else:
            found = self._found.get(key)
        if found is None or found.meaning != means:
            return self._begun(key, means, shadow, "")
        report = decode(found.report)
        if kept is not None:
            _without_examples(report)
        return _Kept(shadow, Book(shadow.compare, shadow.examples, self._clocks.draw, report), found)

    def _begun(self, key: Key, means: str, shadow: Shadow, wish: str) -> _Kept:
        book = Book(shadow.compare, shadow.examples, self._clocks.draw)
        return _Kept(shadow, book, Post(*key, means, self._clocks.time(), wish, b""))

    def __call__(self, pair: Pair) -> None:
        """Compare the answers, and count what comes of it."""
        key = (pair.asked.route.name, pair.shadow.name)
        kept = self._books.get(key)
        if kept is None or kept.post.meaning != self._meaning(pair, key):
            self._tally.compared(*key, "incomparable", "stale")
            return
        found = judged(pair)
        detail = found.detail if pair.candidate.answered else ""  # of others it was told when they ended
        result = kept.book.add(found)
        self._tally.compared(*key, result, found.reason, detail)
        kept.changed = self._changed = True
        if self._compared is not None:
            self._compared(pair, result)

    def _meaning(self, pair: Pair, key: Key) -> str:
        """Of the pair's shadow, in the configuration that it was copied under."""
        place = (pair.asked.about.digest, key)
        known = self._meanings.get(place)
        if known is None:
            known = self._meanings[place] = meaning(pair.asked.route.model, pair.shadow)
        return known

    def begin_anew(self, route: str, shadow: str, wish: str) -> None:
        """Forget what was counted of a shadow, as `wish` wants it; the board says so at once."""
        key = (route, shadow)
        kept = self._books.get(key)
        if kept is None:
            return
        self._books[key] = self._begun(key, kept.post.meaning, kept.shadow, wish)
        logger.info("report begun anew", extra=fields(route=route, shadow=shadow))
        self._changed = True
        self.write()

    def tick(self, now: float) -> None:
        """Write if something has changed and it is time."""
        if self._changed and now >= self._next:
            self.write()

    def write(self) -> None:
        """Put all reports on the board."""
        self._changed = False
        began = self._clocks.seconds()
        self._next = began + EVERY
        written = [self._written(kept) for kept in self._books.values()]
        if self._board is not None:
            self._board.write(posts.encode(written, self._board.room))
        ended = self._clocks.seconds()
        self._next = ended + max(EVERY, IDLE * (ended - began))

    @staticmethod
    def _written(kept: _Kept) -> Post:
        if kept.changed:
            kept.changed = False
            name = f"{kept.post.route}/{kept.post.shadow}"
            kept.post = msgspec.structs.replace(kept.post, report=kept.book.encode(name))
        return kept.post


def _posted(board: Board | None) -> dict[Key, Post]:
    """What a comparer before this one has left."""
    payload = None if board is None else board.read()
    if payload is None:
        return {}
    try:
        return {(post.route, post.shadow): post for post in posts.decode(payload) if decode(post.report)}
    except ValueError as error:
        logger.warning("reports are begun anew", extra=fields(reason=str(error)))
        return {}


def _without_examples(report: Report) -> None:
    """Those that were kept by another rule."""
    for section in report.sections.values():
        section.worst, section.random, section.drawn_from = {}, [], 0
