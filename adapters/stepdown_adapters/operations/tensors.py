"""Open Inference tensors to rows and back: `outputs` to KServe V1 `predictions`, `instances` to `inputs`.

A tensor is `{name, shape, datatype, data}` with its items in `data` row by row, flat or nested; the first size of
`shape` is the batch. A batch of rows is what KServe V1 and TensorFlow Serving speak: one tensor gives rows that are
its values, several give rows that are objects with one member for each tensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle, islice
from math import prod
from typing import Any

from stepdown_adapters.codec import LAZY, Codec
from stepdown_adapters.effects import tensors as effects
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind, require_array, require_object
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Structural
from stepdown_adapters.operations.options import Options, is_count, is_name, is_names
from stepdown_adapters.operations.quick_tensors import QuickRows, QuickTensor
from stepdown_adapters.operations.shapes import reshaped

MAX_DIMENSIONS = 32
_FLOATS = ("FP16", "BF16", "FP32", "FP64")
_INTEGERS = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
DATATYPES = ("BOOL", *_INTEGERS, *_FLOATS, "BYTES")
_CHARACTERS = {
    "BOOL": b"truefals",
    **dict.fromkeys(_INTEGERS, b"-0123456789"),
    **dict.fromkeys(_FLOATS, b"+-.0123456789Ee"),
    "BYTES": b"",
}
"""Of which the JSON text of an item is made, and that of no other kind of value; none where that may be any."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """What is read of one tensor."""

    name: str
    shape: list[int]
    data: list[Any]
    """Flat."""


def _tensor_to_rows(options: Options) -> Structural:
    source = options.get("from", "the name of a member", is_name, "outputs")
    target = options.get("to", "the name of a member", is_name, "predictions")
    chosen = options.get("tensor", "the name of a tensor", is_name, None)
    squeeze = options.get("squeeze", "true or false", lambda v: isinstance(v, bool), False)
    keep: list[str] = options.get("keep", "a list of the members that stay", is_names, [])
    quick = QuickRows(source, target, chosen, squeeze, keep)

    def convert(value: Any, codec: Codec) -> dict[str, Any]:
        if codec is LAZY:
            converted = quick.converted(value)
            if converted is not None:
                return converted
        document = require_object(codec.opened(value))
        if source not in document:
            raise Refusal(f"there is no member {source!r}")
        tensors = [read_tensor(item, codec) for item in require_array(codec.items(document[source]))]
        if chosen is not None:
            tensors = [tensor for tensor in tensors if tensor.name == chosen]
        kept = {name: document[name] for name in keep if name in document}
        return {**kept, target: to_rows(tensors, squeeze, chosen)}

    likely = partial(_likely_tensors, source, chosen)
    return Structural(convert, effects.rows(source, target, chosen, squeeze, keep), likely)


def read_tensor(item: Any, codec: Codec) -> Tensor:
    """A tensor of a document; raises `Refusal` unless its data fill its shape."""
    members = require_object(codec.opened(item))
    name = codec.plain(members.get("name"))
    if not isinstance(name, str):
        raise Refusal("a tensor has no name")
    if "data" not in members:
        raise Refusal(f"tensor {name!r} has no data (binary tensors are not JSON)")
    shape = codec.plain(members.get("shape"))
    if not isinstance(shape, list) or not all(map(is_count, shape)) or not 0 < len(shape) <= MAX_DIMENSIONS:
        raise Refusal(f"tensor {name!r} has no shape of 1 to {MAX_DIMENSIONS} sizes")
    if 0 in shape[1:]:
        raise Refusal(f"tensor {name!r} has rows without data")
    data = _flat(require_array(codec.plain(members["data"])))
    if len(data) != prod(shape):
        raise Refusal(f"tensor {name!r} has {len(data)} items, and its shape {shape} needs {prod(shape)}")
    return Tensor(name, shape, data)


def _flat(data: list[Any]) -> list[Any]:
    while any(isinstance(item, list) for item in data):
        data = [value for item in data for value in (item if isinstance(item, list) else [item])]
    return data


def _likely_tensors(source: str, chosen: str | None, document: Any) -> Any:
    """The document with tensors that fill their shapes, have one batch, and names of their own; no contract says so."""
    tensors = document.get(source) if isinstance(document, dict) else None
    if not isinstance(tensors, list) or not all(map(_is_tensor, tensors)):
        return document
    flat = [_flat(tensor["data"]) for tensor in tensors]
    batch = 1 + tensors[0]["shape"][0] % 3 if tensors and all(flat) else 0
    found = []
    for index, (tensor, items) in enumerate(zip(tensors, flat, strict=True)):
        inner = [1 + size % 3 if depth < 3 else 1 for depth, size in enumerate(tensor["shape"][1:])]
        name = chosen if chosen is not None and not index else f"{tensor['name']}{index or ''}"
        shape = [batch, *inner]
        found.append({**tensor, "name": name, "shape": shape, "data": list(islice(cycle(items), prod(shape)))})
    return {**document, source: found}


def _is_tensor(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and isinstance(value.get("data"), list)
        and isinstance(value.get("shape"), list)
        and 0 < len(value["shape"]) <= MAX_DIMENSIONS
        and all(map(is_count, value["shape"]))
    )


def to_rows(tensors: list[Tensor], squeeze: bool, chosen: str | None) -> list[Any]:
    """The rows of a batch."""
    if not tensors or (chosen is not None and len(tensors) > 1):
        found = f"{len(tensors)} tensors" if tensors else "no tensor"
        raise Refusal(f"there is {found}" + (f" of the name {chosen!r}" if chosen is not None else ""))
    batches = {tensor.shape[0] for tensor in tensors}
    if len(batches) > 1:
        sizes = ", ".join(f"{tensor.name} {tensor.shape[0]}" for tensor in tensors)
        raise Refusal(f"the tensors have batches of different sizes: {sizes}")
    columns = [_column(tensor, squeeze) for tensor in tensors]
    if len(columns) == 1:
        return columns[0]
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise Refusal("two tensors have the same name")
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _column(tensor: Tensor, squeeze: bool) -> list[Any]:
    sizes = tensor.shape
    if squeeze:
        sizes = [sizes[0], *(size for size in sizes[1:] if size != 1)]
    return reshaped(tensor.data, sizes)


def _rows_to_tensor(options: Options) -> Structural:
    source = options.get("from", "the name of a member", is_name, "instances")
    target = options.get("to", "the name of a member", is_name, "inputs")
    keep: list[str] = options.get("keep", "a list of the members that stay", is_names, [])
    declared = _declared(options)
    quick = None
    if len(declared) == 1 and not keep:
        only = declared[0]
        members = {"name": only.name, "shape": None, "datatype": only.datatype}
        quick = QuickTensor(source, target, members, only.shape, _CHARACTERS[only.datatype])

    def convert(value: Any, codec: Codec) -> dict[str, Any]:
        if quick is not None and codec is LAZY:
            converted = quick.converted(value)
            if converted is not None:
                return converted
        document = require_object(codec.opened(value))
        if source not in document:
            raise Refusal(f"there is no member {source!r}")
        rows = require_array(codec.plain(document[source]))
        kept = {name: document[name] for name in keep if name in document}
        return {**kept, target: from_rows(rows, declared)}

    likely = partial(_likely_rows, source, declared[0]) if len(declared) == 1 else None
    return Structural(convert, effects.tensors(source, target, declared, keep), likely)


@dataclass(frozen=True, slots=True)
class Declared:
    """A tensor that rows are turned into."""

    name: str
    datatype: str
    shape: list[int] | None
    """Sizes of one row, where they are declared."""


def _declared(options: Options) -> list[Declared]:
    raw = options.need("tensors", "a list of {name, datatype, shape}", _is_declaration, [])
    names = [tensor["name"] for tensor in raw]
    if len(set(names)) != len(names):
        options.problem("tensors", "two tensors have the same name")
    return [Declared(tensor["name"], tensor["datatype"], tensor.get("shape")) for tensor in raw]


def _is_declaration(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(tensor, dict)
            and {"name", "datatype"} <= tensor.keys() <= {"name", "datatype", "shape"}
            and is_name(tensor["name"])
            and tensor["datatype"] in DATATYPES
            and ("shape" not in tensor or (isinstance(tensor["shape"], list) and all(map(is_count, tensor["shape"]))))
            for tensor in value
        )
    )


def from_rows(rows: list[Any], declared: list[Declared]) -> list[dict[str, Any]]:
    """One tensor for each declaration, with the batch as its first size."""
    names = {tensor.name for tensor in declared}
    named = any(isinstance(row, dict) for row in rows) or len(declared) > 1
    if named:
        for index, row in enumerate(rows):
            if require_row(row, index).keys() != names:
                raise Refusal(f"row {index} has the members {sorted(row)}, not {sorted(names)}")
    return [_tensor([row[tensor.name] for row in rows] if named else rows, tensor) for tensor in declared]


def _likely_rows(source: str, tensor: Declared, document: Any) -> Any:
    """The document with regular rows of what it has of the tensor's type; no contract says that they are."""
    rows = document.get(source) if isinstance(document, dict) else None
    if not isinstance(rows, list):
        return document
    items = [item for item in _flat(rows) if _is_of(type(item), _types(tensor.datatype))]
    inner = tensor.shape
    if inner is None:
        inner = [min(len(rows[0]), 3)] if rows and isinstance(rows[0], list) and rows[0] else []
    if not items or not prod(inner):
        return document
    sizes = [-(-len(items) // prod(inner)), *inner]
    return {**document, source: reshaped(list(islice(cycle(items), prod(sizes))), sizes)}


def require_row(row: Any, index: int) -> dict[str, Any]:
    """The row, if it is an object."""
    if not isinstance(row, dict):
        raise Refusal(f"row {index} is {kind(row)}, not an object")
    return row


def _tensor(column: list[Any], tensor: Declared) -> dict[str, Any]:
    shape = [len(column), *(tensor.shape if tensor.shape is not None and not column else _sizes(column))]
    if tensor.shape is not None and shape[1:] != tensor.shape:
        raise Refusal(f"the rows of tensor {tensor.name!r} have the shape {shape[1:]}, not {tensor.shape}")
    data = column
    for depth, size in enumerate(shape[1:], 1):
        # Whole columns are judged at once, by their few types and lengths; the loop only looks for the culprit.
        if data and (set(map(type, data)) != {list} or set(map(len, data)) != {size}):
            wrong = next(i for i, item in enumerate(data) if not isinstance(item, list) or len(item) != size)
            row = wrong // prod(shape[1:depth])
            raise Refusal(f"row {row} does not have the shape {shape[1:]} of the first")
        data = list(chain.from_iterable(data))
    _require_datatype(data, tensor)
    return {"name": tensor.name, "shape": shape, "datatype": tensor.datatype, "data": data}


def _sizes(column: list[Any]) -> list[int]:
    """The shape of the first row."""
    if not column:
        raise Refusal("no rows, and no shape is declared for them")
    sizes: list[int] = []
    item = column[0]
    while isinstance(item, list):
        sizes.append(len(item))
        if len(sizes) >= MAX_DIMENSIONS:
            raise Refusal(f"rows have at most {MAX_DIMENSIONS - 1} dimensions")
        if not item:
            raise Refusal("a row holds no data")
        item = item[0]
    return sizes


def _types(datatype: str) -> Any:
    """What the items of a tensor are in Python."""
    if datatype in ("BYTES", "BOOL"):
        return str if datatype == "BYTES" else bool
    return int | float if datatype in _FLOATS else int


def _require_datatype(data: list[Any], tensor: Declared) -> None:
    allowed = _types(tensor.datatype)
    for found in set(map(type, data)):  # a handful of types, however many items
        if not _is_of(found, allowed):
            example = next(item for item in data if type(item) is found)
            raise Refusal(f"{kind(example)} is no {tensor.datatype} of tensor {tensor.name!r}")


def _is_of(found: type, allowed: Any) -> bool:
    return issubclass(found, allowed) and (found is not bool or allowed is bool)


ROWS = (
    Row(
        "tensor_to_rows",
        _tensor_to_rows,
        Loss.LOSSY,
        "names and datatypes of tensors, and members that are not kept, are lost",
        whole=True,
        fills=False,
        reads_whole=True,
    ),
    Row(
        "rows_to_tensor",
        _rows_to_tensor,
        Loss.LOSSY,
        "members that are not kept are lost",
        whole=True,
        fills=False,
        reads_whole=True,
    ),
)
