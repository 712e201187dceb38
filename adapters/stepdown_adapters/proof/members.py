"""Puts the literals about an object in order: which members must, may and must not be there, and what they are like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from stepdown_adapters.proof.formulas import Scope
from stepdown_adapters.proof.outcomes import State


@dataclass(frozen=True, slots=True)
class Wanted:
    """One member that must be somewhere in the scope."""

    scope: Scope
    value: frozenset[int]
    """What its value has to satisfy besides the rules."""
    name: frozenset[int]
    """What its name has to satisfy."""


ANYWHERE = Scope(frozenset(), (), outside=True)


@dataclass(slots=True)
class Members:
    """What one branch asks of the members of an object."""

    least: int = 0
    most: int | None = None
    required: dict[str, frozenset[int]] = field(default_factory=dict)
    """Names that must be there, with what only that member has to satisfy."""
    lacking: set[str] = field(default_factory=set)
    declared: dict[str, list[int]] = field(default_factory=dict)
    """What the value under a name has to satisfy; by name, for contracts have hundreds of them."""
    rules: list[tuple[Scope, int]] = field(default_factory=list)
    """What all values in a scope have to satisfy."""
    names: frozenset[int] = frozenset()
    """What every name has to satisfy."""
    wanted: list[Wanted] = field(default_factory=list)
    excluded: list[Any] = field(default_factory=list)

    def require(self, name: str, demands: frozenset[int]) -> None:
        """Says that a member must be there, and what it has to satisfy besides the rules."""
        self.required[name] = self.required.get(name, frozenset()) | demands

    def with_member(self, name: str, demands: frozenset[int]) -> Members:
        """The same and one more member, which was the first of those wanted."""
        changed = replace(self, required=dict(self.required), wanted=self.wanted[1:])
        changed.require(name, demands)
        return changed

    def state(self, name: str) -> State:
        """What the value of a member has to satisfy."""
        asked = [demand for scope, demand in self.rules if scope.covers(name)]
        return self.required.get(name, frozenset()).union(asked, self.declared.get(name, ()))

    def known(self) -> list[str]:
        """Names that are mentioned, in a fixed order."""
        mentioned = dict.fromkeys([*self.required, *self.declared])
        for scope in (*(scope for scope, _ in self.rules), *(one.scope for one in self.wanted)):
            mentioned.update(dict.fromkeys(sorted(scope.names)))
        mentioned.update(dict.fromkeys(sorted(self.lacking)))
        return list(mentioned)

    def name_questions(self) -> frozenset[int]:
        """What the name of some member wanted must be like."""
        return frozenset().union(*(one.name for one in self.wanted))

    def patterns(self) -> list[str]:
        """All patterns for names, in a fixed order."""
        found = {pattern: None for scope, _ in self.rules for pattern in scope.patterns}
        found.update({pattern: None for one in self.wanted for pattern in one.scope.patterns})
        return list(found)

    def vague(self) -> bool:
        """Whether which members a rule is about is not always known."""
        return any(Scope(frozenset(), (one,)).covers("") is None for one in self.patterns())


def gather(literals: Iterable[Any]) -> Members:
    """The literals of one branch, put in order."""
    members = Members()
    for word, about, holds in literals:
        match word, holds:
            case "size", True:
                members.least = max(members.least, about)
            case "size", False:
                members.most = about - 1 if members.most is None else min(members.most, about - 1)
            case "has", True:
                members.require(about, frozenset())
            case "has", False:
                members.lacking.add(about)
            case "members", _:
                _gather_members(members, about[0], about[1], holds)
            case "names", True:
                members.names |= {about}
            case "names", False:
                members.wanted.append(Wanted(ANYWHERE, frozenset(), frozenset([-about])))
            case "values", False:
                members.excluded += about.values
    return members


def _gather_members(members: Members, scope: Scope, demand: int, holds: bool) -> None:
    name = scope.only_name()
    if name is not None and holds:
        members.declared.setdefault(name, []).append(demand)
    elif name is not None:
        members.require(name, frozenset([-demand]))
    elif holds:
        members.rules.append((scope, demand))
    else:
        members.wanted.append(Wanted(scope, frozenset([-demand]), frozenset()))
