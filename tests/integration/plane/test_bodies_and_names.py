"""Keys read from bodies, bodies too large for the loop, endpoints behind names, and explanations."""

from __future__ import annotations

import orjson
import pytest

from stepdown.decide import spec
from tests.kit import specs
from tests.kit.upstream import serve
from tests.kit.world import World, world

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def post(body: bytes, *, chunk: int = 0, lines: bytes = b"") -> bytes:
    """A request with a length, or in chunks of `chunk` bytes."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\n" + lines
    if not chunk:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    pieces = [body[place : place + chunk] for place in range(0, len(body), chunk)]
    wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + wire + b"0\r\n\r\n"


# --- keys ----------


def by_user(*ports: int) -> spec.SnapshotSpec:
    """Two versions, sticky by a member of the body, else by a header."""
    versions = [specs.version(name, port) for name, port in zip(("1.0.0", "1.1.0"), ports, strict=True)]
    step = spec.Step(source="1.1.0", target="1.0.0", kind="projection")
    chains = (spec.Chain(served="1.1.0", pinned="1.0.0", steps=(step,)),)
    key = (spec.KeySource(json="/user/id"), spec.KeySource(header="x-user-id"))
    halves = specs.route({"1.0.0": 50, "1.1.0": 50}, key=key)
    return specs.snapshot(halves, models=[specs.model(*versions, chains=chains)])


def served(here: World, raw: bytes, *, bytewise: bool = False) -> bytes | None:
    """The version that served a request."""
    with here.client() as client:
        client.send_bytewise(raw) if bytewise else client.send(raw)
        response = client.response("POST")
        assert response.status == 200
        return response.get(b"x-model-served")


def test_a_key_in_the_body_sticks_however_the_body_comes_and_the_body_arrives_whole():
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with world(serve(ok), spec=by_user, upstreams=2) as here:
        seen = set()
        for number in range(12):
            body = orjson.dumps({"user": {"id": f"u{number}"}, "rows": [1] * 50})
            versions = {
                served(here, post(body)),
                served(here, post(body, chunk=7)),
                served(here, post(body), bytewise=True),
                served(here, post(body, chunk=50), bytewise=True),
                served(here, post(body, lines=b"X-User-Id: other\r\n")),
            }
            assert len(versions) == 1
            seen |= versions
            requests = [request for upstream in here.upstreams for request in upstream.requests]
            assert {request.body for request in requests} == {body}
            for upstream in here.upstreams:
                upstream.forget()
        assert seen == {b"1.0.0", b"1.1.0"}


@pytest.mark.parametrize("size", [70_000, 1_000_000])
def test_in_a_body_over_64_kibibytes_the_key_is_missing_and_the_next_source_decides(size):
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with world(serve(ok), spec=by_user, upstreams=2) as here:
        for number in range(6):
            user = b"X-User-Id: u%d\r\n" % number
            expected = served(here, post(b"{}", lines=user))
            body = orjson.dumps({"user": {"id": "same"}, "filler": "x" * size})
            assert served(here, post(body, lines=user)) == expected
            assert served(here, post(body, lines=user, chunk=10_000)) == expected
            assert here.upstreams[expected == b"1.1.0"].requests[-1].body == body
            for upstream in here.upstreams:
                upstream.forget()


# --- large bodies ----------


def test_a_large_request_is_adapted_off_the_loop_and_one_that_is_no_json_is_told_so():
    up = [{"replace": {"path": "/want", "value": "score", "on_missing": "skip"}}]
    with world(
        serve(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), spec=lambda p: specs.adapted(p, [], up)
    ) as here:
        body = orjson.dumps({"want": "old", "filler": "x" * 400_000})
        assert here.ask(post(body), "POST").status == 200
        (request,) = here.upstream.requests
        assert orjson.loads(request.body) == orjson.loads(body) | {"want": "score"}
        response = here.ask(post(body[:-1]), "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (422, b"request-not-adaptable")
        with here.client() as client:  # a client that leaves meanwhile disturbs nobody
            client.send(post(body))
        assert here.ask(post(body), "POST").status == 200


# --- names ----------


def at(host: str, port: int, **options: object) -> spec.SnapshotSpec:
    """One endpoint under a name."""
    return specs.plain(endpoints=(spec.Endpoint(id="e", host=host, port=port, **options),))


def test_an_endpoint_may_have_a_name():
    with world(spec=lambda port: at("localhost", port)) as here:
        assert here.ask(GET).body == b"ok"


def test_a_name_that_nobody_knows_is_a_502_that_says_so():
    with world(spec=lambda port: at("nowhere.invalid", port)) as here:
        response = here.ask(GET)
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"upstream-connect")
        assert b"name" in response.body


# --- explanations ----------


@pytest.mark.parametrize(("allow", "explained"), [(("127.0.0.0/8",), True), (("10.0.0.0/8",), False), ((), False)])
def test_an_explanation_is_for_those_who_may_ask(allow, explained):
    def explaining(port: int) -> spec.SnapshotSpec:
        return specs.plain(port, explain=spec.Explain(allow=allow))

    with world(spec=explaining) as here:
        response = here.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX-Stepdown-Explain: 1\r\n\r\n")
        assert response.status == 200
        assert (response.get(b"x-stepdown-explain") is not None) == explained
        if explained:
            assert orjson.loads(response.get(b"x-stepdown-explain"))
        assert here.ask(GET).get(b"x-stepdown-explain") is None
        assert here.upstream.requests[0].get(b"x-stepdown-explain") is None
