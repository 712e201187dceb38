"""Holds operations against contracts: a path that a contract rules out is a mistake, told with the right name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.contract.schema_paths import impossible
from stepdown_adapters.errors import Problem
from stepdown_adapters.operations.base import Loss, Operation
from stepdown_adapters.paths import LAST, Every, Member, Path, Segment, Where


def is_lossless(operations: Iterable[Operation]) -> bool:
    """Whether every operation, those inside of `in` included, keeps enough to go back."""
    return all(operation.loss is Loss.LOSSLESS and is_lossless(operation.inner()) for operation in operations)


def check(operations: Sequence[Operation], newer: Schema | None, older: Schema | None) -> list[Problem]:
    """The paths that cannot be: read ones that `newer` rules out, written ones that `older` rules out.

    `newer` is the contract of the documents that the operations are given, `older` of those that they make; for a
    request adapter, which goes from the older version to the newer, pass them the other way round. `None` is a version
    without a contract. What an operation has changed is no longer what `newer` says: paths through it are not judged.
    """
    ledger = _Ledger(newer, older)
    for operation in operations:
        ledger.enter(operation, Path())
    return ledger.problems + ledger.written_in_vain()


@dataclass
class _Ledger:
    """What was changed and written so far, in absolute paths."""

    newer: Schema | None
    older: Schema | None
    problems: list[Problem] = field(default_factory=list)
    _changed: list[Path] = field(default_factory=list)
    _written: list[tuple[Operation, Path, int]] = field(default_factory=list)
    """Operation, path, and how many changes there were once it was written."""

    def enter(self, operation: Operation, prefix: Path, judging: bool = True) -> None:
        """Judges one operation in the places of `prefix`, which were found possible if `judging`."""
        uses = [(use, use.path if use.absolute else prefix + use.path) for use in operation.uses()]
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
        self._written += [(operation, path, len(self._changed)) for use, path in uses if use.writes]

    def written_in_vain(self) -> list[Problem]:
        """Problems of what is written and then stays where the older contract has no place for it."""
        if self.older is None:
            return []
        problems = []
        for operation, path, count in self._written:
            later = self._changed[count:]
            if any(_leads(change, path) or _leads(path, change) for change in later):
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
        return any(_leads(change, place) for change in self._changed for place in (path, *selectors))


def _leads(change: Path, path: Path) -> bool:
    """Whether `change` may be a place on the way along `path`."""
    short, long = change.segments, path.segments
    return len(short) <= len(long) and all(map(_may_meet, short, long))


def _may_meet(one: Segment, other: Segment) -> bool:
    """Whether two segments may name the same item or member."""
    if isinstance(one, Where) and isinstance(other, Where):
        return one.name != other.name or one.text == other.text
    if isinstance(one, Every) or isinstance(other, Every):
        return True
    places = [segment for segment in (one, other) if isinstance(segment, Member)]
    on_array = all(place.index is not None or place.name == LAST for place in places)
    return on_array or one == other
