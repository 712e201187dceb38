from __future__ import annotations

import pytest

from stepdown.gate.facts import Facts
from stepdown.gate.policy import Policy
from tests.kit.gate import LOGIT, judged, state, told, version

SHAPE = version("1.0.0", has_endpoints=False)
NEW = version("2.0.0", LOGIT)
DOWN = [("2.0.0", "1.0.0")]
WHY = {("2.0.0", "1.0.0"): "the embedding space differs"}
GOOD = state(SHAPE, NEW, steps=DOWN)


# --- version-removed --------------------------------------------------------------------------------------------------


def test_a_version_that_goes_without_a_sunset_fails() -> None:
    assert told(judged(state(NEW), GOOD), "version-removed") == [
        "error 1.0.0: 1.0.0 is no longer declared and no sunset was announced"
    ]
    assert told(judged(GOOD, GOOD), "version-removed") == []


def test_a_version_may_go_on_the_day_of_its_sunset_and_not_before() -> None:
    def base(sunset: str) -> Facts:
        return state(version("1.0.0", has_endpoints=False, sunset=sunset), NEW, steps=DOWN)

    assert told(judged(state(NEW), base("2026-12-01")), "version-removed") == []
    assert told(judged(state(NEW), base("2026-12-02")), "version-removed") == [
        "error 1.0.0: 1.0.0 is no longer declared before its sunset (2026-12-02)"
    ]


def test_retiring_is_removing() -> None:
    head = state(version("1.0.0", has_endpoints=False, retired=True), NEW, steps=DOWN)
    assert told(judged(head, GOOD), "version-removed") == ["error 1.0.0: 1.0.0 is retired and no sunset was announced"]
    assert told(judged(head, head), "version-removed") == []


def test_a_policy_may_allow_removing_early() -> None:
    found = judged(state(NEW), GOOD, Policy(remove_before_sunset=True))
    assert [line.split(":")[0] for line in told(found, "version-removed")] == ["warning 1.0.0"]


def test_with_a_model_all_its_versions_go() -> None:
    assert len(told(judged(Facts(), GOOD), "version-removed")) == 2


# --- path-lost --------------------------------------------------------------------------------------------------------


def test_an_adapter_that_is_gone_takes_the_way_of_a_supported_version_with_it() -> None:
    (found,) = told(judged(state(SHAPE, NEW), GOOD), "path-lost")
    assert found == "error 1.0.0: 1.0.0 can no longer be had on the route r: 2.0.0 -> 1.0.0: no adapter is declared"
    assert told(judged(GOOD, GOOD), "path-lost") == []


def test_a_sunset_that_the_same_change_brings_forward_excuses_nothing() -> None:
    ended = version("1.0.0", has_endpoints=False, sunset="2026-11-30")
    assert told(judged(state(ended, NEW), GOOD), "path-lost")
    assert told(judged(state(ended, NEW), state(ended, NEW, steps=DOWN)), "path-lost") == []


def test_nothing_is_lost_that_could_not_be_had() -> None:
    assert told(judged(state(SHAPE, NEW), state(SHAPE, NEW)), "path-lost") == []


def test_a_route_that_no_longer_names_the_server_loses_the_way() -> None:
    old = version("1.0.0")
    base = state(old, NEW, routes={"r": ["1.0.0", "2.0.0"]})
    (found,) = told(judged(state(old, NEW, routes={"r": ["2.0.0"]}), base), "path-lost")
    assert "can no longer be had on the route r" in found
    assert told(judged(state(old, NEW, routes={"r": ["2.0.0", "1.0.0"]}), base), "path-lost") == []


def test_a_route_under_another_name_is_as_good() -> None:
    assert told(judged(state(SHAPE, NEW, steps=DOWN, routes={"other": ["2.0.0"]}), GOOD), "path-lost") == []
    (found, _) = told(judged(state(SHAPE, NEW, routes={"other": ["2.0.0"]}, steps=[]), GOOD), "path-lost") * 2
    assert "the route r, which is gone, and no other gives it" in found


def test_without_any_route_nothing_can_be_had() -> None:
    lost = told(judged(state(SHAPE, NEW, steps=DOWN, routes={}), GOOD), "path-lost")
    assert len(lost) == 2
    assert all(line.endswith("and no route leads to m any more") for line in lost)


def test_a_way_that_a_refusal_took_is_told_with_its_reason() -> None:
    (found,) = told(judged(state(SHAPE, NEW, refusals=WHY), GOOD), "path-lost")
    assert found.endswith("2.0.0 -> 1.0.0 is refused: the embedding space differs")


# --- promise-broken ---------------------------------------------------------------------------------------------------


def test_every_server_of_a_route_gives_the_default_version() -> None:
    head = state(version("1.0.0"), NEW, promised=["1.0.0"])
    assert told(judged(head), "promise-broken") == [
        "error 1.0.0: on the route r 2.0.0 cannot answer as 1.0.0 (the default version): 2.0.0 -> 1.0.0: no adapter is "
        "declared"
    ]
    assert told(judged(state(version("1.0.0"), NEW, promised=["1.0.0"], steps=DOWN)), "promise-broken") == []


def test_an_older_server_cannot_give_a_newer_default() -> None:
    (found,) = told(judged(state(version("1.0.0"), NEW, promised=["2.0.0"], steps=DOWN)), "promise-broken")
    assert found.endswith("it is older, and adapters step down only")


@pytest.mark.parametrize("default", ["1.0.0", "2.0.0"])
def test_a_refusal_excuses_where_another_server_keeps_the_promise(default: str) -> None:
    both = state(version("1.0.0"), NEW, promised=[default], refusals=WHY)
    assert told(judged(both), "promise-broken") == []


def test_a_refusal_excuses_nobody_where_no_other_server_keeps_the_promise() -> None:
    alone = state(version("1.0.0"), NEW, promised=["1.0.0"], refusals=WHY, routes={"r": ["2.0.0"]})
    (found,) = told(judged(alone), "promise-broken")
    assert found.endswith("2.0.0 -> 1.0.0 is refused: the embedding space differs")


# --- refusal-unserved -------------------------------------------------------------------------------------------------


def test_a_refused_shape_needs_an_old_server() -> None:
    (found,) = [one for one in judged(state(SHAPE, NEW, refusals=WHY)) if one.rule == "refusal-unserved"]
    assert found.fails
    assert found.place.line == 40
    assert found.sentence == (
        "2.0.0 -> 1.0.0 is refused (the embedding space differs), so that clients of 1.0.0 need an old server, and the "
        "route r has no server left that could"
    )
    assert found.fix.startswith("give 1.0.0 endpoints, and name")


def test_an_old_server_has_to_be_named_by_every_route() -> None:
    routes = {"both": ["1.0.0", "2.0.0"], "new": ["2.0.0"]}
    (found,) = told(judged(state(version("1.0.0"), NEW, refusals=WHY, routes=routes)), "refusal-unserved")
    assert found.endswith("the route new does not name 1.0.0, whose servers could")
    routes["new"].append("1.0.0")
    assert told(judged(state(version("1.0.0"), NEW, refusals=WHY, routes=routes)), "refusal-unserved") == []


def test_what_lies_behind_a_refused_shape_needs_a_server_too() -> None:
    older = version("0.9.0", has_endpoints=False)
    head = state(older, SHAPE, NEW, refusals=WHY, steps=[("1.0.0", "0.9.0")])
    assert [line.split(":")[0] for line in told(judged(head), "refusal-unserved")] == ["error 0.9.0", "error 1.0.0"]


def test_a_refused_shape_that_is_no_longer_supported_needs_nobody() -> None:
    ended = version("1.0.0", has_endpoints=False, sunset="2026-12-01")
    assert told(judged(state(ended, NEW, refusals=WHY)), "refusal-unserved") == []


def test_a_route_that_pins_servers_promises_no_shapes() -> None:
    assert told(judged(state(SHAPE, NEW, refusals=WHY, pins_shapes=False)), "refusal-unserved") == []


def test_a_shape_that_is_reached_by_another_way_is_not_refused() -> None:
    middle = version("1.1.0", has_endpoints=False)
    steps = [("2.0.0", "1.0.0"), ("1.1.0", "1.0.0")]
    head = state(
        SHAPE, middle, NEW, version("3.0.0"), steps=steps, refusals={("2.0.0", "1.1.0"): "x"}, routes={"r": ["3.0.0"]}
    )
    assert [line.split(":")[0] for line in told(judged(head), "refusal-unserved")] == ["error 1.1.0"]
