"""What an evaluation of a flag says: the value, and why it is that value."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Reason = Literal[
    "STATIC", "TARGETING_MATCH", "DEFAULT", "DISABLED", "ERROR",
    "CACHE_MISS", "CACHED", "STALE", "SPLIT", "UNKNOWN",
]  # fmt: skip
"""OpenFeature's reasons, and `CACHE_MISS`. This evaluator gives the first five; the others are those of providers."""

ErrorCode = Literal[
    "FLAG_NOT_FOUND", "PARSE_ERROR", "TYPE_MISMATCH", "GENERAL",
    "PROVIDER_NOT_READY", "PROVIDER_FATAL", "TARGETING_KEY_MISSING", "INVALID_CONTEXT",
]  # fmt: skip
"""OpenFeature's error codes. This evaluator gives the first four."""

Kind = Literal["boolean", "string", "integer", "float", "object"]
"""The types that a caller may expect of a flag's value."""


class Evaluation(msgspec.Struct, frozen=True, gc=False):
    """The outcome for one flag and one context. A value may be an object that all outcomes share: do not change it."""

    value: Any
    """The variant's value, or the caller's default where `variant` is `None`."""
    variant: str | None
    reason: Reason
    error: ErrorCode | None = None
    """Set exactly where `reason` is `ERROR`."""
    message: str = ""
    """For people: what the error is about."""

    def or_default(self, default: Any) -> Evaluation:
        """This outcome with the caller's default in the place of its value."""
        return Evaluation(default, None, self.reason, self.error, self.message)


def failed(error: ErrorCode, message: str) -> Evaluation:
    """An error; its value is to be the caller's default."""
    return Evaluation(None, None, "ERROR", error, message)


def is_a(value: Any, kind: Kind) -> bool:
    """Whether a value may stand where `kind` is expected; as in flagd a boolean is no integer but passes as a float."""
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float)
        case _:
            return isinstance(value, dict | list)
