"""Takes the demands on a value apart into branches: lists of literals that cover all ways to satisfy the demands.

This is a tableau. What must hold in any case is written down first; a literal next to its opposite closes the branch.
Then one `Some` is chosen and each of its parts is followed in a branch of its own. Three rules keep the tree small:

    a `Some` with a part that holds already is forgotten
    a part that cannot hold any more is crossed out; a last part left is no choice, and is followed at once
    of the choices, those between whole schemas come first (`anyOf`: after that, its discriminator is known), and among
    equals the one with fewest parts

Whether a literal holds already is first looked up among the literals of the branch; where several choices are open, the
room of the kind is asked too: a literal holds already when its opposite, added to the branch, leaves nothing. A union
compared with a union is decided by this, member by member, instead of by trying every combination.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.proof.formulas import NO, Every, Formula, Literal, Some, opposite
from stepdown_adapters.proof.outcomes import Attempt, Nothing
from stepdown_adapters.proof.schemas import FALSE, TRUE

_Room = Callable[[Iterable[Literal]], Attempt]


@dataclass(frozen=True, slots=True)
class Branch:
    """Literals of one kind of value, all of which hold."""

    literals: tuple[Literal, ...]
    values: list[Any] | None
    """The few values that an `enum` or `const` leaves, of all branches that share it; literals may be missing then."""
    opaque: str | None
    """What of the branch was not understood, if anything."""


def branches(
    demands: Iterable[int], formula: Callable[[int], Formula], room: _Room | None, step: Callable[[], None]
) -> Iterator[Branch]:
    """The branches of the demands on a value of one kind, of which `formula` knows what each demand asks."""
    yield from _Tableau(formula, room, step).follow(_Path({}, set(), []), list(demands))


class _Path:
    """What is known on the way from the root of the tree to one place in it."""

    __slots__ = ("choices", "demands", "literals")

    def __init__(self, literals: dict[Literal, None], demands: set[int], choices: list[Some]) -> None:
        self.literals = literals
        """A dict for its order: the search must not depend on the hashes of strings."""
        self.demands = demands
        self.choices = choices

    def settled(self, part: Formula) -> bool | None:
        """Whether a formula holds (or fails) in any case, as far as can be seen without thinking."""
        if isinstance(part, int):
            if part in self.demands or part in (TRUE, -FALSE):
                return True
            return False if -part in self.demands or part in (FALSE, -TRUE) else None
        if isinstance(part, Literal):
            if part in self.literals:
                return True
            return False if opposite(part) in self.literals else None
        if not part.parts:
            return isinstance(part, Every)
        return None


class _Tableau:
    def __init__(self, formula: Callable[[int], Formula], room: _Room | None, step: Callable[[], None]) -> None:
        self._formula = formula
        self._room = room
        self._step = step

    def follow(self, path: _Path, unread: list[Formula]) -> Iterator[Branch]:
        """All open branches below a place of the tree, with some formulas not yet written down."""
        while unread:
            if not self._write(path, unread):
                return
            unread = self._simplify(path)
        listed = [one.about for one in path.literals if one.word == "values" and one.holds]
        if listed or not path.choices:
            opaque = next((one.about[1] for one in path.literals if one.word == "opaque"), None)  # type: ignore[index]
            yield Branch(tuple(path.literals), listed[0].values if listed else None, opaque)  # type: ignore[attr-defined]
            return
        chosen = min(path.choices, key=_cost)
        rest = [one for one in path.choices if one is not chosen]
        for part in chosen.parts:
            self._step()
            yield from self.follow(_Path(dict(path.literals), set(path.demands), list(rest)), [part])

    def _write(self, path: _Path, unread: list[Formula]) -> bool:
        """Writes down what must hold; `False` when it contradicts itself."""
        while unread:
            part = unread.pop()
            known = path.settled(part)
            if known is False:
                return False
            if known is True:
                continue
            if isinstance(part, int):
                path.demands.add(part)
                unread.append(self._formula(part))
            elif isinstance(part, Literal):
                path.literals[part] = None
            elif isinstance(part, Every):
                unread.extend(reversed(part.parts))
            else:
                path.choices.append(part)
        return True

    def _simplify(self, path: _Path) -> list[Formula]:
        """Forgets choices that are made and parts that are impossible; what has no choice left is returned."""
        forced: list[Formula] = []
        choices: list[Some] = []
        for choice in path.choices:
            left = self._left(path, choice)
            if left is None:
                continue
            if len(left) < 2:
                forced.append(left[0] if left else NO)
            else:
                choices.append(Some(tuple(left)))
        if len(choices) > 1 and not forced and self._room is not None:
            self._think(path, choices, forced)
        path.choices = choices
        return forced

    def _left(self, path: _Path, choice: Some) -> list[Formula] | None:
        left = []
        for part in choice.parts:
            known = path.settled(part)
            if known is True:
                return None
            if known is None:
                left.append(part)
        return left

    def _think(self, path: _Path, choices: list[Some], forced: list[Formula]) -> None:
        """Asks the room which literals of the choices hold already; changes `choices` in place."""
        literals = tuple(path.literals)
        for choice in list(choices):
            if any(isinstance(part, Literal) and self._impossible(literals, opposite(part)) for part in choice.parts):
                choices.remove(choice)
                continue
            left = [
                part for part in choice.parts if not (isinstance(part, Literal) and self._impossible(literals, part))
            ]
            if len(left) < 2:
                choices.remove(choice)
                forced.append(left[0] if left else NO)
                return
            choices[choices.index(choice)] = Some(tuple(left))

    def _impossible(self, literals: tuple[Literal, ...], one: Formula) -> bool:
        assert self._room is not None
        return isinstance(one, Literal) and isinstance(self._room((*literals, one)), Nothing)


def _cost(choice: Some) -> tuple[bool, int]:
    return all(isinstance(part, Literal) for part in choice.parts), len(choice.parts)
