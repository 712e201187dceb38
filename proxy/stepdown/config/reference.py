"""The reference of the file in `docs/configuration.md`, made from the models, so that it cannot lag behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from stepdown.config.schema import json_schema

Schema = Mapping[str, Any]

_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true`, `false`"}

BEGIN = "<!-- The rest of this page is printed by `stepdown schema --markdown`. -->"


def markdown() -> str:
    """A section for the file and one for each kind of mapping in it, in the order of first mention."""
    schema = json_schema()
    sections = {"RootFile": schema, **schema["$defs"]}
    return "\n".join([BEGIN, *(line for name in _in_order(sections) for line in _section(name, sections[name]))])


def _in_order(sections: Mapping[str, Schema]) -> list[str]:
    """Names of sections, each after the first that mentions it."""
    order = {"RootFile": None}
    waiting = ["RootFile"]
    while waiting:
        mentioned = dict.fromkeys(_mentioned(sections[waiting.pop(0)].get("properties", {})))
        waiting += [name for name in mentioned if name not in order]
        order |= mentioned
    return list(order)


def _mentioned(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield _name(value["$ref"])
        for inner in value.values():
            yield from _mentioned(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _mentioned(inner)


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[1]


def _title(name: str) -> str:
    return "The file" if name == "RootFile" else name.removesuffix("Section").lower()


def _section(name: str, section: Schema) -> Iterator[str]:
    yield ""
    yield f"## {_title(name)}"
    yield " ".join(section.get("description", "").split())
    yield ""
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    required = section.get("required", [])
    for key, value in section["properties"].items():
        default = "required" if key in required else _default(value)
        meaning = value.get("description", "").replace("|", "\\|")
        yield f"| `{key}` | {_kind(value)} | {default} | {meaning} |"


def _default(value: Schema) -> str:
    default = value.get("default")
    if default in (None, [], {}) or isinstance(default, dict):
        return ""
    if isinstance(default, list) and value.get("type") == "array":
        return ", ".join(_code(one) for one in default)
    if isinstance(default, list):
        host, port = default
        return f"`{host}:{port}`"
    return _code(default)


def _kind(value: Schema) -> str:
    """What may be written, with links to the sections."""
    if "x-kind" in value:
        return str(value["x-kind"])
    if "$ref" in value:
        title = _title(_name(value["$ref"]))
        return f"[{title}](#{title})"
    variants = value.get("anyOf") or value.get("oneOf")
    if variants:
        return " or ".join(dict.fromkeys(_kind(variant) for variant in variants if variant.get("type") != "null"))
    if "enum" in value or "const" in value:
        return ", ".join(_code(choice) for choice in value.get("enum") or [value["const"]])
    kind = value.get("type", "")
    if kind == "array":
        return f"list of {_kind(value['items'])}" if value.get("items") else "list"
    if kind == "object":
        values = [value.get("additionalProperties"), *value.get("patternProperties", {}).values()]
        return f"mapping to {next((_kind(inner) for inner in values if isinstance(inner, dict)), 'any')}"
    return _KINDS.get(kind, "any")


def _code(value: Any) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
