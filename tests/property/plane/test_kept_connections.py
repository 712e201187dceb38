"""What a connection remembers changes nothing: each request gets what it would get on a connection of its own."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stepdown.decide import spec
from stepdown.decide.when import FieldIs
from tests.kit import specs
from tests.kit.upstream import Request, serve
from tests.kit.world import World, world

BETA = FieldIs(source="header", name="x-plan", equals="beta")
OLD = spec.Match(headers=(spec.HeaderMatch(name="x-key", prefix="old"),))
field = st.one_of(
    st.tuples(st.just(b"X-User-Id"), st.sampled_from([b"u%d" % number for number in range(12)])),
    st.tuples(st.just(b"X-Plan"), st.sampled_from([b"beta", b"free"])),
    st.tuples(st.just(b"X-Key"), st.sampled_from([b"old1", b"old2", b"new"])),
    st.tuples(st.just(b"X-Model-Version"), st.sampled_from([b"1.0.0", b"2.0.0", b"^1", b"9", b"junk"])),
    st.tuples(st.just(b"X-Request-Id"), st.integers(0, 99).map(lambda number: b"%d" % number)),
    st.tuples(st.just(b"Expect"), st.just(b"100-continue")),
)
request = st.tuples(
    st.sampled_from([b"/infer"] * 4 + [b"/v/1.0.0", b"/v/2.0.0", b"/none"]),
    st.lists(field, max_size=3, unique_by=lambda pair: pair[0]),
    st.sampled_from([b"", b"{}", b'{"user": 1}']),
)
conversation = st.lists(st.tuples(request, st.integers(1, 4)), min_size=1, max_size=5).map(
    lambda runs: [each for each, times in runs for _ in range(times)]
)


def two_versions(*ports: int) -> spec.SnapshotSpec:
    """Sticky halves, a rule for a header, a client known by a header, a version in a path."""
    old, new = (specs.version(name, port) for name, port in zip(("1.0.0", "2.0.0"), ports, strict=True))
    steps = (spec.Step(source="2.0.0", target="1.0.0", response=({"remove": "/new"},)),)
    chains = (spec.Chain(served="2.0.0", pinned="1.0.0", steps=steps),)
    clients = (spec.ClientEntry(match=OLD, version="1.0.0"),)
    rules = (
        spec.Rule(name="beta", when=BETA, split=(("2.0.0", 100),), salt="b"),
        spec.Rule(name="all", split=(("1.0.0", 50), ("2.0.0", 50)), salt="a"),
    )
    key = (spec.KeySource(header="x-user-id"), spec.KeySource(client_ip=True))
    routes = (
        specs.route({}, match=spec.Match(path="/infer"), name="infer", rules=rules, key=key),
        specs.route(
            {}, match=spec.Match(path="/v/{version}"), name="path", rules=rules, key=key, version_param="version"
        ),
    )
    return specs.snapshot(*routes, models=[specs.model(old, new, default="1.0.0", chains=chains, clients=clients)])


def echo(got: Request) -> bytes:
    """An answer that both shapes can be made of."""
    return b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"new":1,"b":%3d}' % len(got.body)


@pytest.fixture
def here():
    with world(serve(echo), spec=two_versions, upstreams=2) as here:
        yield here


def raw(target: bytes, fields: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The bytes of a request."""
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    return b"POST %b HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (target, lines, len(body), body)


def told(client, data: bytes) -> tuple[object, ...]:
    """What the client learns of the decision about a request."""
    client.send(data)
    response = client.response("POST")
    names = (b"x-model-version", b"x-model-served", b"x-stepdown-error", b"vary")
    return response.status, response.body, response.interim == [] or b"Expect" in data, *map(response.get, names)


def alone(here: World, data: bytes) -> tuple[object, ...]:
    """The same on a connection of its own."""
    with here.client() as client:
        return told(client, data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversation)
@example([(b"/infer", [(b"X-User-Id", b"u%d" % number)], b"{}") for number in range(12)])
@example([(b"/infer", [(b"X-Plan", plan)], b"{}") for plan in (b"free", b"free", b"beta", b"free", b"beta", b"beta")])
@example([(b"/infer", [(b"X-Key", key)], b"{}") for key in (b"new", b"new", b"old1", b"new", b"old2", b"old1")])
def test_each_request_is_decided_as_if_it_were_the_first(here, requests):
    with here.client() as kept:
        for each in requests:
            data = raw(*each)
            assert told(kept, data) == alone(here, data)


def test_a_continue_is_sent_to_each_request_that_expects_one(here):
    head = b"POST /infer HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with here.client() as client:
        for _ in range(5):
            client.send(head)
            client.receive(b"100 Continue\r\n\r\n")
            client.send(b"{}")
            assert client.response("POST").interim == [100]


def test_without_a_key_each_request_of_a_connection_is_drawn_anew():
    def halves(*ports: int) -> spec.SnapshotSpec:
        whole = two_versions(*ports)
        return msgspec.structs.replace(whole, routes=(specs.route({"1.0.0": 50, "2.0.0": 50}),))

    with world(serve(echo), spec=halves, upstreams=2) as here, here.client() as client:
        served = set()
        for _ in range(60):  # all the same with a probability of 2 to the power of -59
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            served.add(client.response().get(b"x-model-served"))
        assert served == {b"1.0.0", b"2.0.0"}


def test_a_reload_and_a_health_report_reach_connections_that_remember(here):
    data = raw(b"/infer", [(b"X-Plan", b"beta")], b"{}")
    with here.client() as client:
        before = [told(client, data) for _ in range(4)]
        assert {answer[4] for answer in before} == {b"2.0.0"}
        plane = here.sidecar.plane
        new = [key for key in here.sidecar.status()["endpoints"] if "/2.0.0/" in key]
        here.thread.run(lambda: plane.set_health(dict.fromkeys(new, False)))
        assert told(client, data)[4] == b"1.0.0"
        assert told(client, data) == alone(here, data)
        here.thread.run(lambda: plane.set_health(dict.fromkeys(new, True)))
        here.sidecar.reload(specs.plain(here.upstreams[0].port))
        assert told(client, data) == alone(here, data)
        assert told(client, data)[4] == b"1.0.0"
