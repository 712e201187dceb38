"""The head that an endpoint gets: target, host, added and removed fields, and what is said about the client."""

from __future__ import annotations

import pytest

from stepdown.decide.spec import Endpoint, Tls
from stepdown.errors import ConfigError
from stepdown.plane.outgoing import RequestTemplate, client_address, request_origin
from stepdown.wire import parse_request


def endpoint(**options) -> Endpoint:
    """An endpoint on up:8080."""
    return Endpoint(**{"id": "http://up:8080", "host": "up", "port": 8080, **options})


def parsed(*lines: bytes, start: bytes = b"POST /a/b?q=1 HTTP/1.1", host: bytes = b"client-host"):
    """A parsed request."""
    return parse_request(b"\r\n".join([start, b"Host: " + host, *lines, b"", b""]))


def written(spec: Endpoint, *lines: bytes, params=None, adapted: bool = False) -> list[bytes]:
    """Lines of the head that is sent."""
    head = RequestTemplate(spec).head(parsed(*lines), params or {}, b"via: v\r\n", b"content-length: 3\r\n", adapted)
    assert head.endswith(b"\r\n\r\n")
    return head[:-4].split(b"\r\n")


def test_the_head_is_written_anew_around_the_clients_lines():
    assert written(endpoint(), b"X-One:  1 ", b"X-Two:2") == [
        b"POST /a/b?q=1 HTTP/1.1",
        b"host: client-host",
        b"X-One:  1 ",
        b"X-Two:2",
        b"via: v",
        b"content-length: 3",
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, b"host: client-host"),
        ({"host_header": "endpoint"}, b"host: up:8080"),
        ({"host_header": "endpoint", "port": 80}, b"host: up"),
        ({"host_header": "endpoint", "port": 443, "tls": Tls()}, b"host: up"),
        ({"host_header": "endpoint", "host": "::1"}, b"host: [::1]:8080"),
        ({"host_header": "model.internal"}, b"host: model.internal"),
    ],
)
def test_the_host_follows_the_endpoints_policy(options, expected):
    lines = written(endpoint(**options))
    assert [line for line in lines if line.startswith(b"host:")] == [expected]


def test_a_replaced_host_is_told_in_x_forwarded_host():
    assert b"x-forwarded-host: client-host" in written(endpoint(host_header="endpoint"))
    assert b"x-forwarded-host: client-host" not in written(endpoint())


def test_a_path_template_replaces_the_path_and_keeps_the_query():
    spec = endpoint(path="/v2/models/{model}/versions/v2/infer")
    assert written(spec, params={"model": b"ch%20urn"})[0] == b"POST /v2/models/ch%20urn/versions/v2/infer?q=1 HTTP/1.1"
    assert written(endpoint(path="/fixed"))[0] == b"POST /fixed?q=1 HTTP/1.1"


def test_fields_are_set_and_removed_in_any_case():
    spec = endpoint(set_headers=(("X-Key", "secret"),), remove_headers=("X-Gone",))
    lines = written(spec, b"x-key: the client's", b"x-GONE: 1", b"X-Stays: 1")
    assert lines[2:4] == [b"X-Stays: 1", b"X-Key: secret"]
    assert len([line for line in lines if line.lower().startswith(b"x-key")]) == 1


def test_ranges_conditions_and_codings_are_not_asked_of_an_answer_that_is_adapted():
    dropped = [
        b"Range: bytes=0-1",
        b"If-Range: x",
        b"If-Match: x",
        b"If-None-Match: x",
        b"If-Modified-Since: x",
        b"If-Unmodified-Since: x",
        b"Accept-Encoding: gzip",
    ]
    lines = written(endpoint(), *dropped, b"Accept: */*", adapted=True)
    assert lines[2] == b"Accept: */*"
    assert lines.count(b"accept-encoding: identity") == 1
    assert not set(dropped) & set(lines)
    assert set(dropped) <= set(written(endpoint(), *dropped))


@pytest.mark.parametrize("header", [("X\r\nEvil", "1"), ("X", "1\r\nEvil: 1"), ("X", "\0"), ("X", "€")])
def test_a_configured_field_that_could_split_the_head_is_refused_when_it_is_loaded(header):
    with pytest.raises(ConfigError):
        RequestTemplate(endpoint(set_headers=(header,)))


def test_a_configured_host_that_could_split_the_head_is_refused():
    with pytest.raises(ConfigError):
        RequestTemplate(endpoint(host_header="a\r\nX: 1"))


def origin(head, hops: int) -> dict[bytes, bytes]:
    """The lines about the client, by name."""
    lines = request_origin(head, b"9.9.9.9", b"http", hops).decode("latin-1").encode("latin-1")
    return dict(line.split(b": ", 1) for line in lines.splitlines())


SPOOFED = [
    b"X-Forwarded-For: 1.1.1.1, 2.2.2.2",
    b"X-Forwarded-Proto: https",
    b"Forwarded: for=x",
    b"X-Real-IP: 6.6.6.6",
]


def test_without_trusted_hops_what_the_client_says_about_itself_is_overwritten():
    assert origin(parsed(*SPOOFED), 0) == {
        b"via": b"1.1 stepdown",
        b"x-forwarded-for": b"9.9.9.9",
        b"x-forwarded-proto": b"http",
    }


def test_with_trusted_hops_it_is_continued():
    said = origin(parsed(*SPOOFED, b"Via: 1.0 front"), 1)
    assert said[b"x-forwarded-for"] == b"1.1.1.1, 2.2.2.2, 9.9.9.9"
    assert said[b"X-Forwarded-Proto"] == b"https"
    assert said[b"via"] == b"1.0 front, 1.1 stepdown"
    assert b"x-forwarded-proto" not in said


@pytest.mark.parametrize(("hops", "address"), [(0, "9.9.9.9"), (1, "2.2.2.2"), (2, "1.1.1.1"), (3, "1.1.1.1")])
def test_the_clients_address_is_as_many_entries_from_the_right_as_hops_are_trusted(hops, address):
    assert client_address(parsed(*SPOOFED), "9.9.9.9", hops) == address


def test_without_any_entry_the_peer_is_the_client():
    assert client_address(parsed(), "9.9.9.9", 2) == "9.9.9.9"
    assert client_address(parsed(b"X-Forwarded-For: ,"), "9.9.9.9", 2) == "9.9.9.9"
