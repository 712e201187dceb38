"""Overrides: who may ask for one exact server, in which shape it answers them, and what everybody else gets."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.decide.explanation import Explanation
from stepdown.decide.override_tokens import Claims, issue
from stepdown.decide.overrides import Overrides, Verdict
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.decide.when import ClientIn
from stepdown.errors import BadPinError
from tests.kit import specs
from tests.kit.request import Request, request

SECRET = "a secret of some length"
KEY = "the-key-of-a-tester"
NOW = 1_800_000_000.0
UP = (True, True, True, True)
ADDRESS = "10.1.2.3"
EVERYBODY = Overrides(spec.Overrides(allow=("0.0.0.0/0",)))
CAREFUL = Overrides(
    spec.Overrides(
        allow=("192.168.0.0/16",),
        keys=(spec.OverrideKey(header="x-api-key", sha256=hashlib.sha256(KEY.encode()).hexdigest()),),
        secrets=(SECRET,),
    )
)


def route(**options: Any) -> Route:
    """1.0.0 has no server, 1.1.0 has all traffic, no rule names 2.0.0, and 3.0.0 reaches nothing but itself."""
    chains = tuple(
        spec.Chain(served=served, pinned=pinned, steps=())
        for served, pinned in (("1.1.0", "1.0.0"), ("2.0.0", "1.1.0"), ("2.0.0", "1.0.0"))
    )
    versions = (
        specs.version("1.0.0"),
        specs.version("1.1.0", 1),
        specs.version("2.0.0", 2),
        specs.version("3.0.0", 3),
    )
    model = specs.model(*versions, default="1.1.0", chains=chains)
    return compile_snapshot(specs.snapshot(specs.route({"1.1.0": 1}, **options), models=[model])).routes[0]


def decide(
    asked: Request, overrides: Overrides = EVERYBODY, *, ready: tuple[bool, ...] = UP, peer: str = ADDRESS
) -> Verdict | None:
    return overrides.decide(route(), asked, (), peer, peer, ready, NOW)


def honoured(verdict: Verdict | None) -> tuple[str, str]:
    """The server and the shape."""
    assert verdict is not None
    assert verdict.ruling == "honoured", verdict
    assert verdict.choice is not None
    return verdict.choice.served, verdict.choice.pinned


# --- what is asked for ----------


def test_a_server_that_no_rule_names_can_be_asked_for() -> None:
    verdict = decide(request(x_stepdown_serve="2.0.0"))
    assert honoured(verdict) == ("2.0.0", "1.1.0")
    assert verdict is not None
    choice = verdict.choice
    assert choice is not None
    assert (choice.assigned, choice.reason, choice.key_source, choice.evidence) == ("2.0.0", "override", "none", False)


def test_a_request_without_the_field_asks_for_nothing() -> None:
    assert decide(request()) is None


def test_the_model_may_be_named_and_other_models_are_others() -> None:
    assert honoured(decide(request(x_stepdown_serve="m=2.0.0"))) == ("2.0.0", "1.1.0")
    assert honoured(decide(request(x_stepdown_serve="fraud=9.0.0, m=2.0.0"))) == ("2.0.0", "1.1.0")
    assert decide(request(x_stepdown_serve="fraud=2.0.0")) is None


def test_the_client_keeps_its_shape() -> None:
    assert honoured(decide(request(x_stepdown_serve="2.0.0", x_model_version="1.0.0"))) == ("2.0.0", "1.0.0")
    assert honoured(decide(request(x_stepdown_serve="2.0.0", x_model_version="^1"))) == ("2.0.0", "1.1.0")
    assert honoured(decide(request(x_stepdown_serve="2.0.0", x_model_version="2"))) == ("2.0.0", "2.0.0")


def test_a_shape_that_only_the_server_asked_for_has_can_be_had() -> None:
    assert honoured(decide(request(x_stepdown_serve="3.0.0", x_model_version="3.0.0"))) == ("3.0.0", "3.0.0")
    assert honoured(decide(request(x_stepdown_serve="3.0.0", x_model_version=">=1"))) == ("3.0.0", "3.0.0")


def test_a_server_that_does_not_reach_the_shape_changes_nothing_and_says_why() -> None:
    verdict = decide(request(x_stepdown_serve="3.0.0"))
    assert verdict is not None
    assert (verdict.ruling, verdict.choice, verdict.error) == ("out-of-reach", None, None)
    assert verdict.detail == "3.0.0 cannot be stepped down to 1.1.0: the request is routed as usual"


@pytest.mark.parametrize(
    ("value", "ready", "status", "words"),
    [
        ("2.0.0", (True, True, False, True), 503, "m 2.0.0, which is not up; no other version stands in"),
        ("1.0.0", UP, 406, "m 1.0.0, which no server runs; there are 1.1.0, 2.0.0, 3.0.0"),
        ("9.0.0", UP, 406, "m 9.0.0, which no server runs"),
        ("^2", UP, 400, "write an exact version such as 2.1.0"),
        ("latest", UP, 400, "write an exact version"),
        ("2.0.0, 3.0.0", UP, 400, "names no model"),
        ("\x7f", UP, 400, "write an exact version"),
        ("", UP, 400, "write an exact version"),
    ],
)
def test_who_may_ask_is_told_what_cannot_be_had(value: str, ready: tuple[bool, ...], status: int, words: str) -> None:
    verdict = decide(request(x_stepdown_serve=value), ready=ready)
    assert verdict is not None
    assert verdict.ruling == "unanswerable"
    assert verdict.choice is None
    assert verdict.error is not None
    assert verdict.error.code == status
    assert words in verdict.error.detail


def test_a_server_that_is_down_says_when_to_come_back() -> None:
    verdict = decide(request(x_stepdown_serve="2.0.0"), ready=(False,) * 4)
    assert verdict is not None
    assert verdict.error is not None
    assert verdict.error.retry_after == 5


def test_a_pin_that_cannot_be_read_is_refused_as_without_an_override() -> None:
    with pytest.raises(BadPinError):
        decide(request(x_stepdown_serve="2.0.0", x_model_version="banana"))


# --- who may ask ----------


def token(**changes: object) -> str:
    claims: dict[str, object] = {"holder": "alice", "model": "m", "version": "2.0.0", "issued": int(NOW)}
    claims["expires"] = int(NOW) + 9
    return issue(Claims(**(claims | changes)), SECRET)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "peer", "holder"),
    [
        ({}, "192.168.7.7", "address 192.168.7.7"),
        ({"x_api_key": KEY}, ADDRESS, "key x-api-key"),
        ({"x_stepdown_override_token": "TOKEN"}, ADDRESS, "alice"),
        ({"x_api_key": "wrong", "x_stepdown_override_token": "TOKEN"}, "::1", "alice"),
        ({"x_stepdown_override_token": "junk"}, "192.168.7.7", "address 192.168.7.7"),
    ],
    ids=["address", "key", "token", "token and a wrong key", "address and a wrong token"],
)
def test_one_of_the_three_is_enough(fields: dict[str, str], peer: str, holder: str) -> None:
    fields = {name: token() if value == "TOKEN" else value for name, value in fields.items()}
    verdict = decide(request(x_stepdown_serve="2.0.0", **fields), CAREFUL, peer=peer)
    assert honoured(verdict) == ("2.0.0", "1.1.0")
    assert verdict is not None
    assert verdict.holder == holder


@pytest.mark.parametrize(
    ("fields", "ruling"),
    [
        ({}, "not-allowed"),
        ({"x_api_key": "wrong"}, "not-allowed"),
        ({"x_forwarded_for": "192.168.7.7"}, "not-allowed"),
        ({"x_stepdown_override_token": "junk"}, "malformed"),
        ({"x_stepdown_override_token": issue(Claims("a", "*", "*", 0, 2**40), "another secret")}, "forged"),
        ({"x_stepdown_override_token": token(expires=int(NOW))}, "expired"),
        ({"x_stepdown_override_token": token(issued=int(NOW) + 3600)}, "future"),
        ({"x_stepdown_override_token": token(version="1.1.0")}, "foreign"),
        ({"x_stepdown_override_token": token(model="fraud")}, "foreign"),
    ],
    ids=["nothing", "key", "forwarded", "malformed", "forged", "expired", "future", "version", "model"],
)
def test_everybody_else_is_refused_with_the_reason_and_nothing_changes(fields: dict[str, str], ruling: str) -> None:
    verdict = decide(request(x_stepdown_serve="2.0.0", **fields), CAREFUL)
    assert verdict is not None
    assert (verdict.ruling, verdict.choice, verdict.error) == (ruling, None, None)


def test_who_may_not_ask_learns_nothing_about_what_there_is() -> None:
    for value in ("9.0.0", "^2", "junk!"):
        verdict = decide(request(x_stepdown_serve=value), CAREFUL)
        assert verdict is not None
        assert (verdict.ruling, verdict.error) == ("not-allowed", None)


def test_a_connection_without_an_address_is_not_in_any_network() -> None:
    verdict = decide(request(x_stepdown_serve="2.0.0"), EVERYBODY, peer="unix")
    assert verdict is not None
    assert verdict.ruling == "not-allowed"


def test_who_may_ask_goes_by_the_connection_and_the_rule_by_the_client() -> None:
    inside = spec.Rule(name="inside", split=(("1.1.0", 1),), when=ClientIn(("10.0.0.0/8",)))
    everyone = spec.Rule(name="everyone", split=(("1.1.0", 1),))
    one = route(rules=(inside, everyone))
    asked = request(x_stepdown_serve="2.0.0")
    near = Overrides(spec.Overrides(allow=("192.168.0.0/16",)))
    for client, rule in (("10.0.0.7", "inside"), ("203.0.113.9", "everyone")):
        verdict = near.decide(one, asked, (), "192.168.0.1", client, UP, NOW)
        assert verdict is not None
        assert verdict.choice is not None
        assert verdict.choice.rule == rule
        assert one.explain(asked, (), None, client, UP, lambda: 0, verdict=verdict).rule == rule
    refused = near.decide(one, asked, (), "203.0.113.9", "192.168.0.1", UP, NOW)
    assert refused is not None
    assert refused.ruling == "not-allowed"


# --- what is told ----------


def explained(asked: Request, overrides: Overrides = EVERYBODY, ready: tuple[bool, ...] = UP) -> Explanation:
    one = route(key=(spec.KeySource(header="x-user-id"),))
    verdict = overrides.decide(one, asked, (), ADDRESS, ADDRESS, ready, NOW)
    return one.explain(asked, (), None, ADDRESS, ready, lambda _turns=None: 7, verdict=verdict)


def test_an_explanation_tells_of_an_override_that_is_honoured() -> None:
    explanation = explained(request(x_stepdown_serve="2.0.0", x_user_id="7"))
    assert (explanation.served, explanation.reason, explanation.evidence) == ("2.0.0", "override", False)
    assert explanation.slot is None
    told = explanation.sentences()
    assert "The override to 2.0.0 is honoured: connections from 10.1.2.3 may ask." in told
    assert "Served by 2.0.0, because the caller asked for its server and may do so." in told


def test_an_explanation_tells_of_an_override_that_is_refused() -> None:
    explanation = explained(request(x_stepdown_serve="2.0.0", x_user_id="7"), CAREFUL)
    assert (explanation.served, explanation.reason) == ("1.1.0", "split")
    assert explanation.slot is not None
    assert explanation.override is not None
    assert explanation.override.ruling == "not-allowed"
    assert (
        "The override to 2.0.0 is refused and changes nothing: 10.1.2.3 may not ask; what counts is the address or the "
        "key in x-api-key or a token in x-stepdown-override-token." in explanation.sentences()
    )


def test_an_explanation_tells_of_an_override_that_cannot_be_answered() -> None:
    explanation = explained(request(x_stepdown_serve="2.0.0"), ready=(False,) * 4)
    assert explanation.refusal is not None
    assert explanation.refusal.status == 503
    assert explanation.served is None


def test_the_field_is_among_those_that_decide() -> None:
    assert b"x-stepdown-serve" in route().deciding
