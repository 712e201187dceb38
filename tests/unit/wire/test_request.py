"""A request's head: what is read of it, what goes on, and the edges of its limits."""

from __future__ import annotations

import pytest

from stepdown.errors import BadRequestError
from stepdown.wire import CHUNKED, limits, parse_request
from stepdown.wire.request import METHODS


def head(*lines: bytes, start: bytes = b"POST /x?q=1 HTTP/1.1", host: bytes = b"a") -> bytes:
    """Raw head with these field lines behind `Host`."""
    return b"\r\n".join([start, *([b"Host: " + host] if host else []), *lines, b"", b""])


def refused(raw: bytes) -> BadRequestError:
    """The error that `raw` is refused with."""
    with pytest.raises(BadRequestError) as refusal:
        parse_request(raw)
    return refusal.value


def test_the_request_line_is_taken_apart():
    request = parse_request(head())
    assert (request.method, request.target, request.path, request.query) == (b"POST", b"/x?q=1", b"/x", b"q=1")
    assert (request.host, request.minor, request.length) == (b"a", 1, 0)
    assert not request.framed
    assert not request.chunked


def test_only_the_first_question_mark_ends_the_path():
    request = parse_request(head(start=b"GET /a?b?c HTTP/1.1"))
    assert (request.path, request.query) == (b"/a", b"b?c")


def test_a_declared_length_of_zero_is_not_the_same_as_none():
    assert parse_request(head(b"Content-Length: 0")).framed


def test_a_chunked_body_has_no_length():
    request = parse_request(head(b"transfer-encoding: chunked"))
    assert request.length == CHUNKED
    assert request.chunked


@pytest.mark.parametrize("method", sorted(METHODS))
def test_methods_of_the_list_are_forwarded(method):
    assert parse_request(head(start=method + b" / HTTP/1.1")).method == method


@pytest.mark.parametrize(("method", "status"), [(b"CONNECT", 405), (b"TRACE", 501), (b"M-SEARCH", 501), (b"get", 501)])
def test_other_methods_are_refused(method, status):
    assert refused(head(start=method + b" / HTTP/1.1")).code == status


def test_the_preface_of_http_2_is_told_what_is_spoken_here():
    error = refused(b"PRI * HTTP/2.0\r\n\r\n")
    assert error.code == 505
    assert "HTTP/2" in error.detail


# --- persistence ----------


@pytest.mark.parametrize(
    ("minor", "fields", "close"),
    [
        (b"1", [], False),
        (b"1", [b"Connection: close"], True),
        (b"1", [b"Connection: keep-alive"], False),
        (b"1", [b"Connection: x", b"Connection: Close"], True),
        (b"1", [b"Connection: close", b"Connection: keep-alive"], True),
        (b"0", [], True),
        (b"0", [b"Connection: Keep-Alive"], False),
        (b"0", [b"Connection: keep-alive, close"], True),
        (b"0", [b"Connection: close", b"Connection: keep-alive"], True),
        (b"0", [b"Connection: keep-alive", b"Connection: close"], True),
    ],
)
def test_persistence_follows_the_version_and_close_wins(minor, fields, close):
    assert parse_request(head(*fields, start=b"GET / HTTP/1." + minor)).close is close


# --- hop by hop, own and forwarded fields ----------


def test_end_to_end_lines_go_on_exactly_as_they_came():
    lines = [b"Accept: */*", b"X-Spaced:  a  b ", b"x-Empty:", b"Cookie: a=1", b"Cookie: b=2"]
    assert parse_request(head(*lines)).lines == lines


def test_hop_by_hop_and_own_fields_do_not_go_on():
    dropped = [
        b"Keep-Alive: timeout=5",
        b"Proxy-Connection: keep-alive",
        b"Proxy-Authorization: Basic eA==",
        b"TE: trailers",
        b"Trailer: X-Sum",
        b"HTTP2-Settings: AAM",
        b"Upgrade: h2c",
        b"X-Model-Version: 1",
        b"x-model-served: 9",
        b"X-Stepdown-Explain: 1",
    ]
    assert parse_request(head(*dropped)).lines == []


def test_a_nominated_field_is_dropped_in_any_case_and_the_others_stay():
    request = parse_request(head(b"Connection: X-Drop, close", b"x-drop: 1", b"X-Dropped: 2"))
    assert request.lines == [b"X-Dropped: 2"]


@pytest.mark.parametrize(
    "name", [b"Host", b"content-length", b"Transfer-Encoding", b"Authorization", b"X-Model-Version", b"Via", b"Cookie"]
)
def test_framing_routing_and_identity_cannot_be_nominated(name):
    assert refused(head(b"Connection: " + name)).code == 400


def test_what_proxies_in_front_say_is_kept_apart():
    request = parse_request(head(b"X-Forwarded-For: 1.2.3.4", b"Forwarded: for=x", b"Via: 1.1 a ", b"via: 1.0 b"))
    assert request.lines == []
    assert request.forwarded == [b"X-Forwarded-For: 1.2.3.4", b"Forwarded: for=x"]
    assert request.via == [b"1.1 a", b"1.0 b"]


def test_own_fields_can_be_read_though_they_do_not_go_on():
    request = parse_request(head(b"x-MODEL-version:  ^1.2 ", b"X-Model-Version: 3"))
    assert request.get(b"x-model-version") == b"^1.2, 3", "several lines are one list"
    assert request.get_all(b"x-model-version") == [b"^1.2", b"3"]


def test_several_lines_of_cookies_are_one_and_of_other_fields_the_first_counts():
    request = parse_request(head(b"Cookie: a=1; b=2", b"X-User-Id: 1", b"COOKIE:  c=3 ", b"X-User-Id: 2", b"cookie:"))
    assert request.get(b"cookie") == b"a=1; b=2; c=3; "
    assert request.get(b"cookie") == b"a=1; b=2; c=3; ", "and it is remembered"
    assert request.get(b"x-user-id") == b"1"
    assert [line for line in request.lines if b"ookie" in line.lower()] == [
        b"Cookie: a=1; b=2",
        b"COOKIE:  c=3 ",
        b"cookie:",
    ], "they go on as they came"


@pytest.mark.parametrize(
    "alias", [b"Content_Length: 1", b"TRANSFER_encoding: x", b"X_Model_Version: 1", b"x_real_ip: 1"]
)
def test_underscore_aliases_of_fields_that_proxies_act_on_are_refused(alias):
    assert "alias" in refused(head(alias)).detail


def test_other_underscores_are_left_alone():
    assert parse_request(head(b"my_key: 1")).lines == [b"my_key: 1"]


# --- expectations, lengths, hosts, targets ----------


@pytest.mark.parametrize(
    ("start", "fields", "expect"),
    [
        (b"POST / HTTP/1.1", [b"Expect: 100-Continue", b"Content-Length: 1"], True),
        (b"POST / HTTP/1.1", [b"Expect: 100-continue", b"Transfer-Encoding: chunked"], True),
        (b"POST / HTTP/1.1", [b"Expect: 100-continue", b"Content-Length: 0"], False),
        (b"POST / HTTP/1.1", [b"Expect: 100-continue"], False),
        (b"POST / HTTP/1.0", [b"Expect: 100-continue", b"Content-Length: 1"], False),
    ],
)
def test_a_continue_is_owed_only_to_an_http_1_1_client_with_a_body(start, fields, expect):
    assert parse_request(head(*fields, start=start)).expect is expect


@pytest.mark.parametrize(
    "host", [b"a", b"a.b-c_d", b"a:80", b"127.0.0.1:8080", b"[::1]", b"[2001:db8::1]:443", b"churn-v1:8080"]
)
def test_hosts_that_are_names_or_addresses(host):
    assert parse_request(head(host=host)).host == host
    assert parse_request(head(host=host)).host == host  # remembered


@pytest.mark.parametrize("host", [b"a b", b"a/b", b"[::1", b"::1", b"a:", b"a:123456", b"-", b"a\x80", b"a" * 300])
def test_other_hosts_are_refused(host):
    assert refused(head(host=host)).code == 400


def test_an_http_1_0_request_needs_no_host():
    assert parse_request(head(start=b"GET / HTTP/1.0", host=b"")).host == b""
    assert refused(head(start=b"GET / HTTP/1.1", host=b"")).detail == "No Host field"


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        (b"http://b", b"/", b"", b"b"),
        (b"HTTPS://b:1/x", b"/x", b"", b"b:1"),
        (b"http://b?y=1", b"/", b"y=1", b"b"),
        (b"http://b/x?y=http://c/", b"/x", b"y=http://c/", b"b"),
    ],
)
def test_absolute_targets_become_origin_form(target, path, query, host):
    request = parse_request(head(start=b"GET " + target + b" HTTP/1.1"))
    assert (request.path, request.query, request.host) == (path, query, host)


def test_an_asterisk_is_for_options():
    assert parse_request(head(start=b"OPTIONS * HTTP/1.1")).target == b"*"


@pytest.mark.parametrize(
    "target", [b"http:///x", b"http://", b"ftp://b/", b"http://b@c/", b"b/c", b"*x", b"//"[:0] + b"x"]
)
def test_targets_of_no_known_form_are_refused(target):
    assert refused(head(start=b"GET " + target + b" HTTP/1.1")).code == 400


# --- limits ----------


def test_the_target_may_be_as_long_as_its_limit_and_not_longer():
    longest = b"/" + b"a" * (limits.TARGET_BYTES - 1)
    assert parse_request(head(start=b"GET " + longest + b" HTTP/1.1")).target == longest
    assert refused(head(start=b"GET " + longest + b"a HTTP/1.1")).code == 414


def test_a_head_may_have_as_many_fields_as_its_limit_and_not_more():
    fields = [b"X-%d: 1" % number for number in range(limits.FIELD_COUNT - 1)]
    assert len(parse_request(head(*fields)).lines) == limits.FIELD_COUNT - 1
    assert refused(head(*fields, b"X: 1")).code == 431


@pytest.mark.parametrize(
    ("length", "status"),
    [(limits.BODY_BYTES, 0), (limits.BODY_BYTES + 1, 413), ((1 << 64) - 1, 413), (1 << 64, 400), (10**40, 400)],
)
def test_a_declared_length_is_believed_up_to_its_limit(length, status):
    raw = head(b"Content-Length: %d" % length)
    if status:
        assert refused(raw).code == status
    else:
        assert parse_request(raw).length == length


def test_memories_of_names_and_hosts_do_not_grow_without_bound():
    from stepdown.wire import fields, lines

    for number in range(3000):
        parsed = parse_request(head(b"X-Name-%d: 1" % number, b"Connection: c%d" % number, host=b"h%d" % number))
        parsed.get(b"x-name-%d" % number)
    bounds = ((fields._known, 1024), (lines._meanings, 4096), (lines._plain, 4096))
    for memory, bound in bounds:
        assert len(memory) <= bound
    assert parse_request(head(b"X-Name-2999: 1")).lines == [b"X-Name-2999: 1"]


# --- refusals explain themselves ----------


@pytest.mark.parametrize(
    ("raw", "status", "sentence"),
    [
        (b"\r\n\r\n", 400, "request line"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400, "line 2 .* before the colon"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400, "line 2 .* no colon"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n y\r\n\r\n", 400, "line 2 .*folded"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400, "line 2 .* bare CR or LF"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX(: 1\r\n\r\n", 400, "line 2 .* no token"),
        (b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n", 400, "line 1 .* control byte"),
        (b"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "target has a byte"),
        (b"G{} / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "method is no token"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400, "Two Content-Length"),
    ],
)
def test_a_refusal_says_what_to_mend(raw, status, sentence):
    with pytest.raises(BadRequestError, match=sentence) as refusal:
        parse_request(raw)
    assert refusal.value.code == status


@pytest.mark.parametrize("method", [b"G3T", b"get-it", b"Get", b"A.B"])
def test_a_method_that_is_a_token_nobody_knows_is_not_implemented(method):
    assert refused(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n").code == 501
