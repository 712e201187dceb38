"""What came of the requests: a report for each route, and why others were not sent."""

from __future__ import annotations

import random
from collections import Counter

import msgspec

from stepdown.comparer.judging import judged
from stepdown.comparer.pairing import Pair
from stepdown.comparison.answers import Judged, Reply
from stepdown.comparison.book import Book, Result
from stepdown.comparison.merging import merge
from stepdown.comparison.report import Report
from stepdown.decide.shadow_spec import Shadow

_BOOKS = 32
"""Of one route: where more sets of paths are redacted than this, answers are not compared."""


class Books:
    """Reports by route; each has a book for each set of paths at which recorded answers have no value any more."""

    def __init__(self, seed: int = 1) -> None:
        self._draw = random.Random(seed).random  # noqa: S311 - which examples are shown
        self._books: dict[str, dict[tuple[str, ...], Book]] = {}
        self.skipped: Counter[str] = Counter()
        """Exchanges that were not sent, by the reason."""
        self.results: Counter[Result] = Counter()
        self.why: dict[str, str] = {}
        """Reasons for which answers of the candidate are incomparable, with a sentence about the first of each."""
        self.unseen: Counter[str] = Counter()
        """Paths that were not looked at because recorded answers have no value there, with the number of answers."""

    def add(self, pair: Pair, name: str, unseen: tuple[str, ...] = (), size: int = 0) -> Result:
        """Compare what was recorded, which had `size` bytes when it was sent, with what came now."""
        book = self._book(pair.asked.route.name, pair.shadow, unseen)
        found = judged(pair)
        found.name = name
        if found.detail:
            self.why.setdefault(found.reason, found.detail)
        if found.candidate is not None and size:
            found.served.size = size
        if book is None:
            book = self._book(pair.asked.route.name, pair.shadow, ())
            assert book is not None
            found = Judged(found.contract, Reply(0), None, "redacted", at=found.at, name=name)
        result = book.add(found)
        self.results[result] += 1
        self.unseen.update(unseen)
        return result

    def reports(self) -> dict[str, Report]:
        """By route, of those of which anything was sent."""
        found: dict[str, Report] = {}
        for route, books in sorted(self._books.items()):
            whole = Report()
            for book in books.values():
                whole = merge(whole, book.report())
            found[route] = whole
        return found

    def _book(self, route: str, shadow: Shadow, unseen: tuple[str, ...]) -> Book | None:
        books = self._books.setdefault(route, {})
        book = books.get(unseen)
        if book is None:
            if len(books) >= _BOOKS and unseen:
                return None
            comparing = msgspec.structs.replace(shadow.compare, ignore=(*shadow.compare.ignore, *unseen))
            book = books[unseen] = Book(comparing, shadow.examples, self._draw)
        return book
