"""Holds operations against contracts, and tells what is certainly wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.contract.schema_paths import impossible
from stepdown_adapters.errors import Problem
from stepdown_adapters.operations.base import Loss, Operation
from stepdown_adapters.operations.effects import after, studied
from stepdown_adapters.operations.outcomes import Steps, broken, leads, misuses
from stepdown_adapters.paths import Member, Path, Where


def is_lossless(operations: Iterable[Operation]) -> bool:
    """Whether every operation, those inside of `in` included, keeps enough to go back."""
    return all(operation.loss is Loss.LOSSLESS and is_lossless(operation.inner()) for operation in operations)


def check(
    operations: Sequence[Operation],
    newer: Schema | None,
    older: Schema | None,
    *,
    then: Sequence[Operation] = (),
    hooked: bool = False,
) -> list[Problem]:
    """Everything that is certainly wrong with operations between two contracts.

    `newer` is the contract of the documents that the operations are given, `older` of those that they make; for a
    request adapter, which goes from the older version to the newer, pass them the other way round. `None` is a version
    without a contract. `then` are operations that follow without being written by anyone, as those that prune; after a
    hook (`hooked`) nothing is known of the document, so that `older` is not held against it.

    1. Paths: read ones that `newer` rules out, written ones that `older` rules out, with the name that was meant.
    2. Operations that refuse all that can be where they look, and conversions of what means something else.
    3. If all that is right: what comes out, where it can only break `older` or mean something else; and a document of
       `newer` that becomes none of `older`. A problem whose `where` is empty is about the list as a whole.

    Only what is certain is told. That nothing is told proves nothing.
    """
    ledger = _Ledger(newer, older)
    for operation in operations:
        ledger.enter(operation, Path())
    problems = ledger.problems + ledger.written_in_vain()
    made, study = studied(operations, True if newer is None else newer)
    problems += misuses(operations, study, ledger.steps, {problem.where for problem in problems})
    if not problems and older is not None and not hooked:
        problems = broken([*operations, *then], after(then, made), newer, older, ledger.steps)
    return problems


@dataclass
class _Ledger:
    """What was changed and written so far, in absolute paths."""

    newer: Schema | None
    older: Schema | None
    problems: list[Problem] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    _changed: list[Path] = field(default_factory=list)
    _written: list[tuple[Operation, Path, int]] = field(default_factory=list)
    """Operation, path, and how many changes there were once it was written."""

    def enter(self, operation: Operation, prefix: Path, judging: bool = True) -> None:
        """Judges one operation in the places of `prefix`, which were found possible if `judging`."""
        uses = [(use, use.path if use.absolute else prefix + use.path) for use in operation.uses()]
        self.steps.about[operation.where] = prefix + operation.about
        for use, path in uses:
            if use.writes or self.newer is None:
                continue
            start = 0 if use.absolute else len(prefix.segments)
            if (not judging and not use.absolute) or self._touches(path, start):
                judging = judging and use.absolute
                continue
            found = impossible(self.newer, path)
            if found:
                self.problems.append(Problem(operation.where, f"{path}: {found.sentence}", found.nearest))
                judging = judging and use.absolute
        for inner in operation.inner():
            self.enter(inner, prefix + operation.inside, judging)
        self._changed += [path for use, path in uses if not use.keeps]
        self.steps.changes += [(path, operation.where) for use, path in uses if not use.keeps]
        self._written += [(operation, path, len(self._changed)) for use, path in uses if use.writes]

    def written_in_vain(self) -> list[Problem]:
        """Problems of what is written and then stays where the older contract has no place for it."""
        if self.older is None:
            return []
        problems = []
        for operation, path, count in self._written:
            later = self._changed[count:]
            if any(leads(change, path) or leads(path, change) for change in later):
                continue
            found = impossible(self.older, path)
            if found:
                sentence = f"{path} is written, but {found.sentence}"
                problems.append(Problem(operation.where, sentence, found.nearest))
        return problems

    def _touches(self, path: Path, start: int) -> bool:
        """Whether the path leads through something changed, or selects by it after its first `start` segments."""
        selectors = [
            Path((*path.segments[: index + 1], Member(segment.name)))
            for index, segment in enumerate(path.segments)
            if index >= start and isinstance(segment, Where)
        ]
        return any(leads(change, place) for change in self._changed for place in (path, *selectors))
