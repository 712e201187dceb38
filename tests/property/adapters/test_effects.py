"""Effects are sound: what an operation makes of a document is valid under what it makes of a schema of the document.

Documents are drawn to have something for the operation, and schemas from the document, so that it is always valid:
each forgets something else about it. What operations refuse is no counterexample, and a run in which too little was
accepted would prove nothing, so that is a failure as well.
"""

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stepdown_adapters.errors import Refusal
from stepdown_adapters.interpret import run
from stepdown_adapters.json_values import equal
from stepdown_adapters.operations import parse
from stepdown_adapters.operations.base import Operation
from stepdown_adapters.operations.effects import after
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.table import NAMES
from tests.kit.adapters import REFUSED
from tests.kit.longer import LONGER, TIMEOUT
from tests.kit.schemas import Forgetting
from tests.property.adapters.test_emitted_code import OPERATIONS, asked, documents_for

DOCUMENTS = 2
"""Accepted documents for each operation with its options."""
SCHEMAS = 3
"""Schemas for each document."""
POOL = 40
"""Documents that are drawn once, for drawing one takes longer than all that is done with it."""
INSIDE = (None, None, None, None, None, None, "", "/a", "/items/*")
WHERE = (
    {"path": "/a", "exists": True},
    {"path": "/a", "exists": False},
    {"path": "/type", "in": ["text", "a"]},
    [{"path": "/score", "not_equals": 1}, {"path": "/name", "equals": "score"}],
)


def collected(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """The same examples of a strategy every time."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


@cache
def pool(name: str) -> list[Any]:
    """Documents for an operation; those for operations of one kind are the same."""
    strategy = documents_for(name)
    first = next((other for other in OPERATIONS if documents_for(other) is strategy), name)
    return collected(strategy, POOL) if first == name else pool(first)


def ran(operations: Sequence[Operation], document: Any) -> Any:
    """The document after the operations, or `REFUSED`."""
    try:
        return run(operations, document, asked())
    except Refusal:
        return REFUSED


def smaller(operations: Sequence[Operation], document: Any, dice: random.Random) -> Any:
    """The document without most of what the operations can do without."""
    for name in list(document) if isinstance(document, dict) else ():
        less = {other: value for other, value in document.items() if other != name}
        if dice.random() < 0.8 and ran(operations, less) is not REFUSED:
            document = less
    return document


def check(operations: list[Any], documents: list[Any], seed: int) -> int:
    """Holds the effect of operations against some documents that they accept; says how many those were."""
    parsed, dice = parse(operations), random.Random(seed)
    accepted = 0
    for document in dice.sample(documents, len(documents)):
        if accepted == DOCUMENTS:
            break
        if ran(parsed, document) is REFUSED:
            continue
        accepted += 1
        less = smaller(parsed, document, dice)
        made = ran(parsed, less)
        for index in range(SCHEMAS):
            schema = Forgetting(dice).schema(less)
            if index == 0 and isinstance(schema, dict) and not equal(made, less):
                # What comes out was ruled out before: an effect that still says so took a change for none.
                schema["not"] = {"const": made}
            if jsonschema_rs.is_valid(schema, less):  # integers beyond 64 bits are not always equal to themselves
                effect = after(parsed, schema)
                assert jsonschema_rs.is_valid(effect, made), f"{made!r} under {effect!r}, which comes of {schema!r}"
    return accepted


def searched(name: str, examples: int) -> None:
    dice, accepted = random.Random(name), 0
    for options in collected(OPERATIONS[name], examples):
        operations: list[Any] = [{name: options}]
        inside = dice.choice(INSIDE)
        if inside is not None:
            operations = [{"in": inside, "do": operations, "on_missing": dice.choice(("fail", "skip"))}]
            if dice.random() < 0.3:
                operations[0]["where"] = dice.choice(WHERE)
        accepted += check(operations, pool(name), dice.randrange(2**32))
    # A `where` turns most documents away, and of some operations few have what they want.
    assert accepted >= examples // 20, f"only {accepted} documents were accepted"


def test_every_operation_is_searched_but_those_that_leave_documents_alone() -> None:
    assert {*OPERATIONS, *HEAD_EDITS, "in"} == set(NAMES)


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_an_operation_makes_is_what_its_effect_allows(name: str) -> None:
    searched(name, 16)


@pytest.mark.slow
@TIMEOUT
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_an_operation_makes_is_what_its_effect_allows_in_a_long_search(name: str) -> None:
    searched(name, 80 * LONGER)


def chained(examples: int) -> None:
    dice = random.Random(examples)
    options = {name: collected(strategy, 20) for name, strategy in OPERATIONS.items()}
    documents = [document for name in OPERATIONS for document in pool(name)[:10]]
    for _ in range(examples):
        operations: list[Any] = [{name: dice.choice(options[name])} for name in dice.choices(list(options), k=3)]
        path = dice.choice(["", "/items/*", "/items/[name=score]", "/a"])
        operations.insert(1, {"in": path, "do": operations[:1], "on_missing": "skip"})
        check(operations, documents, dice.randrange(2**32))


@pytest.mark.slow
@TIMEOUT
def test_what_a_chain_makes_is_what_its_effects_allow() -> None:
    chained(100 * LONGER)
