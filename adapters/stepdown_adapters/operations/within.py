"""The operation `in`: other operations, relative to each place that a path leads to, or to some of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from stepdown_adapters import navigate, places
from stepdown_adapters.code import Code
from stepdown_adapters.codec import PLAIN
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.places import along
from stepdown_adapters.effects.study import Study
from stepdown_adapters.effects.unions import union
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.conditions import Condition
from stepdown_adapters.operations.options import OnMissing
from stepdown_adapters.paths import Path


@dataclass(frozen=True, kw_only=True)
class In(Operation):
    """Runs `operations` with each place of `path` as their document, if all conditions hold there."""

    name: ClassVar[str] = "in"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "loses what the operations inside of it lose"
    path: Path
    operations: tuple[Operation, ...]
    on_missing: OnMissing
    conditions: tuple[Condition, ...] = ()

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        for holder, name in places.select(container, key, self.path, fails=self.on_missing.fails):
            if not all(condition.holds(holder[name], PLAIN) for condition in self.conditions):
                continue
            for operation in self.operations:
                operation.apply(holder, name, scene)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""

        def visit(place: str) -> None:
            item = navigate.held(code, place, self.path)
            if self.conditions:
                tests = " and ".join(condition.emitted(code, item) for condition in self.conditions)
                with code.block(f"if {tests}:"):
                    self._emit_inner(code, item)
            else:
                self._emit_inner(code, item)
            code.at(self)  # the next place is looked for by this operation again

        navigate.every(code, spot, self.path, visit, fails=self.on_missing.fails)

    def _emit_inner(self, code: Code, item: str) -> None:
        for operation in self.operations:
            code.at(operation)
            operation.emit(code, item)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""

        def change(place: Schema) -> Schema:
            changed = place
            for condition in self.conditions:
                changed = condition.narrowed(changed, study.references)
            for operation in self.operations:
                changed = study.step(operation, changed)
            return union([place, changed]) if self.conditions else changed

        return along(schema, self.path.segments, change, study.references, fails=self.on_missing.fails)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.path, keeps=True)

    def inner(self) -> tuple[Operation, ...]:
        """See the base."""
        return self.operations
