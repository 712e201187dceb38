"""What turning tensors into rows, and rows into tensors, does to a shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays, objects
from stepdown_adapters.effects.collections import leaves, nested
from stepdown_adapters.effects.places import divided
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.shapes import opened
from stepdown_adapters.effects.study import Deep
from stepdown_adapters.effects.unions import union
from stepdown_adapters.effects.values import Shape, constant, values_of
from stepdown_adapters.paths import Where

_RANKS = 4
"""Tensors that may have more dimensions than these, but need not, have rows of which nothing is known."""
_ANY_ROWS: Shape = {"type": "array"}


def rows(source: str, target: str, chosen: str | None, squeeze: bool, keep: Sequence[str]) -> Deep:
    """Of tensor_to_rows: rows nested as the `shape` of tensors tells, of what their `data` hold."""

    def made(tensors: Shape, references: References) -> Schema:
        return _Rows(references, squeeze).of(tensors, chosen)

    return _between(source, target, keep, made)


def _between(source: str, target: str, keep: Sequence[str], made: Callable[[Shape, References], Schema]) -> Deep:
    """The closed object of what is kept and of what was made of the array at `source`."""

    def deep(schema: Schema, references: References) -> Schema:
        found: list[Schema] = []
        for shape in opened(schema, references):
            inner = objects.member(shape, source) if shape["type"] == "object" else False
            new = union(made(one, references) for one in opened(inner, references) if one["type"] == "array")
            if new is False:
                continue
            kept = {name: objects.member(shape, name) for name in keep}
            optional = {name for name in keep if not objects.is_required(shape, name)} - {target}
            present = {name: inner for name, inner in kept.items() if inner is not False}
            found.append(objects.closed({**present, target: new}, frozenset(optional)))
        return union(found)

    return Deep(deep)


class _Rows:
    """The rows of one array of tensors."""

    def __init__(self, references: References, squeeze: bool) -> None:
        self._references = references
        self._squeeze = squeeze

    def of(self, tensors: Shape, chosen: str | None) -> Schema:
        if chosen is not None:
            fitting, _ = divided(arrays.any_item(tensors), Where("name", chosen, quoted=True), self._references)
            return self._column(fitting)
        low, high = arrays.sizes(tensors)
        found = [self._column(arrays.any_item(tensors))] if low <= 1 and high != 0 else []
        if high is None or high > 1:
            found.append(self._objects(tensors, low, high))
        return union(found)

    def _column(self, tensor: Schema) -> Schema:
        """The rows that one tensor gives."""
        return union(self._of_tensor(shape) for shape in opened(tensor, self._references))

    def _of_tensor(self, shape: Shape) -> Schema:
        if shape["type"] != "object" or not any(True for _ in self._names(shape)):
            return False
        data = [one for one in opened(objects.member(shape, "data"), self._references) if one["type"] == "array"]
        if not data:
            return False
        leaf, _, _ = leaves(union(data), self._references)
        if leaf is False:
            leaf = True  # only empty tensors have no data, and their batch is empty
        sizes = [one for one in opened(objects.member(shape, "shape"), self._references) if one["type"] == "array"]
        return union(self._nested(leaf, one) for one in sizes)

    def _nested(self, leaf: Schema, sizes: Shape) -> Schema:
        low, high = arrays.sizes(sizes)
        if high == 0:
            return False
        if high is None or high > arrays.MAX_INDEX or (high > _RANKS and low != high):
            return _ANY_ROWS
        return union(union(self._ranks(leaf, self._known(sizes, rank))) for rank in range(max(1, low), high + 1))

    def _known(self, sizes: Shape, rank: int) -> list[int]:
        """The size of each dimension; -1 where it is not known."""
        found = []
        for index in range(rank):
            values = [values_of(one) for one in opened(arrays.item(sizes, index), self._references)]
            only = values[0] if len(values) == 1 else None
            known = only is not None and len(only) == 1 and isinstance(only[0], int) and not isinstance(only[0], bool)
            found.append(max(-1, only[0]) if known and only else -1)
        return found

    def _ranks(self, leaf: Schema, sizes: list[int]) -> Iterator[Schema]:
        """Arrays nested in these sizes; one for each number of sizes that may be left when those of 1 are taken out."""
        if not self._squeeze:
            yield nested(leaf, sizes)
            return
        kept = [size for size in sizes[1:] if size != 1]
        unknown = kept.count(-1)
        if not unknown:
            yield nested(leaf, [sizes[0], *kept])
            return
        for count in range(len(kept) - unknown, len(kept) + 1):
            yield nested(leaf, [sizes[0], *([-1] * count if count < len(kept) else kept)])

    def _names(self, tensor: Shape) -> Iterator[str | None]:
        """The names that a tensor may have; `None` for any."""
        for shape in opened(objects.member(tensor, "name"), self._references):
            if shape["type"] == "string":
                yield from values_of(shape) or (None,)

    def _objects(self, tensors: Shape, low: int, high: int | None) -> Schema:
        """Rows of several tensors: objects with a member for each, named like it."""
        members: dict[str, list[Schema]] = {}
        others: list[Schema] = []
        for tensor in opened(arrays.any_item(tensors), self._references):
            column = self._of_tensor(tensor)
            if column is False:
                continue
            row = union(arrays.any_item(one) for one in opened(column, self._references))
            for name in self._names(tensor):
                (others if name is None else members.setdefault(name, [])).append(row)
        properties: dict[str, Any] = {name: union([*found, *others]) for name, found in members.items()}
        row_of_all: Shape = {"type": "object", "properties": properties, "additionalProperties": union(others)}
        row_of_all["minProperties"] = max(2, low)
        if not others and len(properties) <= max(2, low):
            row_of_all["required"] = sorted(properties)
        return arrays.array(row_of_all)


def tensors(source: str, target: str, declared: Sequence[Any], keep: Sequence[str]) -> Deep:
    """Of rows_to_tensor; `declared` has the `name`, `datatype` and `shape` of each tensor."""

    def made(given: Shape, references: References) -> Schema:
        found = [_tensor(given, one, len(declared) == 1, references) for one in declared]
        return False if False in found else arrays.array(True, len(found), len(found), found)

    return _between(source, target, keep, made)


def _tensor(given: Shape, declared: Any, alone: bool, references: References) -> Schema:
    low, high = arrays.sizes(given)
    columns: list[Schema] = []
    for row in opened(arrays.any_item(given), references):
        if row["type"] == "object":
            columns.append(objects.member(row, declared.name))
        elif alone:
            columns.append(row)
    leaf, _, _ = leaves(union(columns), references)
    data = union(_of_datatype(shape, declared.datatype) for shape in opened(leaf, references))
    if data is False and low > 0:
        return False
    batch: Shape = {"type": "integer", "minimum": low}
    if high is not None:
        batch["maximum"] = high
    tail = None if declared.shape is None else [constant(size) for size in declared.shape]
    rank = 1 if tail is None else 1 + len(tail)
    sizes = arrays.array(
        {"type": "integer", "minimum": 0}, rank, None if tail is None else rank, [batch, *(tail or ())]
    )
    members: dict[str, Schema] = {
        "name": constant(declared.name),
        "shape": sizes,
        "datatype": constant(declared.datatype),
        "data": arrays.array(data),
    }
    return objects.closed(members)


def _of_datatype(shape: Shape, datatype: str) -> Schema:
    """The values of a shape that a tensor of the datatype takes."""
    if datatype in ("BYTES", "BOOL"):
        return shape if shape["type"] == ("string" if datatype == "BYTES" else "boolean") else False
    if shape["type"] not in ("integer", "number"):
        return False
    return shape if datatype.startswith(("FP", "BF")) else {**shape, "type": "integer"}
