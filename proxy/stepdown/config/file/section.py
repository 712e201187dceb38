"""What all sections of the file have in common, and how a value is refused with what would be right."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

REFUSED = "stepdown"
"""Type of the errors that say themselves what is allowed."""


class Section(BaseModel):
    """A mapping of the file: nothing unknown in it, no value silently converted, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, defer_build=True)


def refused(allowed: str, *, problem: str = "") -> PydanticCustomError:
    """An error that says what is allowed; a `problem` replaces "found X" where X must not be shown or says little."""
    return PydanticCustomError(REFUSED, "allowed {allowed}", {"allowed": allowed, "problem": problem})


def as_list(value: Any) -> Any:
    """A single value as a list of one, for keys that take either."""
    return value if isinstance(value, list) or value is None else [value]
