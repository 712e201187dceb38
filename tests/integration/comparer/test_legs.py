"""Copies and servers that behave in every way that servers do: each copy ends, once, and is told by its own name."""

from __future__ import annotations

import pytest

from stepdown.decide.shadow_spec import Shadow
from stepdown.telemetry.slab import ABSENT
from tests.kit.looping import Gate, eventually
from tests.kit.shadowing import SCORED, staged
from tests.kit.upstream import Peer, Script, early, exact, serve, silent, then_fin, then_reset, unasked

SHADOW = Shadow(name="s", version="2.0.0", max_body=100_000, deadline=5.0)
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def flood(peer: Peer) -> None:
    """An answer without an end."""
    await peer.request()
    await peer.send(CHUNKED)
    while True:
        await peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


async def flood_of_head(peer: Peer) -> None:
    """A head without an end."""
    await peer.request()
    while True:
        await peer.send(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000)


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (serve(SCORED), "answered"),
        (serve(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "answered"),
        (serve(b"HTTP/1.1 204 No Content\r\n\r\n"), "answered"),
        (exact(SCORED, slice_every=1), "answered"),
        (exact(CHUNKED + b"e\r\n" + SCORED[-14:] + b"\r\n0\r\n\r\n"), "answered"),
        (then_fin(b"HTTP/1.0 200 OK\r\n\r\n" + SCORED[-14:]), "answered"),
        (exact(b"HTTP/1.1 100 Continue\r\n\r\n" + SCORED), "answered"),
        (serve(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "error"),
        (then_fin(b""), "reset"),
        (then_fin(b"HTTP/1.1 200 OK\r\nContent-Le"), "reset"),
        (then_fin(HALF), "cut"),
        (then_fin(CHUNKED + b"5\r\nabc"), "cut"),
        (exact(b"220 smtp.example ESMTP\r\n"), "malformed"),
        (exact(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), "malformed"),
        (exact(CHUNKED + b"no size\r\n"), "malformed"),
        (flood_of_head, "malformed"),
        (exact(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"), "too-large"),
        (flood, "too-large"),
    ],
)
def test_whatever_a_server_does_its_copy_ends_by_itself(script: Script, outcome: str) -> None:
    with staged(script, SHADOW) as stage:
        stage.scene.answer(stage.scene.copy())
        stage.scene.until("copies", {("s", outcome): 1})
        stage.scene.nothing_held()
        (pair,) = stage.scene.pairs
        assert pair.candidate.outcome == outcome
        assert len(stage.upstream.peers) == 1


PART = b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
END = PART.replace(b'{"content": "a"}', b'{}, "finish_reason": "stop"') + b"data: [DONE]\n\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def streaming(body: bytes) -> bytes:
    """A stream whose framing does not end."""
    return EVENTS + b"%x\r\n%b\r\n" % (len(body), body)


@pytest.mark.parametrize(("body", "outcome"), [(PART + END, "answered"), (PART, "cut")])
def test_a_stream_that_has_said_its_own_end_is_whole_although_its_connection_ends_too_early(
    body: bytes, outcome: str
) -> None:
    with staged(then_fin(streaming(body)), SHADOW) as stage:
        stage.scene.answer(stage.scene.copy())
        stage.scene.until("copies", {("s", outcome): 1})
        stage.scene.nothing_held()
        (pair,) = stage.scene.pairs
        assert pair.candidate.body == (body if outcome == "answered" else b"")


@pytest.mark.parametrize(("body", "outcome"), [(PART + END, "answered"), (PART, "timeout")])
def test_a_stream_that_has_said_its_own_end_is_whole_when_its_time_is_over(body: bytes, outcome: str) -> None:
    with staged(exact(streaming(body)), SHADOW) as stage:
        stage.scene.answer(stage.scene.copy())
        assert eventually(lambda: [bytes(leg._body) for leg in stage.scene.shadows._legs] == [body])
        stage.scene.wait(5.1)
        stage.scene.until("copies", {("s", outcome): 1})
        assert stage.upstream.peers[0].ended.wait()
        stage.scene.nothing_held()


@pytest.mark.parametrize(
    ("script", "reads"), [(silent(), True), (exact(HALF), True), (exact(b"HTTP/1.1 200"), True), (early(b""), False)]
)
def test_a_server_that_does_not_finish_in_time_is_left(script: Script, reads: bool) -> None:
    with staged(script, SHADOW) as stage:
        stage.scene.copy(b"x" * 90_000)
        assert eventually(lambda: stage.upstream.peers and stage.upstream.peers[0].arrived.is_open)
        stage.scene.wait(4.9)
        assert stage.scene.shadows.flying == 1
        stage.scene.wait(0.2)
        stage.scene.until("copies", {("s", "timeout"): 1})
        assert not reads or stage.upstream.peers[0].ended.wait()
        stage.scene.wait(40)  # nor does the pair wait for an answer for ever
        stage.scene.nothing_held()


def test_a_flood_is_stopped_as_soon_as_it_is_too_long() -> None:
    sent = [0]

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent[0] < 1 << 30:
            await peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            sent[0] += 65536

    with staged(script, SHADOW) as stage:
        stage.scene.copy()
        stage.scene.until("copies", {("s", "too-large"): 1})
        assert stage.upstream.peers[0].ended.wait()
        assert sent[0] < 32 << 20  # what lies in the sockets' buffers, and no more
        assert stage.scene.shadows.budget.held < 1000


def test_a_server_that_accepts_and_never_reads_costs_its_own_time_and_its_own_bytes_only() -> None:
    async def script(peer: Peer) -> None:
        peer.pause()
        await peer.ended

    stuck = Shadow(name="stuck", version="2.0.0", concurrent=4, deadline=5.0)
    well = Shadow(name="well", version="1.0.0", deadline=5.0)
    with staged(script, stuck, well) as stage:
        large = b"x" * 1_000_000
        for count in range(1, 9):
            stage.scene.copy(large, shadows=(0, 1))
            stage.scene.until("copies", {("well", "answered"): count})
        assert stage.scene.counts("skipped") == {("stuck", "concurrent"): 4}
        assert stage.scene.shadows.flying == 4
        stage.scene.wait(6)
        stage.scene.until("copies", {("stuck", "timeout"): 4, ("well", "answered"): 8})
        stage.scene.wait(40)
        stage.scene.nothing_held()


def test_an_answer_that_came_while_the_comparer_was_held_up_counts() -> None:
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        await gate
        await peer.send(SCORED)

    with staged(script, SHADOW) as stage:
        stage.scene.copy()
        assert eventually(lambda: stage.upstream.requests)
        stage.scene.held_up(6.0)
        gate.open()
        stage.scene.until("copies", {("s", "answered"): 1})


def test_a_reset_is_told_from_a_silence() -> None:
    gate = Gate()
    with staged(then_reset(b"", gate), SHADOW) as stage:
        stage.scene.copy()
        gate.open()
        stage.scene.until("copies", {("s", "reset"): 1})


def test_a_refused_connection_is_told_and_its_endpoint_left_alone_for_a_second() -> None:
    with staged(None, SHADOW) as stage:
        stage.upstream.stop()
        stage.scene.copy()
        stage.scene.until("copies", {("s", "refused"): 1})
        stage.scene.copy()
        stage.scene.until("skipped", {("s", "down"): 1})
        stage.upstream.start()
        stage.scene.wait(1.1)
        stage.scene.copy()
        stage.scene.until("copies", {("s", "refused"): 1, ("s", "answered"): 1})


def test_a_copy_is_sent_once_whatever_happens_to_it() -> None:
    with staged(then_fin(b""), SHADOW, endpoints=2) as stage:
        stage.scene.copy()
        stage.scene.until("copies", {("s", "reset"): 1})
        assert sum(len(upstream.requests) for upstream in stage.upstreams) == 1


def test_bytes_that_come_before_a_request_close_the_connection() -> None:
    with staged(unasked(SCORED, SCORED), SHADOW) as stage:
        stage.scene.copy()
        assert eventually(lambda: sum(stage.scene.counts("copies").values()) == 1)
        stage.scene.answer(1)
        stage.scene.nothing_held()


def test_connections_are_used_again_and_copies_are_spread() -> None:
    with staged(None, SHADOW, endpoints=2) as stage:
        for count in range(1, 7):
            stage.scene.copy()
            stage.scene.until("copies", {("s", "answered"): count})
        assert [len(upstream.requests) for upstream in stage.upstreams] == [3, 3]
        assert [len(upstream.peers) for upstream in stage.upstreams] == [1, 1]


def test_the_least_pending_endpoint_gets_the_next_copy() -> None:
    with staged(None, SHADOW, endpoints=2) as stage:
        stage.upstreams[0].script = stage.upstreams[1].script = silent()
        for _ in range(6):
            stage.scene.copy()
        assert eventually(lambda: sum(len(upstream.peers) for upstream in stage.upstreams) == 6)
        assert [len(upstream.peers) for upstream in stage.upstreams] == [3, 3]


def test_a_pool_that_nobody_uses_is_forgotten_and_says_nothing_of_readiness() -> None:
    with staged(None, SHADOW) as stage:
        for count in (1, 2):
            stage.scene.copy()
            stage.scene.until("copies", {("s", "answered"): count})
            stage.scene.wait(61)
        gauges = {
            stage.scene.slab.cells[series.first]
            for series in stage.scene.slab.series()
            if series.family == "stepdown_endpoint_ready"
        }
        assert gauges == {ABSENT}


def test_connections_that_are_idle_for_too_long_are_closed() -> None:
    with staged(None, SHADOW) as stage:
        stage.scene.copy()
        stage.scene.until("copies", {("s", "answered"): 1})
        stage.scene.wait(5)
        assert stage.upstream.peers[0].ended.wait()
        stage.scene.wait(100)
        stage.scene.copy()
        stage.scene.until("copies", {("s", "answered"): 2})
        assert len(stage.upstream.peers) == 2
