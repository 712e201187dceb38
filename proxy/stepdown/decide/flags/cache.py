"""Remembers outcomes by the facts that they were decided by, in bounded memory.

Two generations: when the young one is full it becomes the old one, and what is asked for again is taken over. So what
is in use stays, what is not goes within two turns, and neither costs more than a look-up.

Only texts, booleans and null are remembered as facts. Numbers are not, because 1, 1.0 and true are one key of a
dictionary but not one value to JSONLogic; long texts are not, because they would make the bound on memory a lie.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from stepdown.decide.flags.evaluation import Evaluation
from stepdown.decide.flags.nodes import Needs
from stepdown.decide.flags.variables import walk

LONGEST_FACT = 256
"""Characters of a text that is remembered."""

MOST_FACTS = 8
"""Facts of a flag whose outcomes are remembered; gathering more costs as much as evaluating."""

Facts = Callable[[Mapping[str, Any]], Hashable]
"""Takes a context, gives the key to remember by: `None` where this context is not remembered."""


class OutcomeCache:
    """Outcomes of one flag, at most twice `size` of them."""

    __slots__ = ("_old", "_young", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._young: dict[Hashable, Evaluation] = {}
        self._old: dict[Hashable, Evaluation] = {}

    def get(self, facts: Hashable) -> Evaluation | None:
        """What was decided by these facts, if it is still known."""
        found = self._young.get(facts)
        if found is None:
            found = self._old.get(facts)
            if found is not None:
                self.put(facts, found)
        return found

    def put(self, facts: Hashable, outcome: Evaluation) -> None:
        """Remember."""
        if len(self._young) >= self.size:
            self._old, self._young = self._young, {}
        self._young[facts] = outcome

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


def facts_of(needs: Needs) -> Facts | None:
    """The function that gathers a flag's facts; `None` where its outcomes cannot or need not be remembered."""
    if needs.time or needs.everything or not 0 < len(needs.paths) <= MOST_FACTS:
        return None
    paths = tuple(tuple(path.split(".")) for path in sorted(needs.paths))
    if all(len(path) == 1 for path in paths):
        return _single(paths[0][0]) if len(paths) == 1 else _several(tuple(path[0] for path in paths))
    return _deep(tuple((path[0], path[1:]) for path in paths))


def _single(name: str) -> Facts:
    def gather(context: Mapping[str, Any]) -> Hashable:
        fact = context.get(name)
        if type(fact) is str:
            return fact if len(fact) <= LONGEST_FACT else None
        return (fact,) if fact is None or type(fact) is bool else None

    return gather


def _several(names: tuple[str, ...]) -> Facts:
    def gather(context: Mapping[str, Any]) -> Hashable:
        get = context.get
        facts = tuple([get(name) for name in names])
        for fact in facts:
            if type(fact) is str:
                if len(fact) > LONGEST_FACT:
                    return None
            elif fact is not None and type(fact) is not bool:
                return None
        return facts

    return gather


def _deep(paths: tuple[tuple[str, tuple[str, ...]], ...]) -> Facts:
    def gather(context: Mapping[str, Any]) -> Hashable:
        facts = []
        for first, rest in paths:
            fact = context.get(first)
            if rest:
                fact = walk(fact, rest)
            if not (fact is None or type(fact) is bool or (type(fact) is str and len(fact) <= LONGEST_FACT)):
                return None
            facts.append(fact)
        return tuple(facts)

    return gather
