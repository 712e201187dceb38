"""Names the keyword that a document breaks, as deep inside of it as the schema can be followed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stepdown_adapters.contract.keywords import pointer
from stepdown_adapters.proof.evaluate import broken, valid
from stepdown_adapters.proof.patterns import matches
from stepdown_adapters.proof.schemas import Document

_LONGEST = 80
_ABOUT_THE_SCHEMA = frozenset(["allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "enum"])


def sentence(schema: Any, value: Any, document: Document) -> str:
    """Why `value` is not valid under `schema`, which is known: `at /score: 1.5 breaks maximum 1`."""
    place: tuple[str, ...] = ()
    for _ in range(100):
        deeper = next(
            (way for way in _ways(schema, value, document) if valid(way[1], way[2], document) is False),
            None,
        )
        if deeper is None:
            break
        token, schema, value = deeper
        place += token
    where = f"at {pointer(*place)}" if place else "at the top"
    if schema is False:
        return f"{where}: nothing is allowed"
    keyword = broken(schema, value, document)
    if keyword is None:
        return f"{where}: {_short(value)} is not valid"
    argument = "" if keyword in _ABOUT_THE_SCHEMA else f" {_short(schema[keyword])}"
    return f"{where}: {_short(value)} breaks {keyword}{argument}"


def _ways(schema: Any, value: Any, document: Document) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Every schema that must hold inside: the place as tokens, the schema, the value there."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield (), document.target(schema["$ref"]), value
    for part in schema.get("allOf", ()):
        yield (), part, value
    if isinstance(value, list):
        prefix = schema.get("prefixItems", [])
        for index, item in enumerate(value):
            yield (str(index),), prefix[index] if index < len(prefix) else schema.get("items", True), item
    if isinstance(value, dict):
        declared, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name, member in value.items():
            matching = [pattern for pattern in patterns if matches(pattern, name)]
            for part in [declared[name]] if name in declared else []:
                yield (name,), part, member
            for pattern in matching:
                yield (name,), patterns[pattern], member
            if name not in declared and not any(matches(pattern, name) is not False for pattern in patterns):
                yield (name,), schema.get("additionalProperties", True), member


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
