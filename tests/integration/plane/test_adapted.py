"""Adapted routes: the answer in the pinned shape with honest fields, or a clear refusal; never half of either."""

from __future__ import annotations

import gzip
import zlib

import brotli
import msgspec
import orjson
import pytest
import zstandard

from stepdown.decide.spec import Limits
from tests.kit import specs
from tests.kit.looping import Gate
from tests.kit.upstream import Peer, exact, serve, then_fin
from tests.kit.world import world

RENAME = [{"move": {"from": "/score", "to": "/probability"}}]
NEW = b'{"score": 0.25, "model": "m"}'
OLD = {"probability": 0.25, "model": "m"}
POST = b"POST /infer HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"


def answer(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """A raw answer with a length."""
    fields = b"".join(line + b"\r\n" for line in (b"Content-Type: application/json", *lines))
    return b"HTTP/1.1 " + status + b"\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, step: int, *lines: bytes) -> bytes:
    """A raw answer in chunks of `step` bytes."""
    pieces = [body[place : place + step] for place in range(0, len(body), step)]
    wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    fields = b"".join(line + b"\r\n" for line in lines)
    return b"HTTP/1.1 200 OK\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n" + wire


def adapting(*, request=(), **route_options):
    """A specification whose answers are renamed."""
    return lambda port: specs.adapted(port, RENAME, request, **route_options)


# --- the answer ----------


@pytest.mark.parametrize(
    "raw",
    [answer(NEW), chunked(NEW, 5), b"HTTP/1.1 200 OK\r\n\r\n" + NEW, b"HTTP/1.0 200 OK\r\n\r\n" + NEW],
    ids=["length", "chunked", "closed", "old"],
)
@pytest.mark.parametrize("slice_every", [0, 1])
@pytest.mark.parametrize("minor", [b"1", b"0"])
def test_an_answer_has_the_pinned_shape_and_the_length_of_its_new_bytes(raw, slice_every, minor):
    with world(then_fin(raw, slice_every=slice_every), spec=adapting()) as here:
        response = here.ask(POST.replace(b"HTTP/1.1", b"HTTP/1." + minor), "POST")
        assert orjson.loads(response.body) == OLD
        assert response.all(b"content-length") == [b"%d" % len(response.body)]
        assert response.get(b"transfer-encoding") is None
        assert response.all(b"x-model-version") == [b"1.0.0"]
        assert response.all(b"x-model-served") == [b"2.0.0"]
        assert here.sidecar.log()[-1]["adapter"] == "adapted"


def test_fields_that_describe_the_upstreams_bytes_are_dropped_and_the_others_stay():
    lines = [
        b'ETag: "x"',
        b"Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT",
        b"Digest: sha-256=x",
        b"Content-Digest: sha-256=:x:",
        b"Repr-Digest: sha-256=:x:",
        b"Content-MD5: x",
        b"Accept-Ranges: bytes",
        b"X-Request-Id: 7",
        b"Set-Cookie: a=1",
    ]
    with world(exact(answer(NEW, *lines)), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        names = {name.lower() for name, _ in response.headers}
        assert not names & {line.partition(b":")[0].lower() for line in lines[:7]}
        assert response.get(b"x-request-id") == b"7"
        assert response.get(b"set-cookie") == b"a=1"
        assert response.get(b"content-type") == b"application/json"


def test_ranges_and_conditions_are_not_forwarded_and_no_coding_is_asked_for():
    asked = (
        b"GET /infer HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nIf-Range: x\r\nIf-None-Match: x\r\n"
        b"If-Modified-Since: x\r\nIf-Match: x\r\nIf-Unmodified-Since: x\r\nAccept-Encoding: gzip, br\r\n\r\n"
    )
    with world(serve(answer(NEW)), spec=adapting()) as here:
        assert orjson.loads(here.ask(asked).body) == OLD
        (request,) = here.upstream.requests
        names = {name.lower() for name, _ in request.headers}
        assert not {name for name in names if name.startswith(b"if-")}
        assert b"range" not in names
        assert request.all(b"accept-encoding") == [b"identity"]


CODERS = {b"gzip": gzip.compress, b"deflate": zlib.compress, b"br": brotli.compress, b"zstd": zstandard.compress}


@pytest.mark.parametrize("coding", CODERS)
def test_a_coded_answer_is_decoded_first(coding):
    body = CODERS[coding](NEW)
    with world(exact(answer(body, b"Content-Encoding: " + coding)), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert orjson.loads(response.body) == OLD
        assert response.get(b"content-encoding") is None


@pytest.mark.parametrize("coding", CODERS)
def test_a_bomb_is_refused(coding):
    body = CODERS[coding](b'{"score": "' + b"a" * 3_000_000 + b'"}')
    spec = adapting(limits=Limits(adapted_body=1_000_000))
    with world(exact(answer(body, b"Content-Encoding: " + coding)), spec=spec) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"answer-too-large")


def test_an_unknown_coding_is_refused():
    with world(exact(answer(NEW, b"Content-Encoding: snappy")), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"adapter-failed")


@pytest.mark.parametrize(
    "raw",
    [
        answer(b'{"score": "' + b"a" * 2000 + b'"}'),
        chunked(b'{"score": "' + b"a" * 2000 + b'"}', 100),
        chunked(b'{"score": "' + b"a" * 2000 + b'"}', 5000),
        b"HTTP/1.1 200 OK\r\n\r\n" + b'{"score": "' + b"a" * 2000 + b'"}',
    ],
    ids=["length", "chunks", "one-chunk", "closed"],
)
@pytest.mark.parametrize("policy", ["fail", "passthrough", "ask_native"])
@pytest.mark.parametrize("delivery", ["at once", "head first", "gated"])
def test_an_answer_over_the_limit_is_refused_and_never_passed_unadapted(raw, policy, delivery):
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        cut = 0 if delivery == "at once" else raw.index(b"\r\n\r\n") + 4
        await peer.send(raw[:cut])
        if delivery == "gated":
            await gate
        await peer.send(raw[cut:])
        if b"Length" not in raw and b"chunked" not in raw:
            peer.fin()
        else:
            await serve(raw)(peer)

    spec = adapting(limits=Limits(adapted_body=1000), on_adapter_failure=policy)
    with world(script, spec=spec) as here, here.client() as client:
        client.send(POST)
        if delivery == "gated":
            client.is_quiet(0.05)
            gate.open()
        response = client.response("POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"answer-too-large")
        client.send(POST)
        assert client.response("POST").status == 502


def test_a_large_answer_is_adapted_all_the_same():
    filler = "x" * 400_000
    body = orjson.dumps({"score": 0.25, "filler": filler})
    with world(exact(answer(body)), spec=adapting()) as here:
        assert orjson.loads(here.ask(POST, "POST").body) == {"probability": 0.25, "filler": filler}


@pytest.mark.parametrize("kind", [b"text/event-stream", b"application/x-ndjson", b"TEXT/event-stream; charset=utf-8"])
@pytest.mark.parametrize("policy", ["fail", "passthrough"])
def test_a_stream_is_refused_at_its_head(kind, policy):
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.ended

    with world(script, spec=adapting(on_adapter_failure=policy)) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"stream-not-adaptable")
        assert here.upstream.peers[0].ended.wait()


@pytest.mark.parametrize("status", [b"404 Not Found", b"422 Unprocessable Content", b"500 Internal Server Error"])
def test_an_error_answer_is_passed_on_as_it_is_and_claims_no_shape(status):
    body = b'{"error": "no"}'
    with world(exact(answer(body, b'ETag: "x"', status=status)), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.body) == (int(status[:3]), body)
        assert response.get(b"x-model-version") is None
        assert response.get(b"x-model-served") == b"2.0.0"


def test_an_answer_without_a_body_is_passed_on_and_a_head_has_no_length():
    with world(serve(b"HTTP/1.1 204 No Content\r\n\r\n"), spec=adapting()) as here:
        assert here.ask(POST, "POST").status == 204
    with world(serve(b"HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n"), spec=adapting()) as here:
        response = here.ask(b"HEAD /infer HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")
        assert (response.status, response.get(b"content-length")) == (200, None)


@pytest.mark.parametrize("ending", ["fin", "reset"])
@pytest.mark.parametrize("raw", [answer(NEW)[:-1], chunked(NEW, 5)[:-3]], ids=["length", "chunked"])
def test_a_cut_answer_is_a_502_since_nothing_went_out(raw, ending):
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(raw)
        getattr(peer, ending)()

    with world(script, spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"upstream-closed")


# --- the request ----------

UP = [{"replace": {"path": "/want", "value": "score", "on_missing": "skip"}}]


@pytest.mark.parametrize("slicing", ["whole", "bytewise"])
@pytest.mark.parametrize(
    "framed",
    [
        b'Content-Length: 15\r\n\r\n{"want": "old"}',
        b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"wan\r\na\r\nt": "old"}\r\n0\r\n\r\n',
        b'Expect: 100-continue\r\nContent-Length: 15\r\n\r\n{"want": "old"}',
    ],
)
def test_a_request_is_stepped_up_with_the_length_of_its_new_bytes(framed, slicing):
    raw = b"POST /infer HTTP/1.1\r\nHost: a\r\n" + framed
    with world(serve(answer(NEW)), spec=adapting(request=UP)) as here, here.client() as client:
        client.send_bytewise(raw) if slicing == "bytewise" else client.send(raw)
        assert orjson.loads(client.response("POST").body) == OLD
        (request,) = here.upstream.requests
        assert orjson.loads(request.body) == {"want": "score"}
        assert request.all(b"content-length") == [b"%d" % len(request.body)]
        assert request.get(b"transfer-encoding") is None


def test_a_request_that_is_no_json_is_the_clients_fault_and_is_not_sent():
    with world(serve(answer(NEW)), spec=adapting(request=UP)) as here:
        response = here.ask(POST.replace(b"{}", b"{]"), "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (422, b"request-not-adaptable")
        assert not here.upstream.peers


def test_a_coded_request_is_told_that_it_may_not_be_coded():
    spec = adapting(request=[{"move": {"from": "/instances", "to": "/inputs"}}])
    with world(spec=spec) as here:
        raw = b"POST /infer HTTP/1.1\r\nHost: a\r\nContent-Encoding: %b\r\nContent-Length: 2\r\n\r\n{}"
        response = here.ask(raw % b"gzip", "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (415, b"request-not-adaptable")
        assert b"gzip" in response.body
        assert not here.upstream.requests
        here.upstream.script = serve(answer(b'{"score": 1}'))
        assert here.ask(raw % b"identity", "POST").status == 200


def test_a_request_over_the_limit_is_a_413():
    spec = adapting(request=UP, limits=Limits(adapted_body=100))
    with world(serve(answer(NEW)), spec=spec) as here:
        for framed in (
            b"Content-Length: 101\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n65\r\n" + bytes(101) + b"\r\n",
        ):
            assert here.ask(b"POST /infer HTTP/1.1\r\nHost: a\r\n" + framed, "POST").status == 413
        assert not here.upstream.peers


def test_a_large_request_behind_others_is_collected_although_reading_was_paused():
    body = orjson.dumps({"want": "old", "filler": "x" * 200_000})
    large = b"POST /infer HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        await gate
        await peer.send(answer(NEW))
        await serve(answer(NEW))(peer)

    with world(script, spec=adapting(request=UP)) as here, here.client() as client:
        client.send(POST + large)
        client.is_quiet(0.1)
        gate.open()
        assert client.response("POST").status == 200
        assert client.response("POST").status == 200
        assert orjson.loads(here.upstream.requests[1].body)["want"] == "score"


# --- failures ----------


@pytest.mark.parametrize("media", [b"application/json; charset=iso-8859-1", b'application/json;Charset="UTF-16"'])
def test_an_answer_in_another_charset_is_refused_even_where_its_bytes_could_be_utf_8(media):
    with world(exact(answer(NEW).replace(b"application/json", media)), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"adapter-failed")
        assert b"and JSON is in UTF-8" in response.body


@pytest.mark.parametrize(
    "media", [b"application/json; charset=utf-8", b'application/json; charset="UTF8"', b"text/json"]
)
def test_an_answer_that_says_that_it_is_in_utf_8_is_adapted(media):
    with world(exact(answer(NEW).replace(b"application/json", media)), spec=adapting()) as here:
        assert orjson.loads(here.ask(POST, "POST").body) == OLD


BAD = {
    "no-json": b"{]",
    "cut": NEW[:-1],
    "nan": b'{"score": NaN}',
    "empty": b"",
    "no-member": b'{"other": 1}',
    "wrong-type": b"[1]",
    "bom": b"\xef\xbb\xbf" + NEW,
    "deep": b'{"score":' + b"[" * 2000 + b"]" * 2000 + b"}",
}


@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_cannot_be_adapted_fails_closed(name):
    with world(exact(answer(BAD[name])), spec=adapting()) as here, here.client() as client:
        client.send(POST)
        response = client.response("POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"adapter-failed")
        assert response.get(b"x-model-version") is None
        line = here.sidecar.log()[-1]
        assert (line["status"], line["adapter"], line["error"]) == (502, "failed", "adapter-failed")
        assert here.sidecar.metric("stepdown_requests_total", adapter="failed") == 1


@pytest.mark.parametrize(
    ("style", "read"),
    [
        ("problem", lambda body: body["type"].endswith("adapter-failed") and body["status"] == 502),
        ("v2", lambda body: isinstance(body["error"], str)),
        ("openai", lambda body: body["error"]["code"] == "adapter-failed"),
    ],
)
def test_errors_have_the_shape_that_the_routes_clients_parse(style, read):
    with world(exact(answer(b"{]")), spec=adapting(errors=style)) as here:
        assert read(orjson.loads(here.ask(POST, "POST").body))


def test_passthrough_names_the_true_shape():
    body = b'{"other": 1}'
    with world(exact(answer(body, b'ETag: "x"')), spec=adapting(on_adapter_failure="passthrough")) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.body) == (200, body)
        assert response.all(b"x-model-version") == [b"2.0.0"]
        assert response.all(b"x-model-served") == [b"2.0.0"]
        assert response.get(b"etag") == b'"x"'
        assert here.sidecar.log()[-1]["adapter"] == "passthrough"
        assert here.sidecar.metric("stepdown_requests_total", adapter="passthrough") == 1


def native(*, repeatable: bool = True, **options):
    """2.0.0 fails to be adapted; 1.0.0 could be asked instead."""

    def spec(new: int, old: int):
        return specs.adapted(
            new, RENAME, native_port=old, repeatable=repeatable, on_adapter_failure="ask_native", **options
        )

    return spec


@pytest.mark.parametrize("body", [b"{}", b"x" * 100_000])
def test_a_version_that_has_the_shape_itself_is_asked_instead(body):
    with world(exact(answer(b"{]")), spec=native(), upstreams=2) as here:
        here.upstreams[1].script = serve(answer(b'{"probability": 1}'))
        raw = b"POST /infer HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        response = here.ask(raw, "POST")
        assert (response.status, response.body) == (200, b'{"probability": 1}')
        assert response.all(b"x-model-version") == [b"1.0.0"]
        assert response.all(b"x-model-served") == [b"1.0.0"]
        assert [upstream.requests[0].body for upstream in here.upstreams] == [body, body]
        assert here.sidecar.log()[-1]["adapter"] == "native"


@pytest.mark.parametrize(
    "unread",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b" " * 1001 + b"\r\n",
        answer(b" " * 1001),
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n",
    ],
    ids=["stream", "length", "chunks", "whole", "whole stream"],
)
def test_it_is_asked_too_where_the_answer_is_a_stream_or_too_large_to_read(unread):
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(unread)
        await peer.ended

    with world(script, spec=native(limits=Limits(adapted_body=1000)), upstreams=2) as here:
        here.upstreams[1].script = serve(answer(b'{"probability": 1}'))
        assert here.ask(POST, "POST").body == b'{"probability": 1}'
        assert here.sidecar.status()["endpoints"][f"m/2.0.0/http://127.0.0.1:{here.upstream.port}"]["pending"] == 0


def test_it_is_not_asked_where_a_call_may_not_be_repeated():
    with world(exact(answer(b"{]")), spec=native(repeatable=False), upstreams=2) as here:
        assert here.ask(POST, "POST").status == 502
        assert not here.upstreams[1].peers


def test_it_is_not_asked_beyond_the_retry_budget():
    def spec(*ports: int):
        return msgspec.structs.replace(native()(*ports), retry_budget=0.0, retry_minimum=0)

    with world(exact(answer(b"{]")), spec=spec, upstreams=2) as here:
        assert here.ask(POST, "POST").status == 502
        assert not here.upstreams[1].peers


def test_when_the_native_version_fails_too_the_client_is_told():
    with world(serve(answer(b"{]")), spec=native(), upstreams=2) as here:
        here.upstreams[1].script = then_fin(b"")
        response = here.ask(POST, "POST")
        assert response.status == 502
        assert here.ask(POST, "POST").status == 502
