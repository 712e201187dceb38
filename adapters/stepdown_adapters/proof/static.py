"""The static half of a proof: what can come out of the operations, as a schema, held against the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.keywords import ANNOTATIONS, Schema, children
from stepdown_adapters.effects.references import rooted
from stepdown_adapters.effects.study import Study
from stepdown_adapters.operations import Operation
from stepdown_adapters.proof.inclusion import Excluded, Included, included
from stepdown_adapters.proof.questions import Question


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown without running anything."""

    holds: bool
    """Whether everything that the operations can make is valid under the contract."""
    reason: str
    """By which fragment of JSON Schema, or what is not decided."""
    details: tuple[str, ...] = ()
    """Parts of which nothing is known."""
    witness: Any = None
    """Something invalid that the effects of the operations allow, where `has_witness`."""
    has_witness: bool = False


def prove(question: Question) -> Proof:
    """Proves a question of which both contracts are there, or says what stands in the way."""
    assert question.given is not None
    assert question.made is not None
    if question.hooks:
        named = ", ".join(question.hooks)
        return Proof(False, f"nothing is known of what the hook {named} returns")
    operations = question.operations()
    made, unknown = _after(operations, question.given)
    details = tuple(f"nothing is known of what {one.where} makes" for one in unknown)
    match included(made, question.made, formats=question.formats):
        case Included():
            words = sorted({word for schema in (made, question.made) for word in _keywords(schema)})
            means = f" over {', '.join(words)}" if words else ""
            return Proof(True, f"{_counted(operations)}: all that can come out is included{means}", details)
        case Excluded(witness=witness, reason=reason):
            sentence = f"as far as is known of the operations, what comes out may break the contract {reason}"
            return Proof(False, sentence, details, witness, True)
        case undecided:
            return Proof(False, f"not decided: {undecided.reason}", details)


def _after(operations: Sequence[Operation], given: Schema) -> tuple[Schema, list[Operation]]:
    """A schema of all that can come out, and the operations after which nothing was known any more."""
    state, found = rooted(given)
    study = Study(found)
    unknown = []
    for operation in operations:
        before, state = state, study.step(operation, state)
        if _says_nothing(state) and not _says_nothing(before):
            unknown.append(operation)
    return found.closed(state), unknown


def _says_nothing(schema: Schema) -> bool:
    return schema is True or schema == {}


def _keywords(schema: Schema) -> Iterator[str]:
    waiting: list[Any] = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from (word for word in one if word not in ANNOTATIONS and not word.startswith("x-"))
            waiting += [child for _, child in children(one)]


def _counted(operations: Sequence[Operation]) -> str:
    return f"{len(operations)} operation{'' if len(operations) == 1 else 's'}"
