"""Whose requests are copied on one connection: what it remembers of the last head hides nobody from a shadow."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stepdown.decide import spec
from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.decide.slots import hash_of
from stepdown.decide.when import FieldIs, Not, Percent, TimeIn, When
from tests.kit import specs
from tests.kit.mirroring import mirrored, shadow

BETA = FieldIs(source="header", name="x-plan", equals="beta")
PLANS = [b"beta", b"free", b"free", b"beta", b"beta", b"free"] * 4
ROUNDS = range(24)


def copied(heads: Sequence[bytes], shadow: Shadow, record: Recording | None = None, body: bytes = b"") -> list[bytes]:
    """Of requests on one connection with these fields, those that are copied."""
    options = {"shadows": (shadow,), "record": record, "key": (spec.KeySource(header="x-user-id"),)}
    with (
        mirrored(spec=lambda *ports: specs.plain(*ports, route_options=options)) as here,
        here.client() as client,
    ):
        for lines in heads:
            start = b"POST /infer HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n" % len(body)
            client.send(start + lines + b"\r\n\r\n" + body)
            assert client.response("POST").status == 200
        return [about.head.split(b"\r\n")[3] for about, _ in here.copies()]


@pytest.mark.parametrize(
    "when",
    [BETA, Not(Not(BETA)), Not(FieldIs(source="header", name="x-plan", equals="free"))],
    ids=["is", "is not not", "is not"],
)
def test_a_condition_on_a_field_that_varies_is_tested_for_each_head(when: When) -> None:
    heads = [b"X-Plan: " + plan for plan in PLANS]
    assert copied(heads, shadow(when=when)) == [head for head in heads if head.endswith(b"beta")]


def test_a_recordings_condition_is_tested_for_each_head_too() -> None:
    heads = [b"X-Plan: " + plan for plan in PLANS]
    record = Recording(sample=1.0, folder="/tmp/x", when=BETA)
    assert copied(heads, shadow(percent=0), record) == [head for head in heads if head.endswith(b"beta")]


@pytest.mark.parametrize("way", ["per key", "when percent"])
def test_a_share_of_keys_is_told_for_each_key(way: str) -> None:
    by_key = shadow(percent=50, per="key", salt="s") if way == "per key" else shadow(when=Percent(0.5, "s"))
    heads = [b"X-User-Id: %d" % user for user in ROUNDS]
    under = [user for user in ROUNDS if hash_of(b"s:header:x-user-id:%d" % user) < 2**31]
    assert 0 < len(under) < len(ROUNDS)
    assert copied(heads, by_key) == [b"X-User-Id: %d" % user for user in under]


def test_a_condition_on_the_time_is_tested_when_the_request_is_there() -> None:
    heads = [b"X-User-Id: %d" % user for user in ROUNDS]
    assert copied(heads, shadow(when=TimeIn(since=1))) == heads
    assert copied(heads, shadow(when=TimeIn(until=1))) == []


@pytest.mark.parametrize("plan", ["beta", "free"])
def test_a_condition_on_the_body_reads_it(plan: str) -> None:
    when = FieldIs(source="json", name="/plan", equals="beta")
    heads = [b"X-User-Id: %d" % user for user in ROUNDS]
    found = copied(heads, shadow(when=when), body=b'{"plan": "%b"}' % plan.encode())
    assert found == (heads if plan == "beta" else [])


def test_a_share_of_requests_is_exact_on_one_connection() -> None:
    heads = [b"X-User-Id: 7"] * 40
    assert len(copied(heads, shadow(percent=25))) == 10
