"""Applies buf's WIRE_JSON rules to the `x-protobuf` annotations of two contracts.

Messages and enums are found by their full names, fields by their numbers: that is what makes a Protobuf field the same
one under another name. A rule is reported besides whatever the JSON contract's own comparison says of the same change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepdown_adapters.contract.keywords import Schema, at, children
from stepdown_adapters.diff.found import Found
from stepdown_adapters.diff.meaning import PROTOBUF
from stepdown_adapters.paths import ROOT, Every, Member, Path

Note = dict[str, Any]
_INTERCHANGEABLE = (
    frozenset({"int32", "sint32", "sfixed32"}),
    frozenset({"uint32", "fixed32"}),
    frozenset({"int64", "sint64", "sfixed64"}),
    frozenset({"uint64", "fixed64"}),
    frozenset({"float", "double"}),
)
"""Types that the JSON mapping writes alike."""


def compare(older: Schema, newer: Schema) -> list[Found]:
    """All findings; none where one side is not made from Protobuf."""
    old, new = _Declared(older), _Declared(newer)
    found: list[Found] = []
    for name, (path, message) in old.messages.items():
        if name in new.messages:
            found += _message(path, message, new.messages[name][1], old.fields[name], new.fields[name])
    for name, (path, enum) in old.enums.items():
        if name in new.enums:
            found += _enum(path, enum, new.enums[name][1])
    return found


class _Declared:
    """Every annotated message and enum of a schema, with the first path that leads to it."""

    def __init__(self, document: Schema) -> None:
        self.messages: dict[str, tuple[Path, Note]] = {}
        self.enums: dict[str, tuple[Path, Note]] = {}
        self.fields: dict[str, dict[int, tuple[Path, Note]]] = {}
        self._document = document
        self._seen: set[int] = set()
        if isinstance(document, dict) and any(True for _ in _annotated(document)):
            self._walk(document, ROOT)

    def _walk(self, schema: Any, path: Path) -> None:
        if not isinstance(schema, dict) or id(schema) in self._seen:
            return
        self._seen.add(id(schema))
        note = schema.get(PROTOBUF)
        if isinstance(note, dict) and "message" in note and note["message"] not in self.messages:
            self.messages[note["message"]] = path, note
            self.fields[note["message"]] = dict(_fields(schema, path))
        elif isinstance(note, dict) and "enum" in note:
            self.enums.setdefault(note["enum"], (path, note))
        if isinstance(schema.get("$ref"), str):
            self._walk(at(self._document, schema["$ref"].removeprefix("#")), path)
        for name, member in schema.get("properties", {}).items():
            self._walk(member, path + Path((Member(name),)))
        for keyword in ("items", "additionalProperties"):
            self._walk(schema.get(keyword), path + Path((Every(),)))
        for branch in schema.get("anyOf", ()):
            self._walk(branch, path)


def _annotated(schema: dict[str, Any]) -> Iterator[bool]:
    if PROTOBUF in schema:
        yield True
    for _, child in children(schema):
        if isinstance(child, dict):
            yield from _annotated(child)


def _fields(schema: dict[str, Any], path: Path) -> Iterator[tuple[int, tuple[Path, Note]]]:
    for name, member in schema.get("properties", {}).items():
        note = member.get(PROTOBUF) if isinstance(member, dict) else None
        if isinstance(note, dict) and isinstance(note.get("number"), int):
            yield note["number"], (path + Path((Member(name),)), note)


def _message(
    path: Path, old: Note, new: Note, fields: dict[int, tuple[Path, Note]], others: dict[int, tuple[Path, Note]]
) -> Iterator[Found]:
    yield from _reserved(path, old, new, "RESERVED_MESSAGE_NO_DELETE")
    numbers = {note["name"]: number for number, (_, note) in others.items()}
    for number, (place, field) in fields.items():
        if number in others:
            yield from _field(place, field, others[number][1])
        elif field["name"] in numbers:
            yield Found("FIELD_SAME_NUMBER", place, before=number, after=numbers[field["name"]])
        else:
            if not _is_reserved(new, number):
                yield Found("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", place, before=number)
            if field["name"] not in new.get("reserved_names", ()):
                yield Found("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", place, before=field["name"])


def _field(path: Path, old: Note, new: Note) -> Iterator[Found]:
    for kind, facet in (
        ("FIELD_SAME_NAME", "name"),
        ("FIELD_SAME_JSON_NAME", "json_name"),
        ("FIELD_SAME_ONEOF", "oneof"),
        ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", "type"),
        ("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", "cardinality"),
    ):
        before, after = old.get(facet), new.get(facet)
        if before == after:
            continue
        if facet == "type" and any({before, after} <= group for group in _INTERCHANGEABLE):
            continue
        if facet == "cardinality" and {before, after} == {"implicit", "optional"}:
            continue
        yield Found(kind, path, before=before, after=after, keyword=str(old.get("number")))


def _enum(path: Path, old: Note, new: Note) -> Iterator[Found]:
    yield from _reserved(path, old, new, "RESERVED_ENUM_NO_DELETE")
    names = _by_number(new)
    for number, before in _by_number(old).items():
        if number not in names:
            if not _is_reserved(new, number):
                yield Found("ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", path, before=number)
            for name in before - set(new.get("reserved_names", ())):
                yield Found("ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", path, before=name)
        elif not before <= names[number]:
            after = " or ".join(sorted(names[number]))
            yield Found(
                "ENUM_VALUE_SAME_NAME", path, before=" or ".join(sorted(before)), after=after, keyword=str(number)
            )


def _by_number(enum: Note) -> dict[int, set[str]]:
    names: dict[int, set[str]] = {}
    for name, number in enum.get("numbers", {}).items():
        names.setdefault(number, set()).add(name)
    return names


def _is_reserved(note: Note, number: int) -> bool:
    return any(first <= number <= last for first, last in note.get("reserved_numbers", ()))


def _reserved(path: Path, old: Note, new: Note, kind: str) -> Iterator[Found]:
    for first, last in old.get("reserved_numbers", ()):
        if not any(low <= first and last <= high for low, high in new.get("reserved_numbers", ())):
            yield Found(kind, path, before=f"{first} to {last}" if first != last else first)
    for name in old.get("reserved_names", ()):
        if name not in new.get("reserved_names", ()):
            yield Found(kind, path, before=name)
