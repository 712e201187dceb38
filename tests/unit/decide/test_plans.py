"""What follows where the assigned version cannot serve: the list of `instead`, the split, any of the route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.errors import NoReadyVersionError
from tests.kit import specs
from tests.kit.request import request

VERSIONS = ("1.0.0", "1.1.0", "2.0.0", "3.0.0")


def route(split: dict[str, int], *others: spec.Rule, **options: Any) -> Route:
    """Every version gives the shape of 1.0.0; 3.0.0 gives that of 2.0.0 too, and 1.1.0 and 2.0.0 nothing else."""
    chains = [spec.Chain(served=served, pinned="1.0.0", steps=()) for served in VERSIONS[1:]]
    chains.append(spec.Chain(served="3.0.0", pinned="2.0.0", steps=()))
    model = specs.model(*(specs.version(version, 1) for version in VERSIONS), chains=tuple(chains))
    rule = spec.Rule(name="all", split=tuple(split.items()), **options)
    key = (spec.KeySource(header="x-user-id"),)
    return compile_snapshot(specs.snapshot(specs.route({}, rules=(rule, *others), key=key), models=[model])).routes[0]


def choose(one: Route, user: str | int = 1, *, down: Sequence[str] = (), **fields: str) -> Choice:
    ready = [version not in down for version in VERSIONS]
    return one.choose(request(x_user_id=str(user), **fields), (), None, "", ready, lambda: 0)


def test_a_version_that_is_down_gives_way_by_the_list_in_its_order() -> None:
    one = route({"2.0.0": 50, "3.0.0": 50}, instead=("1.1.0", "1.0.0"))
    down = ["2.0.0"]
    seen = Counter(
        (choice.assigned, choice.served, choice.reason) for choice in (choose(one, n, down=down) for n in range(200))
    )
    assert set(seen) == {("2.0.0", "1.1.0", "unhealthy"), ("3.0.0", "3.0.0", "split")}
    assert {choose(one, n, down=["2.0.0", "1.1.0"]).served for n in range(200)} == {"1.0.0", "3.0.0"}


def test_the_list_gives_the_clients_own_shape_and_the_assigned_version_is_charged() -> None:
    choice = choose(route({"3.0.0": 1}, instead=("2.0.0",)), down=["3.0.0"])
    assert (choice.pinned, choice.assigned, choice.served) == ("1.0.0", "3.0.0", "2.0.0")
    assert choice.chain is not None
    assert (choice.chain.served, choice.chain.pinned) == ("2.0.0", "1.0.0")
    assert choice.evidence


def test_a_listed_version_that_does_not_reach_the_shape_is_left_out() -> None:
    one = route({"2.0.0": 1}, instead=("1.1.0", "3.0.0"))
    assert choose(one, down=["2.0.0"], x_model_version="2.0.0").served == "3.0.0"
    assert choose(one, down=["2.0.0"]).served == "1.1.0"


def test_when_all_of_the_list_is_down_any_other_takes_over() -> None:
    one = route({"2.0.0": 50, "3.0.0": 50}, instead=("1.1.0",))
    assert {choose(one, n, down=["2.0.0", "1.1.0"]).served for n in range(50)} == {"3.0.0"}
    other = spec.Rule(name="some", split=(("1.0.0", 1),))
    assert choose(route({"2.0.0": 1}, other, instead=("1.1.0",)), down=["2.0.0", "1.1.0"]).served == "1.0.0"


def test_the_error_names_the_list_when_nothing_is_up() -> None:
    with pytest.raises(NoReadyVersionError, match=r"1\.0\.0 can be had from 2\.0\.0, 1\.1\.0, and none of them is up"):
        choose(route({"2.0.0": 1}, instead=("1.1.0",)), down=VERSIONS)


def test_those_whom_a_pin_keeps_from_their_version_are_shared_out_by_weight_before_the_list() -> None:
    one = route({"1.1.0": 50, "2.0.0": 50}, instead=("3.0.0",))
    forced = [choose(one, n, x_model_version="2.0.0") for n in range(100)]
    assert {(c.assigned, c.served, c.reason) for c in forced} == {
        ("1.1.0", "2.0.0", "pin-forced"),
        ("2.0.0", "2.0.0", "split"),
    }
    left = [choose(one, n, down=["2.0.0"], x_model_version="2.0.0") for n in range(100)]
    assert {(c.assigned, c.served, c.reason) for c in left} == {
        ("1.1.0", "3.0.0", "pin-forced"),
        ("2.0.0", "3.0.0", "unhealthy"),
    }


def test_a_pin_may_be_kept_by_what_the_list_names_alone() -> None:
    choice = choose(route({"1.1.0": 1}, instead=("3.0.0",)), x_model_version="2.0.0")
    assert (choice.pinned, choice.served, choice.reason) == ("2.0.0", "3.0.0", "pin-forced")


def test_requests_in_turn_have_exact_shares_and_are_no_evidence() -> None:
    one = route({"1.0.0": 3, "2.0.0": 1}, smooth=True)
    turns = iter(range(100, 140))
    choices = [one.choose(request(), (), None, "", [True] * 4, lambda _rotation: next(turns)) for _ in range(40)]
    assert Counter(choice.served for choice in choices) == {"1.0.0": 30, "2.0.0": 10}
    assert [choice.served for choice in choices[:4]].count("2.0.0") == 1
    assert not any(choice.evidence for choice in choices)
    assert choose(one).evidence


def test_requests_in_turn_whose_version_is_down_are_shared_out_among_the_others() -> None:
    one = route({"1.0.0": 1, "1.1.0": 1, "2.0.0": 1}, smooth=True)
    turns = iter(range(300))
    ready = [True, False, True, True]
    choices = [one.choose(request(), (), None, "", ready, lambda _rotation: next(turns)) for _ in range(300)]
    taken = Counter(choice.served for choice in choices if choice.assigned == "1.1.0")
    assert set(taken) == {"1.0.0", "2.0.0"}
    assert abs(taken["1.0.0"] - 50) <= 2
