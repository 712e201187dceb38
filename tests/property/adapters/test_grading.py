"""What is proved is never refuted: the two halves of a grade agree, whatever the schemas and the operations are.

Each is a test of the other: the static half claims that nothing that comes out can break a contract, and the trial
looks for a document that does. Contracts of what comes out are of two kinds: the effect of the operations itself, which
is proved by being the same, so that all of it rests on effects; and one made of a single document that came out, of
which some are proved by search.
"""

import random
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.operations import parse
from stepdown_adapters.operations.effects import after
from stepdown_adapters.proof.grading import Grade, Grading, graded
from stepdown_adapters.proof.questions import Question
from stepdown_adapters.step import Step
from tests.kit.adapters import REFUSED
from tests.kit.longer import LONGER, TIMEOUT
from tests.kit.schemas import Forgetting
from tests.property.adapters.test_effects import collected, pool, ran
from tests.property.adapters.test_emitted_code import OPERATIONS

DOCUMENTS = 12
CARRYING = ({"carry": {"from": "", "as": "c"}},)
"""The requests of the operations that read what was carried as `c`."""


def grade(operations: list[Any], given: Schema, made: Schema, seed: int) -> Grading:
    step = Step("2.0.0", "1.0.0", operations, CARRYING)
    question = Question("m", "2.0.0", "1.0.0", "response", (step,), given, made)
    found = graded(question, documents=DOCUMENTS, seed=seed)
    told = found.counterexample
    assert found.grade is not Grade.CONTRADICTION, f"{operations} of {told} under {given} into {made}"
    return found


def searched(name: str, examples: int) -> Counter[Grade]:
    """Grades of one operation with several options, on contracts of documents that it accepts."""
    dice, grades = random.Random(name), Counter[Grade]()
    for options in collected(OPERATIONS[name], examples):
        operations: list[Any] = [{name: options}]
        parsed = parse(operations)
        accepted = [one for one in pool(name) if ran(parsed, one) is not REFUSED]
        for document in dice.sample(accepted, min(2, len(accepted))):
            given = Forgetting(dice).schema(document)
            if not jsonschema_rs.is_valid(given, document):  # integers beyond 64 bits are not always themselves
                continue
            for made in (after(parsed, given), Forgetting(dice).schema(ran(parsed, document))):
                grades[grade(operations, given, made, dice.randrange(2**32)).grade] += 1
    return grades


@pytest.mark.parametrize("name", sorted(OPERATIONS)[::4])
def test_what_is_proved_of_an_operation_is_never_refuted(name: str) -> None:
    assert searched(name, 3)


@pytest.mark.slow
@TIMEOUT
def test_what_is_proved_is_never_refuted_in_a_long_search() -> None:
    total = sum((searched(name, 3 * LONGER) for name in OPERATIONS), Counter[Grade]())
    assert min(total[Grade.PROVED], total[Grade.REFUTED], total[Grade.TESTED]) > 5, total
