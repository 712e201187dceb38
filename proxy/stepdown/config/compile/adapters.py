"""The steps between the versions of one model: declared adapters, checked, and those that contracts imply."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stepdown.config.compile.carried import Carrying, carrying
from stepdown.config.compile.checker import Checker
from stepdown.config.compile.places import steps_to
from stepdown.config.compile.versions import Declared, DraftModel, Versions
from stepdown.config.file import AdapterSection
from stepdown.config.sources import Contract
from stepdown.config.tree import Path
from stepdown.decide import spec
from stepdown_adapters import operations
from stepdown_adapters.diff.project import Projection, Unprojectable, project
from stepdown_adapters.diff.prune import pruning
from stepdown_adapters.errors import OperationError, Problem
from stepdown_adapters.hooks import load_hook
from stepdown_adapters.plan import Edge
from stepdown_adapters.proof.inclusion import Excluded, Included, Inclusion, Undecided, included


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
    for index, adapter in enumerate(model.section.adapters):
        path: Path = (*model.path, "adapters", index)
        ends = _ends(adapter, path, model.versions, checker)
        pruned = _check_adapter(adapter, ends, path, checker, imports=imports) if adapter.refuse is None else ()
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
        found.add(_declared(adapter, newer, older, pruned, checker.line(path)), lossless=_is_lossless(adapter))
    for older, newer in itertools.pairwise(model.versions):
        if (newer.id, older.id) not in found.places:
            _imply(newer, older, found)
    return found


def _check_adapter(
    adapter: AdapterSection, ends: tuple[Declared, Declared] | None, path: Path, checker: Checker, *, imports: bool
) -> tuple[Any, ...]:
    """Note every mistake of an adapter; what `prune` adds to it."""
    given, made = (ends[0].contract, ends[1].contract) if ends else (None, None)
    pruned = _pruning(adapter, ends[1], (*path, "prune"), checker) if ends else ()
    hooked = adapter.hook is not None
    _check(adapter.response, (*path, "response"), (given, made), checker, then=pruned, hooked=hooked)
    given, made = (ends[1].input, ends[0].input) if ends else (None, None)
    if adapter.request:
        _check(adapter.request, (*path, "request"), (given, made), checker, missing="skip")
    _check(adapter.errors, (*path, "errors"), (None, None), checker)
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
        fidelity=adapter.fidelity,
        non_finite=adapter.non_finite,
        where=where,
    )


def _is_lossless(adapter: AdapterSection) -> bool:
    """Whether the step keeps everything; of what is refused or written in Python this is not known."""
    try:
        return adapter.hook is None and not adapter.prune and operations.is_lossless(operations.parse(adapter.response))
    except OperationError:
        return False


def _check(
    raw: Sequence[Any],
    path: Path,
    contracts: tuple[Contract | None, Contract | None],
    checker: Checker,
    *,
    missing: str = "fail",
    then: Sequence[Any] = (),
    hooked: bool = False,
) -> None:
    """Note every mistake in a list of operations, from one contract to another, at the line of the operation.

    `missing` is what the list does about missing places, `then` the operations that follow it by themselves; after a
    hook the document may be anything.
    """
    try:
        parsed, following = operations.parse(raw, missing), operations.parse(then)
        problems: Sequence[Problem] = operations.check(parsed, *contracts, then=following, hooked=hooked)
    except OperationError as error:
        problems = error.problems
    for problem in problems:
        checker.error((*path, *steps_to(problem.where)), problem.sentence, nearest=problem.nearest or "")


def _check_requests(newer: Declared, older: Declared, path: Path, checker: Checker) -> None:
    """Requests for the older version that are passed on as they come must be requests for the newer."""
    remedy = "a request list that makes them so"
    match _requests(newer, older):
        case Excluded(reason=reason):
            checker.error(path, f"not every request for {older.id} is one for {newer.id}: {reason}", remedy)
        case Undecided(reason=reason):
            checker.warn(
                path, f"whether requests for {older.id} are requests for {newer.id} is unknown: {reason}", remedy
            )


def _requests(newer: Declared, older: Declared) -> Inclusion:
    """Whether every request for `older` is one for `newer`; a version without a contract of its input takes all."""
    if newer.input is None or older.input is None:
        return Included()
    return included(older.input, newer.input)


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
    """The step that two contracts allow without an adapter, or the reason why they do not.

    Never across a MAJOR: it says that something broke, and no schema shows what a number means (probability or logit).
    """
    if newer.contract is None or older.contract is None or _breaks(newer, older):
        return
    match project(newer.contract, older.contract):
        case Projection(operations=needed):
            asked = _requests(newer, older)
            if isinstance(asked, Excluded):
                found.reasons[newer.id, older.id] = f" in what they are asked {asked.reason}"
                return
            step = spec.Step(source=newer.id, target=older.id, kind="projection", response=needed)
            found.add(step, lossless=not needed)
        case Unprojectable(path=place, reason=reason):
            found.reasons[newer.id, older.id] = f" at {place or 'the top'}: {reason}"


def _breaks(newer: Declared, older: Declared) -> bool:
    """Whether SemVer allows a breaking change between the two: another MAJOR, or another MINOR of 0."""
    major, minor, _ = newer.version.triple
    return major != older.version.major or (major == 0 and minor != older.version.minor)
