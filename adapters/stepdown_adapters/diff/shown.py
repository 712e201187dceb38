"""Values as a sentence shows them: JSON, cut where it is long; schemas in a few words."""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 60
_LONGEST_DOCUMENT = 160


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
    return _cut(value, _LONGEST)


def shown_document(value: Any) -> str:
    """A document or a part of one, whose members `title` and `type` are not those of a schema."""
    return _cut(value, _LONGEST_DOCUMENT) if isinstance(value, dict | list) else shown_value(value)


def _cut(value: Any, longest: int) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else text[: longest - 3] + "..."
