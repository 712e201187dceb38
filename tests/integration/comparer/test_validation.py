"""Live answers are held against contracts: their own, and that of the shape in which they are delivered."""

from __future__ import annotations

import json
import signal
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.client import EndedError
from tests.kit.validation import DELIVERED, NATIVE, OLD, PINNED, Validated, answer, validated

# One sidecar for all: processes take long to start.
pytestmark = pytest.mark.xdist_group("validation")

VALIDATIONS = "stepdown_validations_total"
VIOLATIONS = "stepdown_violations_total"
SKIPPED = "stepdown_validations_skipped_total"
GOOD = answer({"score": 0.5})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validated]:
    with validated(tmp_path_factory.mktemp("validation")) as scene:
        yield scene


@pytest.fixture
def scene(running: Validated) -> Validated:
    running.mark()
    running.server.answer, running.server.pieces, running.server.ends = GOOD, 0, False
    return running


def test_good_answers_are_counted_as_valid_on_both_sides(scene: Validated) -> None:
    assert [scene.ask() for _ in range(3)] == [200] * 3
    scene.counted(3, **NATIVE, result="valid")
    scene.counted(3, **DELIVERED, result="valid")
    assert scene.ask(PINNED) == 200
    scene.counted(4, **NATIVE, result="valid")
    assert scene.metric(VALIDATIONS) == 7
    assert scene.metric(VIOLATIONS) == 0
    shown = json.loads(scene.sidecar.get("admin", "/v1/status")[1])["comparer"]
    assert shown == {"pid": scene.comparer(), "alive": True, "restarts": 0}
    assert b"\nstepdown_comparer_up 1.0\n" in scene.sidecar.get("status", "/metrics")[1]


def test_each_side_is_told_what_it_breaks_and_where(scene: Validated) -> None:
    scene.server.answer = answer({"score": 7, "notes": [1], "\nsecret": "a value that nobody may see"})
    assert scene.ask() == 200
    scene.counted(1, **NATIVE, result="violated")
    scene.counted(1, **DELIVERED, result="violated")
    assert scene.metric(VIOLATIONS) == 2
    assert scene.metric(VIOLATIONS, **NATIVE, path="/notes", keyword="type") == 1
    assert scene.metric(VIOLATIONS, **DELIVERED, path="/probability", keyword="maximum") == 1
    told = scene.sidecar.wait_for("answers violate a contract", contract="1.0.0")
    assert (told["process"], told["path"], told["keyword"], told["answers"]) == (
        "comparer",
        "/probability",
        "maximum",
        1,
    )
    scene.sidecar.wait_for("answers violate a contract", contract="2.0.0", path="/notes")
    assert "nobody may see" not in json.dumps(scene.sidecar.events)


def test_names_that_the_contract_does_not_have_are_not_shown(scene: Validated) -> None:
    scene.server.answer = answer({"score": 1, "by_user": {f"user-{number}": "x" for number in range(50)}})
    assert scene.ask() == 200
    scene.counted(1, **NATIVE, result="violated")
    assert scene.metric(VIOLATIONS, **NATIVE) == 1
    assert scene.metric(VIOLATIONS, **NATIVE, path="/by_user/*", keyword="type") == 1


def test_an_answer_that_cannot_be_adapted_is_held_against_its_own_contract(scene: Validated) -> None:
    scene.server.answer = answer({"other": 1})
    assert scene.ask() == 502
    scene.counted(1, **NATIVE, result="violated")
    assert scene.metric(VIOLATIONS, **NATIVE, keyword="required") == 1
    assert scene.metric(VALIDATIONS, **DELIVERED) == 0


def test_what_is_no_json_violates_its_contract(scene: Validated) -> None:
    bodies = (b'{"score": NaN}', b'{"score": -Infinity}', b'{"score": 1', b"\xff", b"[" * 100_000)
    for count, body in enumerate(bodies, 1):
        scene.server.answer = answer(body)
        assert scene.ask(PINNED) == 200
        scene.counted(count, VIOLATIONS, **NATIVE, path="", keyword="json")
    assert scene.metric(VALIDATIONS, **NATIVE, result="violated") == len(bodies)


def test_an_answer_in_pieces_is_put_together(scene: Validated) -> None:
    pieces = (b'{"sco', b're": "hi', b'gh"}')
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    scene.server.answer, scene.server.pieces = head + chunks + b"0\r\n\r\n", 7
    assert scene.ask(PINNED) == 200
    scene.counted(1, **NATIVE, result="violated")
    assert scene.metric(VIOLATIONS, **NATIVE, path="/score", keyword="type") == 1


def test_an_answer_that_is_cut_is_held_against_nothing(scene: Validated) -> None:
    scene.server.answer, scene.server.ends = GOOD[:-3], True
    with pytest.raises(EndedError):
        scene.ask(PINNED)
    scene.server.answer = GOOD
    assert scene.ask(PINNED) == 200
    scene.counted(1, **NATIVE, result="valid")
    assert scene.metric(VALIDATIONS) == 1
    assert scene.metric(SKIPPED) == 0


def test_coded_answers_are_decoded_first(scene: Validated) -> None:
    coding = b"Content-Encoding: deflate"
    for body in (zlib.compress(b'{"score": "high"}'), b"not at all", zlib.compress(b" " * 2_000_000)):
        scene.server.answer = answer(body, coding)
        assert scene.ask(PINNED) == 200
    scene.counted(1, **NATIVE, result="violated")
    scene.counted(1, SKIPPED, model="m", served="2.0.0", reason="coding")
    scene.counted(1, SKIPPED, model="m", served="2.0.0", reason="too-large")


def test_what_is_no_document_is_skipped_and_what_is_no_answer_is_not_looked_at(scene: Validated) -> None:
    for other in (
        answer(b"x", media=b"text/plain"),
        answer(b"data: 1\n\n", media=b"text/event-stream"),
        answer(b'"' + b"x" * 2_000_000 + b'"'),
        answer({"error": "no"}, status=500),
        answer({"error": "no"}, status=404),
        answer(b""),
        GOOD,
    ):
        scene.server.answer = other
        scene.ask(PINNED)
    scene.counted(1, **NATIVE, result="valid")
    for reason in ("media-type", "stream", "too-large"):
        assert scene.metric(SKIPPED, model="m", served="2.0.0", reason=reason) == 1
    assert scene.metric(SKIPPED) == 3
    assert scene.metric(VALIDATIONS) == 1


def test_an_answer_that_is_adapted_in_another_process_is_held_against_both_contracts(scene: Validated) -> None:
    scene.server.answer = answer({"score": 7, "padding": "x" * 300_000})
    assert scene.ask() == 200
    scene.counted(1, **NATIVE, result="valid")
    scene.counted(1, **DELIVERED, result="violated")


def test_a_reload_turns_it_on_and_off_and_follows_shares_and_contracts(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD, compares=False, share="0%") as scene:
        assert scene.ask() == 200
        assert not scene.sidecar.seen("started", child="comparer")
        assert json.loads(scene.sidecar.get("admin", "/v1/status")[1])["comparer"] is None
        assert b"\nstepdown_comparer_up " not in scene.sidecar.get("status", "/metrics")[1]

        scene.rewrite(share="100%", old=None)
        assert [scene.ask(PINNED), scene.ask()] == [200, 200]
        scene.counted(2, **NATIVE, result="valid")
        first = scene.comparer()
        assert scene.metric(VALIDATIONS) == 2  # the shape that is delivered has no contract

        scene.rewrite(share="100%", old=OLD, new=None)
        scene.mark()
        assert [scene.ask(PINNED), scene.ask()] == [200, 200]
        scene.counted(1, **DELIVERED, result="valid")
        assert scene.metric(VALIDATIONS) == 1  # the version that is served has none

        scene.rewrite(share="10%", new={"required": ["other"]})
        scene.mark()
        assert [scene.ask(PINNED) for _ in range(50)] == [200] * 50
        scene.counted(5, **NATIVE, result="violated")
        assert scene.comparer() == first

        scene.rewrite(share="0%")
        stopped = scene.sidecar.wait_for("comparer stopped")
        assert (stopped["pid"], stopped["exit_code"]) == (first, 0)
        assert scene.ask(PINNED) == 200
        assert scene.metric(VALIDATIONS) == 5
        assert b"\nstepdown_comparer_turn_timestamp_seconds " not in scene.sidecar.get("status", "/metrics")[1]

        scene.rewrite(share="100%")
        scene.sidecar.wait_for("comparer works", count=2)
        assert scene.ask(PINNED) == 200
        scene.counted(6, **NATIVE)
        assert scene.metric("stepdown_comparer_restarts_total") == 0


@pytest.mark.slow
def test_two_workers_hand_over_to_one_comparer(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD, workers=2) as scene:
        for _ in range(40):
            assert scene.ask(PINNED) == 200
        scene.counted(40, **NATIVE, result="valid")


def test_at_the_end_the_comparer_is_let_go_after_the_workers_and_is_not_taken_for_dead(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD) as scene:
        comparer = scene.comparer()
        scene.sidecar.signal(signal.SIGTERM)
        assert scene.sidecar.exit_code() == 0
        scene.sidecar.wait_for("stopped")
        assert not scene.sidecar.seen("died")
        left = scene.sidecar.seen("comparer stopped")  # not on a machine that gives it no time within the margin
        assert [(one["pid"], one["exit_code"]) for one in left] in ([(comparer, 0)], [])
        events = [
            event["event"]
            for event in scene.sidecar.events
            if event.get("event") in {"worker stopped", "comparer stopped", "stopped"}
        ]
        assert events == ["worker stopped", *(["comparer stopped"] if left else []), "stopped"]
