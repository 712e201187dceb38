"""Tensors as the base64 text of their raw bytes: tensor_decode to nested lists of numbers, and tensor_encode back."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Callable
from math import isfinite, prod
from typing import Any, NamedTuple

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind, require_array
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Scalar, Structural
from stepdown_adapters.operations.intervals import within
from stepdown_adapters.operations.options import Options, is_count
from stepdown_adapters.operations.shapes import reshaped

MAX_DIMENSIONS = 32
_ORDERS = {"little": "<", "big": ">"}


class Datatype(NamedTuple):
    """One of Open Inference's datatypes that has a fixed width."""

    code: str
    """Of `struct`."""
    types: frozenset[type]
    """What its items are in Python."""
    leaf: dict[str, Any]
    """The schema of an item."""

    @property
    def width(self) -> int:
        """Bytes of an item."""
        return struct.calcsize(f"={self.code}")


def _integer(code: str, bits: int, signed: bool) -> Datatype:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return Datatype(code, frozenset({int}), {"type": "integer", "minimum": low, "maximum": high})


def _floating(code: str, largest: float | None) -> Datatype:
    leaf = {"type": "number"} if largest is None else within(-largest, largest)
    return Datatype(code, frozenset({int, float}), leaf)


DATATYPES = {
    "BOOL": Datatype("B", frozenset({bool}), {"type": "boolean"}),
    **{f"INT{8 * size}": _integer(code, 8 * size, True) for code, size in zip("bhiq", (1, 2, 4, 8), strict=True)},
    **{f"UINT{8 * size}": _integer(code, 8 * size, False) for code, size in zip("BHIQ", (1, 2, 4, 8), strict=True)},
    "FP16": _floating("e", 65504.0),
    "BF16": _floating("H", (2 - 2**-7) * 2.0**127),
    "FP32": _floating("f", (2 - 2**-23) * 2.0**127),
    "FP64": _floating("d", None),
}


def _tensor_decode(options: Options) -> Scalar:
    name, order = _form(options)
    shape = options.get("shape", "a list of up to 32 sizes, one of them perhaps -1", _is_shape, [-1])
    datatype = DATATYPES[name]

    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            raise Refusal(f"{kind(value)} is no base64 text")
        try:
            raw = binascii.a2b_base64(value, strict_mode=True)
        except ValueError as error:
            raise Refusal(f"the string is not base64: {error}") from None
        if len(raw) % datatype.width:
            raise Refusal(f"{len(raw)} bytes are not a whole number of {name} items")
        items = unpacked(name, raw, order)
        if float in datatype.types and not all(map(isfinite, items)):
            raise Refusal("the tensor holds NaN or an infinity, which have no JSON form")
        return reshaped(items, shape)

    return Scalar(convert, effect=lambda _schema: _nested(shape, datatype.leaf))


def _tensor_encode(options: Options) -> Structural:
    name, order = _form(options)
    shape = options.get("shape", "a list of up to 32 sizes, one of them perhaps -1", _is_shape, None)
    datatype = DATATYPES[name]
    written = _WRITTEN.get(name, list)

    def convert(value: Any) -> str:
        items, sizes = flat(value)
        if shape is not None and not _fits(sizes, shape):
            raise Refusal(f"the tensor has the shape {sizes}, not {shape}")
        for item in items:
            if not isinstance(item, tuple(datatype.types)) or (isinstance(item, bool) and name != "BOOL"):
                raise Refusal(f"{kind(item) if not isinstance(item, float) else repr(item)} is no {name}")
        try:
            raw = struct.pack(f"{order}{len(items)}{datatype.code}", *written(items))
        except (struct.error, OverflowError):
            raise Refusal(f"a number is out of the range of {name}") from None
        return binascii.b2a_base64(raw, newline=False).decode()

    effect: Callable[[Schema], Schema] = lambda _schema: {"type": "string", "contentEncoding": "base64"}  # noqa: E731
    return Structural(lambda value, codec: convert(codec.plain(value)), effect)


def unpacked(name: str, raw: bytes | memoryview, order: str = "<") -> list[Any]:
    """The items of a datatype that `raw` is made of; raises `Refusal` for a BOOL that is none."""
    datatype = DATATYPES[name]
    items = list(struct.unpack(f"{order}{len(raw) // datatype.width}{datatype.code}", raw))
    read = _READ.get(name)
    return items if read is None else read(items)


def flat(value: Any) -> tuple[list[Any], list[int]]:
    """The items of nested arrays, row by row, and their shape; raises `Refusal` where that is not regular."""
    items = require_array(value)
    sizes = [len(items)]
    while items and all(isinstance(item, list) for item in items):
        size = len(items[0])
        if len(sizes) == MAX_DIMENSIONS:
            raise Refusal(f"a tensor has at most {MAX_DIMENSIONS} dimensions")
        if any(len(item) != size for item in items):
            raise Refusal(f"the arrays in dimension {len(sizes)} have different lengths")
        sizes.append(size)
        items = [inner for item in items for inner in item]
    return items, sizes


def _form(options: Options) -> tuple[str, str]:
    """Datatype and byte order."""
    return options.choice("datatype", tuple(DATATYPES)), _ORDERS[options.choice("order", tuple(_ORDERS), "little")]


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= MAX_DIMENSIONS
        and all(is_count(size) or (size == -1 and not isinstance(size, bool)) for size in value)
        and value.count(-1) <= 1
    )


def _fits(sizes: list[int], shape: list[int]) -> bool:
    if len(sizes) < len(shape) and not prod(sizes):
        return 0 in shape or -1 in shape  # of an empty tensor, the inner sizes do not show
    return len(sizes) == len(shape) and all(want in (-1, size) for size, want in zip(sizes, shape, strict=True))


def _nested(shape: list[int], leaf: Schema) -> Schema:
    schema = leaf
    for size in reversed(shape):
        schema = {"type": "array", "items": schema}
        if size >= 0:
            schema.update(minItems=size, maxItems=size)
    return schema


def _booleans(values: list[int]) -> list[bool]:
    if any(value > 1 for value in values):
        raise Refusal("a byte is neither 0 nor 1, so it is no BOOL")
    return [value == 1 for value in values]


def _widened(values: list[int]) -> list[float]:
    """BF16 is the upper half of FP32."""
    return list(struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}I", *(value << 16 for value in values))))


def _narrowed(values: list[Any]) -> list[int]:
    """FP32 to BF16, half to even."""
    words = struct.unpack(f"<{len(values)}I", struct.pack(f"<{len(values)}f", *values))
    halves = [(word + 0x7FFF + ((word >> 16) & 1)) >> 16 for word in words]
    if any(half & 0x7F80 == 0x7F80 for half in halves):  # rounded up to infinity
        raise OverflowError
    return halves


_READ: dict[str, Callable[[list[Any]], list[Any]]] = {"BOOL": _booleans, "BF16": _widened}
_WRITTEN: dict[str, Callable[[list[Any]], list[Any]]] = {"BF16": _narrowed}

ROWS = (
    Row("tensor_decode", _tensor_decode, Loss.LOSSLESS, "tensor_encode gives the same bytes back"),
    Row("tensor_encode", _tensor_encode, Loss.LOSSY, "the shape, and what the datatype rounds away, are lost"),
)
