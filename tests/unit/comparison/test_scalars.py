"""Similarity of texts."""

from __future__ import annotations

from random import Random

import pytest

from stepdown.comparison.scalars import CHUNK, kind_of, similarity


@pytest.mark.parametrize(
    ("served", "candidate", "expected"),
    [("", "", 1.0), ("abc", "", 0.0), ("abc", "abc", 1.0), ("abcd", "abxd", 0.75), ("abc", "xyz", 0.0)],
)
def test_similarity_is_the_share_of_characters_that_stay(served: str, candidate: str, expected: float) -> None:
    assert similarity(served, candidate) == pytest.approx(expected)
    assert similarity(candidate, served) == pytest.approx(expected)


def test_a_word_that_was_put_into_a_long_text_changes_little() -> None:
    dice = Random(1)
    text = "".join(dice.choice("abcdefgh ") for _ in range(50_000))
    assert similarity(text, text[:20_000] + "another" + text[20_000:]) > 0.999
    assert similarity(text, text) == 1.0


def test_long_texts_are_not_found_more_similar_than_they_are() -> None:
    dice = Random(2)
    first = "".join(dice.choice("ab") for _ in range(CHUNK + 500))
    second = "x" + first[1:4000] + first[4100:-1] + "y"
    exact = 1 - (1 + 1 + 100 + 1 + 1) / (len(first) + len(second))
    assert 0.5 < similarity(first, second) <= exact


def test_a_mebibyte_is_compared_in_chunks() -> None:
    assert similarity("a" * (1 << 20), "b" * (1 << 20)) == 0.0


def test_what_json_does_not_have_is_taken_for_an_object() -> None:
    assert kind_of(()) == "object"
