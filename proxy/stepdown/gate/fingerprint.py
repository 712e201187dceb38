"""Fingerprints of contracts: equal for two texts that promise the same, whatever their layout.

A fingerprint is the SHA-256 of a schema in a normal form: without pure annotations (titles, descriptions, examples,
comments, defaults, `format`, which nobody has to check), with the names of keywords sorted, lists that are sets sorted,
1.0 written as 1, and every `$ref` replaced by what it leads to. So an edit that no client can notice leaves it alone.
What changes a promise changes it; `x-semantic` is part of the promise.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from stepdown_adapters.contract.keywords import LIST, NAMED, ONE, Schema, at
from stepdown_adapters.contract.model import Contract

_ANNOTATIONS = frozenset(["$comment", "$schema", "$defs", "default", "description", "examples", "format", "title"])
_SETS = frozenset(["required", "type", "enum", "x-extensible-enum"])
_UNORDERED = frozenset(["allOf", "anyOf", "oneOf"])
_MOST_STEPS = 50_000
"""Definitions that refer to each other in many ways unfold without end; beyond this they are taken as written."""


def fingerprint(contract: Contract) -> str:
    """`sha256:` and 64 hex digits; statuses, media types and headers of an OpenAPI operation count as well."""
    parts: dict[str, Any] = {"schema": _schema(contract.schema)}
    if contract.envelope is not None:
        parts["answers"] = {
            status: {
                "media_types": {name: _schema(schema) for name, schema in answer.media_types.items()},
                "headers": {name: [one.required, _schema(one.schema)] for name, one in answer.headers.items()},
            }
            for status, answer in contract.envelope.answers.items()
        }
    return "sha256:" + _digest(parts)


def _schema(schema: Schema) -> str:
    try:
        return _Unfolding(schema).of(schema)
    except (_TooMuch, RecursionError, LookupError):
        return _digest(schema)


class _TooMuch(Exception):  # noqa: N818 - a signal, not an error
    """The schema unfolds beyond the bound."""


class _Unfolding:
    """One schema, read from its root; each part becomes the digest of its normal form."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._open: list[str] = []
        self._known: dict[str, str] = {}
        self._turned = False
        """Whether the part at hand led back to a reference that is open."""
        self._steps = 0

    def of(self, schema: Any) -> str:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _TooMuch
        if not isinstance(schema, dict):
            return _digest(schema)
        if "$ref" in schema and schema.keys() - _ANNOTATIONS == {"$ref"}:
            return self._behind(schema["$ref"])
        return _digest({name: self._value(name, value) for name, value in schema.items() if name not in _ANNOTATIONS})

    def _behind(self, reference: str) -> str:
        if reference in self._known:
            return self._known[reference]
        if reference in self._open:
            self._turned = True
            return f"the {len(self._open) - self._open.index(reference)}th around it"
        outer, self._turned = self._turned, False
        self._open.append(reference)
        found = self.of(at(self._root, reference.removeprefix("#")))
        self._open.pop()
        if not self._turned:  # what goes in a circle is written by what is around it, so it differs from place to place
            self._known[reference] = found
        self._turned = outer or self._turned
        return found

    def _value(self, name: str, value: Any) -> Any:
        if name == "$ref":
            return self._behind(value)
        if name in ONE and isinstance(value, dict | bool):
            return self.of(value)
        if name in LIST and isinstance(value, list):
            parts = [self.of(one) for one in value]
            return sorted(parts) if name in _UNORDERED else parts
        if name in NAMED and isinstance(value, dict):
            return {key: self.of(one) if isinstance(one, dict | bool) else one for key, one in value.items()}
        return _plain_value(name, value)


def _plain_value(name: str, value: Any) -> Any:
    if name in _SETS and isinstance(value, list):
        return sorted(value, key=_digest)
    if name == "type" and isinstance(value, str):
        return [value]
    if name == "dependentRequired" and isinstance(value, dict):
        return {key: sorted(names, key=_digest) for key, names in value.items()}
    return value


def _digest(value: Any) -> str:
    text = json.dumps(_numbers(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _numbers(value: Any) -> Any:
    """JSON Schema knows one sort of number: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _numbers(one) for name, one in value.items()}
    return [_numbers(one) for one in value] if isinstance(value, list) else value
