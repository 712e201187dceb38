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
_WIDE = 32
"""Items of a row from which it is faster to look for its end than to split it."""
_LARGE = re.compile(rb"\+?[0-9]{3}")
"""An exponent's text."""


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
    if b'"' in data or b"{" in data or data.find(b"[", 1) > 0 or _is_large(data):
        return None
    if not 0 < len(shape) <= _DEEP or min(shape) < 1 or not data[1:-1].strip():
        return None
    rows, separator, count, counted = data[1:-1], b",", prod(shape), False
    for size in reversed(shape[1:]):
        if size == 1 and squeeze:
            continue
        # Between items that are arrays themselves stand their brackets; inside of them there are fewer in a row.
        outer = b"]" + separator + b"["
        if size == 1:
            rows = rows.replace(separator, outer)
        elif size < count:
            wide = size >= _WIDE and separator == b","
            found = _cut(rows, outer, size, count) if wide else _grouped(rows, separator, outer, size, count)
            if found is None:
                return None
            rows, counted = found, True
        count //= size
        rows = b"[" + rows + b"]"
        separator = outer
    return b"[" + rows + b"]" if counted or data.count(b",") == prod(shape) - 1 else None


def _grouped(rows: bytes, separator: bytes, outer: bytes, size: int, count: int) -> bytes | None:
    """The items with `outer` instead of the separator after every `size`th; `None` if there are not `count`."""
    items = rows.split(separator)
    if len(items) != count:
        return None
    pieces = [separator] * (2 * count - 1)
    pieces[::2] = items
    pieces[2 * size - 1 :: 2 * size] = [outer] * (count // size - 1)
    return b"".join(pieces)


def _cut(rows: bytes, outer: bytes, size: int, count: int) -> bytes | None:
    """The same for commas and long rows, whose ends are guessed, for numbers are about equally long, and then found."""
    cut, start, step = [], 0, len(rows) * size // count
    for _ in range(count // size - 1):
        end = start + step
        commas = rows.count(b",", start, end)
        for _ in range(commas - size + 1):
            end = rows.rfind(b",", start, end)
        for behind in range(size - commas):
            end = rows.find(b",", end + (behind > 0))
            if end < 0:
                return None
        cut.append(rows[start:end])
        start = end + 1
    cut.append(rows[start:])
    return outer.join(cut) if cut[-1].count(b",") == size - 1 else None


def _is_large(data: bytes) -> bool:
    """Whether a number has an exponent with which it may be beyond floating point."""
    if b"E" in data:
        data = data.replace(b"E", b"e")
    # Pieces between a few places that a fast search finds: a pattern tried at every byte takes as long as decoding.
    return b"e" in data and any(map(_LARGE.match, data.split(b"e")[1:]))


def _escaped(name: str) -> bool:
    return any(character in '"\\' or character < " " for character in name)
