"""Half a sentence for each way to break a schema, made of what the schema says and never of what the document holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepdown_adapters.json_values import kind

_Facts = Mapping[str, Any]
"""What the validator knows of the breach: limits, types, names that the schema requires."""


def _limit(before: str, after: str = "") -> Callable[[_Facts, Any], str]:
    return lambda facts, _: f"{before} {facts['limit']}{after}"


def _plain(text: str) -> Callable[[_Facts, Any], str]:
    return lambda _, __: text


_SENTENCES: Mapping[str, Callable[[_Facts, Any], str]] = {
    "additionalItems": _plain("has more items than the contract declares"),
    "additionalProperties": _plain("has members that the contract does not declare"),
    "anyOf": _plain("fits none of the alternatives"),
    "const": _plain("is not the one value that is allowed"),
    "contains": _plain("has too few or too many of the items that it has to have"),
    "dependentRequired": lambda facts, _: f"lacks the member {facts['property']!r}, which another one asks for",
    "enum": _plain("is none of the values that are listed"),
    "exclusiveMaximum": _limit("is not below"),
    "exclusiveMinimum": _limit("is not above"),
    "falseSchema": _plain("is not allowed here"),
    "format": lambda facts, _: f"is not written as a {facts['format']}",
    "maximum": _limit("is above"),
    "maxItems": _limit("has more than", " items"),
    "maxLength": _limit("is longer than", " characters"),
    "maxProperties": _limit("has more than", " members"),
    "minimum": _limit("is below"),
    "minItems": _limit("has fewer than", " items"),
    "minLength": _limit("is shorter than", " characters"),
    "minProperties": _limit("has fewer than", " members"),
    "multipleOf": lambda facts, _: f"is no multiple of {facts['multiple_of']}",
    "not": _plain("is what is ruled out"),
    "oneOf": _plain("fits none, or more than one, of the alternatives"),
    "pattern": lambda facts, _: f"does not match {facts['pattern']!r}",
    "propertyNames": _plain("has a member whose name is not allowed"),
    "required": lambda facts, _: f"lacks the member {facts['property']!r}",
    "type": lambda facts, value: f"is {kind(value)}, not of type {' or '.join(facts['types'])}",
    "unevaluatedItems": _plain("has more items than the contract declares"),
    "unevaluatedProperties": _plain("has members that the contract does not declare"),
    "uniqueItems": _plain("has equal items"),
}


def sentence(keyword: str, facts: _Facts, value: Any) -> str:
    """Why a value breaks a keyword: `is a string, not of type number`. Of the value, only its kind is told."""
    describe = _SENTENCES.get(keyword)
    return describe(facts, value) if describe else f"breaks {keyword!r}"
