"""What becomes of both answers before they are compared: one shape, streams as documents, whose failure it is."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stepdown.comparer import judging
from stepdown.comparer.judging import EACH, LONG
from stepdown.comparer.pairing import Pair
from stepdown.comparer.results import Outcome, Result
from stepdown.comparison.answers import Judged
from stepdown.comparison.compare import Comparison
from stepdown.comparison.verdict import FAILED
from stepdown.decide.shadow_spec import Comparing, Shadow
from stepdown.wire import parse_response
from tests.kit import specs
from tests.kit.shadowing import an_answer
from tests.unit.comparer.test_stepping import asked, raw

SHADOW = Shadow(name="s", version="1.0.0")
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
CONTRACT = {"type": "object", "required": ["a"]}


def pair(
    left: bytes,
    right: bytes,
    *,
    status: int = 200,
    outcome: Outcome = "answered",
    noise: bytes | None = None,
    head: bytes = b"",
    contract: Any = None,
    id: int = 1,
    **more: Any,
) -> Pair:
    options = {"id": id, "elapsed": 1, "upstream": 2_000_000_000, "head": head or raw()}
    answer = an_answer(**options | more)
    parsed = parse_response(head or raw(status), b"POST")
    candidate = Result("1.0.0", outcome, "", parsed if outcome == "answered" else None, right, 3_000_000_000)
    copy = None if noise is None else Result("1.0.0", "answered", "", parsed, noise)
    request = asked()
    request.about = replace(request.about, id=id)
    if contract is not None:
        request.configuration._versions["m", "1.0.0"] = specs.version("1.0.0", 1, contract=contract)
    return Pair(request, SHADOW, answer, left, candidate, copy)


def judged(left: bytes, right: bytes, **more: Any) -> Judged:
    return judging.judged(pair(left, right, **more))


def kinds(left: bytes, right: bytes, **more: Any) -> list[str]:
    """Of the differences."""
    one = judged(left, right, **more)
    assert one.candidate is not None, one.reason
    return [found.kind for found in Comparison(Comparing()).compare(one.served, one.candidate).differences]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (b'{"a": 1, "b": [2]}', b'{"b":[2],"a":1}', []),
        (b'{"a": 1}', b'{"a": 2}', ["value"]),
        (b"no json", b"no json", []),
        (b"no json", b"no json!", ["value"]),
        (b"{}", b"no json", ["type"]),
        (b"\xff", b"\xfe", ["value"]),
    ],
)
def test_documents_are_compared_and_not_their_spelling(left: bytes, right: bytes, expected: list[str]) -> None:
    assert kinds(left, right) == expected


def test_statuses_times_and_sizes_are_taken() -> None:
    assert kinds(b"{}", b"{}", status=503) == ["status"]
    one = judged(b"{}", b"[1]", noise=b"{}")
    assert one.candidate is not None
    assert (one.served.seconds, one.candidate.seconds, one.served.size, one.candidate.size) == (2.0, 3.0, 2, 3)
    assert one.noise is not None


def test_what_the_served_answer_lacks_is_not_the_candidates_failure() -> None:
    assert judged(b"", b"{}", missing="too-large").reason == "served: too-large"
    assert judged(b"", b"{}", error="upstream-timeout").reason == "served: upstream-timeout"
    assert judged(b"", b"", missing="adapter", outcome="reset").reason == "served: adapter"


def test_a_served_answer_longer_than_this_shadow_takes_says_nothing_of_the_candidate() -> None:
    for size, reason in ((SHADOW.max_body, "too-large"), (SHADOW.max_body + 1, "served: too-large")):
        assert judged(b" " * size, b"", outcome="too-large").reason == reason


def test_what_is_wrong_with_the_candidates_answer_is_said_in_a_sentence() -> None:
    assert judged(stream("ab"), chunk("a"), head=SSE).detail == "The stream is no whole answer: cut"
    assert judged(b"{}", b"{}").detail == ""


@pytest.mark.parametrize("outcome", ["refused", "reset", "cut", "timeout", "malformed", "too-large"])
def test_what_the_candidate_lacks_is(outcome: Outcome) -> None:
    one = judged(b"{}", b"", outcome=outcome)
    assert (one.candidate, one.reason) == (None, outcome)
    assert outcome in FAILED


def test_what_was_passed_on_in_its_own_shape_is_equal_only_to_itself() -> None:
    assert kinds(b'{"a":1}', b'{"a":1}') == []
    same = judging.judged(_passed(b'{"a":1}', b'{"a":1}'))
    other = judging.judged(_passed(b'{"a":1}', b'{"a":2}'))
    assert same.candidate is not None
    assert (other.candidate, other.reason) == (None, "served: passthrough")


def _passed(left: bytes, right: bytes) -> Pair:
    one = pair(left, right)
    assert one.answer is not None
    return one._replace(answer=replace(one.answer, outcome="passthrough"))


# --- streams ----------------------------------------------------------------------------------------------------------


def chunk(text: str, number: int = 1, finish: str = "null") -> bytes:
    return (
        b'data: {"id": "%d", "object": "chat.completion.chunk", "created": %d, "model": "m", "choices": '
        b'[{"index": 0, "delta": {"content": "%s"}, "finish_reason": %s}]}\n\n'
    ) % (number, number, text.encode(), finish.encode())


DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error": {"message": "overloaded", "type": "overloaded_error", "code": 503}}\n\n'


def stream(*texts: str, number: int = 1) -> bytes:
    return b"".join(chunk(text, number) for text in texts) + chunk("", number, '"stop"') + DONE


def test_streams_are_compared_by_what_they_say_and_not_by_how_it_was_cut() -> None:
    assert kinds(stream("Hel", "lo"), stream("H", "e", "llo", number=7), head=SSE) == []
    assert kinds(stream("Hello"), stream("Bye"), head=SSE) == ["value"]


def test_events_are_counted_and_their_types_compared() -> None:
    one = judged(stream("a", "b"), stream("ab") + b": ping\n\n", head=SSE)
    assert one.candidate is not None
    assert one.served.events is not None
    assert one.candidate.events is not None
    assert sum(one.served.events.values()) == 4
    assert kinds(stream("ab"), stream("ab") + b": ping\n\n", head=SSE) == []
    usage = b"event: usage\ndata: {}\n\n"
    assert "events" in kinds(stream("ab"), stream("ab").replace(DONE, usage + DONE), head=SSE)


@pytest.mark.parametrize(
    "bad", [chunk("a") + ERROR + DONE, chunk("a"), b"", chunk("a") + b"data: {no json\n\n" + DONE], ids=repr
)
def test_an_error_inside_a_stream_of_200_is_a_failure_of_whose_it_is(bad: bytes) -> None:
    good = stream("ab")
    assert judged(good, bad, head=SSE).reason == "stream-failed"
    assert judged(bad, good, head=SSE).reason == "served: stream-failed"
    assert judged(bad, bad, head=SSE).reason == "served: stream-failed"
    assert "stream-failed" in FAILED


def test_an_empty_error_in_a_good_stream_is_none() -> None:
    good = stream("ab").replace(b'"model"', b'"error": "", "model"')
    assert kinds(good, good, head=SSE) == []


# --- contracts --------------------------------------------------------------------------------------------------------


def test_good_answers_are_held_against_the_pinned_contract() -> None:
    one = judged(b'{"a": 1}', b'{"b": 1}', noise=b'{"a": 2}', contract=CONTRACT)
    assert one.candidate is not None
    assert one.noise is not None
    assert (one.served.valid, one.candidate.valid, one.noise.valid) == (True, False, True)
    error = judged(b'{"a": 1}', b"{}", status=503, contract=CONTRACT)
    assert error.candidate is not None
    assert error.candidate.valid is None
    none = judged(b'{"a": 1}', b"{}")
    assert none.served.valid is None


def test_of_long_answers_a_share_is() -> None:
    long = b'{"b": "' + b"x" * LONG + b'"}'
    looked_at = [judged(long, b"{}", contract=CONTRACT, id=number).served.valid is not None for number in range(400)]
    assert 400 / EACH / 2 < sum(looked_at) < 400 / EACH * 2


def test_a_contract_that_cannot_be_compiled_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    one = judged(b"{}", b"{}", contract={"type": "no type"})
    assert one.served.valid is None
    assert "contract cannot be compiled" in caplog.text
