"""Finds an array: items that must be somewhere, what each place has to satisfy, and how many may match.

Behind the *horizon*, the last place that some literal names, all places are alike. So an item that is wanted somewhere
is tried at each place before the horizon and at one place behind it for each item wanted. The shortest array that has
the wanted items is as good as any: nothing that is asked gets easier by a further item, but to differ from an excluded
value. (`contains` wants its items one by one.)

`maxContains`: places all of whose values match must not be more than allowed; all others are asked not to match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

from stepdown_adapters.json_values import equal
from stepdown_adapters.proof.distinct import distinct
from stepdown_adapters.proof.outcomes import (
    NOTHING,
    Attempt,
    Found,
    Nothing,
    Outcome,
    Search,
    State,
    Unclear,
)

_MOST_ITEMS = 200
_MOST_WANTED = 12
_MOST_LIMITS = 4

_Placed = dict[int, frozenset[int]]
"""What is asked of single places by the wanted items."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An item that must be somewhere from `start` on; those of one group take different places."""

    start: int
    demand: int
    group: int


@dataclass(slots=True)
class _Items:
    """The literals of one branch, put in order."""

    least: int = 0
    most: int | None = None
    places: list[tuple[int, int]] = field(default_factory=list)
    rest: list[tuple[int, int]] = field(default_factory=list)
    wanted: list[_Wanted] = field(default_factory=list)
    fewer: list[tuple[int, int]] = field(default_factory=list)
    """Schemas, and one more than the number of items that may satisfy them."""
    unique: bool = False
    twice: bool = False
    """Whether some two items must be equal."""
    excluded: list[Any] = field(default_factory=list)

    def state(self, index: int, placed: _Placed) -> State:
        """What the item at a place has to satisfy."""
        asked = {demand for place, demand in self.places if place == index}
        asked |= {demand for start, demand in self.rest if start <= index}
        return placed.get(index, frozenset()).union(asked)

    def horizon(self) -> int:
        """The first place from which on all are alike."""
        starts = [start for start, _ in self.rest] + [one.start for one in self.wanted]
        return max([0, *starts, *(place + 1 for place, _ in self.places)])


def solve(literals: Iterable[Any], search: Search) -> Attempt:
    """An array that satisfies the literals."""
    items = _gather(literals)
    if items.most is not None and items.least > items.most:
        return NOTHING
    if len(items.wanted) > _MOST_WANTED or len(items.fewer) > _MOST_LIMITS:
        return Unclear("too many items are wanted at places to be chosen, or too many limits on matching ones")
    unclear: Outcome = NOTHING
    for placed in _placements(items, search):
        outcome = _complete(items, placed, search)
        if isinstance(outcome, Found):
            return outcome
        if isinstance(outcome, Unclear):
            unclear = outcome
    return unclear


def _gather(literals: Iterable[Any]) -> _Items:
    items = _Items()
    for word, about, holds in literals:
        match word, holds:
            case "size", True:
                items.least = max(items.least, about)
            case "size", False:
                items.most = about - 1 if items.most is None else min(items.most, about - 1)
            case "item", True:
                items.places.append(about)
            case "item", False:
                items.places.append((about[0], -about[1]))
                items.least = max(items.least, about[0] + 1)
            case "rest", True:
                items.rest.append(about)
            case "rest", False:
                items.wanted.append(_Wanted(about[0], -about[1], len(items.wanted)))
            case "matching", True:
                demand, number = about
                items.least = max(items.least, number)
                group = len(items.wanted)
                items.wanted += [_Wanted(0, demand, group)] * min(number, _MOST_WANTED + 1)
            case "matching", False if about[1] == 1:
                items.rest.append((0, -about[0]))
            case "matching", False:
                items.fewer.append(about)
            case "unique", _:
                items.unique = items.unique or holds
                items.twice = items.twice or not holds
            case "values", False:
                items.excluded += about.values
    return items


def _placements(items: _Items, search: Search) -> Iterator[_Placed]:
    """Every way to put the wanted items, and two equal ones if need be, that might lead to an array."""
    for placed in _wanted_placements(items, items.wanted, {}, {}, search):
        if not items.twice:
            yield placed
            continue
        end = max([items.horizon(), *(place + 1 for place in placed)]) + 2
        for one, other in combinations(range(end), 2):
            for state in _equal_items(items, items.state(one, placed) | items.state(other, placed), search):
                yield {**placed, one: state, other: state}


def _equal_items(items: _Items, state: State, search: Search) -> Iterator[State]:
    """What two equal items have to satisfy: to be one certain value.

    One value for each way to match and not match the schemas whose matches are limited: in all that is asked of the
    array, values alike in that are alike in everything.
    """
    limited = sorted({demand for demand, _ in items.fewer})
    for signs in product((-1, 1), repeat=len(limited)):
        answers = state.union(sign * demand for sign, demand in zip(signs, limited, strict=True))
        value = search.inhabit(answers)
        if isinstance(value, Found):
            yield answers | {search.demand({"enum": [value.value]})}
        elif isinstance(value, Unclear):
            yield answers


def _wanted_placements(
    items: _Items, wanted: list[_Wanted], placed: _Placed, last: dict[int, int], search: Search
) -> Iterator[_Placed]:
    search.step()
    if not wanted:
        yield placed
        return
    first = wanted[0]
    end = items.horizon() + len(items.wanted)
    if items.most is not None:
        end = min(end, items.most)
    # Items of one group are alike, so it is enough to place them from left to right.
    for index in range(max(first.start, last.get(first.group, -1) + 1), end):
        asked = placed.get(index, frozenset()) | {first.demand}
        if isinstance(search.inhabit(items.state(index, placed) | asked), Nothing):
            continue
        further = {**last, first.group: index}
        yield from _wanted_placements(items, wanted[1:], {**placed, index: asked}, further, search)


def _complete(items: _Items, placed: _Placed, search: Search) -> Outcome:
    """The shortest array with everything placed."""
    length = max([items.least, *(place + 1 for place in placed)])
    if items.most is not None and length > items.most:
        return NOTHING
    states = [items.state(index, placed) for index in range(min(length, _MOST_ITEMS + 1))]
    values: list[Any] = []
    unclear: Outcome = NOTHING
    for state in states:
        outcome = search.inhabit(state)
        if isinstance(outcome, Nothing):
            return NOTHING
        if isinstance(outcome, Found):
            values.append(outcome.value)
        else:
            unclear = outcome
    if isinstance(unclear, Unclear):
        return unclear
    if length > _MOST_ITEMS:
        return Unclear(f"an array of more than {_MOST_ITEMS} items")
    if items.fewer:
        limited = _limited(items, states, search)
        if not isinstance(limited, list):
            return limited
        states, values = limited, [search.inhabit(state) for state in limited]
        if not all(isinstance(value, Found) for value in values):
            return Unclear("how many items match is not decided")
        values = [value.value for value in values]
    if items.unique:
        different = distinct(states, search)
        if not isinstance(different, Found):
            return Unclear("items that differ and match") if items.fewer else different
        values = different.value
    return _different(items, placed, states, values, search)


def _limited(items: _Items, states: list[State], search: Search) -> list[State] | Nothing | Unclear:
    """The states with "does not match" added wherever that is possible."""
    for demand, number in items.fewer:
        matching = 0
        changed = []
        for state in states:
            outcome = search.inhabit(state | {-demand})
            if isinstance(outcome, Unclear):
                return outcome
            matching += isinstance(outcome, Nothing)
            changed.append(state if isinstance(outcome, Nothing) else state | {-demand})
        if matching >= number:
            # With several limits, the second one may fail only because of what was asked for the first.
            return NOTHING if demand == items.fewer[0][0] else Unclear("several limits on matching items")
        states = changed
    return states


def _different(items: _Items, placed: _Placed, states: list[State], values: list[Any], search: Search) -> Outcome:
    """The array, or one that differs from every excluded value."""
    if not any(equal(values, one) for one in items.excluded):
        return Found(values)
    for index, state in enumerate(states):
        taken = [one[index] for one in items.excluded if index < len(one)]
        avoid = -search.demand({"enum": [*taken, *(values if items.unique else ())]})
        outcome = search.inhabit(state | {avoid})
        if isinstance(outcome, Found) and not items.twice:
            return Found([*values[:index], outcome.value, *values[index + 1 :]])
    longer = len(values)
    while (items.most is None or longer < items.most) and longer < len(values) + len(items.excluded) + 1:
        demands = {-demand for demand, _ in items.fewer}
        if items.unique:
            demands.add(-search.demand({"enum": values.copy()}))
        outcome = search.inhabit(items.state(longer, placed) | demands)
        if not isinstance(outcome, Found):
            return outcome if not values and not demands else Unclear("every array found is an excluded value")
        values = [*values, outcome.value]
        longer += 1
        if not any(equal(values, one) for one in items.excluded):
            return Found(values)
    return NOTHING if not values and items.most == 0 else Unclear("every array found is an excluded value")
