"""Makes schemas that a given document is valid under, by forgetting different things about it."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

from stepdown_adapters.contract.keywords import Schema, pointer
from stepdown_adapters.json_values import equal

_NAMES = ("a", "b", "name", "data", "x", "y", "new", "score", "p", "k", "0", "labels")
_EXTRA: tuple[Schema, ...] = (
    {"type": "number"},
    {"type": "string", "maxLength": 3},
    {"const": "score"},
    {"enum": [0, 1, None]},
    {"type": "array", "items": {"type": "number"}, "maxItems": 2},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False},
    {"type": ["null", "boolean"]},
    True,
)


class Forgetting:
    """Draws schemas; all that it decides comes from the dice that it is given."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._definitions: dict[str, Schema] = {}

    def schema(self, document: Any) -> Schema:
        """A schema of its own, with definitions, that the document is valid under."""
        self._definitions = {}
        schema = self._of(document, 0)
        if not isinstance(schema, dict):
            schema = {"allOf": [schema]}
        return {**schema, "$defs": self._definitions} if self._definitions else schema

    def _one_in(self, count: int) -> bool:
        return self._dice.randrange(count) == 0

    def _of(self, value: Any, depth: int) -> Schema:
        if depth and self._one_in(25):
            return True
        if self._one_in(12):
            return self._listed(value)
        schema = self._typed(value, depth)
        if self._one_in(8):
            schema = self._combined(value, schema, depth)
        if self._one_in(8):
            name = f"d/{len(self._definitions)}~"
            self._definitions[name] = schema
            schema = {"$ref": "#" + pointer("$defs", name)}
            if self._one_in(3):
                schema["x-semantic"] = {"kind": self._dice.choice(("logit", "probability"))}
        return schema

    def _listed(self, value: Any) -> Schema:
        if self._one_in(2):
            return {"const": value}
        return {"enum": [value, *self._dice.sample([None, True, 0, 2.5, "score", "x", [], {"a": 1}], 2)]}

    def _combined(self, value: Any, schema: Schema, depth: int) -> Schema:
        other = self._dice.choice(_EXTRA) if depth > 3 or self._one_in(2) else self._typed(value, depth + 1)
        branches = self._dice.sample([schema, other], 2)
        if other not in _EXTRA and self._one_in(2):
            return {"allOf": branches}
        if self._one_in(4) and isinstance(schema, dict):
            return {**schema, "anyOf": [self._typed(value, depth + 1), self._dice.choice(_EXTRA)]}
        return {"anyOf": branches}

    def _typed(self, value: Any, depth: int) -> Schema:
        if isinstance(value, dict):
            return self._object(value, depth)
        if isinstance(value, list):
            return self._array(value, depth)
        if isinstance(value, str):
            return self._widened("string", {"minLength": max(0, len(value) - 1), "maxLength": len(value) + 1})
        if value is None or isinstance(value, bool):
            return self._widened("null" if value is None else "boolean", {})
        return self._number(value)

    def _number(self, value: int | float) -> Schema:
        kind = "integer" if value == int(value) and self._one_in(2) else "number"
        low = self._dice.choice([value, value - 1, min(value, 0)])
        high = self._dice.choice([value, value + 1, max(value, 1)])
        limits = {"minimum": low, "maximum": high}
        if value - 1 < value < value + 1:
            limits |= self._dice.choice([{}, {"exclusiveMinimum": value - 1}, {"exclusiveMaximum": value + 1}])
        return self._widened(kind, limits)

    def _widened(self, kind: str, limits: dict[str, Any]) -> Schema:
        schema: dict[str, Any] = {"type": [kind, "null"] if kind != "null" and self._one_in(6) else kind}
        schema |= {keyword: limit for keyword, limit in limits.items() if not self._one_in(4)}
        if self._one_in(6):
            schema["x-semantic"] = {"kind": self._dice.choice(("logit", "probability", "log-prob"))}
        return schema

    def _array(self, value: list[Any], depth: int) -> Schema:
        schema: dict[str, Any] = {"type": "array"}
        cut = self._dice.choice([0, 0, 0, len(value), len(value) // 2])
        if cut:
            schema["prefixItems"] = [self._of(item, depth + 1) for item in value[:cut]]
        rest = value[cut:]
        if rest and not self._one_in(6):
            kinds = [self._of(item, depth + 1) for item in rest[:4]] + [{"const": item} for item in rest[4:]]
            schema["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        elif not rest:
            schema["items"] = self._dice.choice([*_EXTRA, False])
        if self._one_in(2):
            schema["minItems"] = max(0, len(value) - self._dice.randrange(2))
        if self._one_in(2):
            schema["maxItems"] = len(value) + self._dice.randrange(2)
        if self._one_in(3) and not any(equal(one, other) for one, other in combinations(value, 2)):
            schema["uniqueItems"] = True
        if value and self._one_in(6):
            schema["contains"] = {"const": value[-1]}
        return schema

    def _object(self, value: dict[str, Any], depth: int) -> Schema:
        schema: dict[str, Any] = {"type": "object"}
        hidden = [name for name in value if self._one_in(6)]
        schema["properties"] = {name: self._of(value[name], depth + 1) for name in value if name not in hidden}
        schema["required"] = [name for name in value if not self._one_in(3)]
        absent = [name for name in self._dice.sample(_NAMES, 3) if name not in value]
        schema["properties"] |= {name: self._dice.choice(_EXTRA) for name in absent if self._one_in(2)}
        if not hidden and self._one_in(2):
            schema["additionalProperties"] = self._dice.choice([False, False, {"type": "number"}])
        elif hidden and self._one_in(2):
            self._cover_hidden(schema, {name: value[name] for name in hidden}, depth)
        if self._one_in(5):
            schema["minProperties"] = len(value)
        if self._one_in(5):
            schema["maxProperties"] = len(value) + self._dice.randrange(2)
        if self._one_in(4):
            del schema["required"]
        return schema

    def _cover_hidden(self, schema: dict[str, Any], hidden: dict[str, Any], depth: int) -> None:
        members = {"anyOf": [self._of(member, depth + 1) for member in hidden.values()]}
        letters = {name[:1] for name in hidden}
        if all(letter.isascii() and letter.isalpha() for letter in letters) and self._one_in(2):
            everything = {"anyOf": [members, *(schema["properties"].values())]}
            schema["patternProperties"] = {f"^[{''.join(sorted(letters))}]": everything}
            schema["additionalProperties"] = self._one_in(2)
        else:
            schema["additionalProperties"] = members
