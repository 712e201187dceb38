"""Entries of the catalogue in a running sidecar, before a scripted server, for tests with an old application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stepdown.decide.spec import SnapshotSpec
from tests.kit.catalogue import configuration
from tests.kit.configuration import Folder
from tests.kit.looping import LoopThread
from tests.kit.sidecar import Sidecar
from tests.kit.upstream import Peer, Script, serve
from tests.kit.world import World, world

CHATS, TEXTS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def document(found: Any, status: bytes = b"200 OK") -> bytes:
    """An answer of JSON."""
    return _whole(json.dumps(found).encode(), b"application/json", status)


def events(stream: bytes) -> bytes:
    """An answer that is this stream."""
    return _whole(stream, b"text/event-stream; charset=utf-8", b"200 OK")


def _whole(body: bytes, kind: bytes, status: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body)


def sliced(answer: bytes, size: int) -> Script:
    """A server that gives this answer in pieces of so many bytes, one write each."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(answer, slice_every=size)

    return script


def begun(stream: bytes, *, breaks: bool) -> Script:
    """A server whose stream never ends: its connection breaks, or it waits until the client has left."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"%x\r\n%b\r\n" % (len(stream), stream))
        if breaks:
            peer.fin()
        else:
            await peer.ended

    return script


def together(many: int, told: Callable[[Any], list[bytes]]) -> Script:
    """A server that tells each who asks the events of what was asked, and stops halfway until so many are as far."""
    arrived, everybody = [0], asyncio.Event()

    async def script(peer: Peer) -> None:
        found = told(json.loads((await peer.request()).body))
        await peer.send(CHUNKED)
        for turn, event in enumerate(found):
            if turn == len(found) // 2:
                arrived[0] += 1
                if arrived[0] == many:
                    everybody.set()
                await everybody.wait()
            await peer.send(b"%x\r\n%b\r\n" % (len(event), event))
            await asyncio.sleep(0)
        await peer.send(b"0\r\n\r\n")

    return script


def configured(folder: Path, *chain: str, asks: str = CHATS, sends: str = CHATS) -> Callable[[int], SnapshotSpec]:
    """The entries in a row, the newest first, for a server at the port."""
    return lambda port: Folder(folder).load(configuration(chain, port, asks, sends)).spec


@contextmanager
def stepped_down(
    folder: Path, *chain: str, by: bytes | Script, asks: str = CHATS, sends: str = CHATS
) -> Iterator[tuple[World, str]]:
    """A sidecar with the entries before a server that always gives this answer, and the URL that a client is told."""
    script = serve(by) if isinstance(by, bytes) else by
    with world(script, spec=configured(folder, *chain, asks=asks, sends=sends)) as here:
        yield here, f"http://127.0.0.1:{here.sidecar.port}/v1"


@contextmanager
def before(server: str, folder: Path, *chain: str, asks: str = CHATS, sends: str = CHATS) -> Iterator[str]:
    """The same before a real server with this URL."""
    port = int(server.split(":")[2].partition("/")[0])
    spec = configured(folder, *chain, asks=asks, sends=sends)(port)
    with LoopThread() as thread, Sidecar(thread, spec) as sidecar:
        yield f"http://127.0.0.1:{sidecar.port}/v1"


def sent(here: World) -> Any:
    """What the server was asked last."""
    return json.loads(here.upstream.requests[-1].body)
