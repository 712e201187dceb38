"""Every request of the conformance corpus through the head guard and the body framing, with no socket in between.

What a single head cannot show (leading empty lines, pipelines, limits on bytes that have not ended) is tested on the
plane, with the same corpus.
"""

from __future__ import annotations

import pytest

from stepdown.errors import BadRequestError, BadResponseError
from stepdown.wire import CHUNKED, UNTIL_CLOSE
from stepdown.wire.diagnose import explain_overflow
from tests.kit import corpus
from tests.kit.messages import bytewise, head_of, read_request, read_requests, read_response

REQUESTS = corpus.load("client->proxy")
RESPONSES = corpus.load("upstream->proxy")
ROUTING = {"target-pct-bad": "the rules that match paths refuse it"}
COLLECTING = {"leading-lf", "leading-crlf-flood", "target-long"}
REFUSED = [case for case in REQUESTS if case.statuses and case.id not in ROUTING and case.id not in COLLECTING]
BAD_ANSWERS = [case for case in RESPONSES if case.statuses and case.id != "r-header-huge"]
BY_ID = {case.id: case for case in REQUESTS + RESPONSES}

ids = {"ids": lambda case: case.id}


@pytest.mark.parametrize("case", REFUSED, **ids)
def test_what_is_to_be_refused_is_refused_with_its_status(case):
    with pytest.raises(BadRequestError) as refusal:
        read_request(case.raw)
    assert refusal.value.code in case.statuses
    assert len(refusal.value.detail) < 200


@pytest.mark.parametrize("case", [case for case in REFUSED if len(case.raw) < 100_000], **ids)
def test_it_is_refused_in_the_same_way_when_its_body_comes_byte_by_byte(case):
    with pytest.raises(BadRequestError) as refusal:
        read_request(case.raw, bytewise(head_of(case.raw)[1]))
    assert refusal.value.code in case.statuses


@pytest.mark.parametrize("case", REFUSED, **ids)
def test_it_is_refused_as_the_second_of_a_pipeline_and_the_first_stays_good(case):
    first = b"POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    messages, error = read_requests(first + case.raw)
    assert [(message.head.target, message.body) for message in messages] == [(b"/first", b"hi")]
    assert error is not None
    assert error.code in case.statuses


def test_a_target_without_end_is_told_from_a_head_without_end():
    assert explain_overflow(BY_ID["target-long"].raw).code == 414
    assert explain_overflow(b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000).code == 431


FORWARDED = {
    "te-case": (b"POST", b"/", [], b"Z"),
    "te-tab": (b"POST", b"/", [], b""),
    "cl-leading-zero": (b"POST", b"/", [], b"0123456789"),
    "get-body": (b"GET", b"/", [], b"abc"),
    "chunk-ext": (b"POST", b"/", [], b"Z"),
    "chunk-last-xx": (b"POST", b"/", [], b""),
    "obs-text-value": (b"GET", b"/", [b"X: caf\xe9"], b""),
    "empty-value": (b"GET", b"/", [b"X-Empty:", b"Y: 1"], b""),
    "dup-header": (b"GET", b"/", [b"X: 1", b"X: 2"], b""),
    "method-query": (b"QUERY", b"/", [], b"Z"),
    "absolute-form": (b"GET", b"/x", [], b""),
    "upgrade-h2c": (b"GET", b"/", [], b""),
    "upgrade-pipelined": (b"GET", b"/", [], b""),
    "connection-close-more": (b"GET", b"/", [], b""),
    "keepalive-and-close": (b"GET", b"/", [], b""),
    "proxy-connection": (b"GET", b"/", [], b""),
    "expect-get-nobody": (b"GET", b"/", [], b""),
    "pipeline-3": (b"GET", b"/1", [], b""),
    "pipeline-bad-2nd": (b"GET", b"/1", [], b""),
}


@pytest.mark.parametrize("name", FORWARDED)
@pytest.mark.parametrize("slicing", ["whole", "bytewise"])
def test_what_is_to_be_forwarded_keeps_its_lines_and_loses_its_framing(name, slicing):
    raw = BY_ID[name].raw
    message = read_request(raw, bytewise(head_of(raw)[1]) if slicing == "bytewise" else None)
    head = message.head
    assert (head.method, head.target, head.lines, message.body) == FORWARDED[name]
    assert message.complete


def test_every_request_of_the_corpus_is_in_one_of_the_tables():
    elsewhere = {"connection-nominates-host", "expect-100", "pipeline-flood", *ROUTING, *COLLECTING}
    assert {case.id for case in REQUESTS} == {case.id for case in REFUSED} | set(FORWARDED) | elsewhere


def test_a_connection_field_that_nominates_the_framing_or_the_host_is_refused():
    with pytest.raises(BadRequestError, match="nominate content-length, host, x-forwarded-for"):
        read_request(BY_ID["connection-nominates-host"].raw)


def test_a_length_is_read_as_a_decimal_number():
    assert read_request(BY_ID["cl-leading-zero"].raw).head.length == 10


def test_the_body_of_a_get_is_its_own_and_the_next_request_follows():
    messages, error = read_requests(BY_ID["get-body"].raw)
    assert error is None
    assert [(message.head.target, message.body) for message in messages] == [(b"/", b"abc"), (b"/2", b"")]


def test_an_absolute_target_replaces_the_host():
    assert read_request(BY_ID["absolute-form"].raw).head.host == b"b"


@pytest.mark.parametrize("name", ["connection-close-more", "keepalive-and-close"])
def test_close_wins(name):
    head = read_request(BY_ID[name].raw).head
    assert head.close
    assert not head.keep_alive


def test_an_expectation_is_seen_only_where_there_is_a_body_to_wait_for():
    assert read_request(BY_ID["expect-100"].raw).head.expect
    assert not read_request(BY_ID["expect-get-nobody"].raw).head.expect


def test_a_flood_of_requests_is_read_one_by_one():
    messages, error = read_requests(BY_ID["pipeline-flood"].raw)
    assert error is None
    assert len(messages) == 2000


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", BAD_ANSWERS, **ids)
def test_an_answer_that_two_parsers_could_read_differently_is_refused(case):
    with pytest.raises(BadResponseError) as refusal:
        read_response(case.raw)
    assert refusal.value.code == 502


ANSWERS = {
    # name: (method, status, length, body, rest)
    "r-head-cl": (b"HEAD", 200, 0, b"", b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    "r-204-cl": (b"GET", 204, 0, b"", b"HELLO"),
    "r-204-te": (b"GET", 204, 0, b"", b"5\r\nHELLO\r\n0\r\n\r\n"),
    "r-304-cl": (b"GET", 304, 0, b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "r-205-body": (b"GET", 205, 2, b"hi", b""),
    "r-103": (b"GET", 103, 0, b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "r-no-reason": (b"GET", 200, 0, b"", b""),
    "r-http10-noframing": (b"GET", 200, UNTIL_CLOSE, b"body", b""),
    "r-extra": (b"GET", 200, 2, b"ok", b"EXTRA"),
    "r-extra-full": (b"GET", 200, 2, b"ok", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
    "r-chunk-trailers": (b"GET", 200, CHUNKED, b"ok", b""),
    "r-trunc-cl": (b"GET", 200, 10, b"abc", b""),
    "r-trunc-chunked": (b"GET", 200, CHUNKED, b"abc", b""),
    "r-upgrade-hdr-200": (b"GET", 200, 2, b"ok", b""),
}
UNFINISHED = {"r-http10-noframing", "r-trunc-cl", "r-trunc-chunked"}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("slicing", ["whole", "bytewise"])
def test_an_answer_is_as_long_as_its_own_framing_says_and_no_longer(name, slicing):
    raw = BY_ID[name].raw
    method, status, length, body, rest = ANSWERS[name]
    message = read_response(raw, method, bytewise(head_of(raw)[1]) if slicing == "bytewise" else None)
    assert (message.head.status, message.head.length) == (status, length)
    assert (message.body, message.rest) == (body, rest)
    assert message.complete == (name not in UNFINISHED)


def test_every_answer_of_the_corpus_is_in_one_of_the_tables():
    assert {case.id for case in RESPONSES} == {case.id for case in BAD_ANSWERS} | set(ANSWERS) | {"r-header-huge"}


def test_an_answers_hop_by_hop_fields_are_dropped():
    assert read_response(BY_ID["r-upgrade-hdr-200"].raw).head.lines == []
