"""Says whether a document is valid under a schema, and where it is not: the judge of every witness.

Written from the specification's sentences, keyword by keyword, and on purpose without the formulas of the search: a
mistake there must not be repeated here. The answer has three values. `None` means "not known" (a keyword, pattern or
reference that is not understood) and spreads as in Kleene's logic: `false and unknown` is false, `true and unknown` is
unknown. `format` is an annotation, or, where it decides, not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any

from stepdown_adapters.json_values import equal
from stepdown_adapters.proof.numbers import exact
from stepdown_adapters.proof.patterns import matches
from stepdown_adapters.proof.schemas import Document

Verdict = bool | None

_DEEPEST = 60
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def kind_of(value: Any) -> str:
    """The JSON kind of a value; integers are numbers."""
    return _KINDS[type(value)]


def valid(schema: Any, value: Any, document: Document) -> Verdict:
    """Whether `value` is valid under `schema`, whose references start in `document`."""
    return _Judge(document).verdict(schema, value, 0)


def broken(schema: dict[str, Any], value: Any, document: Document) -> str | None:
    """The first keyword of the schema that the value breaks for certain."""
    judge = _Judge(document)
    return next((keyword for keyword, verdict in judge.verdicts(schema, value, 0) if verdict is False), None)


class _Judge:
    """What was found out about one document, by schema and part of it."""

    __slots__ = ("_known", "document")

    def __init__(self, document: Document) -> None:
        self.document = document
        # By identity: schemas and the document outlive the judge. Without this, schemas that refer to each other many
        # times would be asked about the same part of a document again and again.
        self._known: dict[tuple[int, int], Verdict] = {}

    def verdict(self, schema: Any, value: Any, depth: int) -> Verdict:
        if isinstance(schema, bool):
            return schema
        if self.document.opaque is not None or depth > _DEEPEST:
            return None
        question = (id(schema), id(value))
        if question not in self._known:
            self._known[question] = _every(verdict for _, verdict in self.verdicts(schema, value, depth))
        return self._known[question]

    def verdicts(self, schema: dict[str, Any], value: Any, depth: int) -> Iterator[tuple[str, Verdict]]:
        """Each keyword that has something to say about the value, with its verdict."""
        kind = kind_of(value)
        case = _Case(schema, value, self, depth + 1)
        for keyword, argument in schema.items():
            rule = _RULES.get(keyword)
            if rule is not None and rule[0] in ("any", kind):
                yield keyword, rule[1](case, argument)


def _every(verdicts: Iterable[Verdict]) -> Verdict:
    unknown = False
    for verdict in verdicts:
        if verdict is False:
            return False
        unknown = unknown or verdict is None
    return None if unknown else True


def _some(verdicts: Iterable[Verdict]) -> Verdict:
    return _not(_every(map(_not, verdicts)))


def _not(verdict: Verdict) -> Verdict:
    return None if verdict is None else not verdict


def _count(verdicts: Iterable[Verdict], low: int, high: int | None) -> Verdict:
    """Whether from `low` to `high` of the verdicts are true."""
    found = list(verdicts)
    least, most = found.count(True), len(found) - found.count(False)
    if most < low or (high is not None and least > high):
        return False
    return True if least >= low and (high is None or most <= high) else None


class _Case:
    """One value under one schema."""

    __slots__ = ("depth", "judge", "schema", "value")

    def __init__(self, schema: dict[str, Any], value: Any, judge: _Judge, depth: int) -> None:
        self.schema = schema
        self.value = value
        self.judge = judge
        self.depth = depth

    def under(self, schema: Any) -> Verdict:
        """The same value under another schema."""
        return self.judge.verdict(schema, self.value, self.depth)

    def inside(self, schema: Any, value: Any) -> Verdict:
        """An item or a member under a schema."""
        return self.judge.verdict(schema, value, self.depth)


def _type(case: _Case, argument: Any) -> Verdict:
    types = [argument] if isinstance(argument, str) else argument
    kind = kind_of(case.value)
    if kind in types:
        return True
    if kind == "number" and "integer" in types:
        number = exact(case.value)
        return None if number is None else number.denominator == 1
    return False


def _reference(case: _Case, argument: str) -> Verdict:
    target = case.judge.document.target(argument)
    return None if target is None else case.under(target)


def _if(case: _Case, argument: Any) -> Verdict:
    condition = case.under(argument)
    branches = {True: case.schema.get("then", True), False: case.schema.get("else", True)}
    if condition is not None:
        return case.under(branches[condition])
    then, otherwise = case.under(branches[True]), case.under(branches[False])
    return then if then is otherwise else None


def _compared(holds: Callable[[Any, Any], bool]) -> Callable[[_Case, Any], Verdict]:
    def rule(case: _Case, argument: Any) -> Verdict:
        value, bound = exact(case.value), exact(argument)
        return None if value is None or bound is None else holds(value, bound)

    return rule


def _sized(holds: Callable[[int, Any], bool]) -> Callable[[_Case, Any], Verdict]:
    return lambda case, argument: holds(len(case.value), argument)


def _items(case: _Case, argument: Any) -> Verdict:
    start = len(case.schema.get("prefixItems", ()))
    return _every(case.inside(argument, item) for item in case.value[start:])


def _contains(case: _Case, argument: Any) -> Verdict:
    found = (case.inside(argument, item) for item in case.value)
    return _count(found, case.schema.get("minContains", 1), case.schema.get("maxContains"))


def _pattern_properties(case: _Case, argument: dict[str, Any]) -> Verdict:
    return _every(
        _some((_not(matches(pattern, name)), case.inside(schema, member)))
        for pattern, schema in argument.items()
        for name, member in case.value.items()
    )


def _additional(case: _Case, argument: Any) -> Verdict:
    declared, patterns = case.schema.get("properties", {}), case.schema.get("patternProperties", {})
    return _every(
        _some((case.inside(argument, member), *(matches(pattern, name) for pattern in patterns)))
        for name, member in case.value.items()
        if name not in declared
    )


def _dependent_schemas(case: _Case, argument: dict[str, Any]) -> Verdict:
    return _every(case.under(schema) for name, schema in argument.items() if name in case.value)


_RULES: dict[str, tuple[str, Callable[[_Case, Any], Verdict]]] = {
    "type": ("any", _type),
    "enum": ("any", lambda case, argument: any(equal(case.value, one) for one in argument)),
    "const": ("any", lambda case, argument: equal(case.value, argument)),
    "$ref": ("any", _reference),
    "allOf": ("any", lambda case, argument: _every(map(case.under, argument))),
    "anyOf": ("any", lambda case, argument: _some(map(case.under, argument))),
    "oneOf": ("any", lambda case, argument: _count(map(case.under, argument), 1, 1)),
    "not": ("any", lambda case, argument: _not(case.under(argument))),
    "if": ("any", _if),
    "minimum": ("number", _compared(lambda value, bound: value >= bound)),
    "maximum": ("number", _compared(lambda value, bound: value <= bound)),
    "exclusiveMinimum": ("number", _compared(lambda value, bound: value > bound)),
    "exclusiveMaximum": ("number", _compared(lambda value, bound: value < bound)),
    "multipleOf": ("number", _compared(lambda value, bound: (value / bound).denominator == 1)),
    "minLength": ("string", _sized(lambda size, bound: size >= bound)),
    "maxLength": ("string", _sized(lambda size, bound: size <= bound)),
    "pattern": ("string", lambda case, argument: matches(argument, case.value)),
    "format": ("string", lambda case, argument: None if case.judge.document.formats else True),
    "minItems": ("array", _sized(lambda size, bound: size >= bound)),
    "maxItems": ("array", _sized(lambda size, bound: size <= bound)),
    "prefixItems": ("array", lambda case, argument: _every(map(case.inside, argument, case.value))),
    "items": ("array", _items),
    "contains": ("array", _contains),
    "uniqueItems": (
        "array",
        lambda case, argument: not argument or not any(equal(*two) for two in combinations(case.value, 2)),
    ),
    "minProperties": ("object", _sized(lambda size, bound: size >= bound)),
    "maxProperties": ("object", _sized(lambda size, bound: size <= bound)),
    "required": ("object", lambda case, argument: all(name in case.value for name in argument)),
    "properties": (
        "object",
        lambda case, argument: _every(
            case.inside(one, case.value[name]) for name, one in argument.items() if name in case.value
        ),
    ),
    "patternProperties": ("object", _pattern_properties),
    "additionalProperties": ("object", _additional),
    "propertyNames": ("object", lambda case, argument: _every(case.inside(argument, name) for name in case.value)),
    "dependentRequired": (
        "object",
        lambda case, argument: all(
            one in case.value for name, names in argument.items() if name in case.value for one in names
        ),
    ),
    "dependentSchemas": ("object", _dependent_schemas),
    "$dynamicRef": ("any", lambda case, argument: None),
    "$recursiveRef": ("any", lambda case, argument: None),
    "unevaluatedItems": ("array", lambda case, argument: None),
    "unevaluatedProperties": ("object", lambda case, argument: None),
}
