"""A recorded exchange is made what a worker would have handed over, or it is said why that cannot be."""

from __future__ import annotations

import gzip
from typing import Any

import msgspec
import pytest

from stepdown.decide import spec
from stepdown.decide.spec import Route
from stepdown.replay.exchanges import NOT_ANSWERED, REDACTED, Exchange, exchange_of
from stepdown.wire import parse_request, parse_response
from tests.kit import specs
from tests.kit.recordings import a_copy, an_answer, an_entry, recording
from tests.kit.replaying import exchange

ROUTE = specs.route({"2.0.0": 100}, match=spec.Match(path="/churn"), name="churn")


def made(entry: Any, route: Route = ROUTE) -> Exchange:
    found = exchange_of(entry, route, 5)
    assert not isinstance(found, str), found
    return found


def test_an_exchange_is_what_was_asked_and_answered() -> None:
    found = made(exchange(3, pinned="1.1.0"))
    head = parse_request(found.copy.head)
    assert (head.method, head.target, head.host, head.length) == (b"POST", b"/churn?a=1", b"models", 7)
    assert head.get(b"content-type") == b"application/json"
    assert (found.copy.pinned, found.copy.served, found.copy.route, found.copy.id) == ("1.1.0", "2.0.0", "churn", 5)
    assert found.copy.at == 1_790_000_003.0
    assert found.body == b'{"x":3}'
    answer = parse_response(found.answer.head, b"POST")
    assert (answer.status, answer.get(b"content-type"), answer.length) == (200, b"application/json", 13)
    assert (found.answer.served, found.answer.outcome, found.answer.upstream) == ("2.0.0", "adapted", 4_000_000)
    assert (found.answer_body, found.size, found.unseen, found.hidden) == (b'{"logit":0.3}', 14, (), False)


def test_codings_that_were_undone_are_not_claimed() -> None:
    body = gzip.compress(b'{"x": 1}')
    head = b"POST /churn HTTP/1.1\r\nHost: m\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n\r\n"
    found = made(an_entry(body, copy=a_copy(head=head)))
    assert found.body == b'{"x":1}'
    assert parse_request(found.copy.head).get(b"content-encoding") is None
    unknown = made(an_entry(b"\x00\x01", copy=a_copy(head=head.replace(b"gzip", b"secret"))))
    assert unknown.body == b"\x00\x01"
    assert parse_request(unknown.copy.head).get(b"content-encoding") == b"secret"


def test_a_request_without_a_body_has_none() -> None:
    found = made(an_entry(b"", copy=a_copy(head=b"GET /churn HTTP/1.1\r\nHost: m\r\n\r\n")))
    head = parse_request(found.copy.head)
    assert not head.framed
    assert found.body == b""


def test_secrets_are_not_sent_not_even_as_digests() -> None:
    head = b"POST /churn?token=abc HTTP/1.1\r\nHost: m\r\nX-Api-Key: abc\r\n\r\n"
    entry = an_entry(copy=a_copy(head=head), settings=recording(headers=("x-api-key",)))
    assert entry.request.headers["x-api-key"]
    found = made(entry)
    assert parse_request(found.copy.head).get(b"x-api-key") is None
    assert found.hidden


def test_parts_of_the_path_are_found_again() -> None:
    route = specs.route({}, match=spec.Match(path="/v2/{name}/x/{version}"), name="churn")
    entry = an_entry(copy=a_copy(head=b"POST /v2/ch%20urn/x/7?q=/ HTTP/1.1\r\nHost: m\r\n\r\n"))
    assert made(entry, route).copy.params == (b"ch%20urn", b"7")
    under = specs.route({}, match=spec.Match(path_prefix="/v2/{name}/"), name="churn")
    assert made(entry, under).copy.params == (b"ch%20urn",)
    assert exchange_of(entry, ROUTE, 1) == "a path that its route does not have any more"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (exchange(1, answered={"head": b"", "served": ""}), NOT_ANSWERED),
        (exchange(1, answered={"error": "upstream-cut"}), "the answer ended with upstream-cut"),
        (an_entry(answer=an_answer(outcome="passthrough")), "an answer that was passed on in its own shape"),
        (exchange(1, answered={"missing": "cut"}), "no answer body: cut"),
        (exchange(1, body=b"no json", redact=("/x",)), "no request body: not-redactable"),
        (exchange(1, redact=("/x",)), REDACTED),
        (exchange(1, {"who": 1}, pinned="1.1.0", redact=("/who",)), "redacted answer, which cannot be stepped down"),
    ],
)
def test_what_says_nothing_is_not_sent(entry: Any, reason: str) -> None:
    assert exchange_of(entry, ROUTE, 1) == reason


def test_where_an_answer_is_redacted_it_is_not_looked_at() -> None:
    assert made(exchange(1, {"who": 1, "logit": 1}, redact=("/who",))).unseen == ("/who",)


def test_a_time_that_is_none_is_no_reason_to_leave_a_request_out() -> None:
    entry = msgspec.structs.replace(exchange(1), time="yesterday")
    assert made(entry).copy.at == 0.0
