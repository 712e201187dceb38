from __future__ import annotations

from typing import Any

from stepdown_adapters.proof.questions import Sample
from stepdown_adapters.proof.shrinking import MOST_TRIES, shrunk


def test_only_what_makes_it_fail_is_left() -> None:
    def remains(sample: Sample) -> bool:
        return isinstance(sample.document, dict) and isinstance(sample.document.get("note"), int)

    big = {"name": "x" * 50, "items": [1, 2, {"a": [3.25]}], "note": 123456}
    assert shrunk(Sample(big), remains).document == {"note": 0}


def test_arrays_and_numbers_become_as_small_as_they_may() -> None:
    def remains(sample: Sample) -> bool:
        return (
            isinstance(sample.document, list) and sum(isinstance(one, int) and one > 9 for one in sample.document) > 1
        )

    assert shrunk(Sample([*range(40), "a", None]), remains).document == [10, 10]


def test_the_request_is_made_smaller_as_well() -> None:
    def remains(sample: Sample) -> bool:
        return bool(sample.request.get("k")) if isinstance(sample.request, dict) else False

    small = shrunk(Sample({"a": 1}, {"k": "long text", "other": [1, 2]}, True), remains)
    assert (small.document, small.request) == (0, {"k": 1})


def test_it_ends_however_hard_it_is() -> None:
    tries = 0

    def remains(sample: Sample) -> bool:
        nonlocal tries
        tries += 1
        return False

    huge: list[Any] = [{"a": [1.5, "text", {"b": None}]}] * 2000
    assert shrunk(Sample(huge), remains).document == huge
    assert tries <= MOST_TRIES
