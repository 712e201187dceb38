"""Two replies: what comes before the body, bodies that are no JSON, and bodies that nobody has to read."""

from __future__ import annotations

import pytest

from stepdown.comparison.answers import UNREAD, Reply
from stepdown.comparison.compare import Comparison
from stepdown.decide.shadow_spec import Comparing, Text, Tolerance
from stepdown_adapters.errors import PathError
from tests.kit.comparing import reply

PLAIN = Comparison(Comparing())


def kinds(served: Reply, candidate: Reply, comparison: Comparison = PLAIN) -> list[tuple[str, str]]:
    return [(one.kind, one.path) for one in comparison.compare(served, candidate).differences]


def test_below_status_codes_of_different_classes_nothing_is_compared() -> None:
    assert kinds(reply({"a": 1}), reply({"b": 1}, status=503, media="text/html", valid=False)) == [
        ("status", "(status)")
    ]


def test_below_other_status_codes_the_bodies_are_compared() -> None:
    assert kinds(reply({"a": 1}), reply({"a": 2}, status=201)) == [("status", "(status)"), ("value", "/a")]


def test_another_media_type_is_a_difference() -> None:
    assert kinds(reply(1), reply(1, media="application/problem+json")) == [("media type", "(media type)")]


@pytest.mark.parametrize(
    ("served", "candidate", "differs"),
    [
        (True, False, True),
        (False, True, True),
        (True, True, False),
        (False, False, False),
        (None, False, False),
        (True, None, False),
    ],
)
def test_that_one_of_them_breaks_its_contract_is_a_difference(
    served: bool | None, candidate: bool | None, differs: bool
) -> None:
    found = kinds(reply(1, valid=served), reply(1, valid=candidate))
    assert found == ([("contract", "(contract)")] if differs else [])


def test_equal_bytes_are_not_read() -> None:
    served, candidate = reply(body=b'{"a": 1}'), reply(body=b'{"a": 1}')
    assert kinds(served, candidate) == []
    assert served.document is UNREAD


def test_bytes_that_differ_may_be_one_document() -> None:
    assert kinds(reply(body=b'{"a": 1, "b": 2.0}'), reply(body=b'{"b":2,"a":1.0}')) == []


def test_long_integers_in_bodies_are_exact() -> None:
    first, second = b"[123456789012345678901234567890]", b"[123456789012345678901234567891]"
    assert kinds(reply(body=first), reply(body=second)) == [("value", "/*")]


def test_true_is_not_taken_for_one() -> None:
    assert kinds(reply(body=b"[true]"), reply(body=b"[1]")) == [("type", "/*")]


@pytest.mark.parametrize("bad", [b"{", b"\xff", b'"\\ud800"', b"<html>", b"", b"[1e999]"])
def test_a_body_that_is_no_json_differs_from_one_that_is(bad: bytes) -> None:
    assert kinds(reply(body=b"{}"), reply(body=bad)) == [("type", "")]
    assert kinds(reply(body=bad), reply(body=b"{}")) == [("type", "")]


def test_bodies_that_are_no_json_are_compared_as_they_are() -> None:
    assert kinds(reply(body=b"\x00\x01"), reply(body=b"\x00\x02")) == [("value", "")]
    html = {"media": "text/html"}
    assert kinds(reply(body=b"<a>", **html), reply(body=b"<b>", **html)) == [("text", "")]
    assert kinds(reply(body=b"<a>", **html), reply(body=b"<a>", media="text/plain")) == [("media type", "(media type)")]


def test_text_may_be_similar_enough() -> None:
    similar = Comparison(Comparing(text=(Text(path="", similar=0.8),)))
    text = {"media": "text/plain"}
    assert kinds(reply(body=b"hello world", **text), reply(body=b"hello worlds", **text), similar) == []
    assert kinds(reply(body=b"hello world", **text), reply(body=b"good bye", **text), similar) == [("text", "")]


def test_a_document_beside_an_equal_text_that_nobody_read_is_no_difference() -> None:
    served = Reply(200, b"data: x\n\n", "text/event-stream")
    assert kinds(served, Reply(200, b"data: x\n\n", "text/event-stream", document=UNREAD)) == []
    assert kinds(served, Reply(200, b"data: y\n\n", "text/event-stream")) == [("text", "")]


def test_a_document_that_a_body_stands_for_is_read_once() -> None:
    served = reply(body=b'{"a":1}')
    kinds(served, reply(body=b'{"a":2}'))
    assert served.document == {"a": 1}


def test_everything_can_be_ignored_but_what_comes_before_the_body() -> None:
    nothing = Comparison(Comparing(ignore=("",)))
    assert kinds(reply(body=b"x"), reply(body=b"{}"), nothing) == []
    assert kinds(reply(1), reply(1, status=204), nothing) == [("status", "(status)")]


def test_bodies_nested_very_deeply_are_no_error() -> None:
    deep = [b"[" * levels + b"]" * levels for levels in (999, 1000, 100_000, 100_001)]
    assert [kind for kind, _ in kinds(reply(body=deep[0]), reply(body=deep[1]))] == ["length"]
    assert [kind for kind, _ in kinds(reply(body=deep[2]), reply(body=deep[3]))] == ["value"]


def test_documents_of_a_mebibyte_are_compared() -> None:
    numbers = b"[" + b",".join(b"%d.25" % (number % 1000) for number in range(150_000)) + b"]"
    other = numbers[:-2] + b"6]"
    tolerant = Comparison(Comparing(tolerances=(Tolerance(path="", absolute=0.1),)))
    assert kinds(reply(body=numbers), reply(body=other)) == [("value", "/*")]
    assert kinds(reply(body=numbers), reply(body=other), tolerant) == []


def test_a_path_that_is_none_is_refused_when_rules_are_compiled() -> None:
    with pytest.raises(PathError):
        Comparison(Comparing(ignore=("no/slash",)))


def test_the_media_type_of_json_is_not_what_makes_it_json() -> None:
    assert kinds(reply(body=b'{"a":1}', media="text/plain"), reply(body=b'{"a": 1}', media="text/plain")) == []


@pytest.mark.parametrize(
    ("allowed", "served", "candidate", "differs"),
    [
        (None, {"message": 10}, {"message": 1000}, False),
        (0.2, {"message": 10}, {"message": 12}, False),
        (0.2, {"message": 10}, {"message": 8}, False),
        (0.2, {"message": 10}, {"message": 13}, True),
        (0.2, {"message": 10}, {"message": 7}, True),
        (0.0, {"message": 10}, {"message": 10}, False),
        (0.0, {"message": 10}, {"message": 11}, True),
        (0.0, {"message": 10, "ping": 90}, {"message": 10, "comment": 1}, False),
        (0.0, {"a": 3, "b": 7}, {"a": 7, "b": 3}, False),
        (0.0, {}, {}, False),
    ],
)
def test_how_many_events_streams_have_counts_only_where_that_is_limited(
    allowed: float | None, served: dict[str, int], candidate: dict[str, int], differs: bool
) -> None:
    sides = reply({"text": "same"}), reply({"text": "same"})
    sides[0].events, sides[1].events = served, candidate
    found = Comparison(Comparing(events=allowed)).compare(*sides).differences
    assert [(one.kind, one.path) for one in found] == ([("events", "(events)")] if differs else [])
    if differs:
        assert (found[0].served, found[0].candidate) == (10, candidate["message"])
        assert 0 < found[0].magnitude < 1


def test_streams_of_other_types_of_events_differ_once_whatever_their_number() -> None:
    sides = reply({"text": "same"}), reply({"text": "same"})
    sides[0].events, sides[1].events = {"a": 3}, {"b": 9}
    (found,) = Comparison(Comparing(events=0.1)).compare(*sides).differences
    assert (found.served, found.candidate) == (["a"], ["b"])
