"""Judges what operations do to whole contracts: where they can only fail, and where what they make is only wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.contradictions import Contradiction, contradictions, words
from stepdown_adapters.effects.shapes import opened
from stepdown_adapters.effects.study import Study
from stepdown_adapters.errors import Problem, Refusal
from stepdown_adapters.interpret import run
from stepdown_adapters.operations.base import Operation
from stepdown_adapters.paths import LAST, Every, Member, Path, Segment, Where

_SHOWN = 200
_BUDGET = 2_000
"""Steps of a search for a document; a contract that needs more has its documents tried by a proof, not at load."""


@dataclass
class Steps:
    """Where operations are at work, in absolute paths."""

    about: dict[str, Path] = field(default_factory=dict)
    """The path of each operation, by its index path."""
    changes: list[tuple[Path, str]] = field(default_factory=list)
    """What was changed, in order, and by which operation."""

    def last(self, path: Path, before: str | None = None) -> str | None:
        """The last operation, or the last one `before` that, which changed something at the path, above or below."""
        found = None
        for changed, where in self.changes:
            if where == before:
                break
            if leads(changed, path) or leads(path, changed):
                found = where
        return found


def misuses(operations: Sequence[Operation], study: Study, steps: Steps, known: set[str]) -> list[Problem]:
    """Operations that refuse all that they are given, and conversions that contradict a meaning."""
    problems: list[Problem] = []
    for operation in _inward(operations):
        if any(where.startswith(operation.where) for where in known):
            continue
        sentence = _misuse(operation, study, steps)
        if sentence is not None:
            known = {*known, operation.where}
            problems.append(Problem(operation.where, sentence))
    return problems


def _inward(operations: Sequence[Operation]) -> Iterator[Operation]:
    """All operations, those inside of others first, so that the innermost is blamed."""
    for operation in operations:
        yield from _inward(operation.inner())
        yield operation


def _misuse(operation: Operation, study: Study, steps: Steps) -> str | None:
    values, whole = study.values.get(operation.where), study.steps.get(operation.where)
    path = steps.about.get(operation.where, Path())
    place = str(path) or "the document"
    if values is not None and values.refuses_all:
        types = {shape["type"] for schema in values.refused for shape in opened(schema, study.references)}
        earlier = steps.last(path, operation.where)
        after = f" after {earlier}" if earlier is not None else " in the contract"
        return f"{place} is {words(types)}{after}, and {operation.name} refuses every such value"
    if values is not None and values.contradictions and not values.meaningful:
        return f"{place}: {values.contradictions[0]}"
    if whole is not None and whole.refuses_all and not _on_purpose(operation):
        return f"{place}: every document that comes this far is refused"
    return None


def _on_purpose(operation: Operation) -> bool:
    return operation.refuses or any(_on_purpose(inner) for inner in operation.inner())


def broken(
    operations: Sequence[Operation], made: Schema, newer: Schema | None, older: Schema, steps: Steps
) -> list[Problem]:
    """Problems of what comes out, which is valid under `made`, with the contract that it is for."""
    found = contradictions(made, older)
    if found:
        return [_told(one, steps) for one in found]
    example = None if newer is None or made is False else _counterexample(operations, newer, older)
    return [] if example is None else [Problem("", example)]


def _told(contradiction: Contradiction, steps: Steps) -> Problem:
    where = steps.last(contradiction.path)
    place = str(contradiction.path) or "the document"
    if where is None:
        return Problem("", f"{place} {contradiction.sentence}; no operation changes it")
    return Problem(where, f"after this, {place} {contradiction.sentence}")


def _counterexample(operations: Sequence[Operation], newer: Schema, older: Schema) -> str | None:
    """A document of `newer` that becomes none of `older`, as a sentence."""
    from stepdown_adapters.proof.inclusion import Excluded, included  # noqa: PLC0415 - proofs stand above operations

    for schema in (newer, _with_everything(newer)):
        example = included(schema, False, budget=_BUDGET)
        if not isinstance(example, Excluded):
            continue
        try:
            result = run(operations, example.witness)
        except Refusal:
            continue
        verdict = included({"const": result}, older, budget=_BUDGET)
        if isinstance(verdict, Excluded):
            return f"{_shown(example.witness)} becomes {_shown(result)}, and {verdict.reason}"
    return None


def _with_everything(schema: Schema) -> Schema:
    """The schema of those documents that have every member that is declared at the top."""
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        return schema
    return {**schema, "required": sorted({*schema.get("required", ()), *schema["properties"]})}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def leads(change: Path, path: Path) -> bool:
    """Whether `change` may be a place on the way along `path`."""
    short, long = change.segments, path.segments
    return len(short) <= len(long) and all(map(_may_meet, short, long))


def _may_meet(one: Segment, other: Segment) -> bool:
    """Whether two segments may name the same item or member."""
    if isinstance(one, Where) and isinstance(other, Where):
        return one.name != other.name or one.text == other.text
    if isinstance(one, Every) or isinstance(other, Every):
        return True
    places = [segment for segment in (one, other) if isinstance(segment, Member)]
    on_array = all(place.index is not None or place.name == LAST for place in places)
    return on_array or one == other
