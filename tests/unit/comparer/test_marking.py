"""A copy can be told from a request by its marks, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.comparer.marking import marked, noted
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import Endpoint
from stepdown.wire import parse_request
from tests.kit import specs


def shadow(**options: Any) -> Shadow:
    return Shadow(name="s", version="2.0.0", **options)


def fields(endpoint: Endpoint) -> dict[str, str]:
    return dict(endpoint.set_headers)


def test_the_shadow_is_named_and_credentials_are_taken_off() -> None:
    endpoint = marked(specs.endpoint(1), shadow())
    assert fields(endpoint) == {"x-stepdown-shadow": "s"}
    assert set(endpoint.remove_headers) == {"authorization", "cookie", "proxy-authorization", "x-api-key"}
    assert (endpoint.id, endpoint.host_header) == (specs.endpoint(1).id, "keep")


def test_what_the_shadow_sets_wins_over_its_endpoint_and_nobody_forges_the_mark() -> None:
    own = specs.endpoint(1, set_headers=(("X-A", "1"), ("X-B", "1")), remove_headers=("x-c",))
    edits = shadow(set_headers=(("x-a", "2"), ("X-Stepdown-Shadow", "other")), remove_headers=("x-d",))
    assert fields(marked(own, edits)) == {"x-a": "2", "x-b": "1", "x-stepdown-shadow": "s"}
    assert set(marked(own, edits).remove_headers) == {"x-c", "x-d"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"set_headers": (("User-Agent", "probe"),)}, "probe stepdown-shadow"),
        ({"remove_headers": ("User-Agent",)}, "stepdown-shadow"),
    ],
)
def test_the_agent_is_noted_where_it_is_set_or_removed_too(options: dict[str, Any], expected: str | None) -> None:
    assert fields(marked(specs.endpoint(1), shadow(**options))).get("user-agent") == expected


@pytest.mark.parametrize(
    ("own", "wished", "noise", "expected"),
    [
        ("keep", "keep", False, "keep"),
        ("endpoint", "keep", False, "endpoint"),
        ("own.example", "shadow.example", False, "shadow.example"),
        ("keep", "shadow.example", True, "keep"),
    ],
)
def test_the_host_is_the_endpoint_s_unless_the_shadow_has_one(
    own: str, wished: str, noise: bool, expected: str
) -> None:
    endpoint = specs.endpoint(1, host_header=own)
    assert marked(endpoint, shadow(host=wished), noise).host_header == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], [b"user-agent: stepdown-shadow"]),
        ([b"User-Agent: a/1 "], [b"User-Agent: a/1 stepdown-shadow"]),
        ([b"X: 1", b"USER-AGENT:a"], [b"X: 1", b"USER-AGENT:a stepdown-shadow"]),
        ([b"User-Agent: a", b"User-Agent: b"], [b"User-Agent: a stepdown-shadow", b"User-Agent: b"]),
    ],
)
def test_a_head_is_noted_and_the_one_before_stays_as_it_is(lines: list[bytes], expected: list[bytes]) -> None:
    head = parse_request(b"\r\n".join([b"GET / HTTP/1.1", b"Host: a", *lines]) + b"\r\n\r\n")
    before = list(head.lines)
    assert noted(head).lines == expected
    assert head.lines == before
