"""Remembers outcomes by the facts that they were decided by, in bounded memory.

Two generations: when the young one is full it becomes the old one, and what is asked for again is taken over. So what
is in use stays, what is not goes within two turns, and neither costs more than a look-up.

Only texts and null are remembered as facts, so that looking up needs no check of its own: 1, 1.0 and true are one key
of a dictionary though not one value to JSONLogic, but none of them equals a text. Long texts are not remembered,
because they would make the bound on memory a lie.
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

Gather = Callable[[Mapping[str, Any]], Hashable]
"""Takes a context, gives its facts: one by itself, several in a tuple. They may turn out not to be hashable."""


class OutcomeCache:
    """Outcomes of one flag, at most twice `size` of them."""

    __slots__ = ("_old", "_young", "gather", "size")

    def __init__(self, gather: Gather, size: int) -> None:
        self.gather = gather
        self.size = size
        self._young: dict[Hashable, Evaluation] = {}
        self._old: dict[Hashable, Evaluation] = {}

    def get(self, facts: Hashable) -> Evaluation | None:
        """What was decided by these facts, if it is still known; raises `TypeError` where they have no hash."""
        found = self._young.get(facts)
        if found is None and (found := self._old.get(facts)) is not None:
            self._keep(facts, found)
        return found

    def put(self, facts: Hashable, outcome: Evaluation) -> None:
        """Remember, if these are facts to remember by."""
        if all(map(_plain, facts if isinstance(facts, tuple) else (facts,))):
            self._keep(facts, outcome)

    def _keep(self, facts: Hashable, outcome: Evaluation) -> None:
        if len(self._young) >= self.size:
            self._old, self._young = self._young, {}
        self._young[facts] = outcome

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


def _plain(fact: Any) -> bool:
    return fact is None or (type(fact) is str and len(fact) <= LONGEST_FACT)


def gather_of(needs: Needs) -> Gather | None:
    """The function that gathers a flag's facts; `None` where its outcomes cannot or need not be remembered."""
    if needs.time or needs.everything or not 0 < len(needs.paths) <= MOST_FACTS:
        return None
    names = tuple(sorted(needs.paths))
    if any("." in name for name in names):
        return _deep(names)
    if len(names) == 1:
        [name] = names
        return lambda context: context.get(name)
    return lambda context: tuple(map(context.get, names))


def _deep(paths: tuple[str, ...]) -> Gather:
    split = tuple((first, tuple(rest)) for first, *rest in (path.split(".") for path in paths))

    def gather(context: Mapping[str, Any]) -> Hashable:
        get = context.get
        return tuple([walk(get(first), rest) if rest else get(first) for first, rest in split])

    return gather
