"""Each way that is timed decides what its name says."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.decisions import files, ways
from stepdown.decide.choice import Choice


@pytest.fixture(scope="module")
def decisions() -> dict[str, list[Choice]]:
    """What each way chose for 400 requests."""
    made = ways.of_decisions()
    made.pop(ways.HEAD_ALONE)
    return {name: [choice for _ in range(400) if isinstance(choice := way(), Choice)] for name, way in made.items()}


def test_every_way_makes_choices(decisions: dict[str, list[Choice]]) -> None:
    assert {name: len(choices) for name, choices in decisions.items()} == dict.fromkeys(ways.NAMES, 400)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (ways.NO_SPLIT, "none"),
        ("split without a key, drawn", "none"),
        ("split without a key, in turn", "none"),
        (ways.HEADER_KEY, "header:x-user-id"),
        ("split by a cookie's key", "cookie:uid"),
        ("split by a cookie that Stepdown sets", "cookie:sd_uid"),
    ],
)
def test_the_key_is_found_where_the_name_says(decisions: dict[str, list[Choice]], name: str, source: str) -> None:
    assert {choice.key_source for choice in decisions[name]} == {source}


def test_splits_split_and_turns_are_exact(decisions: dict[str, list[Choice]]) -> None:
    served = {name: Counter(choice.served for choice in choices) for name, choices in decisions.items()}
    assert served[ways.NO_SPLIT] == {"1.0.0": 400}
    assert served["split without a key, in turn"] == {"1.0.0": 380, "1.1.0": 20}
    assert set(served[ways.HEADER_KEY]) == {"1.0.0", "1.1.0"}


def test_the_last_of_ten_rules_holds(decisions: dict[str, list[Choice]]) -> None:
    assert {choice.rule for choice in decisions[ways.TEN_RULES]} == {"all"}


def test_as_many_routes_are_found_as_are_asked() -> None:
    snapshot = files.many(20)
    found = [snapshot.match(ways.head(f"/route-{number}", number)) for number in range(20)]
    assert [match[0].name for match in found if match is not None] == [f"route-{number}" for number in range(20)]
