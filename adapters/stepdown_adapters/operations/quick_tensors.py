"""The fast ways from one tensor to rows and back, for documents that nothing has opened yet.

Rows need no number to be decoded: they are the text of `data` with brackets put between its items, so that every number
keeps its text. Whatever is unusual (several tensors, nested data, strings, sizes that do not fit, a number beyond
floating point) they leave to `tensors`, whose errors are exact: they give `None`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from math import prod
from typing import Any

import msgspec
import orjson
from msgspec import Raw

_DEEP = 8
"""Dimensions up to which the fast way goes."""
_LARGE = re.compile(rb"[eE]\+?[0-9]{3}")
"""An exponent with which a number may be beyond floating point."""


class _Tensor(msgspec.Struct):
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
        self._decode = _decoder(source, list[_Tensor], self._kept)

    def converted(self, body: Raw) -> dict[str, Any] | None:
        """The document with its rows; `None` where the general way has to decide."""
        try:
            document = self._decode(body)
        except (msgspec.MsgspecError, LookupError):
            return None
        tensors = document.read
        if self._chosen is not None:
            tensors = [tensor for tensor in tensors if tensor.name == self._chosen]
        if len(tensors) != 1:
            return None
        text = _text(tensors[0].shape, bytes(tensors[0].data), self._squeeze)
        if text is None:
            return None
        if not self._kept:
            return {self._target: Raw(text)}
        return {**_carried(document, self._kept), self._target: Raw(text)}


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


def _text(shape: list[int], data: bytes, squeeze: bool) -> bytes | None:
    """Rows of a flat array as JSON text; `None` if it holds more than numbers, booleans and null, or another count."""
    if b'"' in data or b"{" in data or len(data) - len(data.replace(b"[", b"")) != 1:
        return None
    if (b"e" in data or b"E" in data) and _LARGE.search(data):
        return None
    count = len(data) - len(data.replace(b",", b"")) + 1
    if not 0 < len(shape) <= _DEEP or min(shape) < 1 or prod(shape) != count or not data[1:-1].strip():
        return None
    sizes = [size for size in shape[1:] if size != 1] if squeeze else shape[1:]
    rows = data[1:-1]
    separator = b","
    for size in reversed(sizes):
        # Between items that are arrays themselves stand their brackets; inside of them there are fewer in a row.
        outer = b"]" + separator + b"["
        if size == 1:
            rows = rows.replace(separator, outer)
        elif size < count:
            rows = _grouped(rows, separator, outer, size)
        count //= size
        rows = b"[" + rows + b"]"
        separator = outer
    return b"[" + rows + b"]"


def _grouped(rows: bytes, separator: bytes, outer: bytes, size: int) -> bytes:
    """The text with every `size`th separator replaced by `outer`."""
    # The odd expression is the itertools recipe `grouper`; the count is known to be a multiple.
    return outer.join(map(separator.join, zip(*[iter(rows.split(separator))] * size)))  # noqa: B905


def _escaped(name: str) -> bool:
    return any(character in '"\\' or character < " " for character in name)
