"""Live answers are held against contracts: their own, and that of the shape in which they are delivered."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

from tests.kit.upstream import Peer, serve
from tests.kit.validation import DELIVERED, NATIVE, OLD, PINNED, answer, validated

VIOLATIONS = "stepdown_violations_total"
SKIPPED = "stepdown_validations_skipped_total"
GOOD = answer({"score": 0.5})


def test_good_answers_are_counted_as_valid_on_both_sides(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD) as scene:
        assert [scene.ask() for _ in range(3)] == [200] * 3
        scene.counted(3, **NATIVE, result="valid")
        scene.counted(3, **DELIVERED, result="valid")
        assert scene.ask(PINNED) == 200
        scene.counted(4, **NATIVE, result="valid")
        assert scene.metric("stepdown_validations_total", result="violated") == 0
        assert scene.metric(VIOLATIONS) == 0
        assert scene.metric("stepdown_comparer_up") == 1


def test_each_side_is_told_what_it_breaks_and_where(tmp_path: Path) -> None:
    body = {"score": 7, "notes": [1], "\nsecret": "a value that nobody may see"}
    with validated(tmp_path, answer(body)) as scene:
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
        shown = json.loads(scene.sidecar.get("admin", "/v1/status")[1])["comparer"]
        assert shown == {"pid": scene.comparer(), "alive": True, "restarts": 0}


def test_an_answer_that_cannot_be_adapted_is_held_against_its_own_contract(tmp_path: Path) -> None:
    with validated(tmp_path, answer({"other": 1})) as scene:
        assert scene.ask() == 502
        scene.counted(1, **NATIVE, result="violated")
        assert scene.metric(VIOLATIONS, **NATIVE, keyword="required") == 1
        assert scene.metric("stepdown_validations_total", **DELIVERED) == 0


@pytest.mark.parametrize("body", [b'{"score": NaN}', b'{"score": -Infinity}', b'{"score": 1', b"", b"\xff"])
def test_what_is_no_json_violates_its_contract(tmp_path: Path, body: bytes) -> None:
    with validated(tmp_path, answer(body)) as scene:
        assert scene.ask(PINNED) == 200
        if body:
            scene.counted(1, **NATIVE, result="violated")
            assert scene.metric(VIOLATIONS, **NATIVE, path="", keyword="json") == 1
        else:
            assert scene.ask(PINNED) == 200  # an answer without a body is no document
            assert scene.metric("stepdown_validations_total") == scene.metric(SKIPPED) == 0


def test_an_answer_in_pieces_is_put_together(tmp_path: Path) -> None:
    async def pieces(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b'{"sco', b're": "hi', b'gh"}'):
            await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece), slice_every=1)
        await peer.send(b"0\r\n\r\n")

    with validated(tmp_path, pieces) as scene:
        assert scene.ask(PINNED) == 200
        scene.counted(1, **NATIVE, result="violated")
        assert scene.metric(VIOLATIONS, **NATIVE, path="/score", keyword="type") == 1


def test_an_answer_that_is_cut_is_held_against_nothing(tmp_path: Path) -> None:
    async def cut(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
        peer.fin()

    with validated(tmp_path, cut) as scene:
        with pytest.raises(Exception, match="fin after"):
            scene.ask(PINNED)
        scene.upstream.script = serve(GOOD)
        assert scene.ask(PINNED) == 200
        scene.counted(1, **NATIVE, result="valid")
        assert scene.metric("stepdown_validations_total") == 1


def test_coded_answers_are_decoded_first(tmp_path: Path) -> None:
    coded = zlib.compress(b'{"score": "high"}')
    answers = (
        answer(coded, b"Content-Encoding: deflate"),
        answer(b"not at all", b"Content-Encoding: deflate"),
        answer(zlib.compress(b" " * 2_000_000), b"Content-Encoding: deflate"),
    )
    with validated(tmp_path, serve(*answers)) as scene:
        for _ in answers:
            assert scene.ask(PINNED) == 200
        scene.counted(1, **NATIVE, result="violated")
        scene.counted(1, SKIPPED, model="m", served="2.0.0", reason="coding")
        scene.counted(1, SKIPPED, model="m", served="2.0.0", reason="too-large")


def test_what_is_no_document_is_skipped_and_what_is_no_answer_is_not_looked_at(tmp_path: Path) -> None:
    answers = (
        answer(b"x", media=b"text/plain"),
        answer(b"data: 1\n\n", media=b"text/event-stream"),
        answer(b'"' + b"x" * 2_000_000 + b'"'),
        answer({"error": "no"}, status=500),
        answer({"error": "no"}, status=404),
        GOOD,
    )
    with validated(tmp_path, serve(*answers)) as scene:
        for _ in answers:
            scene.ask(PINNED)
        scene.counted(1, **NATIVE, result="valid")
        for reason in ("media-type", "stream", "too-large"):
            assert scene.metric(SKIPPED, model="m", served="2.0.0", reason=reason) == 1
        assert scene.metric(SKIPPED) == 3
        assert scene.metric("stepdown_validations_total") == 1


def test_a_large_answer_is_held_against_both_contracts_as_long_as_it_is_not_too_large(tmp_path: Path) -> None:
    body = {"score": 7, "padding": "x" * 700_000}
    with validated(tmp_path, answer(body)) as scene:
        assert scene.ask() == 200
        scene.counted(1, **NATIVE, result="valid")
        scene.counted(1, **DELIVERED, result="violated")
    with validated(tmp_path, answer(body), more="limits: {validated_body: 100kB}") as scene:
        assert scene.ask() == 200
        scene.counted(1, SKIPPED, reason="too-large")


def test_names_that_the_contract_does_not_have_are_not_shown(tmp_path: Path) -> None:
    new = {"properties": {"score": {}, "by_user": {"additionalProperties": {"type": "number"}}}}
    body = {"score": 1, "by_user": {f"user-{number}": "x" for number in range(50)}}
    with validated(tmp_path, answer(body), new=new) as scene:
        assert scene.ask() == 200
        scene.counted(1, **NATIVE, result="violated")
        assert scene.metric(VIOLATIONS, **NATIVE) == 1
        assert scene.metric(VIOLATIONS, **NATIVE, path="/by_user/*", keyword="type") == 1


@pytest.mark.parametrize(("old", "new", "checked"), [(None, {}, NATIVE), (OLD, None, DELIVERED)])
def test_a_version_without_a_contract_is_held_against_none(
    tmp_path: Path, old: object, new: object, checked: dict[str, str]
) -> None:
    with validated(tmp_path, GOOD, old=old, new=new) as scene:
        assert scene.ask() == scene.ask(PINNED) == 200
        assert scene.ask() == 200
        expected = 3 if checked is NATIVE else 2
        scene.counted(expected, **checked)
        assert scene.metric("stepdown_validations_total") == expected


def test_the_share_of_the_file_is_taken(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD, share="10%") as scene:
        for _ in range(50):
            assert scene.ask(PINNED) == 200
        scene.counted(5, **NATIVE)


def test_where_nothing_is_to_be_validated_there_is_no_comparer(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD, compares=False, share="0%") as scene:
        assert scene.ask() == 200
        assert not scene.sidecar.seen("started", child="comparer")
        _status, text = scene.sidecar.get("status", "/metrics")
        assert b"\nstepdown_comparer_up " not in text
        assert json.loads(scene.sidecar.get("admin", "/v1/status")[1])["comparer"] is None


def test_a_reload_turns_it_on_and_off_and_follows_another_contract(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD, compares=False, share="0%") as scene:
        assert scene.ask() == 200
        scene.rewrite(share="100%")
        assert scene.ask(PINNED) == 200
        scene.counted(1, **NATIVE, result="valid")
        first = scene.comparer()
        scene.rewrite(share="100%", new={"required": ["other"]})
        assert scene.ask(PINNED) == 200
        scene.counted(1, **NATIVE, result="violated")
        assert scene.comparer() == first
        scene.rewrite(share="0%")
        stopped = scene.sidecar.wait_for("comparer stopped")
        assert (stopped["pid"], stopped["exit_code"]) == (first, 0)
        assert scene.ask(PINNED) == 200
        assert scene.metric("stepdown_validations_total") == 2
        assert b"\nstepdown_comparer_turn_timestamp_seconds " not in scene.sidecar.get("status", "/metrics")[1]
        scene.rewrite(share="100%")
        scene.sidecar.wait_for("comparer works", count=2)
        assert scene.ask(PINNED) == 200
        scene.counted(3, **NATIVE)
        assert scene.metric("stepdown_comparer_restarts_total") == 0


def test_two_workers_hand_over_to_one_comparer(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD, workers=2) as scene:
        for _ in range(40):
            assert scene.ask(PINNED) == 200
        scene.counted(40, **NATIVE, result="valid")
