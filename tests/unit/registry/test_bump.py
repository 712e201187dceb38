from __future__ import annotations

import pytest

from stepdown.registry.bump import Contracts, judge, neighbours
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.versions import Version
from tests.kit.model_registry import ANSWER, MORE, QUESTION, WIDER


def version(text: str) -> Version:
    return Version.parse(text)


def contract(schema: object) -> Contract:
    return Contract(schema, "json-schema", "contract.json")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("new", "below", "above"),
    [
        ("1.0.0", None, "1.2.0"),
        ("1.3.0", "1.2.0", "2.0.0"),
        ("2.0.1", "2.0.0", None),
        ("3.0.0-rc.3", "2.0.0", None),
        ("3.0.0", "2.0.0", None),
        ("1.3.0-beta", "1.2.0", None),
    ],
)
def test_the_neighbours_of_a_version_are_releases(new: str, below: str | None, above: str | None) -> None:
    there = [version(text) for text in ("1.2.0", "1.9.0-alpha", "2.0.0", "3.0.0-rc.2")]
    found = neighbours(version(new), there)
    assert [str(one) if one else None for one in found] == [below, above]


@pytest.mark.parametrize(
    ("before", "after", "needed"), [(ANSWER, ANSWER, "none"), (ANSWER, MORE, "minor"), (ANSWER, WIDER, "major")]
)
def test_the_output_is_compared_as_an_answer(before: object, after: object, needed: str) -> None:
    judged = judge(
        version("1.0.0"), {"output": contract(before)}, version("1.1.0"), {"output": contract(after)}, "strict"
    )
    assert judged.needed == needed
    assert judged.holds is (needed != "major")
    assert bool(judged.least) is (needed == "major")
    assert all(change.startswith(("MAJOR output", "MINOR output")) for change in judged.changes)


def test_the_input_is_compared_as_a_question() -> None:
    looser = {**QUESTION, "required": []}

    def of(question: object) -> Contracts:
        return {"output": contract(ANSWER), "input": contract(question)}

    assert judge(version("1.0.0"), of(QUESTION), version("1.1.0"), of(looser), "strict").holds
    stricter = judge(version("1.0.0"), of(looser), version("1.1.0"), of(QUESTION), "strict")
    assert not stricter.holds
    assert "input" in stricter.least[0]
    assert stricter.advice == "2.0.0 or later would do"
    assert str(stricter) == "1.0.0 to 1.1.0 is a MINOR step; the contracts need MAJOR"


def test_who_tolerates_unknown_members_needs_smaller_steps() -> None:
    closed = [{**schema, "additionalProperties": False} for schema in (ANSWER, MORE)]
    before, after = ({"output": contract(schema)} for schema in closed)
    assert judge(version("1.0.0"), before, version("1.1.0"), after, "strict").needed == "major"
    assert judge(version("1.0.0"), before, version("1.1.0"), after, "tolerant").needed == "minor"


def test_a_contract_that_comes_or_goes_is_told_and_needs_nothing() -> None:
    both: Contracts = {"output": contract(ANSWER), "input": contract(QUESTION)}
    one: Contracts = {"output": contract(ANSWER)}
    come = judge(version("1.0.0"), one, version("1.0.1"), both, "strict")
    gone = judge(version("1.0.0"), both, version("1.0.1"), one, "strict")
    assert come.changes == ("input: its contract is declared for the first time",)
    assert gone.changes == ("input: its contract is no longer declared",)
    assert come.holds
    assert gone.holds
