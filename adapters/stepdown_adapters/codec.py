"""Turns bytes into documents and back, opening only what is looked at.

A *lazy* document is made of dicts, lists, plain values, and `Raw` parts: JSON text that nothing has looked at yet and
that is written out again byte for byte. Whatever reads a value opens it by one level (`opened`, `items`) or entirely
(`plain`). msgspec checks the grammar of the parts that it skips (measured against orjson: the same verdicts), but not
the UTF-8 inside of their strings, nor a depth below its own limit; `checked` does both.

Two codecs share this interface. `LAZY` is for speed. `STRICT` also keeps the text of numbers and duplicate names in
the parts that it opens. `PLAIN` is for values that were decoded as a whole, by the reference interpreter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Raw

from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import MAX_DEPTH

T = TypeVar("T")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_PLACE = re.compile(r"invalid character \(byte (\d+)\)")
_SHALLOW = 2 * MAX_DEPTH
"""Bytes that cannot be nested too deeply: a level takes two."""
_FEW = 60
_FEW_OBJECTS = 2 * _FEW + 5 * (MAX_DEPTH - _FEW)
"""Bytes up to which a body can only be too deep if it has more than a few `[`, for a level by `{"":}` takes five."""
_SPACE = b" \t\n\r"
_FIRST = frozenset({b"{", b"["})
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_array = msgspec.json.Decoder(list[Raw]).decode
_objects = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_value = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Codec(Protocol):
    """How an operation looks at values that may be `Raw`."""

    def plain(self, value: Any) -> Any:
        """The value, decoded to its last leaf."""
        ...

    def opened(self, value: Any) -> Any:
        """The value; an object or array is no longer `Raw`, though what is inside of it may be."""
        ...

    def items(self, value: Any) -> Any:
        """Like `opened`; the items of an array are opened as well where that takes no longer."""
        ...

    def encode(self, value: Any, /) -> bytes:
        """JSON text of the value."""
        ...


class Lazy:
    """The fast codec: numbers in opened parts become Python numbers, of two equal names the last one counts."""

    decode = staticmethod(_value)
    object_of = staticmethod(_object)
    """Opens what must be an object, or raises."""

    def plain(self, value: Any) -> Any:
        """The value, decoded to its last leaf."""
        if value.__class__ is Raw:
            return _value(value)
        if isinstance(value, dict):
            return {name: self.plain(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        return value

    def opened(self, value: Any) -> Any:
        """The value; an object or array is no longer `Raw`, a scalar stays as it is written."""
        return self.raw_opened(value) if value.__class__ is Raw else value

    def raw_opened(self, raw: Raw) -> Any:
        """The same for what is known to be unopened."""
        first = memoryview(raw)[0]
        if first == 0x7B:  # {
            return _object(raw)
        return _array(raw) if first == 0x5B else raw  # [

    def items(self, value: Any) -> Any:
        """Like `opened`; objects that are items of an array are opened with it."""
        return self.raw_items(value) if value.__class__ is Raw else value

    def raw_items(self, raw: Raw) -> Any:
        """The same for what is known to be unopened."""
        try:
            return _objects(raw)
        except msgspec.ValidationError:  # not an array, or not all of its items are objects
            return self.opened(raw)

    encode = staticmethod(_encode)
    """JSON text of a lazy document without NaN and infinities."""


class Plain:
    """The codec of documents that were decoded as a whole."""

    def plain(self, value: Any) -> Any:
        """The value itself."""
        return value

    opened = items = plain
    encode = staticmethod(_encode)


LAZY = Lazy()
PLAIN = Plain()


def read_lazily(body: bytes) -> Any:
    """What `read` gives with the fast codec; an object, which most bodies are, is not looked at twice."""
    if len(body) > _SHALLOW or not body.isascii():
        _check(body)
    try:
        return _object(body)
    except msgspec.ValidationError:  # it is something else
        return read(LAZY, body)
    except msgspec.DecodeError as error:
        raise _told(body, error) from None


def read(codec: Codec, body: bytes) -> Any:
    """The body as an opened document; raises `Refusal` or msgspec's errors if it is not JSON."""
    raw = checked(body)
    try:
        document = codec.opened(raw)
        if document is raw:
            _value(raw)  # a scalar is not opened, so its grammar has to be checked
            return Raw(bytes(raw).rstrip(_SPACE))
    except msgspec.DecodeError as error:
        raise _told(bytes(raw), error) from None
    return document


def opening(codec: Codec) -> Callable[[bytes], Any]:
    """What opens bodies as `read` does, by the quicker way where the codec is the fast one."""
    return read_lazily if codec is LAZY else partial(read, codec)


def read_whole(body: bytes) -> Any:
    """The body as plain values to the last leaf, with the fast codec; raises as `read` does."""
    if len(body) > _SHALLOW or not body.isascii():
        _check(body)
    return _value(body)


def reading(type_: type[T]) -> Callable[[bytes], T]:
    """What reads bodies as `read_whole` does, into this type, which may leave out what nobody wants to know."""
    decode = msgspec.json.Decoder(type_).decode

    def read(body: bytes) -> T:
        if len(body) > _SHALLOW or not body.isascii():
            _check(body)
        return decode(body)

    return read


def _told(body: bytes, error: msgspec.DecodeError) -> Exception:
    """The error, or one that says more: of nothing at all, and of NaN, which Python servers write most often."""
    if not body.strip(_SPACE):
        return Refusal("the body is empty")
    place = _PLACE.search(str(error))
    if place is None or not body.startswith((b"NaN", b"Infinity"), int(place[1])):
        return error
    return Refusal(
        f"NaN and infinities are no JSON (byte {place[1]}); `non_finite: nullify` takes null for an answer's"
    )


def checked(body: bytes) -> Raw:
    """The body as an unopened document; raises `Refusal` if it is not UTF-8 or nested too deeply.

    Whether it is JSON shows when it is opened.
    """
    _check(body)
    # Space before a document (RFC 8259 section 2) would hide what it is from `opened`.
    return Raw(body if body[:1] in _FIRST else body.lstrip(_SPACE))


def _check(body: bytes) -> None:
    """Raise `Refusal` if a body is not UTF-8 or nested too deeply."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise Refusal(f"the body is not UTF-8 at byte {error.start}") from None
    # Counts brackets through `replace`, which looks for them by memchr; `count` looks at each byte and takes five times
    # longer. Most bodies have a handful, and need no closer look.
    size = len(body)
    if size > _SHALLOW:
        outside = body.replace(b"[", b"")
        if size > _FEW_OBJECTS:
            outside = outside.replace(b"{", b"")
        if size - len(outside) > _FEW:
            _refuse_depth(body)


def _refuse_depth(body: bytes) -> None:
    """Measures the depth by taking away innermost pairs of brackets, one level at a time."""
    # Without a backslash every other piece between quotes is outside of strings, which is ten times faster to find.
    outside = _STRING.sub(b"", body) if b"\\" in body else b"".join(body.split(b'"')[::2])
    brackets = outside.translate(None, _NOT_BRACKETS).replace(b"{", b"[").replace(b"}", b"]")
    if b"[" * (MAX_DEPTH + 1) in brackets:
        raise Refusal(f"the body is nested deeper than {MAX_DEPTH} levels")
    for _ in range(MAX_DEPTH):
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):
            return  # empty, or not balanced: then the decoder finds that it is not JSON
        brackets = shorter
    if b"[]" in brackets:
        raise Refusal(f"the body is nested deeper than {MAX_DEPTH} levels")
