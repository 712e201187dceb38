"""What is called a contradiction between two contracts is one: no document of both has the place."""

import random

import jsonschema_rs
import pytest

from stepdown_adapters.effects.contradictions import contradictions
from stepdown_adapters.places import select
from tests.kit.longer import LONGER, TIMEOUT
from tests.kit.schemas import Forgetting
from tests.property.adapters.test_effects import pool

KINDS = ("move", "sigmoid", "quantize", "filter")
"""Operations whose documents are of different kinds."""


def searched(name: str, pairs: int) -> None:
    dice = random.Random(name)
    for document in pool(name):
        for _ in range(pairs):
            one, other = (Forgetting(dice).schema(document) for _ in range(2))
            if not all(jsonschema_rs.is_valid(schema, document) for schema in (one, other)):
                continue
            for found in contradictions(one, other):
                if not found.sentence.startswith("means"):
                    there = select([document], 0, found.path, fails=False)
                    assert not there, f"{found} between {one!r} and {other!r}, and there is {document!r}"


@pytest.mark.parametrize("name", KINDS)
def test_a_document_of_both_contracts_has_no_place_that_contradicts(name: str) -> None:
    searched(name, 3)


@pytest.mark.slow
@TIMEOUT
@pytest.mark.parametrize("name", KINDS)
def test_a_document_of_both_contracts_has_no_place_that_contradicts_in_a_long_search(name: str) -> None:
    searched(name, 20 * LONGER)
