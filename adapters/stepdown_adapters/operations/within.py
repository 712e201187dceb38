"""The operation `in`: other operations, relative to each place that a path leads to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from stepdown_adapters import navigate, places
from stepdown_adapters.code import Code
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.places import along
from stepdown_adapters.effects.study import Study
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.options import OnMissing
from stepdown_adapters.paths import Path


@dataclass(frozen=True, kw_only=True)
class In(Operation):
    """Runs `operations` with each place of `path` as their document."""

    name: ClassVar[str] = "in"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "loses what the operations inside of it lose"
    path: Path
    operations: tuple[Operation, ...]
    on_missing: OnMissing

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        for holder, name in places.select(container, key, self.path, fails=self.on_missing.fails):
            for operation in self.operations:
                operation.apply(holder, name, scene)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""

        def visit(place: str) -> None:
            item = navigate.held(code, place, self.path)
            for operation in self.operations:
                code.at(operation)
                operation.emit(code, item)
            code.at(self)  # the next place is looked for by this operation again

        navigate.every(code, spot, self.path, visit, fails=self.on_missing.fails)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""

        def change(place: Schema) -> Schema:
            for operation in self.operations:
                place = study.step(operation, place)
            return place

        return along(schema, self.path.segments, change, study.references, fails=self.on_missing.fails)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.path, keeps=True)

    def inner(self) -> tuple[Operation, ...]:
        """See the base."""
        return self.operations
