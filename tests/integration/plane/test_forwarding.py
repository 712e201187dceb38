"""What goes to the upstream and what comes back: heads, framing in all combinations, interim answers, expectations."""

from __future__ import annotations

import pytest

from stepdown.decide.spec import Endpoint, Match
from tests.kit import specs
from tests.kit.looping import Gate
from tests.kit.upstream import OK, Peer, exact, interim, serve, then_fin
from tests.kit.world import world

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def here():
    with world() as here:
        yield here


def sent(here, raw: bytes):
    """The request that the upstream got for `raw`."""
    here.upstream.forget()
    assert here.ask(raw, raw.split(b" ")[0].decode()).status == 200
    (request,) = here.upstream.requests
    return request


# --- requests ----------


def test_the_upstream_is_told_who_asks_and_through_whom(here):
    request = sent(here, b"GET /x?y HTTP/1.1\r\nHost: churn.example:81\r\nX-Forwarded-For: 6.6.6.6\r\nX-A: 1\r\n\r\n")
    assert request.target == b"/x?y"
    assert request.headers == [
        (b"host", b"churn.example:81"),
        (b"X-A", b"1"),
        (b"via", b"1.1 stepdown"),
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"x-forwarded-proto", b"http"),
    ]


def test_via_grows_and_names_the_version_in_which_the_request_came(here):
    request = sent(here, b"GET / HTTP/1.0\r\nHost: a\r\nVia: 1.1 front, 1.0 x\r\n\r\n")
    assert request.get(b"via") == b"1.1 front, 1.0 x, 1.0 stepdown"


def test_an_http_1_0_request_without_a_host_gets_one(here):
    request = sent(here, b"GET / HTTP/1.0\r\n\r\n")
    assert request.all(b"host") == [b"127.0.0.1:%d" % here.upstream.port]


def test_own_fields_and_spoofed_ones_do_not_reach_the_upstream(here):
    request = sent(
        here,
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Model-Version: 1\r\nX-Model-Served: 1\r\nX-Stepdown-Explain: 1\r\n"
        b"X-Forwarded-Host: evil\r\nForwarded: for=evil\r\nX-Real-IP: 6.6.6.6\r\n\r\n",
    )
    assert {name for name, _ in request.headers} == {b"host", b"via", b"x-forwarded-for", b"x-forwarded-proto"}


@pytest.mark.parametrize(
    ("framing", "wire"),
    [
        (b"Content-Length: 6\r\n", b"abcdef"),
        (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("method", [b"POST", b"GET", b"DELETE", b"PUT"])
def test_a_body_arrives_with_one_framing_however_it_was_sent(here, method, framing, wire, pieces):
    raw = method + b" / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n" + wire
    here.upstream.forget()
    with here.client() as client:
        step = -(-len(raw) // pieces)
        client.send_pieces(raw[start : start + step] for start in range(0, len(raw), step))
        assert client.response(method.decode()).status == 200
    (request,) = here.upstream.requests
    assert request.body == b"abcdef"
    assert len(request.all(b"content-length") + request.all(b"transfer-encoding")) == 1


def test_an_empty_body_is_still_said_to_be_one(here):
    assert sent(here, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").get(b"content-length") == b"0"
    assert sent(here, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").get(b"content-length") in (None, b"0")


def test_an_endpoint_may_rewrite_the_path_the_host_and_fields():
    def spec(port: int):
        options = {
            "path": "/v2/models/churn/infer",
            "host_header": "endpoint",
            "set_headers": (("X-Key", "secret"),),
            "remove_headers": ("cookie",),
        }
        return specs.plain(endpoints=(Endpoint(id="e", host="127.0.0.1", port=port, **options),))

    with world(spec=spec) as here:
        request = sent(
            here, b"POST /old?q=1 HTTP/1.1\r\nHost: a\r\nCookie: x\r\nX-Key: mine\r\nContent-Length: 0\r\n\r\n"
        )
        assert request.target == b"/v2/models/churn/infer?q=1"
        assert request.get(b"host") == b"127.0.0.1:%d" % here.upstream.port
        assert request.get(b"x-forwarded-host") == b"a"
        assert request.all(b"x-key") == [b"secret"]
        assert request.get(b"cookie") is None


def test_with_a_trusted_hop_what_it_says_is_kept():
    with world(spec=lambda *ports: specs.plain(*ports, trusted_hops=1)) as here:
        request = sent(
            here,
            b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n"
            b"X-Forwarded-Host: front\r\n\r\n",
        )
        assert request.get(b"x-forwarded-for") == b"1.1.1.1, 127.0.0.1"
        assert request.all(b"x-forwarded-proto") == [b"https"]
        assert request.all(b"x-forwarded-host") == [b"front"]


# --- answers ----------


def answered(here, raw: bytes, request: bytes = GET):
    """The client's answer where the upstream sends `raw` and closes."""
    for peer in here.upstream.peers:
        here.upstream.on_loop(peer.fin)
        assert peer.ended.wait()
    here.upstream.forget()
    here.upstream.queue.append(then_fin(raw))
    return here.ask(request, request.split(b" ")[0].decode())


def test_an_answer_says_its_version_and_hides_the_upstreams_connection(here):
    response = answered(
        here,
        b"HTTP/1.1 201 Made by me\r\nServer: up\r\nX-Model-Version: 9\r\nX-Model-Served: 9\r\nKeep-Alive: timeout=5\r\n"
        b"Connection: close, X-Hop\r\nX-Hop: 1\r\nVia: 1.1 up\r\nContent-Length: 2\r\n\r\nok",
    )
    assert (response.status, response.reason) == (201, b"Created")
    assert response.all(b"x-model-version") == [b"1.0.0"]
    assert response.all(b"x-model-served") == [b"1.0.0"]
    assert response.get(b"server") == b"up"
    assert response.all(b"via") == [b"1.1 up, 1.1 stepdown"]
    assert not {b"keep-alive", b"connection", b"x-hop"} & {name.lower() for name, _ in response.headers}


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n3\r\ndef\r\n0\r\nX-T: 1\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\n\r\nabcdef"
OLD = b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"


@pytest.mark.parametrize("raw", [LENGTH, CHUNKED, CLOSED, OLD], ids=["length", "chunked", "closed", "old"])
@pytest.mark.parametrize("minor", [b"1", b"0"])
def test_every_framing_reaches_every_client(here, raw, minor):
    response = answered(here, raw, b"GET / HTTP/1.%b\r\nHost: a\r\n\r\n" % minor)
    assert response.body == b"abcdef"
    assert response.version == b"1.1"
    if minor == b"0":
        assert response.get(b"transfer-encoding") is None
    assert b"X-T" not in response.raw


@pytest.mark.parametrize(
    ("raw", "length"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", b"6"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
    ],
)
def test_the_answer_to_a_head_has_its_length_and_no_body(here, raw, length):
    here.upstream.forget()
    for peer in here.upstream.peers:
        here.upstream.on_loop(peer.fin)
        assert peer.ended.wait()
    here.upstream.queue.append(serve(raw, OK))
    with here.client() as client:
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        response = client.response("HEAD")
        assert (response.body, response.get(b"content-length")) == (b"", length)
        assert client.response().body == b"ok"
    assert len([peer for peer in here.upstream.peers if peer.requests]) == 1


def test_a_304_keeps_its_validators_and_has_no_body(here):
    response = answered(here, b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 6\r\n\r\n')
    assert (response.status, response.get(b"etag"), response.body) == (304, b'"x"', b"")


def test_cookies_and_unknown_fields_come_line_by_line(here):
    response = answered(
        here, b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX: caf\xe9\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    )
    assert response.all(b"set-cookie") == [b"a=1", b"b=2"]
    assert response.get(b"x") == b"caf\xe9"


def test_an_unknown_status_is_passed_on_with_a_reason_of_our_own(here):
    response = answered(here, b"HTTP/1.1 299 <script>\r\nContent-Length: 0\r\n\r\n")
    assert (response.status, response.reason) == (299, b"Unknown")


def test_interim_answers_do_not_take_the_place_of_the_final_one():
    with world(interim(3)) as here:
        response = here.ask(GET)
        assert response.body == b"ok"
    with world(interim(1, status=b"100 Continue")) as here:
        assert here.ask(GET).body == b"ok"


def test_pieces_of_a_stream_come_as_they_are_sent():
    gates = [Gate(), Gate()]

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await gates[0]
        await peer.send(b"data: 2\n\n")
        await gates[1]
        peer.fin()

    with world(script) as here, here.client() as client:
        client.send(GET)
        client.receive(b"data: 1\n\n")
        gates[0].open()
        client.receive(b"data: 2\n\n")
        gates[1].open()
        assert client.response().body == b"data: 1\n\ndata: 2\n\n"


# --- expectations ----------


def test_a_continue_is_sent_once_and_only_for_a_request_that_is_let_in():
    with world() as here, here.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        client.receive(b"100 Continue\r\n\r\n")
        client.send(b"hi" + GET)
        assert client.response("POST").interim == [100]
        assert client.response().interim == []
        assert [request.get(b"expect") for request in here.upstream.requests] == [None, None]


def test_a_client_that_does_not_wait_for_the_continue_gets_its_answer():
    with world() as here:
        response = here.ask(
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", "POST"
        )
        assert response.status == 200


@pytest.mark.parametrize("target", [b"/nowhere", b"/m/%2e%2e/x"])
def test_a_refused_request_gets_no_continue(target):
    def spec(*ports: int):
        return specs.plain(*ports, route_options={"match": Match(path_prefix="/m")})

    with world(spec=spec) as here, here.client() as client:
        client.send(b"POST " + target + b" HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        response = client.response("POST")
        assert (response.status, response.interim) == (404 if target == b"/nowhere" else 400, [])
        assert client.until_close()[0] == b""
        assert not here.upstream.peers


def test_an_early_final_answer_instead_of_a_body_ends_the_expectation():
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    with world(script) as here, here.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        response = client.response("POST")
        assert (response.status, response.get(b"connection")) == (401, b"close")


# --- the client's connection ----------


def test_http_1_0_is_closed_unless_it_asks_to_be_kept(here):
    with here.client() as client:
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = client.response()
        assert response.get(b"connection") == b"keep-alive"
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.response().get(b"connection") == b"close"
        assert client.until_close() == (b"", "fin")


def test_what_no_route_takes_is_a_404_and_the_connection_goes_on():
    def spec(*ports: int):
        return specs.plain(*ports, route_options={"match": Match(path="/only")})

    with world(spec=spec) as here, here.client() as client:
        client.send(GET + b"GET /only HTTP/1.1\r\nHost: a\r\n\r\n")
        response = client.response()
        assert (response.status, response.get(b"x-stepdown-error")) == (404, b"no-route")
        assert client.response().status == 200


def test_a_declared_passthrough_takes_the_rest():
    def spec(port: int):
        return specs.plain(port, route_options={"match": Match(path="/only")}, passthrough_to=(specs.endpoint(port),))

    with world(spec=spec) as here:
        response = here.ask(b"GET /v2/health/ready HTTP/1.1\r\nHost: a\r\n\r\n")
        assert response.body == b"ok"
        assert response.get(b"x-model-version") is None
        assert here.upstream.requests[0].target == b"/v2/health/ready"


def test_the_access_log_tells_of_each_exchange():
    with world(exact(LENGTH)) as here:
        here.ask(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "POST")
        (line,) = here.sidecar.log()
        told = {key: line[key] for key in ("method", "target", "status", "request_bytes", "response_bytes", "route")}
        assert told == {
            "method": "POST",
            "target": "/x",
            "status": 200,
            "request_bytes": 3,
            "response_bytes": 6,
            "route": "r",
        }
        assert line["endpoint"].endswith(str(here.upstream.port))
        assert here.sidecar.metric("stepdown_requests_total", route="r", served="1.0.0") == 1
