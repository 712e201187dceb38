"""Makes one self-contained schema, JSON Schema 2020-12, of a schema and everything that it refers to.

What is referred to becomes a member of the root's `$defs`, converted from the dialect that it is written in; every
reference in the result is `#` or `#/$defs/name`. The root's own definitions keep their names, used or not, as far as
such a reference can carry them; others get the last part of their pointer, or their file's name. Cycles, across files
too, need nothing special.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from stepdown_adapters.contract import semantic
from stepdown_adapters.contract.circles import circle
from stepdown_adapters.contract.dialects import BY_URI, DRAFT_2020, DRAFT_2020_URI, Dialect
from stepdown_adapters.contract.documents import MAX_DEPTH, MAX_SCHEMAS, Documents, File
from stepdown_adapters.contract.keywords import Schema, pointer
from stepdown_adapters.contract.mistakes import Mistakes
from stepdown_adapters.contract.sides import Side, visible
from stepdown_adapters.errors import ContractError

_UNSAFE = re.compile(r"[^A-Za-z0-9._/-]")
"""What a plain URI fragment does not carry as it is."""


@dataclass(frozen=True, slots=True)
class Target:
    """A schema that is referred to: where it stands, and how it is written."""

    file: File
    at: str
    dialect: Dialect

    def place(self, at: str = "") -> str:
        """`file#pointer` of what is at `at` inside it."""
        return self.file.place(self.at + at)


def declared_dialect(file: File, mistakes: Mistakes) -> Dialect | None:
    """What a file's `$schema` says it is written in; `None` where it says nothing."""
    if not isinstance(file.value, dict) or "$schema" not in file.value:
        return None
    uri = file.value["$schema"]
    found = BY_URI.get(uri.removesuffix("#")) if isinstance(uri, str) else None
    if found is None:
        mistakes.add(file.place("/$schema"), f"{uri!r} is neither JSON Schema 2020-12 nor draft 7")
    return found or DRAFT_2020


class Bundle:
    """One schema in the making. Mistakes go to `mistakes`; what makes going on senseless is raised."""

    def __init__(self, documents: Documents, mistakes: Mistakes, side: Side | None = None) -> None:
        self._documents = documents
        self._mistakes = mistakes
        self._side = side
        self._names: dict[tuple[str, str, str], str] = {}
        self._taken: set[str] = set()
        self._waiting: list[tuple[str, Target]] = []
        self._places: dict[int, str] = {}
        self._count = 0

    def schema(self, root: Target) -> Schema:
        """The schema at `root` in one piece; only to be used when no mistake was noted. To be called once."""
        self._names[root.file.name, root.at, root.dialect.name] = ""
        value = root.file.at(root.at)
        if isinstance(value, dict):
            for keyword in ("$defs", "definitions"):
                definitions = value.get(keyword)
                for name in definitions if isinstance(definitions, dict) else ():
                    self._named(Target(root.file, root.at + pointer(keyword, name), root.dialect))
        copy = self._converted(root)
        if isinstance(copy, bool):
            return copy
        result: dict[str, Any] = {"$schema": DRAFT_2020_URI, **copy}
        self._places[id(result)] = root.place()
        definitions = {}
        while self._waiting:
            name, target = self._waiting.pop(0)
            definitions[name] = self._converted(target)
        if definitions:
            result["$defs"] = definitions
        if not self._mistakes:
            self._check(result, root)
        return result

    def _converted(self, target: Target) -> Schema:
        """The schema at `target`; `True` in its place where it is not well formed."""
        schema = target.file.at(target.at)
        mistakes = [(pointer(*tokens), sentence) for tokens, sentence in target.dialect.mistakes(schema)]
        for at, sentence in mistakes:
            self._mistakes.add(target.place(at), sentence)
        return True if mistakes else self._copied(target, schema, "", 0, frozenset())

    def _copied(self, target: Target, schema: Any, at: str, depth: int, hidden: frozenset[str]) -> Schema:
        self._count += 1
        if depth > MAX_DEPTH:
            raise ContractError(target.place(at), f"is nested deeper than {MAX_DEPTH} schemas")
        if self._count > MAX_SCHEMAS:
            raise ContractError(target.file.name, f"unfolds to more than {MAX_SCHEMAS} schemas")
        if not isinstance(schema, dict):
            return bool(schema)
        if self._side is not None:
            schema, hidden = visible(schema, self._side, hidden, lambda reference: self._peek(target, reference))

        def inner(child: Any, *tokens: str) -> Schema:
            below = hidden if tokens[0] == "allOf" else frozenset[str]()
            return self._copied(target, child, at + pointer(*tokens), depth + 1, below)

        place = target.place(at)
        copy = target.dialect.convert(schema, inner, lambda sentence: self._mistakes.warn(place, sentence))
        if "$ref" in copy:
            copy["$ref"] = self._reference(target, copy["$ref"], at)
        semantic.check(copy, place, self._mistakes)
        self._places[id(copy)] = place
        return copy

    def _reference(self, target: Target, reference: Any, at: str) -> str:
        try:
            file, found = self._documents.resolved(target.file, target.at + at, reference)
        except ContractError as error:
            self._mistakes.add(error.place, error.sentence)
            return "#"
        if not isinstance(file.at(found), dict | bool):
            self._mistakes.add(target.place(at + "/$ref"), f"{reference} leads to no schema")
            return "#"
        dialect = target.dialect
        if file is not target.file:
            dialect = declared_dialect(file, self._mistakes) or dialect
        return "#" + self._named(Target(file, found, dialect))

    def _peek(self, target: Target, reference: Any) -> Any:
        """What a reference leads to, as it is written there; `None` where it leads nowhere."""
        try:
            file, found = self._documents.resolved(target.file, target.at, reference)
        except ContractError:
            return None
        return file.at(found) if file is target.file else None

    def _named(self, target: Target) -> str:
        """The JSON Pointer under which the result has `target`."""
        key = target.file.name, target.at, target.dialect.name
        if key not in self._names:
            last = target.at.rpartition("/")[2].replace("~1", "/").replace("~0", "~") or target.file.name
            name = wanted = _UNSAFE.sub("_", last)
            number = 2
            while name in self._taken:
                name, number = f"{wanted}-{number}", number + 1
            self._taken.add(name)
            self._names[key] = pointer("$defs", name)
            self._waiting.append((name, target))
        return self._names[key]

    def _check(self, result: dict[str, Any], root: Target) -> None:
        """References must not go in a circle, and the validator that runs live must accept the whole."""
        around = circle(result)
        if around:
            places = " -> ".join(f"{self._places[id(one)]}" for one in around)
            sentence = f"the references go in a circle and never reach a member or an item: {places}"
            self._mistakes.add(self._places[id(around[0])] + "/$ref", sentence)
            return
        try:
            jsonschema_rs.Draft202012Validator(result, offline=True)
        except jsonschema_rs.ValidationError as error:
            self._mistakes.add(
                self._place(result, error.instance_path, root), f"cannot be used for validation: {error.message}"
            )
        except (jsonschema_rs.ReferencingError, ValueError) as error:
            self._mistakes.add(root.place(), f"cannot be used for validation: {error}")

    def _place(self, result: dict[str, Any], path: list[str | int], root: Target) -> str:
        """The place in the source that a path in the result came from."""
        value: Any = result
        place, rest = root.place(), ""
        for token in path:
            value = value[token]
            rest += pointer(str(token))
            if id(value) in self._places:
                place, rest = self._places[id(value)], ""
        return place + rest
