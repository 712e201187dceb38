"""Derives the operations that remove all that a contract does not declare (`prune: true` of an adapter).

Unknown members usually ride along. Pruning closes every object whose members a contract lists, down to where it
becomes free-form, recursive, or of several types. Of alternatives (`anyOf`, `oneOf`) the members of all branches
count as declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepdown_adapters.contract.keywords import Schema, at
from stepdown_adapters.paths import Every, Member, Path


def pruning(contract: Schema) -> tuple[dict[str, Any], ...]:
    """`project` operations, in the form of the file, from the document downwards."""
    return tuple(_project([contract], contract, Path(), frozenset()))


def _project(schemas: list[Any], document: Schema, path: Path, seen: frozenset[int]) -> Iterator[dict[str, Any]]:
    """Operations for the value at `path`, which any of `schemas` may describe."""
    parts = [part for schema in schemas for part in _parts(schema, document, frozenset())]
    if any(id(part) in seen for part in parts):
        return  # recursive: no list of operations reaches every depth
    seen |= {id(part) for part in parts}
    members: dict[str, list[Any]] = {}
    for part in parts:
        for name, schema in part.get("properties", {}).items():
            members.setdefault(name, []).append(schema)
    objects = all(part.get("type") == "object" for part in parts)
    free = any("patternProperties" in part or isinstance(part.get("additionalProperties"), dict) for part in parts)
    if members and objects and not free:
        yield {"project": {"path": str(path), "keep": list(members), "on_missing": "skip"}}
        for name, inner in members.items():
            yield from _project(inner, document, path + Path((Member(name),)), seen)
    items = [part["items"] for part in parts if isinstance(part.get("items"), dict)]
    if items and all(part.get("type") == "array" and "prefixItems" not in part for part in parts):
        yield from _project(items, document, path + Path((Every(),)), seen)


def _parts(schema: Any, document: Schema, seen: frozenset[int]) -> Iterator[dict[str, Any]]:
    """The schema with all that it refers to or combines; what says nothing of members or items counts as free-form."""
    if not isinstance(schema, dict):
        yield {}
        return
    if id(schema) in seen:
        return
    seen |= {id(schema)}
    combining = schema.keys() & {"$ref", "allOf", "anyOf", "oneOf"}
    if not combining or schema.keys() & {"type", "properties", "patternProperties", "additionalProperties", "items"}:
        yield schema
    if "$ref" in schema:
        yield from _parts(at(document, schema["$ref"].removeprefix("#")), document, seen)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword, ()):
            yield from _parts(branch, document, seen)
