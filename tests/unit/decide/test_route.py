"""Choosing: pin, rule, assignment, service; and every way in which it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.slots import slot_of
from stepdown.decide.snapshot import Route, Snapshot, compile_snapshot
from stepdown.decide.when import FieldIs
from stepdown.errors import (
    BadPinError,
    NoReadyVersionError,
    NoRouteError,
    RetiredVersionError,
    UnreachableShapeError,
)
from tests.kit import specs
from tests.kit.request import Request, request

PROBED = spec.HealthCheck(path="/ready", interval=2.5, rise=3)


def chain(served: str, *path: str) -> spec.Chain:
    """From `served` over the versions of `path`, the last of which is the pinned one."""
    hops = zip((served, *path), path, strict=False)
    return spec.Chain(
        served=served, pinned=path[-1], steps=tuple(spec.Step(source=one, target=other) for one, other in hops)
    )


def churn(**options: Any) -> spec.Model:
    """1.0.0 is a shape only; 1.1.0, 2.0.0 and 3.0.0 are served; nothing leads down from 3.0.0 to 1.x."""
    versions = (
        specs.version("0.9.0", retired=True, link="https://example.com/move"),
        specs.version("1.0.0"),
        specs.version("1.1.0", 1, health=PROBED),
        specs.version("2.0.0", 2, health=PROBED),
        specs.version("3.0.0", 3),
        specs.version("4.0.0"),
    )
    chains = (
        chain("1.1.0", "1.0.0"),
        chain("2.0.0", "1.1.0"),
        chain("2.0.0", "1.1.0", "1.0.0"),
        chain("3.0.0", "2.0.0"),
    )
    options.setdefault("default", "1.1.0")
    return specs.model(*versions, chains=chains, **options)


def compiled(*routes: spec.Route, model: spec.Model | None = None) -> Snapshot:
    return compile_snapshot(specs.snapshot(*routes, models=[model or churn()]))


def one_route(split: dict[str, int], *, model: spec.Model | None = None, **options: Any) -> Route:
    return compiled(specs.route(split, **options), model=model).routes[0]


def choose(
    route: Route,
    asked: Request | None = None,
    *params: bytes,
    body: bytes | None = None,
    down: Sequence[str] = (),
    drawn: int = 9999,
) -> Choice:
    ready = [version not in down for version in route.model.versions]
    return route.choose(asked or request(), params, body, "10.0.0.1", ready, lambda: drawn)


KEYED = {"key": (spec.KeySource(header="x-user-id"), spec.KeySource(cookie="uid"), spec.KeySource(json="/user"))}


def user_in(route: Route, arm: int, label: str = "header:x-user-id") -> str:
    """A user whom the first rule's split gives to its version number `arm`."""
    rule = route.rules[0]
    for number in range(100_000):
        if rule.table[slot_of(f"{rule.salt}:{label}:{number}".encode())] == arm:
            return str(number)
    raise AssertionError("the split gives nobody to this version")


def test_without_a_pin_the_client_gets_the_default_shape_from_the_assigned_version() -> None:
    route = one_route({"1.1.0": 50, "2.0.0": 50}, **KEYED)
    choice = choose(route, request(x_user_id=user_in(route, 1)))
    assert (choice.pinned, choice.assigned, choice.served, choice.reason) == ("1.1.0", "2.0.0", "2.0.0", "split")
    assert choice.chain is not None
    assert [(step.source, step.target) for step in choice.chain.steps] == [("2.0.0", "1.1.0")]
    assert (choice.route, choice.rule, choice.served_index) == ("r", "all", 3)
    native = choose(route, request(x_user_id=user_in(route, 0)))
    assert (native.served, native.chain) == ("1.1.0", None)


def test_the_same_decision_is_the_same_object() -> None:
    route = one_route({"1.1.0": 50, "2.0.0": 50}, **KEYED)
    assert choose(route, drawn=7) is choose(route, drawn=8)
    assert choose(route, drawn=7) is not choose(route, drawn=9000)
    assert choose(route, drawn=7, down=["2.0.0"]) is choose(route, drawn=8, down=["2.0.0"])
    assert choose(route, request(x_model_version="1.1"), drawn=7) is choose(route, drawn=7)
    assert choose(route, request(x_model_version="<2"), drawn=7) is choose(route, drawn=7)
    choice = choose(route)
    assert {choice: 1}[choice] == 1


def test_the_first_source_that_has_a_key_makes_the_slot() -> None:
    route = one_route({"1.1.0": 50, "2.0.0": 50}, **KEYED)
    assert choose(route, request(x_user_id="7", cookie="uid=8")).key_source == "header:x-user-id"
    assert choose(route, request(x_user_id="", cookie="uid=8")).key_source == "cookie:uid"
    assert choose(route, request(cookie="uid="), body=b'{"user": 7}').key_source == "json:/user"
    assert choose(route, request(), body=b"no json").key_source == "none"
    assert one_route({"1.1.0": 1}, key=(spec.KeySource(client_ip=True),)).labels == ("client_ip",)


def test_a_headers_value_is_another_key_than_the_same_value_of_a_cookie() -> None:
    route = one_route({"1.1.0": 50, "2.0.0": 50}, **KEYED)
    by_header = [choose(route, request(x_user_id=str(number))).served for number in range(200)]
    by_cookie = [choose(route, request(cookie=f"uid={number}")).served for number in range(200)]
    assert 60 < sum(one == other for one, other in zip(by_header, by_cookie, strict=True)) < 140


def test_without_a_key_the_draw_decides() -> None:
    route = one_route({"1.1.0": 95, "2.0.0": 5})
    assert choose(route, drawn=499).served == "2.0.0"
    assert choose(route, drawn=500).served == "1.1.0"
    assert choose(route).key_source == "none"


def test_a_key_makes_no_draw() -> None:
    route = one_route({"1.1.0": 95, "2.0.0": 5}, **KEYED)

    def refuse() -> int:
        raise AssertionError("drawn")

    assert route.choose(request(x_user_id="7"), (), None, "", [True] * 6, refuse).reason == "split"


def test_only_a_route_with_a_json_key_needs_the_body() -> None:
    assert one_route({"1.1.0": 1}, **KEYED).needs_body
    assert not one_route({"1.1.0": 1}, key=(spec.KeySource(header="x"),)).needs_body


# --- pins -----------------------------------------------------------------------------------------------------------

BY_PATH: dict[str, Any] = {"match": spec.Match(path="/m/{version}/infer"), "version_param": "version"}
CLIENT = spec.ClientEntry(
    match=spec.Match(headers=(spec.HeaderMatch(name="x-api-key", equals="old"),)), version="1.0.0"
)


def test_the_header_goes_before_the_path_the_path_before_the_clients_and_these_before_the_default() -> None:
    route = one_route({"2.0.0": 1}, model=churn(clients=(CLIENT,), default="2.0.0"), **BY_PATH)
    assert choose(route, request(x_model_version="1.1.0", x_api_key="old"), b"1.0.0").pinned == "1.1.0"
    assert choose(route, request(x_api_key="old"), b"v1.1").pinned == "1.1.0"
    by_client = one_route({"2.0.0": 1}, model=churn(clients=(CLIENT,), default="2.0.0"))
    assert choose(by_client, request(x_api_key="old")).pinned == "1.0.0"
    assert choose(by_client, request(x_api_key="new")).pinned == "2.0.0"


def test_a_header_about_other_models_leaves_the_word_to_the_path() -> None:
    route = one_route({"2.0.0": 1}, **BY_PATH)
    assert choose(route, request(x_model_version="fraud=9"), b"1.0.0").pinned == "1.0.0"
    assert choose(route, request(x_model_version="fraud=9"), b"fraud=9").pinned == "1.1.0"


def test_a_pin_that_is_no_version_is_refused_with_400_wherever_it_stands() -> None:
    route = one_route({"2.0.0": 1}, **BY_PATH)
    with pytest.raises(BadPinError):
        choose(route, request(x_model_version="banana"), b"1")
    with pytest.raises(BadPinError):
        choose(route, request(), b"1%2e0")


@pytest.mark.parametrize(
    ("split", "asked", "pinned"),
    [
        ({"1.1.0": 1}, "1", "1.1.0"),
        ({"1.1.0": 1}, "*", "1.1.0"),
        ({"2.0.0": 1}, "*", "2.0.0"),
        ({"1.1.0": 1, "2.0.0": 0}, "*", "1.1.0"),
        ({"1.1.0": 1, "2.0.0": 0}, "2", "2.0.0"),
        ({"2.0.0": 1}, "<1.1", "1.0.0"),
        ({"3.0.0": 1}, "<3", "2.0.0"),
    ],
)
def test_a_range_is_the_newest_shape_that_the_split_reaches(split: dict[str, int], asked: str, pinned: str) -> None:
    assert choose(one_route(split), request(x_model_version=asked)).pinned == pinned


def test_a_version_that_nothing_on_the_route_reaches_is_refused_with_406() -> None:
    route = one_route({"3.0.0": 1})
    with pytest.raises(UnreachableShapeError, match=r"no version on route r can answer as m 1\.1\.0 or 1\.0\.0"):
        choose(route, request(x_model_version="1"))
    with pytest.raises(UnreachableShapeError, match=r"m has no version that was asked for; it has 1\.0\.0, 1\.1\.0, 2"):
        choose(route, request(x_model_version="7"))


def test_a_retired_version_is_refused_with_410_and_its_link() -> None:
    with pytest.raises(RetiredVersionError, match=r"m 0\.9\.0 is retired; see https://example\.com/move"):
        choose(one_route({"1.1.0": 1}), request(x_model_version="0.9"))


def test_a_route_with_server_pins_sends_the_client_to_that_versions_server() -> None:
    route = one_route({"2.0.0": 1}, pin="server", **KEYED)
    choice = choose(route, request(x_model_version="1.1.0", x_user_id="7"))
    assert (choice.pinned, choice.assigned, choice.served) == ("1.1.0", "1.1.0", "1.1.0")
    assert (choice.reason, choice.chain, choice.key_source, choice.evidence) == ("pin-server", None, "none", False)
    assert choose(route, request(x_model_version="*")).served == "3.0.0"  # 4.0.0 has no server
    assert choose(route).reason == "split"


def test_a_server_pin_is_refused_where_the_server_is_missing_or_down() -> None:
    route = one_route({"2.0.0": 1}, pin="server")
    with pytest.raises(UnreachableShapeError):
        choose(route, request(x_model_version="1.0.0"))
    with pytest.raises(NoReadyVersionError, match=r"m 1\.1\.0 was asked for by name") as refused:
        choose(route, request(x_model_version="1.1.0"), down=["1.1.0"])
    assert refused.value.retry_after == 8


# --- eligibility and readiness --------------------------------------------------------------------------------------


def test_a_version_that_cannot_give_the_shape_gives_way_with_a_reason() -> None:
    route = one_route({"2.0.0": 90, "3.0.0": 10}, **KEYED)
    choice = choose(route, request(x_user_id=user_in(route, 1)))
    assert (choice.assigned, choice.served, choice.reason) == ("3.0.0", "2.0.0", "pin-forced")
    assert not choice.evidence
    assert not choose(route, request(x_user_id=user_in(route, 0))).evidence


def test_a_version_that_is_down_gives_way_and_still_counts_as_assigned() -> None:
    route = one_route({"1.1.0": 90, "2.0.0": 10}, **KEYED)
    choice = choose(route, request(x_user_id=user_in(route, 1)), down=["2.0.0"])
    assert (choice.assigned, choice.served, choice.reason) == ("2.0.0", "1.1.0", "unhealthy")
    assert choice.evidence
    assert choice.key_source == "header:x-user-id"


def test_a_version_outside_of_the_split_is_the_last_to_be_asked() -> None:
    beta = spec.Rule(name="beta", split=(("3.0.0", 1), ("2.0.0", 0)))
    everyone = spec.Rule(name="everyone", split=(("1.1.0", 1),))
    route = one_route({}, rules=(beta, everyone))
    assert choose(route).served == "2.0.0"
    assert choose(route, down=["2.0.0"]).served == "1.1.0"
    assert choose(route, request(x_model_version="3")).served == "3.0.0"


def test_users_of_a_version_that_is_down_are_shared_out_by_weight_and_each_keeps_to_one() -> None:
    model = churn()
    route = one_route({"2.0.0": 50, "1.1.0": 10, "1.0.0": 40}, model=model)
    drawn = range(0, 10_000)
    down = ["2.0.0"]
    lost = [slot for slot in drawn if choose(route, request(x_model_version="1.0.0"), drawn=slot).assigned == "2.0.0"]
    served = [choose(route, request(x_model_version="1.0.0"), drawn=slot, down=down).served for slot in lost]
    assert len(lost) == 5000
    assert abs(served.count("1.1.0") - 1000) <= 3
    assert served == [choose(route, request(x_model_version="1.0.0"), drawn=slot, down=down).served for slot in lost]


def test_where_all_that_reach_the_shape_are_down_the_client_may_come_again() -> None:
    route = one_route({"2.0.0": 1, "1.1.0": 1})
    with pytest.raises(
        NoReadyVersionError, match=r"m 1\.1\.0 can be had from 2\.0\.0, 1\.1\.0, and none of them is up"
    ):
        choose(route, down=["2.0.0", "1.1.0"])
    with pytest.raises(NoReadyVersionError) as refused:
        choose(one_route({"3.0.0": 1}, model=churn(default="2.0.0")), down=["3.0.0"])
    assert refused.value.retry_after == 5  # the first ejection of a version without probes


# --- rules ----------------------------------------------------------------------------------------------------------


def when(name: str, value: str) -> FieldIs:
    return FieldIs(source="header", name=name, equals=value)


def test_the_first_rule_that_holds_decides() -> None:
    rules = (
        spec.Rule(name="beta", split=(("2.0.0", 1),), when=when("x-plan", "beta")),
        spec.Rule(name="everyone", split=(("1.1.0", 1),)),
        spec.Rule(name="never", split=(("3.0.0", 1),)),
    )
    route = one_route({}, rules=rules)
    assert choose(route, request(x_plan="beta")).rule == "beta"
    assert choose(route).rule == "everyone"


def test_a_request_that_no_rule_takes_is_refused_with_404() -> None:
    route = one_route({}, rules=(spec.Rule(name="beta", split=(("2.0.0", 1),), when=when("x-plan", "beta")),))
    with pytest.raises(NoRouteError, match="no rule of route r holds"):
        choose(route)


def test_rules_split_the_same_users_independently_unless_they_share_a_salt() -> None:
    split = (("1.1.0", 50), ("2.0.0", 50))
    rules = (
        spec.Rule(name="a", split=split, when=when("x-rule", "a")),
        spec.Rule(name="b", split=split, when=when("x-rule", "b"), salt="r/a"),
        spec.Rule(name="c", split=split),
    )
    route = one_route({}, rules=rules, **KEYED)
    by_rule = [
        [choose(route, request(x_user_id=str(user), x_rule=rule)).served for user in range(400)] for rule in "abc"
    ]
    assert by_rule[0] == by_rule[1]
    assert 150 < sum(one == other for one, other in zip(by_rule[0], by_rule[2], strict=True)) < 250


def test_natives_are_the_served_versions_of_the_shape_itself() -> None:
    route = one_route({"2.0.0": 1})
    assert route.natives("1.1.0") == (2,)
    assert route.natives("1.0.0") == ()
