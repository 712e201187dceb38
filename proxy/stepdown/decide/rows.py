"""Rows: the first of many conditions that holds, found without trying them all.

A table of clients by API key has one row a client, each with an equality on the same header. Such a row is filed under
the value it wants, so a request tries only the rows filed under the values it has. Only rows without any equality on a
header (prefixes, hosts, paths) are tried one after another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from stepdown.decide import spec
from stepdown.decide.conditions import Condition, match_condition
from stepdown.decide.digests import Digests
from stepdown.decide.facts import Facts

T = TypeVar("T")


class _Row(NamedTuple, Generic[T]):
    place: int
    condition: Condition
    result: T


class _File(NamedTuple, Generic[T]):
    """Rows filed under the values of one header, or under the values' digests."""

    name: bytes
    hashed: bool
    rows: dict[bytes | str, list[_Row[T]]]


_Place = tuple[str, bool, str]
"""Where a row can be filed: header, whether by digest, value."""


class Rows(Generic[T]):
    """An ordered table of (match, result)."""

    def __init__(self, table: Iterable[tuple[spec.Match, T]], digests: Digests) -> None:
        self._digests = digests
        self._unfiled: list[_Row[T]] = []
        matches = list(table)
        crowd = Counter(value for match, _ in matches for places in _places(match) for value in places)
        files: dict[tuple[str, bool], _File[T]] = {}
        for place, (match, result) in enumerate(matches):
            row = _Row(place, match_condition(match, digests), result)
            best = min(_places(match), key=lambda places: sum(crowd[value] for value in places), default=())
            for name, hashed, value in best:
                file = files.setdefault((name, hashed), _File(name.encode(), hashed, {}))
                file.rows.setdefault(value if hashed else value.encode(), []).append(row)
            if not best:
                self._unfiled.append(row)
        self._files = tuple(files.values())
        first = self._unfiled[0] if self._unfiled and self._unfiled[0].place == 0 else None
        self._certain = first.result if first is not None and first.condition.always else None

    def find(self, facts: Facts) -> T | None:
        """The result of the first row that holds; `None` if none does."""
        if self._certain is not None:
            return self._certain
        best: _Row[T] | None = None
        for name, hashed, rows in self._files:
            value = facts.get(name)
            if value is not None:
                filed = rows.get(self._digests.hex(value) if hashed else value, ())
                best = _first(filed, best, facts)
        best = _first(self._unfiled, best, facts)
        return None if best is None else best.result


def _first(rows: Sequence[_Row[T]], best: _Row[T] | None, facts: Facts) -> _Row[T] | None:
    """The first row that holds, if it stands before the best so far."""
    for row in rows:
        if best is not None and row.place > best.place:
            break
        if row.condition.holds(facts):
            return row
    return best


def _places(match: spec.Match) -> Iterator[tuple[_Place, ...]]:
    """For each equality of the match, the places under which the row would have to be filed."""
    for header in match.headers:
        if header.equals is not None:
            yield ((header.name, False, header.equals),)
        elif header.sha256 is not None:
            yield ((header.name, True, header.sha256.lower()),)
        elif header.any_of:
            yield tuple((header.name, False, value) for value in dict.fromkeys(header.any_of))
