"""Entries made of what workers hand over: what is recorded, what is a digest, and what is left out."""

from __future__ import annotations

import hashlib
import json

import pytest

from stepdown.decide.records import Hidden
from stepdown.recordings.deciding import Deciding
from stepdown.recordings.entry import read, write
from tests.kit.recordings import ANSWER_HEAD, REQUEST_HEAD, a_copy, an_answer, an_entry, recording


def head(*lines: str, target: str = "/churn") -> bytes:
    return "\r\n".join([f"POST {target} HTTP/1.1", "Host: models", *lines, "", ""]).encode()


def test_an_exchange_is_one_line_that_says_all_of_it() -> None:
    line = write(an_entry())
    assert line.startswith(b'{"recording":1,"id":"run-0","time":"2026-09-21T14:13:20.250Z"')
    assert line.count(b"\n") == 1
    found = json.loads(line)
    key = found.pop("key")
    assert len(key) == 16
    assert found == {
        "recording": 1,
        "id": "run-0",
        "time": "2026-09-21T14:13:20.250Z",
        "config": "0123",
        "route": "churn",
        "model": "churn",
        "rule": "everyone",
        "pinned": "1.1.0",
        "assigned": "2.0.0",
        "served": "2.0.0",
        "reason": "split",
        "request": {
            "headers": {
                "host": "models",
                "accept": None,
                "content-type": "application/json",
                "content-encoding": None,
                "x-model-version": None,
            },
            "size": 8,
            "form": "json",
            "body": {"x": 1},
            "method": "POST",
            "target": "/churn?a=1",
        },
        "outcome": "adapted",
        "status": 200,
        "elapsed": 0.00525,
        "upstream": 0.004,
        "response": {
            "headers": {"content-type": "application/json", "content-encoding": None},
            "size": 14,
            "form": "json",
            "body": {"logit": 0.5},
            "status": 200,
        },
    }
    assert write(read(line)) == line
    assert read(line).seconds == 1_790_000_000.25


def test_fields_that_decide_and_those_that_are_named_are_recorded_and_no_others() -> None:
    lines = ("X-Plan: beta", "X-Trace: t1", "X-Model-Version: ^1", "X-Mine: no", "Cookie: uid=7; other=8")
    entry = an_entry(
        copy=a_copy(head=head(*lines)),
        answer=an_answer(head=ANSWER_HEAD[:-2] + b"X-Trace: t2\r\nX-Mine: no\r\n\r\n"),
        settings=recording(headers=("x-trace",)),
        decides=Deciding(("x-model-version", "x-plan", "x-absent"), ("uid", "gone"), client=True),
    )
    asked = {name: value for name, value in entry.request.headers.items() if name.startswith("x-")}
    assert asked == {"x-model-version": "^1", "x-plan": "beta", "x-absent": None, "x-trace": "t1"}
    assert entry.request.cookies == {"uid": "7", "gone": None}
    assert entry.client == "10.0.0.1"
    assert entry.response is not None
    assert entry.response.headers["x-trace"] == "t2"
    assert b"no" not in write(entry).replace(b"no-", b"")


def test_secrets_are_digests_wherever_they_are() -> None:
    lines = ("Authorization: Bearer s3cret", "X-Api-Key: s3cret", "Cookie: session=s3cret", "X-Plain: s")
    entry = an_entry(
        copy=a_copy(head=head(*lines, target="/churn?api_key=s3cret&x=1")),
        settings=recording(headers=("authorization", "cookie", "x-plain", "set-cookie")),
        answer=an_answer(head=ANSWER_HEAD[:-2] + b"Set-Cookie: session=s3cret\r\n\r\n"),
        decides=Deciding(("x-api-key",), ("session",)),
    )
    assert b"s3cret" not in write(entry)
    assert entry.request.headers["x-api-key"] == Hidden(hashlib.sha256(b"s3cret").hexdigest())
    assert entry.request.cookies["session"] == Hidden(hashlib.sha256(b"s3cret").hexdigest())
    assert entry.request.headers["x-plain"] == "s"
    assert entry.request.target == "/churn?api_key=***&x=1"
    assert entry.response is not None
    assert isinstance(entry.response.headers["set-cookie"], Hidden)


def test_fields_that_do_not_decide_are_not_even_digests() -> None:
    entry = an_entry(copy=a_copy(head=head("Authorization: Basic abc", "Cookie: a=b", "X-Forwarded-For: 10.9.9.9")))
    assert set(entry.request.headers) == {"host", "accept", "content-type", "content-encoding", "x-model-version"}
    assert (entry.client, entry.request.cookies) == ("", {})


def test_the_sticky_key_is_told_by_a_digest_that_nobody_can_guess() -> None:
    first, same, other = (an_entry(copy=a_copy(key=key)).key for key in ("00ff", "00ff", "00fe"))
    assert first == same != other
    assert first != "00ff"
    assert an_entry(copy=a_copy(key="")).key == ""


def test_where_no_server_answered_there_is_no_response() -> None:
    entry = an_entry(answer=an_answer(head=b"", served="", outcome="none", status=502, error="upstream-connect"))
    assert entry.response is None
    assert (entry.served, entry.chosen, entry.status, entry.error) == ("", "2.0.0", 502, "upstream-connect")


def test_an_answer_of_another_version_names_both() -> None:
    entry = an_entry(answer=an_answer(served="1.1.0", outcome="native"))
    assert (entry.served, entry.chosen) == ("1.1.0", "2.0.0")


def test_the_server_s_status_and_the_client_s_may_differ() -> None:
    entry = an_entry(answer=an_answer(head=b"HTTP/1.1 201 Made\r\n\r\n", status=502, error="adapter-failed"))
    assert entry.response is not None
    assert (entry.response.status, entry.status) == (201, 502)


@pytest.mark.parametrize("reason", ["too-large", "full", "cut"])
def test_an_answer_s_body_that_was_not_handed_over_says_why(reason: str) -> None:
    entry = an_entry(answer=an_answer(missing=reason), answer_body=b"half of i")
    assert entry.response is not None
    assert (entry.response.missing, entry.response.content) == (reason, None)


def test_a_request_whose_body_was_not_handed_over_says_so() -> None:
    entry = an_entry(copy=a_copy(head=REQUEST_HEAD[:-2] + b"Content-Length: 900\r\n\r\n"), body=b"")
    assert (entry.request.missing, entry.request.size) == ("not-copied", 900)


def test_redaction_holds_for_requests_and_answers() -> None:
    entry = an_entry(b'{"name": "Eve"}', b'{"name": "Eve", "p": 1}', settings=recording(redact=("/name",)))
    assert entry.response is not None
    assert entry.request.redacted == entry.response.redacted == ("/name",)
    assert b"Eve" not in write(entry)
    asked, answered = (json.loads(one.content or b"")["name"] for one in (entry.request, entry.response))
    assert asked == answered
