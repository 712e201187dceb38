"""The fast ways from one tensor to rows and back, for data that nothing has opened yet.

No number needs to be decoded: rows are the text of `data` with brackets put between its items, and `data` is the text
of rows without their brackets, so that every number keeps its text. Whatever is unusual (several tensors, nested data,
strings, sizes that do not fit, a number beyond floating point) they leave to `tensors`, whose errors are exact: they
give `None`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from math import prod
from typing import Any

import msgspec
import orjson
from msgspec import Raw

from stepdown_adapters.codec import LAZY
from stepdown_adapters.operations.options import is_count

_DEEP = 8
"""Dimensions up to which the fast way goes."""
_WIDE = 32
"""Items of a row from which it is faster to look for its end than to find all of its items."""
_AT_ONCE = 4 * _WIDE
"""Items of short rows that are found together: at least four rows."""
_LARGE = re.compile(rb"\+?[0-9]{3}")
"""An exponent's text."""
_SPACE = b" \t\n\r"


class _Tensor(msgspec.Struct):
    name: str
    shape: list[int]
    data: Raw


_tensors = msgspec.json.Decoder(list[_Tensor]).decode
_texts = msgspec.json.Decoder(list[list[str]]).decode


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

    def converted(self, document: Any) -> dict[str, Any] | None:
        """A lazy document with its rows; `None` where the general way has to decide."""
        try:
            if document.__class__ is Raw:
                document = self._decode(document)
                tensors = document.read
            else:
                tensors = _opened(document[self._source])
        except (msgspec.MsgspecError, LookupError, TypeError):
            return None
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


def _opened(tensors: Any) -> list[_Tensor]:
    """The tensors of a document that was opened; raises `TypeError` or `LookupError` where one is not ordinary."""
    if tensors.__class__ is Raw:
        return _tensors(tensors)
    found = []
    for item in tensors:
        name, shape, data = LAZY.plain(item["name"]), LAZY.plain(item["shape"]), item["data"]
        if not (isinstance(name, str) and isinstance(shape, list) and all(map(is_count, shape))):
            raise TypeError
        found.append(_Tensor(name, shape, data))
    return found


class QuickTensor:
    """What `rows_to_tensor` with these options does to rows that are numbers, or regular lists of them."""

    def __init__(self, source: str, target: str, tensor: dict[str, Any], shape: list[int] | None, items: bytes) -> None:
        """`items` are the characters of which the items are made, or none for texts."""
        self._source = source
        self._target = target
        self._tensor = tensor
        self._shape = shape
        self._items = items
        self._decode = _decoder(source, Raw, ())

    def converted(self, document: Any) -> dict[str, Any] | None:
        """A lazy document as its tensor; `None` where the general way has to decide."""
        try:
            rows = self._decode(document).read if document.__class__ is Raw else document[self._source]
        except (msgspec.MsgspecError, LookupError):
            return None
        if rows.__class__ is not Raw:
            return None
        made = _of_characters(bytes(rows), self._items) if self._items else _of_texts(rows)
        if made is None or (self._shape is not None and made[0][1:] != self._shape):
            return None
        return {self._target: [{**self._tensor, "shape": made[0], "data": Raw(b"[%b]" % made[1])}]}


def _of_characters(text: bytes, items: bytes) -> tuple[list[int], bytes] | None:
    """Shape and items of regular arrays of which the items are made of these characters."""
    shape = _shape(text.translate(None, items + _SPACE))
    if shape is None or _is_large(text):
        return None
    if shape[-1] == 1 and b"[]" in text.translate(None, _SPACE):
        return None  # without their items, an array of one and an array of none look the same
    return shape, text.translate(None, b"[]" + _SPACE)


def _of_texts(rows: Raw) -> tuple[list[int], bytes] | None:
    """Shape and items of rows of as many texts each, which may hold any character."""
    try:
        read = _texts(rows)
        data = orjson.dumps(list(chain.from_iterable(read)))
    except (msgspec.MsgspecError, ValueError):
        return None
    widths = set(map(len, read))
    return None if len(widths) != 1 or 0 in widths else ([len(read), *widths], data[1:-1])


def _shape(brackets: bytes) -> list[int] | None:
    """The sizes of regular arrays of which the items are left out; `None` of all else."""
    depth = len(brackets) - len(brackets.lstrip(b"["))
    if depth > _DEEP:
        return None
    unit, sizes = b"", []
    for level in range(1, depth + 1):
        end = brackets.find(b"]" * level)
        array = brackets[depth - level : end + level]
        size = (len(array) - 1) // (len(unit) + 1)
        if end < 0 or array != b"[" + b",".join([unit] * size) + b"]":
            return None
        unit = array
        sizes.append(size)
    return sizes[::-1] if sizes and unit == brackets else None


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
    if document.__class__ is dict:
        return {name: document[name] for name, _ in kept if name in document}
    return {name: value for name, field in kept if (value := getattr(document, field)) is not None}


def _text(shape: list[int], data: bytes, squeeze: bool) -> bytes | None:
    """Rows of a flat array as JSON text; `None` if it holds more than numbers, booleans and null, or another count."""
    if data[:1] != b"[" or b'"' in data or b"{" in data or data.find(b"[", 1) > 0 or _is_large(data):
        return None
    rows, separator, count, depth = data[1:-1], b",", prod(shape), 1
    if not 0 < len(shape) <= _DEEP or min(shape) < 1 or not rows or rows.isspace():
        return None
    counted = False
    for size in reversed(shape[1:]):
        if size == 1 and squeeze:
            continue
        # Between items that are arrays themselves stand their brackets; inside of them there are fewer in a row.
        outer = b"]" + separator + b"["
        if size == 1:
            rows = rows.replace(separator, outer)
        elif size < count:
            way = _grouped if separator != b"," else _cut if size >= _WIDE else _found
            found = way(rows, separator, outer, size, count)
            if found is None:
                return None
            rows, counted = found, True
        count //= size
        depth += 1
        separator = outer
    if not counted and data.count(b",") != prod(shape) - 1:
        return None
    return b"%b%b%b" % (b"[" * depth, rows, b"]" * depth)


def _grouped(rows: bytes, separator: bytes, outer: bytes, size: int, count: int) -> bytes | None:
    """The items with `outer` instead of the separator after every `size`th; `None` if there are not `count`."""
    items = rows.split(separator)
    if len(items) != count:
        return None
    pieces = [separator] * (2 * count - 1)
    pieces[::2] = items
    pieces[2 * size - 1 :: 2 * size] = [outer] * (count // size - 1)
    return b"".join(pieces)


def _found(rows: bytes, separator: bytes, outer: bytes, size: int, count: int) -> bytes | None:
    """The same for commas and short rows, of which an expression finds many at a time and makes no items."""
    at_once = _AT_ONCE // size
    times, rest = divmod(count // size, at_once)
    if not times:
        return _grouped(rows, separator, outer, size, count)
    several, *last = rows.rsplit(b",", rest * size) if rest else (rows,)
    found = _rows_of(size, at_once).findall(several)
    pieces: Iterator[bytes] = map(outer.join, found)
    if last:
        pieces = chain(pieces, (b",".join(last[at : at + size]) for at in range(0, len(last), size)))
    text = outer.join(pieces)
    # What the expression has passed over is missing from the text.
    full = len(found) == times and len(text) == len(rows) + (len(outer) - 1) * (count // size - 1)
    return text if full else None


@lru_cache(maxsize=_WIDE)
def _rows_of(size: int, times: int) -> re.Pattern[bytes]:
    """Finds so many rows of so many items, each a group, and the comma behind them."""
    row = b"(%b)" % b",".join([b"[^,]++"] * size)
    return re.compile(b"%b,?+" % b",".join([row] * times))


def _cut(rows: bytes, _separator: bytes, outer: bytes, size: int, count: int) -> bytes | None:
    """The same for long rows, whose ends are guessed, for numbers are about equally long, and then found."""
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
