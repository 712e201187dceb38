"""Finds different values for the items of an array, as `uniqueItems` asks.

An item that can have as many values as the array has items can always be served last. The others have a few values
each, all of which are known, and every way to give them different ones is tried.
"""

from __future__ import annotations

from typing import Any

from stepdown_adapters.json_values import equal
from stepdown_adapters.proof.outcomes import NOTHING, Found, Nothing, Outcome, Search, State, Unclear

_MOST_DISTINCT = 24


def distinct(states: list[State], search: Search) -> Outcome:
    """One value for each state, all different."""
    if len(states) > _MOST_DISTINCT:
        return Unclear(f"more than {_MOST_DISTINCT} different items")
    choices = [_some_values(state, len(states), search) for state in states]
    if any(isinstance(one, Unclear) for one in choices):
        return Unclear("how many different items there are is not decided")
    lists = [one for one in choices if isinstance(one, list)]
    order = sorted(range(len(lists)), key=lambda index: len(lists[index]))
    chosen = _matched(lists, order, {}, search)
    return NOTHING if chosen is None else Found([chosen[index] for index in range(len(lists))])


def _some_values(state: State, number: int, search: Search) -> list[Any] | Unclear:
    """As many different values as asked for, or all there are."""
    values: list[Any] = []
    while len(values) < number:
        outcome = search.inhabit(state | {-search.demand({"enum": values.copy()})} if values else state)
        if isinstance(outcome, Unclear):
            return outcome
        if isinstance(outcome, Nothing):
            break
        values.append(outcome.value)
    return values


def _matched(lists: list[list[Any]], order: list[int], chosen: dict[int, Any], search: Search) -> dict[int, Any] | None:
    search.step()
    if not order:
        return chosen
    index, *later = order
    for value in lists[index]:
        if not any(equal(value, other) for other in chosen.values()):
            found = _matched(lists, later, {**chosen, index: value}, search)
            if found is not None:
                return found
    return None
