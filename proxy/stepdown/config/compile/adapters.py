"""The steps between the versions of one model: declared adapters, checked, and those that contracts imply."""

from __future__ import annotations

import itertools
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

import msgspec

from stepdown.config.compile.carried import Carrying, carrying
from stepdown.config.compile.checker import Checker
from stepdown.config.compile.versions import Declared, DraftModel, Versions
from stepdown.config.file import AdapterSection
from stepdown.config.findings import listed
from stepdown.config.tree import Path
from stepdown.decide import spec
from stepdown_adapters import neighbours
from stepdown_adapters.diff.prune import pruning
from stepdown_adapters.errors import CatalogueError, OperationError
from stepdown_adapters.hooks import load_hook
from stepdown_adapters.plan import Edge
from stepdown_adapters.proof.verdicts import Excluded, Undecided
from stepdown_adapters.step import Step


@dataclass(slots=True)
class Steps:
    """All steps of a model by `(newer, older)`."""

    edges: list[Edge] = field(default_factory=list)
    steps: dict[tuple[str, str], spec.Step] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    """For neighbours without a step, how their contracts differ."""
    carrying: dict[tuple[str, str], Carrying] = field(default_factory=dict)
    """The adapters that carry something from requests to answers."""
    refusals: dict[tuple[str, str], str] = field(default_factory=dict)
    """The steps that are declared to be impossible, with the reason."""
    places: dict[tuple[str, str], Path] = field(default_factory=dict)
    """Where adapters and refusals are declared."""

    def add(self, step: spec.Step, *, lossless: bool) -> None:
        """Take a step into the graph."""
        self.steps[step.source, step.target] = step
        self.edges.append(Edge(step.source, step.target, lossless))


def steps_of(model: DraftModel, checker: Checker, *, imports: bool = True) -> Steps:
    """Declared adapters first; between neighbours without one, the projection that their contracts allow.

    With `imports=False` no hook is imported: what somebody else's file names is not run.
    """
    found = Steps()
    for index, given in enumerate(model.section.adapters):
        path: Path = (*model.path, "adapters", index)
        ends = _ends(given, path, model.versions, checker)
        adapter = _expanded(given, path, checker)
        brought = adapter.model_fields_set - given.model_fields_set
        pruned = _check_adapter(adapter, ends, path, checker, brought, imports=imports) if not adapter.refuse else ()
        if ends is None:
            continue
        newer, older = ends
        first = found.places.setdefault((newer.id, older.id), path)
        if first != path:
            problem = f"found a second adapter from {newer.id} to {older.id}"
            checker.error(path, problem, f"one for each pair; the first is at {checker.line(first)}")
            continue
        if adapter.refuse is not None:
            found.refusals[newer.id, older.id] = adapter.refuse
            continue
        carries = carrying(adapter, path)
        if carries is not None:
            found.carrying[newer.id, older.id] = carries
        step = _declared(adapter, newer, older, pruned, checker.line(path))
        found.add(step, lossless=neighbours.is_lossless(step))
    for older, newer in itertools.pairwise(model.versions):
        if (newer.id, older.id) not in found.places:
            _imply(newer, older, found)
    return found


def _expanded(adapter: AdapterSection, path: Path, checker: Checker) -> AdapterSection:
    """The section with what the catalogue's adapter brings that it names."""
    if adapter.use is None:
        return adapter
    from stepdown_adapters.catalogue import entries  # noqa: PLC0415 - few files name one

    try:
        brings = entries.entry(adapter.use).brings
    except CatalogueError:
        checker.unknown((*path, "use"), adapter.use, entries.names(), f"one of {listed(entries.names())}")
        return adapter
    return adapter.model_copy(
        update={key: value for key, value in brings.items() if key not in adapter.model_fields_set}
    )


def _check_adapter(
    adapter: AdapterSection,
    ends: tuple[Declared, Declared] | None,
    path: Path,
    checker: Checker,
    brought: Set[str],
    *,
    imports: bool,
) -> tuple[Any, ...]:
    """Note every mistake of an adapter, whose lists in `brought` are the catalogue's; what `prune` adds to it."""
    newer, older = ends or (None, None)
    pruned = _pruning(adapter, older, (*path, "prune"), checker) if older else ()
    step = Step("", "", adapter.response, adapter.request, adapter.errors, adapter.hook, pruned, stream=adapter.stream)
    for name, problem in neighbours.problems(step, newer, older):
        if name in brought:
            checker.error((*path, "use"), f"its {name} do not fit between these contracts: {problem}")
        else:
            checker.error((*path, name, *problem.steps), problem.sentence, nearest=problem.nearest or "")
    if imports:
        _check_hook(adapter.hook, (*path, "hook"), checker)
    if ends is not None and not adapter.request:
        _check_requests(*ends, path, checker)
    return pruned


def _ends(
    adapter: AdapterSection, path: Path, versions: Versions, checker: Checker
) -> tuple[Declared, Declared] | None:
    """The newer and the older version; `None` after noting what is wrong with them."""
    newer, older = versions.get(adapter.source), versions.get(adapter.target)
    if newer is None:
        versions.unknown((*path, "from"), adapter.source, checker)
    if older is None:
        versions.unknown((*path, "to"), adapter.target, checker)
    if newer is None or older is None:
        return None
    if newer.version <= older.version:
        checker.error((*path, "from"), allowed=f'a version newer than "{older.id}": adapters step down')
        return None
    return newer, older


def _pruning(adapter: AdapterSection, older: Declared, path: Path, checker: Checker) -> tuple[Any, ...]:
    """The operations of `prune: true`."""
    if not adapter.prune:
        return ()
    if older.contract is None:
        checker.error(path, f"{older.id} has no contract that says what stays", f"a schema for {older.id}")
        return ()
    return pruning(older.contract)


def _declared(
    adapter: AdapterSection, newer: Declared, older: Declared, pruned: tuple[Any, ...], where: str
) -> spec.Step:
    return spec.Step(
        source=newer.id,
        target=older.id,
        response=tuple(adapter.response),
        request=tuple(adapter.request),
        errors=tuple(adapter.errors),
        hook=adapter.hook,
        pruning=pruned,
        streams="" if adapter.stream is None else msgspec.json.encode(adapter.stream).decode(),
        fidelity=adapter.fidelity,
        non_finite=adapter.non_finite,
        where=where,
    )


def _check_requests(newer: Declared, older: Declared, path: Path, checker: Checker) -> None:
    """Requests for the older version that are passed on as they come must be requests for the newer."""
    remedy = "a request list that makes them so"
    match neighbours.requests(newer, older):
        case Excluded(reason=reason):
            checker.error(path, f"not every request for {older.id} is one for {newer.id}: {reason}", remedy)
        case Undecided(reason=reason):
            checker.warn(
                path, f"whether requests for {older.id} are requests for {newer.id} is unknown: {reason}", remedy
            )


def _check_hook(hook: str | None, path: Path, checker: Checker) -> None:
    """Note a hook that workers could not import; they would not start."""
    if hook is None:
        return
    try:
        load_hook(hook)
    except OperationError as error:
        allowed = "a function that Python finds here, as installed or on PYTHONPATH"
        checker.error(path, error.problems[0].sentence, allowed)


def _imply(newer: Declared, older: Declared, found: Steps) -> None:
    """The step that two contracts allow without an adapter, or the reason why they do not."""
    implied = neighbours.implied(newer, older)
    if isinstance(implied, tuple):
        step = spec.Step(source=newer.id, target=older.id, kind="projection", response=implied)
        found.add(step, lossless=not implied)
    elif implied is not None:
        found.reasons[newer.id, older.id] = implied
