"""The steps between the versions of a description: declared adapters, checked, and those that contracts imply."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepdown_adapters import neighbours, operations
from stepdown_adapters.catalogue.entries import expanded
from stepdown_adapters.contract.mistakes import unknown
from stepdown_adapters.description.declared import DescribedVersion
from stepdown_adapters.description.notes import At, Notes
from stepdown_adapters.diff.prune import pruning
from stepdown_adapters.errors import CatalogueError, OperationError
from stepdown_adapters.hooks import load_hook
from stepdown_adapters.operations import Operation
from stepdown_adapters.operations.carry import names, uncarried_in
from stepdown_adapters.plan import Edge, Plan, plan_chains
from stepdown_adapters.proof.inclusion import Excluded
from stepdown_adapters.step import Step
from stepdown_adapters.stream.adapting.compiling import uncarried_in_stream
from stepdown_adapters.versions import Version, VersionError

ADAPTER_KEYS = frozenset(
    {
        "from",
        "to",
        "use",
        "response",
        "request",
        "errors",
        "hook",
        "prune",
        "fidelity",
        "non_finite",
        "refuse",
        "stream",
    }
)
_CHOICES = {"fidelity": ("normal", "strict"), "non_finite": ("fail", "nullify"), "prune": (True, False)}


@dataclass
class _Lists:
    """The operations of one adapter, for what is carried through a chain."""

    request: Sequence[Operation]
    response: Sequence[Operation]
    errors: Sequence[Operation]


class Steps:
    """All steps of one model by newer and older version."""

    __slots__ = ("_notes", "_versions", "at", "reasons", "refusals", "steps")

    def __init__(self, versions: Mapping[str, DescribedVersion], notes: Notes) -> None:
        self._versions = versions
        self._notes = notes
        self.steps: dict[tuple[str, str], Step] = {}
        self.refusals: dict[tuple[str, str], str] = {}
        self.reasons: dict[tuple[str, str], str] = {}
        self.at: dict[tuple[str, str], At] = {}
        """Where steps and refusals are declared."""

    def planned(self) -> Plan:
        """The chains over what was declared and, between neighbours without a declaration, what contracts imply."""
        for older, newer in itertools.pairwise(self._versions):
            if (newer, older) not in self.at:
                self._imply(newer, older)
        edges = [Edge(*ends, lossless=self._keeps(ends)) for ends in self.steps]
        plan = plan_chains(list(self._versions), list(self._versions), edges, self.reasons, self.refusals)
        self._check_carried(plan)
        return plan

    def adapter(self, value: Any, at: At) -> None:
        """Take one declared adapter, or note what is wrong with it."""
        section = self._notes.members(value, at, "an adapter")
        if section is None:
            return
        self._notes.keys(section, at, ADAPTER_KEYS)
        for key, choices in _CHOICES.items():
            if section.get(key, choices[0]) not in choices:
                self._notes.wrong((*at, key), f"is {' or '.join(map(_shown, choices))}, not {section[key]!r}")
        newer, older = (self._end(section, at, key) for key in ("from", "to"))
        if newer and older and newer.version <= older.version:
            self._notes.wrong((*at, "from"), f"{newer.version} is not newer than {older.version}: adapters step down")
            return
        if section.get("refuse") is not None:
            self._refusal(section, at, newer, older)
            return
        used = self._expanded(section, at)
        if used is None:
            return
        step = self._step(used, at, newer, older)
        for name, problem in neighbours.problems(step, newer, older):
            hint = f"; did you mean {problem.nearest!r}?" if problem.nearest else ""
            if name in section:
                self._notes.wrong((*at, name, *problem.steps), problem.sentence + hint)
            else:
                self._notes.wrong((*at, "use"), f"{name} {problem}")
        if newer and older:
            if not step.request and isinstance(asked := neighbours.requests(newer, older), Excluded):
                sentence = f"not every request for {older.version} is one for {newer.version}: {asked.reason}"
                self._notes.wrong(at, f"{sentence}; 'request' needs the operations that make them so")
            if self._is_first(newer, older, at):
                self.steps[str(newer.version), str(older.version)] = step

    def _expanded(self, section: Mapping[str, Any], at: At) -> Mapping[str, Any] | None:
        """The section with what an entry of the catalogue brings; `None` after noting that there is none."""
        try:
            return expanded(section)
        except CatalogueError as error:
            self._notes.wrong((*at, "use"), str(error))
            return None

    def _end(self, section: Mapping[str, Any], at: At, key: str) -> DescribedVersion | None:
        """The version that `from` or `to` names."""
        text = section.get(key)
        if not isinstance(text, str):
            self._notes.wrong((*at, key), f"{key!r} is a version in quotes such as '1.0.0', not {text!r}")
            return None
        try:
            version = str(Version.parse(text))
        except VersionError as error:
            self._notes.wrong((*at, key), str(error))
            return None
        if version not in self._versions:
            self._notes.wrong((*at, key), unknown("version", text, self._versions))
        return self._versions.get(version)

    def _is_first(self, newer: DescribedVersion, older: DescribedVersion, at: At) -> bool:
        """Whether nothing else is declared for the two; notes what is declared twice."""
        ends = str(newer.version), str(older.version)
        if self.at.setdefault(ends, at) == at:
            return True
        self._notes.wrong(at, f"is a second adapter from {ends[0]} to {ends[1]}")
        return False

    def _refusal(
        self,
        section: Mapping[str, Any],
        at: At,
        newer: DescribedVersion | None,
        older: DescribedVersion | None,
    ) -> None:
        """Take a step that is declared to be impossible."""
        stray = sorted(section.keys() - {"from", "to", "refuse"})
        if stray:
            self._notes.wrong((*at, stray[0]), "'refuse' stands alone beside 'from' and 'to'")
        if newer and older and self._is_first(newer, older, at):
            self.refusals[str(newer.version), str(older.version)] = str(section["refuse"])

    def _step(
        self,
        section: Mapping[str, Any],
        at: At,
        newer: DescribedVersion | None,
        older: DescribedVersion | None,
    ) -> Step:
        """The step that a section declares."""
        pruned: Sequence[Any] = ()
        if section.get("prune") is True and older is not None:
            if older.contract is None:
                self._notes.wrong((*at, "prune"), f"{older.version} has no contract that says what stays")
            else:
                pruned = pruning(older.contract)
        hook = section.get("hook")
        if hook is not None:
            try:
                load_hook(str(hook))
            except OperationError as error:
                self._notes.wrong((*at, "hook"), error.problems[0].sentence)
        return Step(
            source=str(newer.version) if newer else "",
            target=str(older.version) if older else "",
            response=_list(section, "response"),
            request=_list(section, "request"),
            errors=_list(section, "errors"),
            hook=None if hook is None else str(hook),
            pruning=pruned,
            fidelity=str(section.get("fidelity", "normal")),
            non_finite=str(section.get("non_finite", "fail")),
            stream=section.get("stream"),
        )

    def _imply(self, newer: str, older: str) -> None:
        """Take the step that the contracts of two neighbours imply, or the reason why they imply none."""
        implied = neighbours.implied(self._versions[newer], self._versions[older])
        if isinstance(implied, tuple):
            self.steps[newer, older] = Step(newer, older, implied)
        elif implied is not None:
            self.reasons[newer, older] = implied

    def _keeps(self, ends: tuple[str, str]) -> bool:
        """Whether a step is lossless; one that contracts imply is when it has nothing to do."""
        step = self.steps[ends]
        return neighbours.is_lossless(step) if ends in self.at else not step.response

    def _check_carried(self, plan: Plan) -> None:
        """Note what an answer's operations read and no request of its chain carries."""
        if self._notes:
            return
        parsed = {
            ends: _Lists(*(operations.parse(raw) for raw in (step.request, step.response, step.errors)))
            for ends, step in self.steps.items()
        }
        checked: set[tuple[tuple[str, str], frozenset[str]]] = set()
        for edges in plan.chains.values():
            ends = [(edge.source, edge.target) for edge in edges]
            lists = [parsed[one] for one in ends]
            for index, name, problem in uncarried_in(lists):
                self._notes.wrong((*self.at.get(ends[index], ()), name, *problem.steps), problem.sentence)
            carried = frozenset(name for one in lists for name in names(one.request))
            for one in ends:
                if self.steps[one].stream is not None and (one, carried) not in checked:
                    checked.add((one, carried))  # a step is in many chains, and nearly all of them carry the same
                    self._check_folded(one, carried)

    def _check_folded(self, ends: tuple[str, str], carried: frozenset[str]) -> None:
        """Note what the stream rules of a step read that it does not fold and its chain does not carry."""
        for problem in uncarried_in_stream(self.steps[ends], set(carried)):
            self._notes.wrong((*self.at[ends], "stream", *problem.steps), problem.sentence)


def _list(section: Mapping[str, Any], key: str) -> Sequence[Any]:
    """A list of operations; one alone may stand without the brackets."""
    value = section.get(key)
    return [] if value is None else value if isinstance(value, list) else [value]


def _shown(choice: object) -> str:
    return str(choice).lower() if isinstance(choice, bool) else repr(choice)
