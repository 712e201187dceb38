"""Both routes get the same gaps, each in its own seconds, and what is found is kept apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from bench.shadows import alternating
from bench.shadows.alternating import Block, due_in, route_of
from tests.kit.looping import LoopThread
from tests.kit.upstream import Peer, Upstream

SECOND = 10**9


def test_the_places_of_the_routes_change_after_each_pair() -> None:
    assert [route_of(block) for block in range(8)] == [0, 1, 1, 0, 0, 1, 1, 0]


def test_both_blocks_of_a_pair_have_the_same_gaps_and_other_pairs_have_others() -> None:
    blocks: list[list[int]] = [[] for _ in range(6)]
    for at in due_in(6, 500.0):
        blocks[at // SECOND].append(at % SECOND)
    assert blocks[0] == blocks[1] != blocks[2] == blocks[3] != blocks[4] == blocks[5]
    assert all(block == sorted(block) for block in blocks)
    assert 400 < len(blocks[0]) < 600


@pytest.fixture
def answering() -> Iterator[tuple[int, Counter[bytes]]]:
    """A server that answers all that is asked, and how often each path was."""
    asked: Counter[bytes] = Counter()

    async def script(peer: Peer) -> None:
        while True:
            asked[(await peer.request()).target] += 1
            body = alternating.payload.ANSWER.encode()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with LoopThread() as thread, Upstream(thread, script) as server:
        yield server.port, asked


@pytest.mark.slow
def test_each_second_s_requests_go_to_its_route_and_each_is_told_for_itself(
    answering: tuple[int, Counter[bytes]],
) -> None:
    port, asked = answering
    command = [sys.executable, "-m", "bench.shadows.alternating", *map(str, (port, 50, 2, os.getpid()))]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    blocks = [Block(**found) for found in json.loads(printed)]
    assert len(blocks) == 4
    assert asked == {
        path.encode(): sum(block.requests for place, block in enumerate(blocks) if route_of(place) == route)
        for route, path in enumerate((alternating.payload.PATH, alternating.WITHOUT))
    }
    assert all(0 < block.p50 <= block.p99 and block.quiet > 0 for block in blocks)
