"""Open Inference's binary tensor data extension undone: tensors that follow the JSON of an answer, as members of it.

The field `Inference-Header-Content-Length` says how long the JSON is. A tensor with the parameter `binary_data_size`
has no `data`: its items are behind the JSON, in the order of the tensors, little-endian and row by row. Of the type
BYTES each has its length before it, in four bytes.

1. Everything has to add up: the sizes of the tensors to what follows the JSON, and that of each to its shape.
2. A tensor gets its items as flat `data`, and loses the parameter. All else stays as it is written.
3. FP32 and what is narrower are written as the doubles that they are, as servers do. NaN and infinities become Python's
   words for them, so that they are refused, or taken for null, as where a server writes them itself.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from itertools import islice
from math import isfinite, prod
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Raw

from stepdown_adapters.codec import LAZY, checked
from stepdown_adapters.errors import Refusal
from stepdown_adapters.operations.raw_tensors import DATATYPES, MAX_DIMENSIONS, unpacked

_SIZE = "binary_data_size"
_DIGITS = 10
_AT_ONCE = 16 * 1024
"""Items made text at a time, so that too long a text is noticed before there is much of it."""
_LENGTH = struct.Struct("<I")
_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class _Described(msgspec.Struct):
    name: str
    datatype: str
    shape: Annotated[list[_Count], Meta(min_length=1, max_length=MAX_DIMENSIONS)]


_object = msgspec.json.Decoder(dict[str, Raw]).decode
_objects = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_count = msgspec.json.Decoder(_Count).decode


class ExcessError(Refusal):
    """The answer would be longer than is wanted."""


def inlined(body: bytes, header: bytes, most: int) -> bytes:
    """The answer as JSON alone, where `header` is the value of `Inference-Header-Content-Length`.

    Raises `ExcessError` where that would be more than `most` bytes of text, and `Refusal` for what is wrong.
    """
    if not header.isdigit() or len(header) > _DIGITS or int(header) > len(body):
        said = header[:40].decode("latin-1")
        raise Refusal(f"Inference-Header-Content-Length is {said!r}, and the body has {len(body)} bytes")
    at = int(header)
    left = most - at
    try:
        document = _object(checked(body[:at]))
        if at == len(body) and "outputs" not in document:
            return body  # an error, for example
        outputs: list[dict[str, Any]] = _objects(document.get("outputs", b"null"))
        for output in outputs:
            size = _taken(output)
            if size is not None:
                text = _text(_described(output), body, at, at + size, left)
                output["data"] = Raw(text)
                at, left = at + size, left - len(text)
    except msgspec.MsgspecError as error:
        raise Refusal(f"the JSON before the tensors cannot be read: {error}") from None
    if at < len(body):
        raise Refusal(f"{len(body) - at} bytes follow the last tensor")
    return LAZY.encode({**document, "outputs": outputs})


def _taken(output: dict[str, Any]) -> int | None:
    """The size of a tensor's binary data, which is no longer a parameter then; `None` where it has none."""
    raw = output.get("parameters")
    parameters = {} if raw is None or bytes(raw) == b"null" else _object(raw)
    size = parameters.pop(_SIZE, None)
    if size is None:
        return None
    if parameters:
        output["parameters"] = parameters
    else:
        del output["parameters"]
    return _count(size)


def _described(output: dict[str, Any]) -> _Described:
    if "data" in output:
        raise Refusal(f"a tensor has both {_SIZE} and data")
    known = {name: LAZY.plain(output[name]) for name in _Described.__struct_fields__ if name in output}
    return msgspec.convert(known, _Described)


def _text(tensor: _Described, body: bytes, start: int, end: int, most: int) -> bytes:
    """The items between two places as the text of a flat array."""
    if end > len(body):
        raise Refusal(f"tensor {tensor.name!r} has {end - start} bytes, and {len(body) - start} are left")
    pieces, size = [], 1
    for items in _read(tensor, memoryview(body)[start:end]):
        piece = _written(items)
        size += len(piece) + 1
        if size > most:
            raise ExcessError("the binary tensors are too long as text")
        pieces.append(piece)
    return b"[" + b",".join(pieces) + b"]"


def _read(tensor: _Described, raw: memoryview) -> Iterator[list[Any]]:
    """All items of a tensor, some at a time."""
    name = tensor.name
    if tensor.datatype == "BYTES":
        strings = _strings(tensor, raw)
        while some := list(islice(strings, _AT_ONCE)):
            yield some
        return
    if tensor.datatype not in DATATYPES:
        raise Refusal(f"tensor {name!r} has the datatype {tensor.datatype!r}, which Open Inference does not have")
    width = DATATYPES[tensor.datatype].width
    needed = width * prod(tensor.shape)
    if len(raw) != needed:
        raise Refusal(f"tensor {name!r} has {len(raw)} bytes, and its shape {tensor.shape} needs {needed}")
    for start in range(0, len(raw), _AT_ONCE * width):
        yield unpacked(tensor.datatype, raw[start : start + _AT_ONCE * width])


def _strings(tensor: _Described, raw: memoryview) -> Iterator[str]:
    """The texts of a BYTES tensor."""
    name, at, index = tensor.name, 0, 0
    while at < len(raw):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(raw, at)[0] if start <= len(raw) else start
        if at > len(raw):
            raise Refusal(f"item {index} of tensor {name!r} is cut")
        try:
            yield str(raw[start:at], "utf-8")
        except UnicodeDecodeError:
            raise Refusal(f"item {index} of tensor {name!r} is no text in UTF-8, so it has no JSON form") from None
        index += 1
    if index != prod(tensor.shape):
        raise Refusal(f"tensor {name!r} has {index} items, and its shape {tensor.shape} needs {prod(tensor.shape)}")


def _written(items: list[Any]) -> bytes:
    """The text of an array without its brackets."""
    if items[0].__class__ is float and not all(map(isfinite, items)):
        return json.dumps(items, separators=(",", ":")).encode()[1:-1]
    return orjson.dumps(items)[1:-1]
