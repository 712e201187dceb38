"""Documents drawn from the schemas of the containment vectors, held against what inclusion says of each pair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.proof.drawing.dice import Dice
from stepdown_adapters.proof.drawing.documents import Documents
from stepdown_adapters.proof.inclusion import Excluded, Included, included

VECTORS = Path(__file__).parents[6] / "shared" / "vectors" / "containment-draft2020-12.jsonl"
EACH = 40


def pairs(step: int) -> Iterator[tuple[Any, Any]]:
    if not VECTORS.exists():
        pytest.skip("the containment vectors are not beside the repository")
    with VECTORS.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % step == 0 and "$ref" not in line.replace('"$ref": "#', ""):
                case = json.loads(line)
                yield case["schema1"], case["schema2"]
                yield case["schema2"], case["schema1"]


def searched(step: int) -> tuple[int, int]:
    """How many exclusions there were, and how many of them a drawn document shows."""
    excluded = shown = 0
    for inner, outer in pairs(step):
        first, second = jsonschema_rs.validator_for(inner), jsonschema_rs.validator_for(outer)
        names = outer.get("properties", ()) if isinstance(outer, dict) else ()
        documents = Documents(inner, Dice(1), names)
        drawn = [one[0] for one in (documents.draw() for _ in range(EACH)) if one is not None]
        breaks = [one for one in drawn if first.is_valid(one) and not second.is_valid(one)]
        answer = included(inner, outer, budget=3000)
        assert not (isinstance(answer, Included) and breaks), f"{breaks[0]!r} of {inner!r} under {outer!r}"
        excluded += isinstance(answer, Excluded)
        shown += isinstance(answer, Excluded) and bool(breaks)
    return excluded, shown


def test_no_drawn_document_breaks_what_is_proved_and_most_exclusions_are_drawn() -> None:
    excluded, shown = searched(40)
    assert shown >= 0.9 * excluded > 20


@pytest.mark.slow
def test_the_same_of_many_more_pairs() -> None:
    excluded, shown = searched(4)
    assert shown >= 0.9 * excluded > 200
