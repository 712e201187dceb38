"""The operation that repairs a breaking change: it turns what is sent into what is accepted.

For a response that is the newer document stepped down, for a request the older one stepped up; `sent` and `accepted`
below are the schemas of these. A repair never invents data: a member that is gone is only added back where the
accepting contract itself names a value for it (`default`, `const`, null). So there are changes without a repair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepdown_adapters.diff.found import Flat, Found
from stepdown_adapters.diff.policy import Direction
from stepdown_adapters.diff.semantic_repair import semantic
from stepdown_adapters.diff.values import NUMBERS, listed, lower, types_of, upper
from stepdown_adapters.paths import Every

Operation = dict[str, Any]


class _Case:
    """One finding, seen from the direction in which documents go."""

    def __init__(self, found: Found, direction: Direction) -> None:
        response = direction == "response"
        self.found = found
        self.response = response
        self.path = str(found.path)
        self.sent: Flat = found.newer if response else found.older
        self.accepted: Flat = found.older if response else found.newer
        self.sent_value: Any = found.after if response else found.before
        self.accepted_value: Any = found.before if response else found.after


def repair(found: Found, direction: Direction) -> Mapping[str, Any] | None:
    """The operation in the form of the file, or `None` where none is known."""
    if found.refilled:
        return None
    if found.kind.startswith("semantic-"):
        return semantic(found, direction)
    writer = _WRITERS.get(found.kind.partition("/")[0])
    if writer is None or (writer in _NOT_THE_WHOLE and not found.path.segments):
        return None
    return writer(_Case(found, direction))


def _stray(case: _Case) -> Operation | None:
    """A member that is sent and not accepted goes; which direction that is, the kind says."""
    return {"remove": case.path}


def _gone(case: _Case) -> Operation | None:
    """A member that is not sent: put what the accepting contract says that it is."""
    schema = case.accepted_value if isinstance(case.accepted_value, dict) else {}
    value = _known(schema)
    if value is None:
        return None
    return {"add": {"path": case.path, "value": value[0]}}


def _removed(case: _Case) -> Operation | None:
    found = case.found
    if case.sent_value is not None and case.accepted_value is None:  # a request that still has the member
        return _stray(case)
    if found.kind == "required-removed" or found.required or found.kind.endswith("closed-new"):
        return _gone(case)
    return {"remove": case.path}


def _added(case: _Case) -> Operation | None:
    return _stray(case) if case.sent_value is not None else None


def _missing(case: _Case) -> Operation | None:
    """A member that may be missing: a conversion that changes nothing, and fills in a default."""
    name = getattr(case.found.path.last, "name", "")
    schema = case.accepted.get("properties", {}).get(name, {})
    if not isinstance(schema, dict):
        return None
    value, kind = _known(schema), schema.get("type")
    if value is None or kind not in ("string", "integer", "number", "boolean"):
        return None
    return {"cast": {"path": case.path, "to": kind, "default": value[0]}}


def _known(schema: Flat) -> tuple[Any] | None:
    """The value that a contract itself gives for a member."""
    if "default" in schema:
        return (schema["default"],)
    values = listed(schema)
    if values is not None and len(values) == 1:
        return (values[0],)
    return (None,) if types_of(schema) == {"null"} else None


def _moved(case: _Case) -> Operation | None:
    newer, older = str(case.found.target), case.path
    return {"move": {"from": newer, "to": older} if case.response else {"from": older, "to": newer}}


def _closed(case: _Case) -> Operation | None:
    keep = [name for name, schema in case.accepted.get("properties", {}).items() if schema is not False]
    if case.found.holder != case.found.path:
        return {"remove": case.path}
    if not keep or case.accepted.get("patternProperties"):
        return None
    return {"project": {"path": case.path, "keep": keep, "on_missing": "skip"}}


def _bounds(case: _Case) -> Operation | None:
    if case.found.keyword in ("minLength", "maxLength") or not types_of(case.sent) <= NUMBERS | {"null"}:
        return None
    low, high = lower(case.accepted), upper(case.accepted)
    if "null" in types_of(case.sent) or any(bound is not None and bound.excluded for bound in (low, high)):
        return None
    limits = {word: bound.value for word, bound in (("min", low), ("max", high)) if bound is not None}
    return {"clamp": {"path": case.path, **limits}}


def _multiple(case: _Case) -> Operation | None:
    multiple = case.accepted.get("multipleOf")
    if multiple is None or not types_of(case.sent) <= NUMBERS:
        return None
    return {"round": case.path} if multiple == 1 else {"round_to": {"path": case.path, "multiple": multiple}}


def _values(case: _Case) -> Operation | None:
    """A table of the accepted values; what is new goes to the default, or fails until somebody says what it is."""
    values = listed(case.accepted)
    if not values or any(isinstance(value, dict | list) for value in values):
        return None
    if len(values) == 1:
        return {"replace": {"path": case.path, "value": values[0]}}
    table = {_key(value): value for value in values}
    default = case.accepted.get("default")
    if default is None:
        default = next((value for value in values if value in ("other", "unknown", "OTHER", "UNKNOWN")), None)
    unmapped = {"on_unmapped": "fail"} if default is None else {"default": default}
    return {"map_values": {"path": case.path, "table": table, **unmapped}}


def _key(value: Any) -> str:
    """As a table writes a scalar."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _nullable(case: _Case) -> Operation | None:
    values, default = listed(case.accepted), case.accepted.get("default")
    if types_of(case.accepted) == {"boolean"}:
        values = [True, False]
    if not values or default is None:
        return None
    table = {_key(value): value for value in values}
    return {"map_values": {"path": case.path, "table": {**table, "null": default}}}


def _types(case: _Case) -> Operation | None:
    sent, accepted = types_of(case.sent), types_of(case.accepted)
    scalars = NUMBERS | {"string", "boolean"}
    if accepted == {"integer"} and sent == NUMBERS:
        return {"round": case.path}
    if sent == {"array"} and accepted and "array" not in accepted:
        return {"head": case.path}
    if accepted == {"array"} and sent and "array" not in sent:
        return {"wrap": case.path}
    if sent and sent <= scalars and accepted <= scalars:
        for names, to in (
            ({"string"}, "string"),
            (NUMBERS, "number"),
            ({"integer"}, "integer"),
            ({"boolean"}, "boolean"),
        ):
            if accepted == names:
                return {"cast": {"path": case.path, "to": to}}
    return None


def _items(case: _Case) -> Operation | None:
    most = case.accepted.get("maxItems")
    if most is None or case.sent.get("minItems", 0) < case.accepted.get("minItems", 0):
        return None
    return {"slice": {"path": case.path, "start": 0, "end": most}}


def _unique(case: _Case) -> Operation | None:
    return {"unique": case.path}


def _branch(case: _Case) -> Operation | None:
    """An alternative among items that one member tells apart: those items go."""
    target = case.found.target
    if target is None or not case.found.path.segments or not isinstance(case.found.path.last, Every):
        return None
    return {"remove": str(target)}


_NOT_THE_WHOLE = frozenset({_stray, _gone, _removed, _added, _missing, _moved})
_WRITERS: dict[str, Callable[[_Case], Operation | None]] = {
    "prop-added": _added,
    "required-removed": _removed,
    "optional-removed": _removed,
    "became-optional": _missing,
    "became-required": _missing,
    "became-nullable": _nullable,
    "became-not-nullable": _nullable,
    "additional-opened": _closed,
    "additional-closed": _closed,
    "unevaluated-properties": _closed,
    "renamed": _moved,
    "moved": _moved,
    "bound-loosened": _bounds,
    "bound-tightened": _bounds,
    "multiple-of": _multiple,
    "enum-value-added": _values,
    "enum-value-removed": _values,
    "enum-removed": _values,
    "enum-added": _values,
    "const-removed": _values,
    "const-added": _values,
    "const-changed": _values,
    "type-changed": _types,
    "type-widened": _types,
    "type-narrowed": _types,
    "items-count": _items,
    "fixed-length": _items,
    "unique-items": _unique,
    "union-branch-added": _branch,
    "wrapped-in-one-of": _branch,
    "union-branch-removed": _branch,
}
