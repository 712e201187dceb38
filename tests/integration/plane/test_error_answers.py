"""A server's errors in the shape that old clients parse: adapted where the chain says how, and never another status."""

from __future__ import annotations

import gzip

import orjson
import pytest

from tests.integration.plane.test_adapted import NEW, OLD, POST, RENAME, answer
from tests.kit import specs
from tests.kit.upstream import exact, serve, then_fin
from tests.kit.world import world

ERRORS = [
    {"move": {"from": "/detail", "to": "/error"}},
    {"remove": "/type"},
    {"status_map": {"422": 400}},
    {"header_set": {"content-type": "application/json"}},
    {"header_remove": "x-internal"},
]
PROBLEM = b'{"type": "about:blank", "detail": "no such column"}'


def adapting(response=RENAME, errors=ERRORS, **options):
    return lambda port: specs.adapted(port, response, error_answers=errors, **options)


def error(body: bytes, *lines: bytes, status: bytes = b"422 Unprocessable Content") -> bytes:
    return answer(body, b"X-Internal: 7", *lines, status=status)


def chunked(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length"))
    return head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("raw", [error(PROBLEM), chunked(error(PROBLEM))], ids=["length", "chunked"])
@pytest.mark.parametrize("slice_every", [0, 1])
def test_an_error_has_the_old_shape_status_and_fields(raw, slice_every):
    with world(then_fin(raw, slice_every=slice_every), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert (response.status, orjson.loads(response.body)) == (400, {"error": "no such column"})
        assert response.all(b"content-type") == [b"application/json"]
        assert response.get(b"x-internal") is None
        assert response.get(b"x-model-version") == b"1.0.0"
        assert response.get(b"content-length") == b"%d" % len(response.body)


def test_answers_that_are_no_errors_are_adapted_as_ever():
    with world(exact(answer(NEW)), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert (response.status, orjson.loads(response.body)) == (200, OLD)


def test_a_chain_for_errors_alone_passes_answers_on_as_they_come():
    stream = answer(NEW, b"X-Shape: new").replace(b"application/json", b"text/event-stream")
    with world(exact(stream), spec=adapting(response=())) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.body) == (200, NEW)


def test_the_head_of_an_answer_can_be_edited_without_touching_its_body():
    with world(
        exact(answer(NEW, b"X-Shape: new")), spec=adapting(response=[{"header_set": {"x-shape": "old"}}])
    ) as here:
        response = here.ask(POST, "POST")
        assert (response.body, response.all(b"x-shape")) == (NEW, [b"old"])


def test_a_compressed_error_is_adapted():
    raw = error(gzip.compress(PROBLEM), b"Content-Encoding: gzip")
    with world(exact(raw), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert orjson.loads(response.body) == {"error": "no such column"}
        assert response.get(b"content-encoding") is None


@pytest.mark.parametrize(
    "raw",
    [
        error(b"<html>busy</html>", b"Retry-After: 7", status=b"503 Service Unavailable"),
        error(b'{"message": "other"}', b"Retry-After: 7", status=b"503 Service Unavailable"),
        error(b'{"detail": NaN}', b"Retry-After: 7", status=b"503 Service Unavailable"),
        error(b'{"detail": "' + b"x" * 300_000 + b'"}', b"Retry-After: 7", status=b"503 Service Unavailable"),
        error(b"data: x\n\n", b"Retry-After: 7", status=b"503 Service Unavailable").replace(
            b"application/json", b"text/event-stream"
        ),
    ],
    ids=["html", "another shape", "NaN", "too long", "a stream"],
)
@pytest.mark.parametrize("wire", [bytes, chunked], ids=["length", "chunked"])
@pytest.mark.parametrize("policy", ["fail", "ask_native", "passthrough"])
def test_an_error_that_cannot_be_adapted_keeps_its_status_and_patience(raw, wire, policy):
    def spec(new, old):
        return adapting(on_adapter_failure=policy, native_port=old, repeatable=True)(new)

    with world(then_fin(wire(raw)), spec=spec, upstreams=2) as here:
        here.upstreams[1].script = serve(answer(NEW))
        response = here.ask(POST, "POST")
        assert response.status == 503
        assert response.get(b"retry-after") == b"7"
        assert response.get(b"x-model-version") is None
        assert orjson.loads(response.body)["type"] == "urn:stepdown:problem:error-not-adaptable"


def test_an_error_without_a_body_only_gets_another_head():
    with world(exact(error(b"")), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.body) == (400, b"")


def test_an_error_to_head_only_gets_another_head():
    raw = b"HTTP/1.1 422 Unprocessable Content\r\nX-Internal: 7\r\nContent-Length: 70\r\n\r\n"
    with world(exact(raw), spec=adapting()) as here:
        response = here.ask(b"HEAD /infer HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")
        assert (response.status, response.get(b"x-internal")) == (400, None)
