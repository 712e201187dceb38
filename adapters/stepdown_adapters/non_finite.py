"""What becomes of `NaN`, `Infinity` and `-Infinity`, which Python servers write and JSON does not have.

A document that holds one is refused like any other that is no JSON. With the policy `nullify` it is read once more with
null in their places: only then, so documents without them cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError

_TOKENS = re.compile(rb'("(?:[^"\\]|\\.)*")|-?Infinity|NaN', re.DOTALL)

Convert = Callable[[bytes, Context], bytes]


def with_nulls(convert: Convert) -> Convert:
    """The conversion, which takes null for what is not finite instead of refusing it."""

    def converted(body: bytes, context: Context) -> bytes:
        try:
            return convert(body, context)
        except AdaptError:
            finite = nulled(body)
            if finite == body:
                raise
            return convert(finite, context)

    return converted


def nulled(body: bytes) -> bytes:
    """The text with null for each number that is not finite; strings stay."""
    return _TOKENS.sub(lambda token: token[1] or b"null", body)
