"""Joins neighbouring operations that walk the same array, so that a chain of many steps walks it once.

`in: /rows/*`, then `map_values: /rows/*/label` of the next step, become one loop over `/rows/*` with both inside. Each
item sees the same operations in the same order, and none looks outside of its item, so documents come out the same;
only which of two failures is reported may differ, since the first item is now done with before the second begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from stepdown_adapters.operations.base import Operation
from stepdown_adapters.operations.convert import Convert
from stepdown_adapters.operations.edits import Remove
from stepdown_adapters.operations.moves import Transfer
from stepdown_adapters.operations.options import FAIL, SKIP
from stepdown_adapters.operations.within import In
from stepdown_adapters.paths import Every, Path
from stepdown_adapters.step import Declaration


@dataclass(slots=True)
class Stage:
    """One operation to emit, perhaps made of several."""

    step: Declaration
    operation: Operation
    owners: dict[int, Declaration] = field(default_factory=dict)
    """The steps of operations inside that are of another one, by their `id`."""
    loop: In | None = None
    """The operation as a loop over an array, where it can be seen as one."""


def staged(step: Declaration, operations: Iterable[Operation]) -> list[Stage]:
    """The operations of one step, each by itself."""
    return [Stage(step, operation, loop=_loop(operation)) for operation in operations]


def fused(stages: Sequence[Stage]) -> list[Stage]:
    """The stages with neighbours joined where that changes no document."""
    result: list[Stage] = []
    for stage in stages:
        before = result[-1].loop if result else None
        if before is None or stage.loop is None or not _joins(before, stage.loop):
            result.append(stage)
            continue
        joined = replace(before, operations=before.operations + stage.loop.operations)
        owners = result[-1].owners | {id(inner): stage.step for inner in stage.loop.operations} | stage.owners
        result[-1] = Stage(result[-1].step, joined, owners, joined)
    return result


def _joins(before: In, after: In) -> bool:
    return before.path == after.path and before.on_missing.fails == after.on_missing.fails


def _loop(operation: Operation) -> In | None:
    """The operation as `in` over the items of an array; `None` where it is none, or looks beyond an item."""
    if _looks_beyond(operation) or (isinstance(operation, In) and operation.conditions):
        return None  # conditions are asked before the operations behind them, so nothing may join those
    match operation:
        case In(path=path) if path.segments and isinstance(path.last, Every):
            return operation
        case In(path=path) | Convert(path=path) | Remove(path=path):
            cut = _after_last_star(Path(path.segments[:-1]))
            inner: Operation = replace(operation, path=Path(path.segments[cut:]))
        case Transfer(prefix=path):
            cut = _after_last_star(path)
            inner = replace(operation, prefix=Path(path.segments[cut:]))
        case _:
            return None
    if not cut:
        return None
    fails = FAIL if operation.on_missing.fails else SKIP
    return In(where=operation.where, path=Path(path.segments[:cut]), operations=(inner,), on_missing=fails)


def _after_last_star(path: Path) -> int:
    return max((index for index, one in enumerate(path.segments, 1) if isinstance(one, Every)), default=0)


def _looks_beyond(operation: Operation) -> bool:
    """Whether it takes values from elsewhere: the document around its items, the request, or what is carried."""
    return bool(operation.operands or operation.needs) or any(map(_looks_beyond, operation.inner()))
