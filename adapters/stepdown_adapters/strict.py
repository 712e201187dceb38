"""The codec of `fidelity: strict`: in opened parts, too, numbers keep their text and equal names stay side by side.

A number is decoded to an `int` or `float` that remembers its text, so that operations can calculate with it, and what
they leave alone is written as it was read. An object with equal names is decoded to a dict of the last ones, as
everywhere, which remembers all of them; once an operation touches a name, its earlier doubles are dropped, for an
adapted value must not stand beside one that was not.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Raw

from stepdown_adapters.errors import Refusal

_grammar = msgspec.json.Decoder(Raw).decode
_object = msgspec.json.Decoder(dict[str, Raw]).decode
_array = msgspec.json.Decoder(list[Raw]).decode
_encode = msgspec.json.Encoder().encode
_SPACE = " \t\n\r"


class TextInt(int):
    """An integer with the text it was read from."""

    def __new__(cls, text: str) -> TextInt:  # noqa: D102 - the class says it
        self = super().__new__(cls, text)
        self.text = text  # type: ignore[attr-defined]
        return self

    def __repr__(self) -> str:
        return self.text  # type: ignore[attr-defined,no-any-return]


class TextFloat(float):
    """A float with the text it was read from; infinite where the text is beyond floating point."""

    def __new__(cls, text: str) -> TextFloat:  # noqa: D102 - the class says it
        self = super().__new__(cls, text)
        self.text = text  # type: ignore[attr-defined]
        return self

    def __repr__(self) -> str:
        return self.text  # type: ignore[attr-defined,no-any-return]


class Doubled(dict[str, Any]):
    """An object some of whose names were there more than once."""

    pairs: tuple[tuple[str, Any], ...]

    def kept(self) -> list[tuple[str, Any]]:
        """All members in their order, without the doubles of names that were touched."""
        last = dict(self.pairs)
        result, written = [], set()
        for index, (name, value) in enumerate(self.pairs):
            if name not in self:
                continue
            if self[name] is last[name]:
                result.append((name, value))
            elif not any(later == name for later, _ in self.pairs[index + 1 :]):
                result.append((name, self[name]))
            written.add(name)
        return result + [(name, value) for name, value in self.items() if name not in written]


def _paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    doubled = Doubled(members)
    doubled.pairs = tuple(pairs)
    return doubled


def _constant(text: str) -> Any:
    raise Refusal(f"{text} is not JSON")  # pragma: no cover - the grammar was checked before


_READER = json.JSONDecoder(
    object_pairs_hook=_paired, parse_float=TextFloat, parse_int=TextInt, parse_constant=_constant
)


class Strict:
    """The slow codec that loses nothing."""

    def decode(self, raw: Raw) -> Any:
        """The value of JSON text."""
        return _READER.decode(bytes(_grammar(raw)).decode())

    def plain(self, value: Any) -> Any:
        """The value, decoded to its last leaf."""
        if isinstance(value, Raw):
            return self.decode(value)
        if isinstance(value, Doubled):
            return _paired([(name, self.plain(member)) for name, member in value.kept()])
        if isinstance(value, dict):
            return {name: self.plain(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        return value

    def opened(self, value: Any) -> Any:
        """The value; an object or array is no longer `Raw`, a scalar stays as it is written."""
        if not isinstance(value, Raw):
            return value
        first = memoryview(value)[0]
        if first == 0x7B:  # {
            return _opened_object(value)
        return _array(value) if first == 0x5B else value  # [

    items = object_of = raw_opened = raw_items = opened

    def encode(self, document: Any) -> bytes:
        """JSON text of a lazy document without NaN and infinities."""
        if isinstance(document, Raw):
            return bytes(document)
        if isinstance(document, TextInt | TextFloat):
            return repr(document).encode()
        if isinstance(document, dict):
            pairs = document.kept() if isinstance(document, Doubled) else document.items()
            return b"{" + b",".join(_encode(name) + b":" + self.encode(member) for name, member in pairs) + b"}"
        if isinstance(document, list):
            return b"[" + b",".join(map(self.encode, document)) + b"]"
        return _encode(document)


STRICT = Strict()


def _opened_object(raw: Raw) -> dict[str, Any]:
    members = _object(raw)
    # No text that holds these members is shorter than this, so one of just this length has no others, nor doubles.
    shortest = 1 + sum(len(name.encode()) + len(memoryview(member)) + 4 for name, member in members.items())
    return members if len(memoryview(raw)) == shortest else _paired(_members(bytes(raw).decode()))


def _members(text: str) -> list[tuple[str, Any]]:
    """Names and raw values of an object whose grammar was checked."""
    pairs: list[tuple[str, Any]] = []
    at = _after_space(text, 1)
    while text[at] != "}":
        name, at = json.decoder.scanstring(text, at + 1, True)  # type: ignore[attr-defined]
        start = _after_space(text, _after_space(text, at) + 1)
        _, end = _READER.raw_decode(text, start)
        pairs.append((name, Raw(text[start:end].encode())))
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return pairs


def _after_space(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at
