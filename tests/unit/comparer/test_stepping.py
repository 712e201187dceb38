"""Both answers are made what the client would get, by the rules of a live answer."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from stepdown.comparer import stepping
from stepdown.comparer.asked import Asked
from stepdown.comparer.configurations import Configuration
from stepdown.comparer.results import Outcome, Result
from stepdown.comparer.stepping import Incomparable
from stepdown.decide.shadow_spec import Shadow
from stepdown.errors import RequestNotAdaptableError
from stepdown.wire import parse_request, parse_response
from tests.kit.shadowing import BODY, a_copy, an_answer, post, shadowed

LIMIT = 1000
MOVE = {"response": ({"move": {"from": "/score", "to": "/probability"}},)}
ERRORS = {"errors": ({"move": {"from": "/message", "to": "/error"}}, {"status_map": {422: 400}})}


def asked(step: dict[str, Any] | None = None, method: bytes = b"POST", **more: Any) -> Asked:
    spec = shadowed(Shadow(name="s", version="2.0.0"), served=1, ports=[2], step=step or MOVE, **more)
    return Asked(Configuration(spec), a_copy(head=post().replace(b"POST", method)), BODY)


def raw(status: int = 200, *lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 %d X" % status, b"Content-Type: application/json", *lines]) + b"\r\n\r\n"


def copied(request: Asked, body: bytes, head: bytes | None = None, outcome: Outcome = "answered") -> Any:
    parsed = parse_response(raw() if head is None else head, request.head.method)
    return stepping.of_copy(request, Result("2.0.0", outcome, "", parsed, body), LIMIT)


def served(request: Asked, body: bytes, head: bytes | None = None, **more: Any) -> Any:
    answer = an_answer(**{"elapsed": 1, "upstream": 1, "head": raw() if head is None else head} | more)
    return stepping.of_served(request, answer, body, LIMIT)


def test_an_answer_in_another_shape_is_stepped_down_and_one_in_the_pinned_shape_is_not() -> None:
    assert copied(asked(), b'{"score":1}').body == b'{"probability":1}'
    assert served(asked(), b'{"score": 1}').body == b'{"score": 1}'
    assert served(asked(), b'{"score":1}', served="2.0.0").body == b'{"probability":1}'


def test_content_codings_are_undone_on_both_sides_up_to_the_limit() -> None:
    head = raw(200, b"Content-Encoding: gzip")
    assert copied(asked(), gzip.compress(b'{"score":1}'), head).body == b'{"probability":1}'
    assert served(asked(), gzip.compress(b'{"a":1}'), head).body == b'{"a":1}'
    bomb = gzip.compress(b" " * 2000)
    assert [copied(asked(), bomb, head).reason, served(asked(), bomb, head).reason] == ["too-large"] * 2
    broken = raw(200, b"Content-Encoding: lzma")
    assert [copied(asked(), b"x", broken).reason, served(asked(), b"x", broken).reason] == ["coding"] * 2


def test_errors_go_the_way_of_errors_and_their_status_is_mapped() -> None:
    delivered = copied(asked(ERRORS), b'{"message":"no"}', raw(422))
    assert (delivered.status, delivered.body) == (400, b'{"error":"no"}')
    assert copied(asked(MOVE), b'{"message":"no"}', raw(422)).body == b'{"message":"no"}'
    assert copied(asked(ERRORS), b"", raw(500), "error")[::2] == (500, b"")
    assert copied(asked(ERRORS), b"no json", raw(422)).reason == "adapter"


def test_fields_are_edited() -> None:
    step = {"response": (*MOVE["response"], {"header_set": {"X-A": "1"}})}
    assert b"x-a: 1" in copied(asked(step), b'{"score":1}').head.lines


def test_what_has_no_body_has_no_shape() -> None:
    assert copied(asked(), b"", raw(204)).status == 204
    assert copied(asked(method=b"HEAD"), b"").body == b""


@pytest.mark.parametrize(
    ("body", "head", "reason"),
    [
        (b'{"other":1}', raw(), "adapter"),
        (b"no json", raw(), "adapter"),
        (b"data: 1\n\n", b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n", "stream"),
        (b"\xe9", b"HTTP/1.1 200 X\r\nContent-Type: application/json; charset=latin-1\r\n\r\n", "coding"),
    ],
)
def test_what_a_live_answer_is_refused_for_makes_a_copied_one_incomparable(
    body: bytes, head: bytes, reason: str
) -> None:
    assert copied(asked(), body, head).reason == reason
    assert served(asked(), body, head, served="2.0.0").reason == reason


@pytest.mark.parametrize("outcome", ["timeout", "cut", "too-large", "malformed", "reset", "pending"])
def test_a_copy_without_a_whole_answer_is_incomparable(outcome: Outcome) -> None:
    assert copied(asked(), b"", None, outcome) == Incomparable(outcome)
    assert stepping.of_copy(asked(), Result("2.0.0", "refused", detail="no"), LIMIT) == Incomparable("refused", "no")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"missing": "too-large"}, "too-large"),
        ({"error": "client-gone", "missing": "cut"}, "cut"),
        ({"error": "upstream-timeout", "head": b""}, "upstream-timeout"),
        ({"head": b""}, "unanswered"),
        ({"head": b"nothing"}, "malformed"),
        ({"outcome": "passthrough", "served": "2.0.0"}, "passthrough"),
    ],
)
def test_a_request_without_a_whole_answer_in_its_shape_is_incomparable(more: dict[str, Any], reason: str) -> None:
    assert served(asked(), b"{}", **more).reason == reason
    assert stepping.of_served(asked(), None, b"", LIMIT) == Incomparable("unanswered")


def test_a_version_without_a_way_to_the_pinned_shape_is_incomparable() -> None:
    assert copied(asked(chains=()), b"{}").reason == "unreachable-shape"


def test_what_a_request_puts_aside_is_there_for_its_answer_on_both_sides() -> None:
    step = {
        "request": ({"carry": {"from": "/x", "as": "x"}},),
        "response": ({"add": {"path": "/echo", "value": {"carried": "x"}}},),
    }
    request = asked(step)
    request.upward("2.0.0")
    assert copied(request, b"{}").body == b'{"echo":1}'
    assert served(asked(step), b"{}", served="2.0.0").body == b'{"echo":1}'


def test_a_stream_is_stepped_down_event_by_event_and_incomparable_where_no_step_says_how() -> None:
    head = raw().replace(b"application/json", b"text/event-stream")
    renaming = {"streams": '{"on":{"/score":[{"move":{"from":"/score","to":"/probability"}}]}}'}
    stream = b'data: {"score":1}\n\ndata: [DONE]\n\n'
    assert copied(asked(renaming), stream, head).body == b'data: {"probability":1}\n\ndata: [DONE]\n\n'
    assert served(asked(renaming), stream, head).body == stream
    assert copied(asked({**MOVE, "streams": '{"on":{}}'}), stream, head).body == stream
    assert copied(asked(MOVE), stream, head).reason == "stream"
    strict = {"streams": '{"on":{"/score":[{"cast":{"path":"/score","to":"string"}},{"remove":"/gone/deep"}]}}'}
    assert copied(asked(strict), b'data: {"score":[]}\n\n', head).reason == "adapter"


def test_of_a_stream_that_some_clients_get_as_a_document_nothing_is_said() -> None:
    head = raw().replace(b"application/json", b"text/event-stream")
    collecting = {"streams": json.dumps({"on": {}, "collect": {"data": {}}})}
    assert copied(asked(collecting), b'data: {"score":1}\n\n', head).reason == "collected"


def test_binary_tensors_are_data_on_both_sides_and_what_is_no_tensor_says_so() -> None:
    text = b'{"outputs":[{"name":"y","shape":[2],"datatype":"INT8","parameters":{"binary_data_size":2}}],"score":1}'
    head = raw(200, b"Inference-Header-Content-Length: %d" % len(text)).replace(b"json", b"octet-stream")
    outputs = b'{"outputs":[{"name":"y","shape":[2],"datatype":"INT8","data":[1,2]}],'
    native = served(asked(), text + b"\1\2", head)
    assert native.body == outputs + b'"score":1}'
    adapted = copied(asked(), text + b"\1\2", head)
    assert adapted.body == outputs + b'"probability":1}'
    assert (adapted.status, adapted.head.get(b"content-type")) == (200, b"application/json")
    cut = [served(asked(), text + b"\1", head), copied(asked(), text + b"\1", head)]
    assert [one.reason for one in cut] == ["coding"] * 2
    assert "binary tensors cannot be read: tensor 'y' has 2 bytes, and 1 are left" in cut[0].detail


@pytest.mark.parametrize("line", [b"Content-Encoding: gzip", b"Inference-Header-Content-Length: 2"])
def test_a_request_that_is_not_json_as_it_came_is_not_stepped_up(line: bytes) -> None:
    request = asked({"request": ({"move": {"from": "/a", "to": "/b", "on_missing": "skip"}},)})
    assert request.upward("2.0.0") == b'{"x":1}'
    request.head = parse_request(request.head.raw.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n"))
    with pytest.raises(RequestNotAdaptableError):
        request.upward("2.0.0")
