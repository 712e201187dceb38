"""Mirrored exchanges, good and bad in turn: every one is handed over in full or counted, and nothing is left behind."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from stepdown.decide import spec
from tests.kit import specs
from tests.kit.client import Client, EndedError
from tests.kit.looping import eventually
from tests.kit.mirroring import Mirrored, mirrored, shadow
from tests.kit.upstream import Peer

LIMIT = 120_000
SIZES = (0, 1, 100, 65_535, 65_536, 65_537, LIMIT, LIMIT + 1, 200_000)


async def moody(peer: Peer) -> None:
    """Answer as the request's own head says."""
    while True:
        request = await peer.request()
        size = int(request.get(b"x-size") or b"0")
        mood = request.get(b"x-mood")
        body = b"y" * size
        if mood == b"error":
            await peer.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno")
        elif mood == b"chunks":
            framed = b"%x\r\n%b\r\n" % (size, body) if size else b""
            await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n")
        elif mood == b"cut":
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (size + 1) + body)
            peer.fin()
            return
        elif mood == b"silent":
            peer.fin()
            return
        else:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body)


def exchange(client: Client, dice: random.Random) -> bool:
    """One exchange; whether the connection can be used again."""
    size = dice.choice(SIZES)
    mood = dice.choice((b"plain", b"chunks", b"error", b"cut", b"silent"))
    body = b"x" * size
    if dice.random() < 0.5:
        framing, framed = b"Content-Length: %d" % size, body
    else:
        chunk = b"%x\r\n%b\r\n" % (size, body) if size else b""
        framing, framed = b"Transfer-Encoding: chunked", chunk + b"0\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: a\r\nX-Mood: %b\r\nX-Size: %d\r\n%b\r\n\r\n"
    raw = head % (mood, dice.choice(SIZES), framing) + framed
    leaves = dice.random() < 0.2
    cut = dice.randrange(1, len(raw)) if leaves else len(raw)
    place = dice.randrange(0, cut)
    with suppress(ConnectionError, EndedError):
        client.send(raw[:place])
        client.send(raw[place:cut])
        if leaves:
            return False
        response = client.response("POST")
        return response.get(b"connection") != b"close"
    return False


def play(here: Mirrored, dice: random.Random, count: int) -> None:
    client = here.client()
    for _ in range(count):
        if not exchange(client, dice):
            client.close()
            client = here.client()
    client.close()
    assert eventually(lambda: here.sidecar.plane.active == 0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [4 * 1024 * 1024, 300_000], ids=["room", "little room"])
def test_every_exchange_is_handed_over_in_full_or_counted(seed: int, size: int) -> None:
    def chosen(port: int) -> spec.SnapshotSpec:
        return specs.plain(port, repeatable=True, route_options={"shadows": (shadow(max_body=LIMIT),)})

    with mirrored(moody, spec=chosen, size=size) as here:
        dice = random.Random(seed)
        for _ in range(8):
            play(here, dice, 12)
            if size > 1_000_000:
                here.records()
        begun = sum(here.sidecar.metric(name) for name in ("stepdown_requests_total", "stepdown_client_aborts_total"))
        skipped = sum(here.skipped(reason) for reason in ("too-large", "aborted", "full"))
        copies, answers = here.copies(), here.answers()
        assert len(copies) + skipped == begun
        numbers = [about.id for about, _ in copies]
        assert len(set(numbers)) == len(numbers)
        answered = [about.id for about, _ in answers]
        assert (sorted(answered) == sorted(numbers)) if size > 1_000_000 else set(answered) <= set(numbers)
        assert all(body == b"x" * len(body) and len(body) <= LIMIT for _, body in copies)
        assert all(len(body) <= LIMIT for _, body in answers)
        assert here.handoff.gathered == 0
        assert here.skipped("full") == 0 or size < 1_000_000
