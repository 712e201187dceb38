"""Conditions: every part of a match, alone and together."""

from __future__ import annotations

import hashlib

import pytest

from stepdown.decide.conditions import match_condition
from stepdown.decide.digests import Digests
from stepdown.decide.spec import HeaderMatch, Match
from tests.kit.request import Request, request

SECRET = hashlib.sha256(b"secret").hexdigest()


def header(name: str, **wanted: object) -> Match:
    return Match(headers=(HeaderMatch(name=name, **wanted),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("match", "held", "failed"),
    [
        (Match(methods=("POST", "PUT")), request(method="PUT"), request(method="GET")),
        (Match(hosts=("a.example", "*.b.example")), request(host="x.B.example:1"), request(host="b.example")),
        (Match(path="/infer"), request("/infer"), request("/infer/")),
        (Match(path="/m/{name}/infer"), request("/m/churn/infer"), request("/m//infer")),
        (Match(path_prefix="/v2"), request("/v2"), request("/v2x")),
        (Match(path_prefix="/v2/"), request("/v2/x"), request("/v1/x")),
        (Match(path_prefix="/"), request("/anything"), None),
        (header("x-plan", equals="beta"), request(x_plan="beta"), request(x_plan="Beta")),
        (header("x-plan", any_of=("a", "b")), request(x_plan="b"), request(x_plan="c")),
        (header("x-plan", prefix="be"), request(x_plan="beta"), request(x_plan="gamma")),
        (header("x-plan", prefix="be"), request(x_plan="be"), request()),
        (header("x-plan", sha256=SECRET), request(x_plan="secret"), request(x_plan="guess")),
        (header("x-plan", sha256=SECRET.upper()), request(x_plan="secret"), request()),
        (header("x-plan", exists=True), request(x_plan=""), request()),
        (header("x-plan", exists=False), request(), request(x_plan="x")),
        (Match(), request(), None),
    ],
)
def test_a_part_of_a_match_holds_or_fails(match: Match, held: Request, failed: Request | None) -> None:
    condition = match_condition(match, Digests())
    assert condition.holds(held)
    assert condition.failed(held) is None
    if failed is not None:
        assert not condition.holds(failed)
        assert condition.failed(failed) == str(condition)


def test_all_parts_have_to_hold() -> None:
    match = Match(methods=("POST",), path_prefix="/v2", headers=(HeaderMatch(name="x-plan", equals="beta"),))
    condition = match_condition(match, Digests())
    assert condition.holds(request("/v2/x", x_plan="beta"))
    assert condition.failed(request("/v2/x", method="GET", x_plan="beta")) == "the method is POST"
    assert condition.failed(request("/v1/x", x_plan="beta")) == "the path is under /v2"
    assert condition.failed(request("/v2/x")) == "header x-plan is 'beta'"


@pytest.mark.parametrize(
    ("match", "sentence"),
    [
        (Match(), "always"),
        (Match(hosts=("a", "b"), path="/x"), "the host is one of a, b and the path is /x"),
        (header("k", any_of=("a", "b")), "header k is one of a, b"),
        (header("k", prefix="a"), "header k begins with 'a'"),
        (header("k", exists=True), "header k is present"),
        (header("k", exists=False), "header k is absent"),
    ],
)
def test_a_condition_says_what_it_wants(match: Match, sentence: str) -> None:
    assert str(match_condition(match, Digests())) == sentence


def test_a_condition_on_a_digest_shows_only_its_beginning() -> None:
    assert str(match_condition(header("x-api-key", sha256=SECRET), Digests())) == (
        f"header x-api-key has the SHA-256 {SECRET[:8]}..."
    )


def test_digests_are_forgotten_when_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Digests, "ROOM", 3)
    digests = Digests()
    values = [str(number).encode() for number in range(10)]
    assert [digests.hex(value) for value in values] == [hashlib.sha256(value).hexdigest() for value in values]
    assert len(digests._known) <= 3
    assert digests.hex(values[-1]) is digests.hex(values[-1])
