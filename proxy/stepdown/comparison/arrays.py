"""Arrays whose order does not matter, or matters as a ranking only.

Values are *frozen* to be counted: hashable, with what is ignored left out, and numbers equal by value. What is nested
too deeply to be frozen is compared in its order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from stepdown.comparison.answers import Difference
from stepdown.comparison.places import Place
from stepdown.comparison.rules import State

DEEPEST = 100
"""Levels of a value that is frozen."""
SHALLOW = 10
"""Levels of items of which it is found out whether only their order differs."""
TRIED = 16
"""Items left over on each side that are tried against each other by the rules, each with each."""

Step = tuple[Any, Any, State, Place] | Difference
"""Two values to be compared at a place, or a difference that was found there."""
Alike = Callable[[State, Any, Any], bool]


class TooDeepError(Exception):
    """A value is nested too deeply to be frozen."""


def freeze(value: Any, state: State, depth: int = DEEPEST) -> Hashable:
    """A hashable value that is equal for equal values, ignored parts left out; raises `TooDeepError`."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int | float):
        return value if value == value else ("NaN",)  # noqa: PLR0124
    if not depth:
        raise TooDeepError
    if isinstance(value, dict):
        below = [(name, member, state.member(name)) for name, member in value.items()]
        return (
            "object",
            frozenset((name, freeze(member, at, depth - 1)) for name, member, at in below if not at.ignored),
        )
    states = (
        [state.item(index, item)[0] for index, item in enumerate(value)] if state.picky else [state.other] * len(value)
    )
    items = [freeze(item, at, depth - 1) for item, at in zip(value, states, strict=True) if not at.ignored]
    return ("array", frozenset(Counter(items).items()) if state.unordered else tuple(items))


def reordered(served: list[Any], candidate: list[Any], state: State) -> bool:
    """Whether two arrays of one length hold the same items in different orders."""
    if len(served) < 2 or state.picky:
        return False
    try:
        first = [freeze(item, state.other, SHALLOW) for item in served]
        second = [freeze(item, state.other, SHALLOW) for item in candidate]
    except TooDeepError:
        return False
    return first != second and Counter(first) == Counter(second)


def top(served: list[Any], candidate: list[Any], state: State, place: Place) -> Iterator[Step]:
    """Only which items are among the first `k` counts: the share of them that both have."""
    rule = state.top
    assert rule
    names = [[_name(item, rule.key, state) for item in items[: rule.k]] for items in (served, candidate)]
    longest = max(len(names[0]), len(names[1]))
    if not longest:
        return
    agreed = (Counter(names[0]) & Counter(names[1])).total() / longest
    if agreed < rule.agree:
        yield Difference("top", place, served[: rule.k], candidate[: rule.k], 1.0 - agreed)


def _name(item: Any, key: str | None, state: State) -> Hashable:
    if key is not None and isinstance(item, dict) and key in item:
        item = item[key]
    try:
        return freeze(item, state.other)
    except TooDeepError:
        return ("deep",)


def unordered(
    served: list[Any], candidate: list[Any], state: State, place: Place, alike: Alike | None
) -> Iterator[Step]:
    """Items that belong together by their key, or as equals; what is left is missing, or added."""
    rule = state.unordered
    assert rule
    left, right = list(enumerate(served)), list(enumerate(candidate))
    if rule.key is not None:
        matched, left, right = _keyed(left, right, rule.key, state)
        for (index, value), (_, against) in matched:
            below, shown = state.item(index, value, against)
            if not below.ignored:
                yield value, against, below, Place(place, index, shown, below)
    try:
        left, right = _unequal(left, right, state)
    except TooDeepError:
        for (index, value), (_, against) in zip(left, right, strict=False):
            yield value, against, state.other, Place(place, index, None, state.other)
        shorter = min(len(left), len(right))
        left, right = left[shorter:], right[shorter:]
    if alike is not None and len(left) <= TRIED and len(right) <= TRIED:
        left, right = _tried(left, right, state, alike)
    for kind, items in (("missing", left), ("added", right)):
        for index, value in items:
            below, shown = state.item(index, value)
            if not below.ignored:
                first, second = (value, None) if kind == "missing" else (None, value)
                yield Difference(kind, Place(place, index, shown, below), first, second, 1.0)


Indexed = list[tuple[int, Any]]
Pairs = list[tuple[tuple[int, Any], tuple[int, Any]]]


def _keyed(served: Indexed, candidate: Indexed, key: str, state: State) -> tuple[Pairs, Indexed, Indexed]:
    """Pairs of items whose member `key` is equal (the first with the first where several are), and all others."""
    waiting: dict[Hashable, Indexed] = {}
    matched: Pairs = []
    others: Indexed = []
    for entry in candidate:
        name = key_of(entry[1], key, state)
        (waiting.setdefault(name, []) if name is not None else others).append(entry)
    left: Indexed = []
    for items in waiting.values():
        items.reverse()
    for entry in served:
        same = waiting.get(key_of(entry[1], key, state))
        if same:
            matched.append((entry, same.pop()))
        else:
            left.append(entry)
    return matched, left, sorted([*others, *(entry for items in waiting.values() for entry in items)], key=_index)


def key_of(item: Any, key: str, state: State) -> Hashable:
    """What tells which item it is; `None` where nothing does."""
    if not isinstance(item, dict) or key not in item:
        return None
    try:
        return ("key", freeze(item[key], state.other.other))
    except TooDeepError:
        return None


def _unequal(served: Indexed, candidate: Indexed, state: State) -> tuple[Indexed, Indexed]:
    """Those of both sides that have no exact equal on the other."""
    if not served or not candidate:
        return served, candidate
    names = [[freeze(item, _at(state, index, item)) for index, item in items] for items in (served, candidate)]
    counts = Counter(names[0]), Counter(names[1])
    if counts[0] == counts[1]:
        return [], []
    return _beyond(served, names[0], counts[1]), _beyond(candidate, names[1], counts[0])


def _beyond(items: Indexed, names: list[Hashable], equals: Counter[Hashable]) -> Indexed:
    """The items of which there are more than equals on the other side."""
    kept: Indexed = []
    for name, entry in zip(names, items, strict=True):
        if equals[name]:
            equals[name] -= 1
        else:
            kept.append(entry)
    return kept


def _tried(served: Indexed, candidate: Indexed, state: State, alike: Alike) -> tuple[Indexed, Indexed]:
    """Those that are not equal by the rules either; each takes the first of the other side that it is equal to."""
    left: Indexed = []
    right = list(candidate)
    for index, value in served:
        for at, (_, against) in enumerate(right):
            if alike(state.item(index, value, against)[0], value, against):
                del right[at]
                break
        else:
            left.append((index, value))
    return left, right


def _at(state: State, index: int, item: Any) -> State:
    return state.item(index, item)[0] if state.picky else state.other


def _index(entry: tuple[int, Any]) -> int:
    return entry[0]
