"""Values as a sentence shows them: JSON, cut where it is long; schemas in a few words."""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 60


def shown_value(value: Any) -> str:
    """A value of a document, where `None` is null."""
    return "null" if value is None else shown(value)


def shown(value: Any) -> str:
    """A value for a sentence; `None` is none."""
    if value is None:
        return "none"
    if isinstance(value, str) and value.replace(" or ", "").replace("-", "").isalnum():
        return value
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            return reference.rpartition("/")[2] or "the whole"
        if isinstance(value.get("title"), str) and "type" in value:
            return str(value["title"])
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
