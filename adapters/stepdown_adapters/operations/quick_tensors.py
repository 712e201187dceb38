"""The fast ways from one tensor to rows and back, for documents that nothing has opened yet.

They decode only what they read, and write rows or data as text at once. Whatever is unusual (several tensors, nested
data, strings, sizes that do not fit, an integer over 64 bits) they leave to `tensors`, whose errors are exact: they
give `None`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, chain
from operator import mul
from typing import Any

import msgspec
import orjson
from msgspec import Raw

_LARGE = 2048
"""Bytes of a body from which orjson, which decodes numbers faster, beats msgspec, which skips what is not asked for."""
_DEEP = 8
"""Dimensions up to which the fast way goes."""
_WIDE = 8
"""Items of a row from which slicing beats `zip`."""


class _Decoded(msgspec.Struct):
    name: str
    shape: list[int]
    data: list[int | float | bool | None]


class _Unread(msgspec.Struct):
    name: str
    shape: list[int]
    data: Raw


class QuickRows:
    """What `tensor_to_rows` with these options does to an ordinary document."""

    def __init__(self, source: str, target: str, chosen: str | None, squeeze: bool, keep: Sequence[str]) -> None:
        self._source = source
        self._target = target
        self._chosen = chosen
        self._squeeze = squeeze
        fields = [f"kept_{index}" for index in range(len(keep))]
        self._kept = tuple(zip(keep, fields, strict=True))
        self._decode = _decoder(source, list[_Unread] if squeeze else list[_Decoded], self._kept)
        self._skips = squeeze or bool(keep)

    def converted(self, body: Raw) -> dict[str, Any] | None:
        """The document with its rows; `None` where the general way has to decide."""
        try:
            if not self._skips and len(memoryview(body)) > _LARGE:
                return self._decoded_whole(body)
            document = self._decode(body)
            tensors = document.read
            if self._chosen is not None:
                tensors = [tensor for tensor in tensors if tensor.name == self._chosen]
            if len(tensors) != 1:
                return None
            tensor = tensors[0]
            text = (_squeezed if self._squeeze else _text)(tensor.shape, tensor.data)
        except (msgspec.MsgspecError, TypeError, ValueError, LookupError):
            return None
        if text is None:
            return None
        if not self._kept:
            return {self._target: Raw(text)}
        return {**_carried(document, self._kept), self._target: Raw(text)}

    def _decoded_whole(self, body: Raw) -> dict[str, Any] | None:
        tensors = orjson.loads(memoryview(body))[self._source]
        if self._chosen is not None:
            tensors = [tensor for tensor in tensors if tensor["name"] == self._chosen]
        if len(tensors) != 1 or tensors[0]["name"].__class__ is not str:
            return None
        shape = tensors[0]["shape"]
        if any(size.__class__ is not int for size in shape):
            return None
        text = _text(shape, tensors[0]["data"])
        if text is None or not _is_flat(text, 1 + sum(accumulate(shape[:-1], mul))):
            return None
        return {self._target: Raw(text)}


class QuickTensor:
    """What `rows_to_tensor` with these options does to rows that are lists of the tensor's own type."""

    def __init__(self, source: str, target: str, tensor: dict[str, Any], shape: list[int] | None, item: Any) -> None:
        self._target = target
        self._tensor = tensor
        self._shape = shape
        self._decode = _decoder(source, list[list[item]], ())

    def converted(self, body: Raw) -> dict[str, Any] | None:
        """The document with its tensor; `None` where the general way has to decide."""
        try:
            rows = self._decode(body).read
            width = len(rows[0])
            if set(map(len, rows)) != {width} or not width or (self._shape is not None and self._shape != [width]):
                return None
            data = Raw(orjson.dumps(list(chain.from_iterable(rows))))
        except (msgspec.MsgspecError, TypeError, ValueError, LookupError):
            return None
        return {self._target: [{**self._tensor, "shape": [len(rows), width], "data": data}]}


def _decoder(source: str, wanted: Any, kept: Sequence[tuple[str, str]]) -> Callable[[Raw], Any]:
    """Decodes the member `source` as `wanted` into `.read`, and the members to keep unread into their fields."""
    names = {"read": source, **{field: name for name, field in kept}}
    if len(set(names.values())) < len(names) or any(map(_escaped, names.values())):
        return _unusable  # msgspec refuses a name that JSON would have to escape, and one that is there twice
    members: list[Any] = [("read", wanted), *((field, Raw, None) for _, field in kept)]
    return msgspec.json.Decoder(msgspec.defstruct("Document", members, rename=names)).decode


def _unusable(_body: Raw) -> Any:
    raise LookupError


def _carried(document: Any, kept: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {name: value for name, field in kept if (value := getattr(document, field)) is not None}


def _text(shape: list[int], data: list[Any]) -> bytes | None:
    """Rows of a flat list as JSON text; `None` if the items do not fill the shape, or are too large to be exact."""
    if len(shape) > _DEEP:
        return None
    rows: list[Any] = data
    count = shape[0]
    for size in shape[:0:-1]:  # from the last to the second
        if size < 1:
            return None
        count *= size
        # The odd expression is the itertools recipe `grouper`; tuples are arrays as well once they are text.
        rows = list(zip(*[iter(rows)] * size)) if size < _WIDE else _sliced(rows, size)  # noqa: B905 - counted below
    if count != len(data):
        return None
    text = orjson.dumps(rows)
    # A + is only in the exponent of numbers so large that they may have been integers, which must not become floats.
    return None if b"+" in text else text


def _squeezed(shape: list[int], data: Raw) -> bytes | None:
    """Like `_text`, without dimensions of size 1 behind the batch; often simply the data, numbers' text included."""
    text = bytes(data)
    sizes = [size for size in shape[1:] if size != 1]
    if not _is_flat(text, 1):
        return None
    if sizes:
        return _text([shape[0], *sizes], orjson.loads(text))
    return text if shape and len(text) - len(text.replace(b",", b"")) == shape[0] - 1 else None


def _sliced(rows: list[Any], size: int) -> list[Any]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _is_flat(text: bytes, arrays: int) -> bool:
    """Whether a JSON array holds this many arrays, itself included, and otherwise only numbers, booleans and null."""
    return b'"' not in text and b"{" not in text and len(text) - len(text.replace(b"[", b"")) == arrays


def _escaped(name: str) -> bool:
    return any(character in '"\\' or character < " " for character in name)
