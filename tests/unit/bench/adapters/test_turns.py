"""Ways are timed in turns, so that what disturbs one disturbs all."""

import gc

import pytest

from bench.adapters.turns import in_turns


def test_each_way_has_one_slice_in_every_round() -> None:
    called: list[str] = []
    costs = in_turns({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, rounds=3, at_least=0)
    assert called[2:] == ["a", "b"] * 3  # before them, one call of each finds out how many calls fill a slice
    assert costs.keys() == {"a", "b"}


def test_a_slice_has_as_many_calls_as_fill_it() -> None:
    called: list[None] = []
    in_turns({"a": lambda: called.append(None)}, rounds=1, at_least=0.0005)
    assert len(called) > 8


def test_the_least_is_no_more_than_the_median() -> None:
    cost = in_turns({"a": lambda: sum(range(100))}, rounds=9, at_least=0)["a"]
    assert 0 < cost.least <= cost.median


def test_a_way_that_fails_leaves_the_garbage_collector_as_it_was() -> None:
    calls = iter(range(2))
    frozen = gc.get_freeze_count()
    with pytest.raises(StopIteration):
        in_turns({"a": lambda: next(calls)}, rounds=9, at_least=0)
    assert gc.get_freeze_count() == frozen == 0
