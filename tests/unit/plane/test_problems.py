"""Stepdown's own error answers in the three shapes that clients parse."""

from __future__ import annotations

import orjson
import pytest

from stepdown.errors import AdapterFailedError, BadPinError, NoReadyVersionError, RequestTimeoutError, StepdownError
from stepdown.plane.problems import render


def split(raw: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, fields by name, body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, dict(line.split(b": ", 1) for line in lines), body


def test_a_problem_is_rfc_9457():
    status, fields, body = split(
        render(BadPinError('"x" is no version'), "problem", b"vary: a\r\n", close=False, head_only=False)
    )
    assert status == b"HTTP/1.1 400 Bad Request"
    assert fields[b"content-type"] == b"application/problem+json"
    assert fields[b"x-stepdown-error"] == b"bad-version"
    assert fields[b"vary"] == b"a"
    assert int(fields[b"content-length"]) == len(body)
    assert b"connection" not in fields
    problem = orjson.loads(body)
    assert problem["type"].endswith("bad-version")
    assert (problem["status"], problem["detail"]) == (400, '"x" is no version')


def test_open_inference_clients_find_a_string():
    _, fields, body = split(render(AdapterFailedError("no"), "v2", b"", close=False, head_only=False))
    assert fields[b"content-type"] == b"application/json"
    assert "no" in orjson.loads(body)["error"]


@pytest.mark.parametrize(
    ("error", "kind"), [(BadPinError("x"), "invalid_request_error"), (StepdownError(), "server_error")]
)
def test_openai_clients_find_an_object_that_says_whose_fault_it_is(error, kind):
    _, _, body = split(render(error, "openai", b"", close=False, head_only=False))
    content = orjson.loads(body)["error"]
    assert (content["type"], content["code"], content["message"]) == (kind, error.problem, error.detail)


@pytest.mark.parametrize("style", ["problem", "v2", "openai"])
def test_retry_after_status_and_close_are_the_same_in_all_shapes(style):
    status, fields, _ = split(render(NoReadyVersionError(retry_after=7), style, b"", close=True, head_only=False))
    assert status == b"HTTP/1.1 503 Service Unavailable"
    assert fields[b"retry-after"] == b"7"
    assert fields[b"connection"] == b"close"


def test_the_answer_to_a_head_has_the_length_and_not_the_body():
    _, fields, body = split(render(RequestTimeoutError(), "problem", b"", close=True, head_only=True))
    assert body == b""
    assert int(fields[b"content-length"]) > 0


def test_a_detail_with_any_bytes_of_a_client_stays_inside_the_json():
    _, fields, body = split(render(BadPinError('a\r\nX: 1\u2028"'), "problem", b"", close=False, head_only=False))
    assert b"X" not in fields
    assert orjson.loads(body)["detail"] == 'a\r\nX: 1\u2028"'
