"""Finds out whether a newer contract strictly extends an older one, so that no adapter needs to be declared.

The question is one-sided: `Projection` means that every document valid under `newer` is valid under `older` once its
operations were applied; whatever is not decided to be so is `Unprojectable`. The comparison walks both schemas
together through `properties` and `items`; there `newer` may have more properties, and must otherwise be the same:

    older open                  an added property rides along                       no operation
    older closed, newer closed  an added property is removed                        `remove`
    older closed, newer open    only what the older declares is kept                `project`

Removing something changes the document, so above a removal no keyword may stand that looks at a value as a whole
(`minProperties`, `uniqueItems`, `not`, `anyOf`, ...): such keywords are equal in both contracts, but not for both
documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.keywords import ANNOTATIONS, LIST, NAMED, ONE, Schema, resolve
from stepdown_adapters.diff.sameness import Sameness
from stepdown_adapters.paths import Every, Member, Path

_WALKED = frozenset({"properties", "required", "additionalProperties", "items"})
_INDIFFERENT = _WALKED | ANNOTATIONS | {"type", "minItems", "maxItems", "format"}
"""Keywords whose verdict on a value cannot change when a declared property of it, or of its items, is removed."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The step from `newer` to `older` that the contracts imply."""

    operations: tuple[dict[str, Any], ...]
    """In the form of the file; empty where an answer of `newer` is one of `older` as it is."""


@dataclass(frozen=True, slots=True)
class Unprojectable:
    """The contracts differ by more than added properties."""

    path: str
    """Where in the document."""
    reason: str
    """What differs there, as half a sentence: `'type' is 'string' instead of 'number'`."""


class _Different(Exception):  # noqa: N818 - a result that ends the walk
    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason


def project(newer: Schema | None, older: Schema | None) -> Projection | Unprojectable:
    """The operations that turn an answer of `newer` into one of `older`, if the contracts alone tell.

    Both are schemas as `json_schema.load_schema` gives them, or `None` where a version declares none.
    """
    if newer is None or older is None:
        return Unprojectable("", "a version without a schema cannot be compared")
    if isinstance(newer, dict) and isinstance(older, dict) and newer.get("$schema") != older.get("$schema"):
        return Unprojectable("", "the schemas are of different drafts")
    walk = _Walk(newer, older)
    try:
        return Projection(tuple(walk.compared(newer, older, Path())))
    except _Different as different:
        return Unprojectable(str(different.path), different.reason)


class _Walk:
    """One comparison of two documents' schemas; remembers what it is in the middle of, so recursion ends."""

    def __init__(self, newer: Schema, older: Schema) -> None:
        self._newer = newer
        self._older = older
        self._open: dict[tuple[int, int], Path] = {}
        self._recursive: set[tuple[int, int]] = set()

    def compared(self, newer: Schema, older: Schema, path: Path) -> list[dict[str, Any]]:
        """Operations for the values at `path`; raises `_Different`."""
        resolved_newer, resolved_older = resolve(newer, self._newer), resolve(older, self._older)
        if resolved_newer is None or resolved_older is None:
            return self._same_or_different(newer, older, path, "$ref")
        newer, older = resolved_newer, resolved_older
        if older is True or older == {}:
            return []
        if isinstance(newer, bool) or isinstance(older, bool):
            return self._same_or_different(newer, older, path, "the schema")
        pair = (id(newer), id(older))
        if pair in self._open:
            self._recursive.add(pair)
            return []
        self._open[pair] = path
        operations = list(self._node(newer, older, path))
        del self._open[pair]
        if operations and pair in self._recursive:
            raise _Different(path, "a property was added to a recursive schema, at any depth")
        return operations

    def _node(self, newer: dict[str, Any], older: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
        for keyword in sorted((newer.keys() | older.keys()) - _WALKED - ANNOTATIONS):
            if not self._same(newer, older, keyword):
                raise _Different(path, _difference(keyword, newer, older))
        withdrawn = set(older.get("required", ())) - set(newer.get("required", ()))
        if withdrawn:
            raise _Different(path, f"the member {min(withdrawn)!r} is no longer required")
        operations = [*self._below(newer, older, path), *self._here(newer, older, path)]
        watching = (newer.keys() | older.keys()) - _INDIFFERENT
        if operations and watching:
            raise _Different(path, f"a property was added below {min(watching)!r}, which looks at the whole value")
        yield from operations

    def _below(self, newer: dict[str, Any], older: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
        """What the properties and items that both declare need."""
        new_properties, old_properties = newer.get("properties", {}), older.get("properties", {})
        for name, old in old_properties.items():
            if name not in new_properties:
                raise _Different(path + Path((Member(name),)), "the member is no longer declared")
            yield from self.compared(new_properties[name], old, path + Path((Member(name),)))
        if "items" in older or "items" in newer:
            new_items, old_items = newer.get("items", True), older.get("items", True)
            inside = path + Path((Every(),))
            if isinstance(new_items, list) or isinstance(old_items, list):
                self._same_or_different(new_items, old_items, inside, "items")
                return
            operations = list(self.compared(new_items, old_items, inside))
            if operations and "prefixItems" in older:
                raise _Different(inside, "a property was added to the items after 'prefixItems'")
            yield from operations

    def _here(self, newer: dict[str, Any], older: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
        """What the properties that only `newer` declares or lets through need."""
        declared = older.get("properties", {})
        added = [name for name in newer.get("properties", {}) if name not in declared]
        new_rest, old_rest = newer.get("additionalProperties", True), older.get("additionalProperties", True)
        if old_rest is True or old_rest == {}:
            return
        if old_rest is False:
            if added and set(added) & set(older.get("required", ())):
                raise _Different(path, "the older contract requires a member that it does not allow")
            if new_rest is False:
                for name in added:
                    yield {"remove": str(path + Path((Member(name),)))}
            elif "patternProperties" in older:
                raise _Different(path, "'additionalProperties' was opened beside 'patternProperties'")
            else:
                yield {"project": {"path": str(path), "keep": list(declared), "on_missing": "skip"}}
            return
        if added:
            name = path + Path((Member(added[0]),))
            raise _Different(name, "the member was added where the older contract has a schema for unknown members")
        self._same_or_different(new_rest, old_rest, path, "additionalProperties")

    def _same_or_different(self, newer: Any, older: Any, path: Path, keyword: str) -> list[dict[str, Any]]:
        if not Sameness(self._newer, self._older).schemas(newer, older):
            raise _Different(path, f"{keyword!r} differs")
        return []

    def _same(self, newer: dict[str, Any], older: dict[str, Any], keyword: str) -> bool:
        if (keyword in newer) != (keyword in older):
            return False
        return Sameness(self._newer, self._older).keyword(keyword, newer[keyword], older[keyword])


def _difference(keyword: str, newer: dict[str, Any], older: dict[str, Any]) -> str:
    def shown(schema: dict[str, Any]) -> str:
        text = repr(schema[keyword])
        return text if len(text) <= 60 else text[:57] + "..."

    if keyword not in older:
        return f"{keyword!r} was added"
    if keyword not in newer:
        return f"{keyword!r} is gone"
    if keyword in NAMED | LIST | ONE:
        return f"{keyword!r} differs"
    return f"{keyword!r} is {shown(newer)} instead of {shown(older)}"
