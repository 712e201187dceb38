"""The operation `case`: other operations for each value of a discriminator, such as the `type` of a content part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from msgspec import DecodeError
from msgspec.json import decode

from stepdown_adapters import navigate, places
from stepdown_adapters.code import Code, literal
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.narrowing import equal_to
from stepdown_adapters.effects.places import along
from stepdown_adapters.effects.study import Study
from stepdown_adapters.effects.unions import union
from stepdown_adapters.errors import Refusal
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.options import OnMissing
from stepdown_adapters.operations.scalars import table_key
from stepdown_adapters.paths import ROOT, Path


@dataclass(frozen=True, kw_only=True)
class Case(Operation):
    """Runs the operations of one branch; they start where `case` itself does, not at the discriminator."""

    name: ClassVar[str] = "case"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "loses what the operations inside of it lose"
    path: Path
    branches: Mapping[str, tuple[Operation, ...]]
    """Operations by value, as the tables of `map_values` write it."""
    otherwise: tuple[Operation, ...] | None
    """Operations for every other value; `None` refuses it."""
    on_missing: OnMissing

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        spot = places.only(container, key, self.path, fails=self.on_missing.fails)
        if spot is None:
            return
        chosen = branch(spot[0][spot[1]], self.branches, self.otherwise is None)
        for operation in self.branches.get(chosen, self.otherwise or ()):
            operation.apply(container, key, scene)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        chosen, choose = code.fresh("chosen"), code.constant(branch, "branch")
        names = code.constant(frozenset(self.branches), "branches")
        if not self.on_missing.fails:
            code.line(f"{chosen} = MISSING")

        def visit(place: str) -> None:
            code.line(f"{chosen} = {choose}(plain({place}), {names}, {self.otherwise is None})")

        navigate.single(code, spot, self.path, visit, fails=self.on_missing.fails)
        # One `if` beside the other: a ladder of `elif` is nested for Python's compiler, which bounds its depth.
        for value, operations in self.branches.items():
            self._emit_branch(code, spot, f"{chosen} == {literal(value)}", operations)
        if self.otherwise:
            self._emit_branch(code, spot, f"{chosen} is not MISSING and {chosen} not in {names}", self.otherwise)

    def _emit_branch(self, code: Code, spot: str, condition: str, operations: tuple[Operation, ...]) -> None:
        with code.block(f"if {condition}:"):
            for operation in operations:
                code.at(operation)
                operation.emit(code, spot)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        found = [schema] if not self.on_missing.fails else []
        for value, operations in self.branches.items():
            found.append(_after(operations, self._narrowed(schema, value, study), study))
        if self.otherwise is not None:
            found.append(_after(self.otherwise, schema, study))
        return union(found)

    def _narrowed(self, schema: Schema, value: str, study: Study) -> Schema:
        """Of the schema, those whose discriminator may be the one of a branch."""

        def change(place: Schema) -> Schema:
            return union(equal_to(place, one, study.references) for one in _readings(value))

        return along(schema, self.path.segments, change, study.references, fails=True)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.path, keeps=True)

    def inner(self) -> tuple[Operation, ...]:
        """See the base."""
        listed = (*self.branches.values(), self.otherwise or ())
        return tuple(operation for operations in listed for operation in operations)

    @property
    def inside(self) -> Path:
        """See the base."""
        return ROOT


def branch(value: Any, names: Any, fails: bool) -> str:
    """The name of the branch for a plain value; refuses one that has none if `fails`."""
    chosen = table_key(value)
    if fails and chosen not in names:
        raise Refusal(f"there is no case for {chosen[:40]!r}")
    return chosen


def _readings(name: str) -> list[Any]:
    """The scalars that a table holds under this name."""
    found: list[Any] = [name]
    try:
        read = decode(name)
    except DecodeError:
        return found
    if read is None or isinstance(read, bool | int | float):
        found.append(read)
    return found


def _after(operations: tuple[Operation, ...], schema: Schema, study: Study) -> Schema:
    for operation in operations:
        schema = study.step(operation, schema)
    return schema
