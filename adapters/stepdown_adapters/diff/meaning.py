"""Compares what no validator looks at: meaning (`x-semantic`), content encodings, deprecation, other annotations.

Probability and logit are both numbers: only `x-semantic` tells them apart. So a difference there breaks, a guarantee
that is withdrawn breaks, and one that is given for the first time is only better documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepdown_adapters.diff.found import Flat
from stepdown_adapters.json_values import equal
from stepdown_adapters.paths import Path

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk

SEMANTIC = "x-semantic"
PROTOBUF = "x-protobuf"
EXTENSIBLE = "x-extensible-enum"
_CONTENT = ("contentEncoding", "contentMediaType")
_ELSEWHERE = frozenset(
    [
        *(SEMANTIC, PROTOBUF, EXTENSIBLE, *_CONTENT, "$schema", "$defs", "definitions", "default", "deprecated"),
        *("discriminator", "format", "writeOnly"),
    ]
)
_ASSERTIONS = frozenset(
    [
        *("type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
        *("contains", "minContains", "maxContains", "unevaluatedItems", "properties", "required"),
        *("additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties"),
        *("dependentRequired", "dependentSchemas", "unevaluatedProperties", "anyOf", "oneOf", "allOf", "not"),
        *("if", "then", "else", "dependencies", "additionalItems"),
    ]
)


def compare(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    """Writes down all differences of annotations at one place."""
    _semantic(walk, older, newer, path)
    facts: dict[str, Any] = {"older": older, "newer": newer}
    for keyword in _CONTENT:
        if older.get(keyword) != newer.get(keyword):
            before, after = older.get(keyword), newer.get(keyword)
            walk.note("content-changed", path, before=before, after=after, keyword=keyword, **facts)
    before, after = older.get("default"), newer.get("default")
    if ("default" in older) != ("default" in newer) or not equal(before, after):
        walk.note("default-changed", path, before=before, after=after, keyword="default")
    if bool(older.get("deprecated")) != bool(newer.get("deprecated")):
        kind = "deprecated-set" if newer.get("deprecated") else "annotation-changed"
        before, after = bool(older.get("deprecated")), bool(newer.get("deprecated"))
        walk.note(kind, path, before=before, after=after, keyword="deprecated")
    if bool(older.get("writeOnly")) != bool(newer.get("writeOnly")):
        walk.note("write-only-set" if newer.get("writeOnly") else "write-only-cleared", path, **facts)
    _format(walk, older, newer, path)
    _discriminator(walk, older, newer, path)
    for keyword in sorted((older.keys() | newer.keys()) - _ASSERTIONS - _ELSEWHERE):
        if (keyword in older) != (keyword in newer) or not equal(older[keyword], newer[keyword]):
            before, after = older.get(keyword), newer.get(keyword)
            walk.note("annotation-changed", path, before=before, after=after, keyword=keyword)


def _semantic(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    before, after = _facets(older.get(SEMANTIC)), _facets(newer.get(SEMANTIC))
    for name in sorted(before.keys() | after.keys()):
        if name in before and name in after and equal(before[name], after[name]):
            continue
        word = "added" if name not in before else "removed" if name not in after else "changed"
        walk.note(
            f"semantic-{word}",
            path,
            before=before.get(name),
            after=after.get(name),
            keyword=f"{SEMANTIC}.{name}",
            older=older,
            newer=newer,
        )


def _facets(value: Any) -> dict[str, Any]:
    """The annotation as an object; a single word is the kind."""
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"kind": value}


def _format(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    before, after = older.get("format"), newer.get("format")
    if before == after:
        return
    kind = "format-annotation"
    if walk.policy.formats == "asserted":
        kind = "format-asserted/tightened" if before is None else "format-asserted/loosened"
    if before is not None and after is not None and kind == "format-asserted/loosened":
        kind = "format-asserted/changed"
    walk.note(kind, path, before=before, after=after, keyword="format")


def _discriminator(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    before, after = older.get("discriminator"), newer.get("discriminator")
    if not equal(before, after):
        kind = "discriminator-added" if before is None else "discriminator-changed"
        walk.note(kind, path, before=before, after=after, keyword="discriminator")
