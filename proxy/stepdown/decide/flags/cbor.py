"""Canonical CBOR of a JSON value, which the third generation of `fractional` hashes.

Heads are as short as they can be, members of objects are in the order of their encoded names (RFC 8949, section 4.2.1;
for texts that is the order by length and then bytes, as in RFC 7049), and a float takes the shortest form that keeps
its value; a float without a fraction that fits 64 bits is written as a whole number.
"""

from __future__ import annotations

import struct
from typing import Any

from stepdown.decide.flags.values import is_nan

_DEEPEST = 64


class NotEncodableError(ValueError):
    """The value is no JSON value, or nested too deeply."""


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes((major << 5 | size,))
    for code, length in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if size < 1 << 8 * length:
            return bytes((major << 5 | code,)) + size.to_bytes(length, "big")
    raise NotEncodableError("longer than 64 bits")


def _whole(value: int) -> bytes:
    if -(2**64) <= value < 2**64:
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    magnitude = value if value >= 0 else -1 - value
    digits = magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")
    return bytes((0xC2 if value >= 0 else 0xC3,)) + _head(2, len(digits)) + digits


def _fraction(value: float) -> bytes:
    if is_nan(value):
        return b"\xf9\x7e\x00"
    if value.is_integer() and -(2.0**63) <= value < 2.0**64:
        return _whole(int(value))
    for code, form in ((b"\xf9", ">e"), (b"\xfa", ">f")):
        try:
            packed = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, packed)[0] == value:
            return code + packed
    return b"\xfb" + struct.pack(">d", value)


def canonical(value: Any, deepest: int = _DEEPEST) -> bytes:
    """The value's one encoding; raises `NotEncodableError`, and `UnicodeEncodeError` for a text that has no UTF-8."""
    if isinstance(value, str):
        encoded = value.encode()
        return _head(3, len(encoded)) + encoded
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return _fraction(value)
    if deepest == 0:
        raise NotEncodableError("nested too deeply")
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join([canonical(item, deepest - 1) for item in value])
    if isinstance(value, dict):
        pairs = [(canonical(name, deepest - 1), canonical(item, deepest - 1)) for name, item in value.items()]
        return _head(5, len(pairs)) + b"".join([name + item for name, item in sorted(pairs)])
    raise NotEncodableError(f"a {type(value).__name__}")
