"""A contract as a list of fields for people: path, type, range, whether it is always there, and what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from stepdown_adapters.contract.keywords import Schema, at, pointer

MOST = 1000
"""Fields of the longest list."""

_BOUNDS = (
    ("minimum", ">= {}"),
    ("exclusiveMinimum", "> {}"),
    ("maximum", "<= {}"),
    ("exclusiveMaximum", "< {}"),
    ("multipleOf", "multiple of {}"),
    ("pattern", "matches {}"),
    ("format", "{}"),
)
_COUNTS = (
    ("minLength", "maxLength", "character"),
    ("minItems", "maxItems", "item"),
    ("minProperties", "maxProperties", "member"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a document."""

    path: str
    """A JSON Pointer with `*` for every item or member; an alternative's name stands behind it in brackets."""
    type: str
    values: str
    required: bool | None
    """Whether it is there in every document (in every object that it belongs to); `None` for items."""
    meaning: str
    """What `x-semantic` says, for people."""
    description: str


def fields(schema: Schema) -> tuple[Field, ...]:
    """Every field that a contract declares, from the outside inwards, at most `MOST`."""
    return tuple(islice(_walk(schema, schema, "", True, frozenset()), MOST))


def _walk(schema: Any, document: Schema, path: str, required: bool | None, seen: frozenset[str]) -> Iterator[Field]:
    merged, references = _merged(schema, document)
    again = references & seen
    seen |= references
    if path or isinstance(schema, bool):
        again_note = f"as in {sorted(again)[0]}" if again else ""
        yield Field(
            path,
            _type(merged, document),
            "; ".join(filter(None, (_values(merged), again_note))),
            required,
            meaning(merged.get("x-semantic")),
            str(merged.get("description") or merged.get("title") or ""),
        )
    if again:
        return
    names = merged.get("required", ())
    for name, member in merged.get("properties", {}).items():
        yield from _walk(member, document, path + pointer(name), name in names, seen)
    for keyword in ("additionalProperties", "items"):
        if isinstance(merged.get(keyword), dict):
            yield from _walk(merged[keyword], document, f"{path}/*", None, seen)
    for index, item in enumerate(merged.get("prefixItems", ())):
        yield from _walk(item, document, f"{path}/{index}", index < merged.get("minItems", 0), seen)
    for branch in (*merged.get("anyOf", ()), *merged.get("oneOf", ())):
        if _has_parts(branch, document):
            yield from _walk(branch, document, f"{path} ({_name(branch, document)})", None, seen)


def _merged(schema: Any, document: Schema) -> tuple[dict[str, Any], frozenset[str]]:
    """A schema with what it refers to and what `allOf` adds, for reading (not for validation), and the references."""
    if not isinstance(schema, dict):
        return {}, frozenset()
    merged, references = dict(schema), frozenset[str]()
    waiting: list[Any] = [schema]
    while waiting:
        part = waiting.pop(0)
        if not isinstance(part, dict):
            continue
        for keyword, value in part.items():
            if keyword == "properties":
                merged["properties"] = {**value, **merged.get("properties", {})}
            elif keyword == "required":
                merged["required"] = [*merged.get("required", ()), *value]
            else:
                merged.setdefault(keyword, value)
        waiting += part.get("allOf", ())
        reference = part.get("$ref")
        if isinstance(reference, str) and reference not in references:
            references |= {reference}
            waiting.append(at(document, reference.removeprefix("#")))
    return merged, references


def _has_parts(schema: Any, document: Schema) -> bool:
    merged, _ = _merged(schema, document)
    return bool(merged.keys() & {"properties", "items", "prefixItems", "anyOf", "oneOf", "x-semantic"})


def _name(branch: Any, document: Schema) -> str:
    merged, _ = _merged(branch, document)
    if isinstance(merged.get("title"), str):
        return str(merged["title"])
    reference = branch.get("$ref", "") if isinstance(branch, dict) else ""
    return reference.rsplit("/", 1)[-1] or _type(merged, document)


def _type(merged: dict[str, Any], document: Schema) -> str:
    declared = merged.get("type")
    if isinstance(declared, list):
        return " or ".join(map(str, declared))
    if declared is not None:
        return str(declared)
    branches = [*merged.get("anyOf", ()), *merged.get("oneOf", ())]
    if branches:
        return " or ".join(dict.fromkeys(_name(branch, document) for branch in branches))
    for value in (merged["const"],) if "const" in merged else tuple(merged.get("enum", ())):
        return {bool: "boolean", str: "string", int: "integer", float: "number", type(None): "null"}.get(
            type(value), "any"
        )
    return "object" if "properties" in merged else "any"


def _values(merged: dict[str, Any]) -> str:
    if "const" in merged:
        return _text(merged["const"])
    said = [", ".join(map(_text, merged["enum"]))] if "enum" in merged else []
    said += [form.format(merged[keyword]) for keyword, form in _BOUNDS if keyword in merged]
    said += filter(None, (_count(merged.get(least), merged.get(most), what) for least, most, what in _COUNTS))
    if merged.get("uniqueItems") is True:
        said.append("no item twice")
    if merged.get("additionalProperties") is False:
        said.append("no other members")
    return "; ".join(said)


def _count(least: int | None, most: int | None, what: str) -> str:
    """`2 items`, `1 to 2 items`, `at most 1 item`."""
    number = most if most is not None else least
    many = what if number == 1 else f"{what}s"
    if least is None or most is None:
        return "" if number is None else f"at {'least' if most is None else 'most'} {number} {many}"
    return f"{number} {many}" if least == most else f"{least} to {most} {many}"


def meaning(semantic: Any) -> str:
    """What `x-semantic` says, in one line: `probability; unit: 1`."""
    if isinstance(semantic, dict):
        kind = [str(semantic["kind"])] if "kind" in semantic else []
        rest = [f"{name}: {_text(value).strip(chr(34))}" for name, value in semantic.items() if name != "kind"]
        return "; ".join(kind + rest)
    return "" if semantic is None else str(semantic)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
