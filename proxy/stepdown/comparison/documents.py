"""The walk through two documents at once: every place in which they differ, in the order of the served one.

What is still to be compared is a stack of iterators and not of calls, so that no depth of nesting is too much, and
nothing is laid out before it is looked at: a walk that has found enough differences has made no list of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepdown.comparison import arrays
from stepdown.comparison.answers import Compared, Difference
from stepdown.comparison.arrays import Step
from stepdown.comparison.places import Place, root
from stepdown.comparison.rules import State
from stepdown.comparison.scalars import equal, kind_of, magnitude, similarity

MOST = 100
"""Differences of two documents that are told apart."""
REORDERED = 256
"""Items of arrays of which it is found out whether only their order differs."""

_HOLDING = frozenset({dict, list})


def differences(rules: State, served: Any, candidate: Any, most: int = MOST, nested: bool = False) -> Compared:
    """All differences of two JSON values, `most` of them at the most; never raises.

    `nested` is for items that are tried against each other: arrays without order within them are compared exactly.
    """
    found: list[Difference] = []
    stack: list[Iterator[Step]] = [iter([(served, candidate, rules, root(rules))])]
    if rules.ignored:
        return Compared(found)
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
        elif isinstance(step, Difference):
            if len(found) == most:
                return Compared(found, True)
            found.append(step)
        else:
            stack.append(_compare(*step, nested))
    return Compared(found)


def _compare(served: Any, candidate: Any, state: State, place: Place, nested: bool) -> Iterator[Step]:
    """What is to be compared below two values, or how they differ."""
    if isinstance(served, dict) and isinstance(candidate, dict):
        return _members(served, candidate, state, place)
    if isinstance(served, list) and isinstance(candidate, list):
        if state.top:
            return arrays.top(served, candidate, state, place)
        if state.unordered:
            return arrays.unordered(served, candidate, state, place, None if nested else _alike)
        return _items(served, candidate, state, place)
    return _scalars(served, candidate, state, place)


def _alike(state: State, served: Any, candidate: Any) -> bool:
    """Whether two items of arrays without order are equal by the rules."""
    return not differences(state, served, candidate, 1, True).differences


def _members(served: dict[str, Any], candidate: dict[str, Any], state: State, place: Place) -> Iterator[Step]:
    members, other = state.members, state.other
    for name, value in served.items():
        below = members.get(name, other)
        if below.ignored:
            continue
        shown = "*" if below.secret and name not in members else None
        if name not in candidate:
            yield Difference("missing", Place(place, name, shown, below), value, None, 1.0)
            continue
        against = candidate[name]
        kind = value.__class__  # scalars of one type need no further step
        if kind is not against.__class__ or kind in _HOLDING or value != against:
            yield value, against, below, Place(place, name, shown, below)
    if served.keys() >= candidate.keys():
        return
    for name, value in candidate.items():
        below = members.get(name, other)
        if name not in served and not below.ignored:
            shown = "*" if below.secret and name not in members else None
            yield Difference("added", Place(place, name, shown, below), None, value, 1.0)


def _items(served: list[Any], candidate: list[Any], state: State, place: Place) -> Iterator[Step]:
    if len(served) != len(candidate):
        longer, apart = max(len(served), len(candidate)), abs(len(served) - len(candidate))
        yield Difference("length", place, len(served), len(candidate), apart / longer)
    elif state.tolerance is None and len(served) <= REORDERED and arrays.reordered(served, candidate, state):
        yield Difference("order", place, served, candidate, 1.0)
        return
    for index, (value, against) in enumerate(zip(served, candidate, strict=False)):
        kind = value.__class__
        if kind is against.__class__ and kind not in _HOLDING and value == against:
            continue
        below, shown = state.item(index, value, against)
        if not below.ignored:
            yield value, against, below, Place(place, index, shown, below)


def _scalars(served: Any, candidate: Any, state: State, place: Place) -> Iterator[Step]:
    if equal(served, candidate, state.tolerance):
        return
    if state.text and isinstance(served, str) and isinstance(candidate, str):
        share = similarity(served, candidate)
        if share < state.text.similar:
            yield Difference("text", place, served, candidate, 1.0 - share)
        return
    kind = "label" if state.label is not None else "value" if kind_of(served) == kind_of(candidate) else "type"
    yield Difference(kind, place, served, candidate, magnitude(served, candidate))
