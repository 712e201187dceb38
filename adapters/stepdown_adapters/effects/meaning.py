"""What `x-semantic` says after an operation, and which operations contradict what it said before.

An annotation on an array, or on an object of numbers by name, speaks of the numbers in it: on the way down a path, its
facts about numbers pass to items and members that have none of their own.

    sigmoid   logit -> probability      only of labels that are decided one by one, not of logits over a set of classes
    softmax   logit, log-prob -> probability
    logit     probability -> logit
    exp       log-prob -> probability
    log       probability -> log-prob

Other operations of the table below keep the meaning. An operation that is not in it may have changed everything, so
that nothing is known of its result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.arrays import any_item
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.shapes import MEANING, opened
from stepdown_adapters.effects.unions import union
from stepdown_adapters.effects.values import Shape

_DEPTH = 8
OF_NUMBERS = ("kind", "unit", "time_unit", "scale", "calibration", "normalised_over")
"""Facts about each number of an array, rather than about the array."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An operation that turns one kind of score into another."""

    takes: tuple[str, ...]
    gives: str


TURNS = {
    "sigmoid": Turn(("logit",), "probability"),
    "softmax": Turn(("logit", "log-prob"), "probability"),
    "logit": Turn(("probability",), "logit"),
    "exp": Turn(("log-prob",), "probability"),
    "log": Turn(("probability",), "log-prob"),
}
_KEEP = frozenset(("cast", "clamp", "round", "round_to"))
"""Conversions whose result means what their value meant: they change a number, not what it is."""
_CARRY = frozenset(("wrap", "head", "slice", "sort_by", "top_k", "filter", "unique", "flatten", "reshape", "project"))
"""Conversions that carry numbers along; their effects keep what is said of those, but for what the container says."""


def passed_down(shape: Shape, schema: Schema, references: References) -> Schema:
    """The schema of a member or item, with what the shape around it says about numbers."""
    facts = {key: value for key, value in shape.get(MEANING, {}).items() if key in OF_NUMBERS}
    if not facts or schema is False:
        return schema
    if schema is True:
        return {MEANING: facts}
    if MEANING in schema:
        return schema
    if "$ref" in schema:
        target = references.target(schema["$ref"])
        if not isinstance(target, dict) or MEANING in target:
            return schema
    return {**schema, MEANING: facts}


def without_facts(shape: Shape) -> Shape:
    """The shape without what it passed down."""
    if MEANING not in shape:
        return shape
    kept = {key: value for key, value in shape[MEANING].items() if key not in OF_NUMBERS}
    copy = {keyword: value for keyword, value in shape.items() if keyword != MEANING}
    return {**copy, MEANING: kept} if kept else copy


def after(name: str, before: Shape, result: Schema, references: References) -> Schema:
    """The result of the conversion `name` with what it means, given the shape that was converted."""
    if name in _CARRY or not isinstance(result, dict):
        return result if name in ("wrap", "project") else passed_down(before, result, references)
    if name in _KEEP:
        return {**result, MEANING: before[MEANING]} if MEANING in before else result
    plain = union(without(shape) for shape in opened(result, references)) if _tells(result) else result
    turn, meaning = TURNS.get(name), told(before, references)
    if turn is None or meaning.get("kind") not in turn.takes or not isinstance(plain, dict):
        return plain
    lasting = {key: value for key, value in meaning.items() if key not in ("kind", "unit", "scale", "calibration")}
    if name == "softmax":
        lasting.pop("normalised_over", None)
    return {**plain, MEANING: {**lasting, "kind": turn.gives}}


def told(shape: Shape, references: References) -> dict[str, Any]:
    """What a shape says that its values mean; of an array that says nothing, what its items say with one voice."""
    depth = 0
    while MEANING not in shape and shape["type"] == "array" and depth < _DEPTH:
        items = opened(any_item(shape), references)
        if len(items) != 1:
            return {}
        shape, depth = items[0], depth + 1
    meaning: dict[str, Any] = shape.get(MEANING, {})
    return meaning


def without(shape: Shape) -> Shape:
    """The shape without its meaning."""
    return {keyword: value for keyword, value in shape.items() if keyword != MEANING}


def _tells(schema: Schema) -> bool:
    return isinstance(schema, dict) and (MEANING in schema or "$ref" in schema or "allOf" in schema)


def contradiction(name: str, meaning: dict[str, Any]) -> str | None:
    """Why the operation `name` is wrong for a value of this meaning, as the end of a sentence."""
    turn, kind = TURNS.get(name), meaning.get("kind")
    if turn is None or not isinstance(kind, str):
        return None
    if kind not in turn.takes:
        return f"the contract declares a {kind} there, and {name} is for a {' or a '.join(turn.takes)}"
    classes = meaning.get("normalised_over")
    if name == "sigmoid" and classes and classes != "none":
        return f"the contract declares logits over {classes}, and softmax makes probabilities of them"
    return None
