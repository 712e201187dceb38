"""Gives every schema of a question a number, the same one to schemas that say the same.

A schema is known by its *content*: the keywords that assert something, with schemas inside replaced by their numbers.
So `{"title": "Score", "type": "number"}` in one document and `{"type": "number"}` in the other are one schema, and that
nothing satisfies both it and its negation needs no search. Numbers start at 1, so that `-number` can stand for "not".

Some schemas are *opaque*: what they ask is not understood. An opaque part is an unknown condition, the same one
wherever its number appears, and nothing else is assumed of it. Three things make a whole document opaque: dynamic
references (what they mean depends on how one got there), another dialect, and references in a circle that never go
down into a value (JSON Schema gives them no meaning).
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any
from urllib.parse import unquote

from stepdown_adapters.contract.keywords import LIST, NAMED, ONE, Schema, at, children

TRUE = 1
FALSE = 2
DEEPEST = 100
"""Schemas nested deeper than this make their document opaque."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SAME_VALUE = frozenset(["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"])
"""Keywords whose schemas are asked of the very value that the schema itself is asked of."""
OPAQUE = frozenset(["$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties"])
_ASSERTIONS = OPAQUE.union(
    """
    $ref additionalProperties allOf anyOf const contains dependentRequired dependentSchemas else enum exclusiveMaximum
    exclusiveMinimum if items maxContains maxItems maxLength maxProperties maximum minContains minItems minLength
    minProperties minimum multipleOf not oneOf pattern patternProperties prefixItems properties propertyNames required
    then type uniqueItems
    """.split()  # noqa: SIM905 - one word a line would fill a page
)


class Document:
    """One of the two contracts: the root that its references start from."""

    __slots__ = ("formats", "number", "opaque", "renamed", "root")

    def __init__(self, root: Schema, number: int, *, formats: bool = False) -> None:
        self.root = root
        self.number = number
        self.formats = formats
        """Whether `format` decides, too; which strings have a format is not known here."""
        self.renamed = False
        """Whether an `$id` below the root makes references start elsewhere; then none is followed."""
        self.opaque = self._unreadable()
        """Why nothing at all can be said of the document, if so."""

    def target(self, reference: str) -> Schema | None:
        """The schema that a reference points to; `None` when it cannot be followed inside of the document."""
        if self.renamed or not (reference == "#" or reference.startswith("#/")):
            return None
        try:
            found = at(self.root, unquote(reference.removeprefix("#")))
        except (LookupError, ValueError):
            return None
        return found if isinstance(found, dict | bool) else None

    def _unreadable(self) -> str | None:
        if isinstance(self.root, dict) and self.root.get("$schema", _DIALECT).removesuffix("#") != _DIALECT:
            return f"the dialect {self.root['$schema']} is not JSON Schema 2020-12"
        ways: dict[int, set[int]] = {}
        unread: list[tuple[Any, int]] = [(self.root, 0)]
        references: list[dict[str, Any]] = []
        while unread:
            schema, depth = unread.pop()
            if not isinstance(schema, dict) or id(schema) in ways:
                continue
            if depth > DEEPEST:
                return f"schemas are nested deeper than {DEEPEST} levels"
            if "$dynamicRef" in schema or "$recursiveRef" in schema:
                return "dynamic references are not followed"
            if schema is not self.root and ("$id" in schema or "$schema" in schema):
                self.renamed = True
            if "$ref" in schema:
                references.append(schema)
            ways[id(schema)] = set()
            for place, child in children(schema):
                unread.append((child, depth + 1))
                if place[0] in _SAME_VALUE:
                    ways[id(schema)].add(id(child))
        return self._circle(ways, references)

    def _circle(self, ways: dict[int, set[int]], references: list[dict[str, Any]]) -> str | None:
        for schema in references:
            target = self.target(schema["$ref"])
            if isinstance(target, dict):
                if id(target) not in ways:
                    return f"{schema['$ref']} points to something that is no schema"
                ways[id(schema)].add(id(target))
        try:
            TopologicalSorter(ways).prepare()
        except CycleError:
            return "a reference leads back to itself without going down into the value"
        return None


class Book:
    """The schemas of one question, by number."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._by_place: dict[tuple[int, int], int] = {}
        """By identity and document: two contracts made in Python may share an object, and mean different references."""
        self.schemas: list[Schema] = []
        self.documents: list[Document] = []
        self._nowhere = Document(True, 0)
        assert self.number(True, self._nowhere) == TRUE
        assert self.number(False, self._nowhere) == FALSE

    def made_up(self, schema: dict[str, Any]) -> int:
        """The number of a schema that stands in neither document and has no references."""
        return self._enter(self._content(schema, self._nowhere), schema, self._nowhere)

    def number(self, schema: Schema, document: Document) -> int:
        """The number of a schema of a document."""
        if isinstance(schema, bool):
            return self._enter(schema, schema, document)
        place = (document.number, id(schema))
        known = self._by_place.get(place)
        if known is None:
            known = self._by_place[place] = self._enter(self._content(schema, document), schema, document)
        return known

    def _enter(self, content: Any, schema: Schema, document: Document) -> int:
        number = self._numbers.setdefault(content, len(self.schemas) + 1)
        if number > len(self.schemas):
            self.schemas.append(schema)
            self.documents.append(document)
        return number

    def _content(self, schema: dict[str, Any], document: Document) -> Any:
        if document.opaque is not None:
            return ("opaque", document.number, id(schema))
        parts = sorted(self._parts(schema, document), key=lambda part: part[0])
        return tuple(parts) if parts else True

    def _parts(self, schema: dict[str, Any], document: Document) -> Iterator[tuple[str, Any]]:
        for keyword, value in schema.items():
            if keyword not in _ASSERTIONS and not (keyword == "format" and document.formats):
                continue
            if keyword == "$ref":
                yield keyword, (document.number, id(schema) if document.renamed else value)
            elif keyword in NAMED:
                yield keyword, tuple((name, self.number(one, document)) for name, one in value.items())
            elif keyword in LIST and isinstance(value, list):
                yield keyword, tuple(self.number(one, document) for one in value)
            elif keyword in ONE:
                yield keyword, self.number(value, document)
            else:
                yield keyword, repr(value)
