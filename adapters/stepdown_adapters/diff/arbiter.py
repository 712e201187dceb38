"""Asks whether one schema includes another, for parts of two documents that the walk cannot decide by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.keywords import Schema, children

MAX_QUESTIONS = 100
"""Per diff; what is not asked stays undecided, and so breaking."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether every document of the inner schema is one of the outer: `None` is not decided."""

    included: bool | None
    witness: Any = None
    reason: str = ""
    """What the witness breaks, or why it is not decided."""


Included = Callable[[Schema, Schema, int], Answer]
"""`(inner, outer, steps)`, each schema in one piece."""
STEPS_FOR_PARTS = 2_000
STEPS_FOR_THE_WHOLE = 20_000


class Arbiter:
    """Puts questions about parts of two documents, each part made a schema of its own."""

    def __init__(self, older: Schema, newer: Schema, included: Included) -> None:
        self._included = included
        self._documents = {"older": older, "newer": newer}
        self._whole: dict[str, Any] = {}
        self._asked: dict[tuple[int, int, bool], tuple[Any, Any, Answer]] = {}
        self._left = MAX_QUESTIONS

    def ask(self, inner: Any, outer: Any, *, inner_is_newer: bool) -> Answer:
        """Whether `inner` is included in `outer`, which come from different documents."""
        key = id(inner), id(outer), inner_is_newer
        if key in self._asked:
            return self._asked[key][2]
        if self._left == 0:
            return Answer(None, reason=f"more than {MAX_QUESTIONS} parts of the contracts had to be looked into")
        self._left -= 1
        sides = ("newer", "older") if inner_is_newer else ("older", "newer")
        whole = inner is self._documents[sides[0]] and outer is self._documents[sides[1]]
        steps = STEPS_FOR_THE_WHOLE if whole else STEPS_FOR_PARTS
        answer = self._included(self._alone(sides[0], inner), self._alone(sides[1], outer), steps)
        self._asked[key] = inner, outer, answer  # holds both, so that the ids stay theirs
        return answer

    def _alone(self, side: str, schema: Any) -> Schema:
        """The schema with its document among its definitions, if it refers to that."""
        if schema is self._documents[side] or not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else dict(schema)
        moved = _moved({name: value for name, value in schema.items() if name != "$defs"})
        if not _refers(moved):
            return moved  # type: ignore[no-any-return]
        if side not in self._whole:
            self._whole[side] = _moved(self._documents[side])
        return {**moved, "$defs": {"whole": self._whole[side]}}


def _moved(schema: Any) -> Any:
    """A copy whose references go to `#/$defs/whole`."""
    if not isinstance(schema, dict):
        return schema
    copy = dict(schema)
    if isinstance(copy.get("$ref"), str):
        copy["$ref"] = "#/$defs/whole" + copy["$ref"].removeprefix("#")
    for tokens, child in children(schema):
        keyword = tokens[0]
        if len(tokens) == 1:
            copy[keyword] = _moved(child)
            continue
        if copy[keyword] is schema[keyword]:
            copy[keyword] = schema[keyword].copy()
        copy[keyword][int(tokens[1]) if isinstance(copy[keyword], list) else tokens[1]] = _moved(child)
    return copy


def _refers(schema: Any) -> bool:
    return isinstance(schema, dict) and ("$ref" in schema or any(_refers(child) for _, child in children(schema)))
