"""What is posted as feedback: three forms, limits, and a result for each item."""

from __future__ import annotations

import json

import msgspec
import pytest

from stepdown.decide.feedback import Verifier
from stepdown.decide.feedback_body import (
    MOST_BYTES,
    MOST_ITEMS,
    MOST_SHOWN,
    Evidence,
    Posted,
    Refused,
    Unreadable,
    answer,
    checked,
    decode,
)
from tests.kit.feedback import HOUR, NOW, OTHER, RUN, SECRET, token

VERIFIER = Verifier((SECRET,), (RUN,))
DECLARED = {"churn-2": frozenset({"click", "purchase"}), "fraud-7": frozenset({"chargeback"})}
CLICK = b'{"token": "t", "event": "click"}'


def reasons(body: bytes) -> list[str | None]:
    """Of each item; `None` where it could be read."""
    found = decode(body)
    assert not isinstance(found, Unreadable), found
    return [item.reason if isinstance(item, Refused) else None for item in found]


def unreadable(body: bytes) -> Unreadable:
    found = decode(body)
    assert isinstance(found, Unreadable)
    return found


def test_one_event_is_an_object() -> None:
    assert decode(CLICK) == (Posted("t", "click"),)
    assert decode(b' {"event": "purchase", "value": 20, "token": "t"} \n') == (Posted("t", "purchase", 20.0),)
    assert decode(b'{\n  "token": "t",\n  "event": "click"\n}') == (Posted("t", "click"),)


def test_a_batch_keeps_its_order() -> None:
    body = b'{"events": [{"token": "a", "event": "click"}, {"token": "b", "event": "purchase", "value": -1.5}]}'
    assert decode(body) == (Posted("a", "click"), Posted("b", "purchase", -1.5))
    assert decode(b'{"events": []}') == ()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_lines_of_json_are_a_batch(end: bytes) -> None:
    assert decode(CLICK + end + CLICK + end) == (Posted("t", "click"),) * 2


@pytest.mark.parametrize("item", [
    b"{}", b"1", b"null", b"[]", b'"text"', b'{"token": "t"}', b'{"event": "click"}',
    b'{"token": 1, "event": "click"}', b'{"token": "t", "event": ["click"]}',
    b'{"token": "t", "event": "click", "value": "1"}', b'{"token": "t", "event": "click", "value": true}',
    b'{"token": "t", "event": "click", "value": 1e999}', b'{"token": "t", "event": "click", "values": 1}',
    b'{"token": "t", "event": ""}', b'{"token": "t", "event": "%b"}' % (b"x" * 65),
    b'{"token": "\xff", "event": "click"}',
])  # fmt: skip
def test_an_item_that_is_none_is_refused_and_costs_no_other_one_its_place(item: bytes) -> None:
    assert reasons(b'{"events": [%b, %b, %b]}' % (CLICK, item, CLICK)) == [None, "unreadable", None]
    assert reasons(b"\n".join((CLICK, item, CLICK))) == [None, "unreadable", None]


def test_a_line_that_was_cut_costs_no_other_one_its_place() -> None:
    assert reasons(CLICK + b"\n" + CLICK[:10] + b"\n" + CLICK) == [None, "unreadable", None]


@pytest.mark.parametrize("body", [
    b"", b"\n\n", b"click", b"[]", b"[%b]" % CLICK, CLICK[:-1], CLICK + CLICK, b"<html>\n</html>", b"\xff\xfe\n{}",
    b'{"events": 1}', b'{"events": {"token": "t"}}', b'{"events": [], "token": "t"}', b'{"events": [NaN]}',
    b'{"events": ' + b"[" * 300_000, b'{"events": [' + b"[" * 300_000 + b"]" * 300_000 + b"]}",
])  # fmt: skip
def test_a_body_that_is_no_list_of_items_is_refused_as_a_whole(body: bytes) -> None:
    assert unreadable(body).status == 400


def test_a_body_has_a_bound_in_bytes_and_items() -> None:
    assert len(reasons(b"\n".join([CLICK] * MOST_ITEMS))) == MOST_ITEMS
    assert unreadable(b"\n".join([CLICK] * (MOST_ITEMS + 1))).status == 413
    assert reasons(CLICK.ljust(MOST_BYTES)) == [None]
    found = unreadable(CLICK.ljust(MOST_BYTES + 1))
    assert (found.status, str(MOST_BYTES) in found.detail) == (413, True)


def test_an_item_is_evidence_where_token_and_event_are_good() -> None:
    found = checked(Posted(token().decode(), "purchase", 19.9), VERIFIER, DECLARED, NOW, HOUR)
    assert isinstance(found, Evidence)
    assert (found.claim.assigned, found.event, found.value) == ("2.0.0", "purchase", 19.9)


@pytest.mark.parametrize(("text", "event", "reason"), [
    (token(), "chargeback", "unknown-event"),
    (token(secret=OTHER), "click", "foreign"),
    (token(at=NOW - 2 * HOUR), "click", "expired"),
    (token(at=NOW + HOUR), "click", "future"),
    (b"click", "click", "malformed"),
])  # fmt: skip
def test_an_item_is_refused_for_its_token_or_for_an_event_that_its_rollout_does_not_have(
    text: bytes, event: str, reason: str
) -> None:
    found = checked(Posted(text.decode(), event), VERIFIER, DECLARED, NOW, HOUR)
    assert isinstance(found, Refused)
    assert found.reason == reason


@pytest.mark.parametrize(("declared", "detail"), [
    (DECLARED, "rollout 'churn-2' has no event 'clicks'; it counts 'click', 'purchase'"),
    ({}, "rollout 'churn-2' has no event 'clicks' or any other"),
])  # fmt: skip
def test_whoever_misspells_an_event_is_told_which_there_are(declared: dict[str, set[str]], detail: str) -> None:
    assert checked(Posted(token().decode(), "clicks"), VERIFIER, declared, NOW, HOUR) == Refused(
        "unknown-event", detail
    )


def test_an_answer_counts_by_reason_and_names_the_places() -> None:
    forged, unknown = Refused("forged", "changed"), Refused("unknown-event", "no such")
    found = answer(["accepted", forged, "duplicate", unknown, forged, "accepted"])
    assert json.loads(msgspec.json.encode(found)) == {
        "accepted": 2, "duplicates": 1, "refused": {"forged": 2, "unknown-event": 1},
        "items": [
            {"item": 1, "reason": "forged", "detail": "changed"},
            {"item": 3, "reason": "unknown-event", "detail": "no such"},
            {"item": 4, "reason": "forged", "detail": "changed"},
        ],
    }  # fmt: skip


def test_an_answer_has_a_bound_and_counts_beyond_it() -> None:
    found = answer([Refused("expired", "old")] * 500)
    assert (found.refused, len(found.items)) == ({"expired": 500}, MOST_SHOWN)


def test_the_status_is_a_failure_only_where_all_was_refused() -> None:
    refused = Refused("expired", "old")
    assert answer([]).status == answer(["accepted", refused]).status == answer(["duplicate", refused]).status == 200
    assert answer([refused, refused]).status == 422
