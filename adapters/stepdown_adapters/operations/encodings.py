"""The conversions encode and decode: text to base64 and back, and any value to JSON that is told as a text and back.

OpenAI's APIs have the arguments of a call as a text of JSON, Anthropic's as the object itself. Such a text has no white
space between its parts, and what nobody looked at keeps the spelling of its numbers and strings.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from stepdown_adapters.codec import PLAIN, Codec, checked
from stepdown_adapters.errors import Refusal
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Scalar, Structural
from stepdown_adapters.operations.options import Options
from stepdown_adapters.operations.texts import text, text_effect

_ALPHABETS = {"base64": b"+/", "base64url": b"-_"}
_JSON = "json"
_ENCODINGS = (*_ALPHABETS, _JSON)


def _encode(options: Options) -> Scalar | Structural:
    alphabet = options.choice("as", _ENCODINGS, "base64")
    if alphabet == _JSON:
        return Structural(_printed, text_effect)
    padding = options.get("padding", "true or false", lambda v: isinstance(v, bool), True)

    def convert(value: Any) -> str:
        encoded = base64.b64encode(text(value).encode(), _ALPHABETS[alphabet]).decode("ascii")
        return encoded if padding else encoded.rstrip("=")

    return Scalar(convert, effect=text_effect)


def _decode(options: Options) -> Scalar | Structural:
    alphabet = options.choice("from", _ENCODINGS, "base64")
    if alphabet == _JSON:
        return Structural(_read, lambda schema: schema["type"] == "string")
    marks = _ALPHABETS[alphabet]

    def convert(value: Any) -> str:
        encoded = text(value)
        padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
        try:
            found = base64.b64decode(padded, marks, validate=True)
        except (binascii.Error, ValueError):
            raise Refusal(f"the string is no {alphabet}") from None
        # What would not come back the same, such as a wrong padding or the other alphabet, is a mistake somewhere.
        if base64.b64encode(found, marks).decode("ascii") != padded or encoded not in (padded, padded.rstrip("=")):
            raise Refusal(f"the string is no {alphabet}")
        try:
            return found.decode()
        except UnicodeDecodeError as error:
            raise Refusal(f"the bytes are no UTF-8 text at byte {error.start}") from None

    return Scalar(convert, effect=text_effect)


def _printed(value: Any, codec: Codec) -> str:
    """The JSON text of a value, whose parts that are not opened keep their spelling."""
    return msgspec.json.format(codec.encode(value), indent=-1).decode()


def _read(value: Any, codec: Codec) -> Any:
    """The value that a JSON text says, unopened where the document is lazy."""
    raw = checked(text(codec.plain(value)).encode())
    try:
        plain = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise Refusal(f"the string is no JSON: {error}") from None
    return plain if codec is PLAIN else raw


ROWS = (
    Row("encode", _encode, Loss.LOSSLESS, "decode undoes it"),
    Row(
        "decode",
        _decode,
        Loss.LOSSLESS,
        "encode undoes it, but for white space in JSON; what is no such text is refused",
    ),
)
