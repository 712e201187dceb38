"""A whole sidecar with shadows: a client, the servers that see its requests, those that see copies, and counters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.processes import eventually
from tests.kit.shadow_sidecar import CHUNKED, GOOD, REQUEST, answer, shadowed
from tests.kit.upstream import Peer, Script, serve, silent, then_fin


def test_copies_reach_the_shadow_in_its_own_shape_and_both_answers_are_compared(tmp_path: Path) -> None:
    with shadowed(tmp_path, serve(answer(b'{"score": 0.50}'), answer(b'{"score": 0.6}'))) as scene:
        assert scene.ask().body == GOOD
        scene.counted(1, "compared", route="r", shadow="new", result="equal")
        assert scene.ask(CHUNKED).body == GOOD
        scene.counted(1, "compared", route="r", shadow="new", result="different")
        scene.counted(2, "copies", route="r", shadow="new", outcome="answered")
        scene.counted(2, "noise", route="r", shadow="new", outcome="answered")
        assert [request.body for request in scene.new.requests] == [b'{"inputs":1}'] * 2
        for request in scene.new.requests:
            assert request.get(b"x-stepdown-shadow") == b"new"
            assert request.get(b"user-agent") == b"stepdown-shadow"
            assert request.get(b"host") == b"model.example"
            assert b"secret" not in request.raw
        assert [b"secret" in raw for raw in scene.primary()] == [True, True]
        assert len(scene.old.requests) == 4
        assert scene.metric("stepdown_shadow_seconds_count", route="r", shadow="new") == 2
        assert scene.metric("stepdown_endpoint_ready", endpoint=f"m/2.0.0/http://127.0.0.1:{scene.new.port}") == 1
        assert scene.metric("stepdown_requests_total", route="r", served="1.0.0") == 2


async def never_reads(peer: Peer) -> None:
    peer.pause()
    await peer.ended


async def floods(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (silent(), "timeout"),
        (never_reads, "timeout"),
        (then_fin(b""), "reset"),
        (then_fin(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), "cut"),
        (floods, "too-large"),
    ],
    ids=["silent", "never reads", "resets", "half an answer", "floods"],
)
def test_a_shadow_that_misbehaves_is_counted_and_no_client_notices(
    tmp_path: Path, script: Script, outcome: str
) -> None:
    with shadowed(tmp_path, script, deadline="1s" if outcome == "timeout" else "30s") as scene:
        answers = [scene.ask() for _ in range(12)]
        assert {(each.status, each.body) for each in answers} == {(200, GOOD)}
        assert len(scene.primary()) == 12
        eventually(lambda: scene.metric("stepdown_shadow_copies_total", outcome=outcome) > 0)
        eventually(
            lambda: (
                scene.metric("stepdown_shadow_copies_total") + scene.metric("stepdown_shadow_skipped_total") == 12
                and scene.metric("stepdown_shadow_compared_total") == scene.metric("stepdown_shadow_copies_total")
            )
        )
        assert scene.metric("stepdown_shadow_copies_total", outcome=outcome) == scene.metric(
            "stepdown_shadow_copies_total"
        )
        assert scene.metric("stepdown_shadow_compared_total", result="incomparable") > 0
        told = scene.sidecar.wait_for("copies fail at a shadow")
        assert (told["process"], told["route"], told["shadow"], told["reason"]) == ("comparer", "r", "new", outcome)


def test_long_bodies_that_a_shadow_never_reads_stop_nobody(tmp_path: Path) -> None:
    body = b'{"x": "' + b"x" * 500_000 + b'"}'
    with shadowed(tmp_path, never_reads, deadline="1s") as scene:
        request = REQUEST + b"Content-Length: %d\r\n\r\n" % len(body) + body
        assert {scene.ask(request).body for _ in range(12)} == {GOOD}
        assert [raw.endswith(body) for raw in scene.primary()] == [True] * 12
        eventually(
            lambda: scene.metric("stepdown_shadow_copies_total") + scene.metric("stepdown_shadow_skipped_total") == 12
        )
        assert scene.metric("stepdown_shadow_copies_total", outcome="timeout") > 0


def test_copies_go_on_over_a_reload_and_a_shadow_that_is_gone_gets_none(tmp_path: Path) -> None:
    with shadowed(tmp_path, serve(answer(b'{"score": 0.5}'))) as scene:
        scene.ask()
        scene.counted(1, "compared", result="equal")
        scene.rewrite(deadline="3s")
        scene.ask()
        scene.counted(2, "compared", result="equal")
        assert len(scene.new.peers) <= 2
        status = json.loads(scene.sidecar.get("admin", "/v1/status")[1])
        assert status["comparer"]["alive"]
