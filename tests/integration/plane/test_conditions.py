"""Conditions at the data plane: each kind on real requests, on connections that are kept, with slow bodies."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stepdown.decide import spec
from stepdown.decide.spec import SnapshotSpec
from stepdown.decide.when import (
    All,
    Any,
    ClientIn,
    FieldIs,
    InSegment,
    Not,
    Percent,
    PinIs,
    Segment,
    TimeIn,
    When,
)
from tests.kit import specs
from tests.kit.client import Client, Response
from tests.kit.world import World, world


def splitting(when: When, *, segments: tuple[Segment, ...] = (), **options: object) -> Callable[[int], SnapshotSpec]:
    """Who the condition holds for gets 2.0.0, all others 1.0.0; both are on one port and have one shape."""

    def build(port: int) -> SnapshotSpec:
        old, new = specs.version("1.0.0", port), specs.version("2.0.0", port)
        step = spec.Step(source="2.0.0", target="1.0.0")
        chains = (spec.Chain(served="2.0.0", pinned="1.0.0", steps=(step,)),)
        rules = (
            spec.Rule(name="some", split=(("2.0.0", 1),), when=when),
            spec.Rule(name="others", split=(("1.0.0", 1),)),
        )
        route = specs.route(
            {}, rules=rules, match=spec.Match(path_prefix="/{part}"), key=(spec.KeySource(header="x-user-id"),)
        )
        return specs.snapshot(route, models=[specs.model(old, new, chains=chains)], segments=segments, **options)

    return build


def head(*lines: str, target: str = "/a", method: str = "GET") -> bytes:
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: a", *lines, "", "")).encode()


def post(body: bytes, *lines: str) -> bytes:
    return head(f"Content-Length: {len(body)}", *lines, method="POST") + body


def is_in(answer: Response) -> bool:
    assert answer.status == 200, answer.raw
    return {b"1.0.0": False, b"2.0.0": True}[answer.get(b"x-model-served") or b""]


def asked(here: World, *requests: bytes) -> list[bool]:
    """On a connection each, and then all on one, which must not differ."""
    apart = [is_in(here.ask(request, request.split()[0].decode())) for request in requests]
    with here.client() as client:
        for _ in range(3):
            together = [is_in(_one(client, request)) for request in requests]
            assert together == apart
    return apart


def _one(client: Client, request: bytes) -> Response:
    client.send(request)
    return client.response(request.split()[0].decode())


COOKIE = FieldIs(source="cookie", name="plan", equals="beta")
QUERY = FieldIs(source="query", name="mode", any_of=("fast", "fastest"))
PARAM = FieldIs(source="param", name="part", suffix="b")
HEADER = FieldIs(source="header", name="x-plan", regex="be.*")
BODY = FieldIs(source="json", name="/user/tier", equals="gold")


@pytest.mark.parametrize(
    ("when", "requests"),
    [
        (COOKIE, {head("Cookie: a=1; plan=beta"): True, head("Cookie: a=1; plan=alpha"): False, head(): False}),
        (QUERY, {head(target="/a?mode=fast"): True, head(target="/a?mode=slow"): False, head(): False}),
        (QUERY, {head(target="/a?mode=f%61st"): True, head(target="/a?x=mode=fast"): False}),
        (PARAM, {head(target="/ab"): True, head(target="/ba"): False, head(target="/b/a"): True}),
        (HEADER, {head("X-Plan: beta"): True, head("X-Plan: alpha"): False, head("X-Plan: bb"): False}),
        (Not(HEADER), {head("X-Plan: beta"): False, head("X-Plan: alpha"): True}),
        (
            All((COOKIE, QUERY)),
            {head("Cookie: plan=beta", target="/a?mode=fast"): True, head("Cookie: plan=beta"): False},
        ),
        (Percent(0.5, "s"), {head("X-User-Id: 3"): True, head("X-User-Id: 1"): False, head(): False}),
        (
            PinIs(exists=True),
            {head(): False, head("X-Model-Version: 1.0.0"): True, head("X-Model-Version: other=1"): False},
        ),
        (TimeIn(since=0), {head(): True}),
        (TimeIn(until=1), {head(): False}),
        (Any((InSegment("s"), QUERY)), {head("Cookie: plan=beta"): True, head("Cookie: plan=x"): False}),
        (
            BODY,
            {
                post(b'{"user": {"tier": "gold"}}'): True,
                post(b'{"user": {"tier": "tin"}}'): False,
                post(b'{"user": ["gold"]}'): False,
                post(b"user=gold"): False,
                post(b'{"user": {"tier": "\xff"}}'): False,
                post(b""): False,
                head(): False,
            },
        ),
    ],
)
def test_a_condition_decides_on_every_request_anew(when: When, requests: dict[bytes, bool]) -> None:
    with world(spec=splitting(when, segments=(Segment("s", COOKIE),))) as here:
        assert asked(here, *requests) == list(requests.values())


@pytest.mark.parametrize(
    ("hops", "forwarded", "inside"),
    [(0, "10.1.2.3", False), (1, "10.1.2.3", True), (1, "10.1.2.3, 9.9.9.9", False), (2, "10.1.2.3, 9.9.9.9", True)],
)
def test_a_client_is_where_the_trusted_hops_say(hops: int, forwarded: str, inside: bool) -> None:
    with world(spec=splitting(ClientIn(("10.0.0.0/8",)), trusted_hops=hops)) as here:
        assert asked(here, head(f"X-Forwarded-For: {forwarded}"), head()) == [inside, False]
    with world(spec=splitting(ClientIn(("127.0.0.0/8",)), trusted_hops=hops)) as here:
        assert asked(here, head()) == [True]


def test_a_body_is_waited_for_however_it_comes_and_forwarded_as_it_came() -> None:
    body = b'{"user": {"tier": "gold"}, "pad": "' + b"p" * 30_000 + b'"}'
    chunked = head("Transfer-Encoding: chunked", method="POST")
    with world(spec=splitting(BODY)) as here, here.client() as client:
        client.send_pieces([post(body)[cut : cut + 7_000] for cut in range(0, len(body) + 200, 7_000)])
        assert is_in(client.response("POST"))
        client.send_pieces([chunked, b"%x\r\n" % len(body), body[:9], body[9:], b"\r\n0\r\n\r\n"])
        assert is_in(client.response("POST"))
        client.send(post(body, "Expect: 100-continue"))
        assert is_in(client.response("POST"))


@pytest.mark.parametrize("length", [65_536, 65_537, 1_000_000])
def test_a_body_over_the_limit_has_no_fields_and_is_streamed(length: int) -> None:
    start, end = b'{"user": {"tier": "gold"}, "pad": "', b'"}'
    body = start + b"p" * (length - len(start) - len(end)) + end
    with world(spec=splitting(BODY)) as here:
        assert is_in(here.ask(post(body), "POST")) is (length <= 65_536)


def test_a_route_that_asks_for_no_body_does_not_wait_for_one() -> None:
    with world(spec=splitting(All((COOKIE, QUERY)))) as here, here.client() as client:
        client.send(post(b"x" * 10, "Cookie: plan=beta")[:-5])
        here.sidecar.status()
        client.send(b"xxxxx")
        assert not is_in(client.response("POST"))


def test_answers_vary_with_what_conditions_read() -> None:
    when = All((COOKIE, HEADER, Not(Percent(0.5, "s")), FieldIs(source="header", name="x-app", exists=False)))
    with world(spec=splitting(when)) as here:
        varies = here.ask(head()).get(b"vary")
    assert varies == b"cookie, x-app, x-model-version, x-plan, x-user-id"


def test_a_hostile_expression_costs_what_the_value_is_long() -> None:
    bomb = FieldIs(source="header", name="x-plan", regex="(a+)+(b|a?)*(a|a)*c")
    with world(spec=splitting(bomb)) as here:
        assert asked(here, head("X-Plan: " + "a" * 7_000), head("X-Plan: " + "a" * 7_000 + "c")) == [False, True]
