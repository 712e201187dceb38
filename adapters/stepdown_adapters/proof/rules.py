"""Writes what a schema asks of a value of one kind as a formula of literals, so that "not" needs no rules of its own.

A formula is a number (the schema of that number must hold; negative: must not), a literal, `Every` of some formulas
or `Some` of them. Once the kind of the value is fixed, keywords of other kinds are simply true, and each keyword
becomes one or a few literals whose negation is just as simple a condition as they are:

    keyword                        literal                  it holds when
    minimum: x                     least x                  the number is at least x
    exclusiveMaximum: x            not least x
    maximum: x                     most x                   the number is at most x
    exclusiveMinimum: x            not most x
    type: integer                  multiple 1               (1.0 is an integer)
    minLength, minItems, ...: n    size n                   there are at least n characters, items, members
    maxLength, maxItems, ...: n    not size n+1
    prefixItems                    item (i, schema)         the item i satisfies the schema or is missing
    items                          rest (i, schema)         the items from i on do
    contains, minContains: n       matching (schema, n)     at least n items do
    maxContains: n                 not matching (schema, n+1)
    required                       has name
    properties, patternProperties,
    additionalProperties           members (scope, schema)  the members with such names satisfy the schema
    propertyNames                  names schema
    enum, const                    values

`anyOf`, `oneOf`, `not`, `if` and the `dependent...` keywords are put together of these.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple

from stepdown_adapters.proof.evaluate import kind_of
from stepdown_adapters.proof.formulas import NO, YES, Every, Formula, Literal, Scope, Some, Values, opposite
from stepdown_adapters.proof.numbers import exact
from stepdown_adapters.proof.schemas import FALSE, OPAQUE, TRUE, Book


def formula(book: Book, number: int, kind: str, disjoint: Callable[[int, int], bool]) -> Formula:
    """What the schema of that number asks of values of one kind.

    `disjoint` says whether two schemas are known to share no value. A `oneOf` of such schemas is an `anyOf`, which is
    much less to look at.
    """
    if number in (TRUE, FALSE):
        return YES if number == TRUE else NO
    schema, document = book.schemas[number - 1], book.documents[number - 1]
    assert isinstance(schema, dict)
    if document.opaque is not None:
        return Literal("opaque", (number, document.opaque))
    asked = _Asked(schema, kind, number, lambda one: book.number(one, document), document.target, disjoint)
    parts: list[Formula] = []
    for keyword in schema:
        rule = _RULES.get(keyword)
        if keyword == "format" and not document.formats:
            continue
        if rule is not None and rule[0] in ("any", kind):
            part = rule[1](asked, schema[keyword])
            if part == NO and isinstance(part, Some):
                return NO
            if not (part == YES and isinstance(part, Every)):
                parts.append(part)
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


class _Asked(NamedTuple):
    schema: dict[str, Any]
    kind: str
    number: int
    number_of: Callable[[Any], int]
    target: Callable[[str], Any]
    disjoint: Callable[[int, int], bool]


def _type(asked: _Asked, value: Any) -> Formula:
    types = [value] if isinstance(value, str) else value
    if asked.kind in types:
        return YES
    return Literal("multiple", exact(1)) if asked.kind == "number" and "integer" in types else NO


def _values(asked: _Asked, value: list[Any]) -> Formula:
    fitting = [one for one in value if kind_of(one) == asked.kind]
    return Literal("values", Values(fitting)) if fitting else NO


def _reference(asked: _Asked, value: str) -> Formula:
    target = asked.target(value)
    if target is None:
        return Literal("opaque", (asked.number, f"the reference {value} is not followed"))
    return asked.number_of(target)


def _opaque(keyword: str) -> Callable[[_Asked, Any], Formula]:
    return lambda asked, _: Literal("opaque", (asked.number, f"{keyword} is not understood"))


def _format(_: _Asked, value: str) -> Formula:
    # The same condition wherever it stands, so that a string that has to have a format is known to have it.
    return Literal("opaque", (f"format {value}", f"which strings have the format {value} is not known"))


def _all(asked: _Asked, value: list[Any]) -> Formula:
    return Every(tuple(map(asked.number_of, value)))


def _not(asked: _Asked, value: Any) -> Formula:
    return -asked.number_of(value)


def _any(asked: _Asked, value: list[Any]) -> Formula:
    return Some(tuple(map(asked.number_of, value)))


def _one(asked: _Asked, value: list[Any]) -> Formula:
    numbers = [asked.number_of(one) for one in value]
    pairs = [two for two in combinations(numbers, 2) if not asked.disjoint(*two)]
    return Every((Some(tuple(numbers)), *(Some((-one, -other)) for one, other in pairs)))


def _if(asked: _Asked, value: Any) -> Formula:
    condition = asked.number_of(value)
    then, otherwise = (asked.number_of(asked.schema.get(keyword, True)) for keyword in ("then", "else"))
    return Every((Some((-condition, then)), Some((condition, otherwise))))


def _bound(word: str, holds: bool) -> Callable[[_Asked, Any], Formula]:
    def rule(asked: _Asked, value: Any) -> Formula:
        number = exact(value)
        return Literal(word, number, holds) if number is not None else Literal("opaque", (asked.number, word), holds)

    return rule


def _at_least(_: _Asked, value: Any) -> Formula:
    return Literal("size", int(value)) if value > 0 else YES


def _at_most(_: _Asked, value: Any) -> Formula:
    return Literal("size", int(value) + 1, holds=False)


def _items(asked: _Asked, value: Any) -> Formula:
    number = asked.number_of(value)
    return Literal("rest", (len(asked.schema.get("prefixItems", ())), number)) if number != TRUE else YES


def _prefix(asked: _Asked, value: list[Any]) -> Formula:
    numbers = enumerate(map(asked.number_of, value))
    return Every(tuple(Literal("item", (index, number)) for index, number in numbers if number != TRUE))


def _contains(asked: _Asked, value: Any) -> Formula:
    number = asked.number_of(value)
    low, high = int(asked.schema.get("minContains", 1)), asked.schema.get("maxContains")
    parts = [] if low == 0 else [_matching(number, low)]
    if high is not None:
        parts.append(opposite(_matching(number, int(high) + 1)))
    return Every(tuple(parts))


def _matching(number: int, count: int) -> Formula:
    return Literal("size", count) if number == TRUE else Literal("matching", (number, count))


def _required(_: _Asked, value: list[str]) -> Formula:
    return Every(tuple(Literal("has", name) for name in value))


def _members(scope: Scope, number: int) -> Formula:
    if number == TRUE:
        return YES
    name = scope.only_name()
    if number == FALSE and name is not None:
        return Literal("has", name, holds=False)
    return Literal("members", (scope, number))


def _properties(asked: _Asked, value: dict[str, Any]) -> Formula:
    return Every(tuple(_members(Scope(frozenset([name])), asked.number_of(one)) for name, one in value.items()))


def _pattern_properties(asked: _Asked, value: dict[str, Any]) -> Formula:
    return Every(tuple(_members(Scope(frozenset(), (one,)), asked.number_of(value[one])) for one in value))


def _additional(asked: _Asked, value: Any) -> Formula:
    patterns = tuple(sorted(asked.schema.get("patternProperties", ())))
    scope = Scope(frozenset(asked.schema.get("properties", ())), patterns, outside=True)
    return _members(scope, asked.number_of(value))


def _names(asked: _Asked, value: Any) -> Formula:
    number = asked.number_of(value)
    return Literal("names", number) if number != TRUE else YES


def _dependent_required(_: _Asked, value: dict[str, list[str]]) -> Formula:
    return Every(
        tuple(
            Some((Literal("has", name, False), Every(tuple(Literal("has", one) for one in value[name]))))
            for name in value
        )
    )


def _dependent_schemas(asked: _Asked, value: dict[str, Any]) -> Formula:
    return Every(tuple(Some((Literal("has", name, False), asked.number_of(value[name]))) for name in value))


_Rule = Callable[[_Asked, Any], Formula]
_RULES: dict[str, tuple[str, _Rule]] = {
    "type": ("any", _type),
    "enum": ("any", _values),
    "const": ("any", lambda asked, value: _values(asked, [value])),
    "$ref": ("any", _reference),
    "allOf": ("any", _all),
    "anyOf": ("any", _any),
    "oneOf": ("any", _one),
    "not": ("any", _not),
    "if": ("any", _if),
    "minimum": ("number", _bound("least", True)),
    "exclusiveMaximum": ("number", _bound("least", False)),
    "maximum": ("number", _bound("most", True)),
    "exclusiveMinimum": ("number", _bound("most", False)),
    "multipleOf": ("number", _bound("multiple", True)),
    "minLength": ("string", _at_least),
    "maxLength": ("string", _at_most),
    "pattern": ("string", lambda _, value: Literal("pattern", value)),
    "format": ("string", _format),
    "minItems": ("array", _at_least),
    "maxItems": ("array", _at_most),
    "prefixItems": ("array", _prefix),
    "items": ("array", _items),
    "contains": ("array", _contains),
    "uniqueItems": ("array", lambda _, value: Literal("unique", None) if value else YES),
    "minProperties": ("object", _at_least),
    "maxProperties": ("object", _at_most),
    "required": ("object", _required),
    "properties": ("object", _properties),
    "patternProperties": ("object", _pattern_properties),
    "additionalProperties": ("object", _additional),
    "propertyNames": ("object", _names),
    "dependentRequired": ("object", _dependent_required),
    "dependentSchemas": ("object", _dependent_schemas),
    "$dynamicRef": ("any", _opaque("$dynamicRef")),
    "$recursiveRef": ("any", _opaque("$recursiveRef")),
    "unevaluatedItems": ("array", _opaque("unevaluatedItems")),
    "unevaluatedProperties": ("object", _opaque("unevaluatedProperties")),
}
assert _RULES.keys() >= OPAQUE
