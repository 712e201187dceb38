"""A scripted model server for tests: one script per connection, every byte and each ending recorded.

A script is `async def script(peer)`. It reads with `await peer.request()` (parsed by h11, an independent strict parser,
so that every byte the proxy sends is judged on the way) and writes with `await peer.send(...)`. When it returns, the
connection is kept open until the other side closes; `peer.fin()` and `peer.reset()` end it from here. Nothing in here
looks at a clock: a script that has to wait waits for a `Gate`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self, cast

import h11

from tests.kit.looping import Gate, LoopThread

Script = Callable[["Peer"], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class PeerGoneError(Exception):
    """The proxy ended the connection while a script waited for bytes."""


@dataclass
class Request:
    """One request as the upstream received it."""

    method: bytes
    target: bytes
    version: bytes
    headers: list[tuple[bytes, bytes]]
    """In order, names as sent."""
    body: bytes
    raw: bytes
    """All bytes of the message, framing included."""

    def get(self, name: bytes) -> bytes | None:
        """First value of a field, by its lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def all(self, name: bytes) -> list[bytes]:
        """All values of a field, in order."""
        return [value for key, value in self.headers if key.lower() == name]


@dataclass
class Peer:
    """The upstream's end of one connection."""

    transport: asyncio.Transport
    received: bytearray = field(default_factory=bytearray)
    """Every byte of this connection, in order."""
    requests: list[Request] = field(default_factory=list)
    ended: Gate = field(default_factory=Gate)
    """Opens when the connection is over, whoever ended it."""
    arrived: Gate = field(default_factory=Gate)
    """Opens at the first byte."""
    how: str = "open"
    """`open`, then what the proxy did first: `fin` or `reset`; or `ours` when the script ended it."""
    consumed: int = 0
    forgotten: int = 0
    """Bytes of `received` that belong to an earlier record."""
    _fresh: asyncio.Event = field(default_factory=asyncio.Event)
    _writable: asyncio.Event = field(default_factory=asyncio.Event)

    # --- reading ---------------------------------------------------------------------------------------------------

    async def request(self) -> Request:
        """The next whole request; raises `PeerGoneError`, and `h11.RemoteProtocolError` for bytes that are none."""
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        fed, head, body = self.consumed, None, bytearray()
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                await self._more_than(fed)
                parser.receive_data(bytes(self.received[fed:]))
                fed = len(self.received)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                raise PeerGoneError(repr(event))
        assert head is not None
        start, self.consumed = self.consumed, fed - len(parser.trailing_data[0])
        headers = list(head.headers.raw_items())
        raw = bytes(self.received[start : self.consumed])
        request = Request(head.method, head.target, head.http_version, headers, bytes(body), raw)
        self.requests.append(request)
        return request

    async def head(self) -> bytes:
        """Raw bytes of the next head; the body is left unread."""
        return await self.until(b"\r\n\r\n")

    async def until(self, mark: bytes) -> bytes:
        """Raw bytes up to and with `mark`."""
        while (place := self.received.find(mark, self.consumed)) < 0:
            await self._more_than(len(self.received))
        start, self.consumed = self.consumed, place + len(mark)
        return bytes(self.received[start : self.consumed])

    async def exactly(self, count: int) -> bytes:
        """The next `count` raw bytes."""
        while len(self.received) - self.consumed < count:
            await self._more_than(len(self.received))
        start, self.consumed = self.consumed, self.consumed + count
        return bytes(self.received[start : self.consumed])

    async def _more_than(self, seen: int) -> None:
        while len(self.received) <= seen:
            if self.ended.is_open or self.how != "open":
                raise PeerGoneError(self.how)
            self._fresh.clear()
            await self._fresh.wait()

    async def progress(self) -> None:
        """Wait for more bytes, counted or kept."""
        if self.ended.is_open or self.how != "open":
            raise PeerGoneError(self.how)
        self._fresh.clear()
        await self._fresh.wait()

    def pause(self) -> None:
        """Stop reading: the proxy's writes pile up."""
        self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        self.transport.resume_reading()

    # --- writing ---------------------------------------------------------------------------------------------------

    async def send(self, data: bytes, *, slice_every: int = 0) -> None:
        """Write and wait until the kernel took it; `slice_every` sends pieces of that many bytes, one write each."""
        step = slice_every or len(data) or 1
        for start in range(0, len(data), step):
            if self.ended.is_open:
                raise PeerGoneError(self.how)
            self.transport.write(data[start : start + step])
            await self._writable.wait()
            await asyncio.sleep(0)  # an endless script must not keep the loop from telling it that nobody listens

    def half_close(self) -> None:
        """FIN, and go on reading."""
        self.transport.write_eof()

    def fin(self) -> None:
        """Close after all bytes are written: FIN."""
        self._ours()
        self.transport.close()

    def reset(self) -> None:
        """Close at once with RST; bytes that are still on their way may be lost, so gate it where they matter."""
        self._ours()
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _ours(self) -> None:
        if self.how == "open":
            self.how = "ours"


class _Protocol(asyncio.Protocol):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._peer: Peer
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)  # uvloop's do not inherit from it
        self._peer = Peer(stream)
        self._peer._writable.set()
        stream.set_write_buffer_limits(high=0)  # pauses at once where a handshake's last bytes are still on their way
        self._task = self._upstream._accept(self._peer)

    def data_received(self, data: bytes) -> None:
        peer = self._peer
        if self._upstream.counting:
            self._upstream.counted += len(data)
        else:
            peer.received += data
        peer.arrived.open()
        peer._fresh.set()

    def eof_received(self) -> bool:
        if self._peer.how == "open":
            self._peer.how = "fin"
        self._peer._fresh.set()
        return False

    def pause_writing(self) -> None:
        self._peer._writable.clear()

    def resume_writing(self) -> None:
        self._peer._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        peer = self._peer
        if peer.how == "open":
            peer.how = "reset" if error else "fin"
        peer.ended.open()
        peer._fresh.set()
        peer._writable.set()


class Upstream:
    """A server on a free loopback port; a context manager."""

    def __init__(self, thread: LoopThread, script: Script | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self._thread = thread
        self._tls = tls
        self.script: Script = script or serve(OK)
        """Played on every connection for which nothing is queued."""
        self.queue: deque[Script] = deque()
        """Played first, one connection each."""
        self.peers: list[Peer] = []
        self.counting = False
        """Count the received bytes only (`counted`): for bodies that should not be kept."""
        self.counted = 0
        self.counted_out = 0
        """Bytes sent, where a script cares to count them."""
        self.failures: list[BaseException] = []
        """What scripts raised, apart from the proxy's going away."""
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.call(self._start())
        return self

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Protocol(self), "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse new connections and drop those that are open."""
        self._thread.call(self._stop())

    def start(self) -> None:
        """Listen again, on the same port."""
        self._thread.call(self._start())

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for peer in self.peers:
            peer.transport.abort()

    def _accept(self, peer: Peer) -> asyncio.Task[None]:
        self.peers.append(peer)
        script = self.queue.popleft() if self.queue else self.script
        task = asyncio.get_running_loop().create_task(self._play(script, peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _play(self, script: Script, peer: Peer) -> None:
        try:
            await script(peer)
        except PeerGoneError:
            pass
        except Exception as error:
            self.failures.append(error)
            peer.fin()

    def on_loop(self, function: Callable[[], None]) -> None:
        """Run something that touches a peer's transport (`peer.fin`, `peer.resume`) on the loop's thread."""
        self._thread.run(function)

    @property
    def requests(self) -> list[Request]:
        """Whole requests of all connections, in order of connection."""
        return [request for peer in self.peers for request in peer.requests]

    @property
    def received(self) -> bytes:
        """Every byte of all connections."""
        return b"".join(bytes(peer.received[peer.forgotten :]) for peer in self.peers)

    def forget(self) -> None:
        """Start a new record; connections stay open, and those that have ended are dropped."""
        self.peers = [peer for peer in self.peers if not peer.ended.is_open]
        for peer in self.peers:
            peer.requests.clear()
            peer.forgotten = len(peer.received)
        self.queue.clear()
        self.failures.clear()
        self.counted = 0


# --- scripts --------------------------------------------------------------------------------------------------------


def serve(*answers: bytes | Callable[[Request], bytes]) -> Script:
    """Keep-alive: answer each request with the next of `answers`, the last one for ever."""

    async def script(peer: Peer) -> None:
        for turn in range(1 << 30):
            request = await peer.request()
            answer = answers[min(turn, len(answers) - 1)]
            await peer.send(answer if isinstance(answer, bytes) else answer(request))

    return script


def exact(answer: bytes, *, slice_every: int = 0) -> Script:
    """Read one request, send exactly these bytes, then hold the connection open."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer, slice_every=slice_every)

    return script


def then_fin(answer: bytes, *, slice_every: int = 0) -> Script:
    """Read one request, send these bytes, close."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer, slice_every=slice_every)
        peer.fin()

    return script


def then_reset(answer: bytes, gate: Gate) -> Script:
    """Read one request, send these bytes, and reset once the gate is open."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        await gate
        peer.reset()

    return script


def stepwise(*pieces: bytes, gates: list[Gate]) -> Script:
    """Read one request; send the first piece at once and each further one when its gate opens."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(pieces[0])
        for gate, piece in zip(gates, pieces[1:], strict=True):
            await gate
            await peer.send(piece)

    return script


def gated(gate: Gate, answer: bytes = OK) -> Script:
    """Keep-alive: answer the first request when the gate opens, the others at once."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await gate
        await peer.send(answer)
        await serve(answer)(peer)

    return script


def silent() -> Script:
    """Accept, read, never answer."""

    async def script(peer: Peer) -> None:
        await peer.ended

    return script


def unasked(first: bytes, answer: bytes = OK) -> Script:
    """Send bytes before any request came (plaintext before TLS, a stale answer), then answer as usual."""

    async def script(peer: Peer) -> None:
        await peer.send(first)
        await serve(answer)(peer)

    return script


def early(answer: bytes) -> Script:
    """Answer as soon as the head is there and stop reading: the body is never taken."""

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.pause()
        await peer.send(answer)

    return script


def serve_then_close(answer: bytes, gate: Gate) -> Script:
    """Answer one request with keep-alive and close the idle connection once the gate is open."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        await gate
        peer.fin()

    return script


def reset_on_request(count: int) -> Script:
    """Answer `count` requests well; reset the connection when the next one has wholly arrived."""

    async def script(peer: Peer) -> None:
        for _ in range(count):
            await peer.request()
            await peer.send(OK)
        await peer.request()
        peer.reset()

    return script


def interim(count: int, answer: bytes = OK, *, status: bytes = b"103 Early Hints") -> Script:
    """Send `count` interim heads, then the answer."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for _ in range(count):
            await peer.send(b"HTTP/1.1 " + status + b"\r\nLink: </a>\r\n\r\n")
        await peer.send(answer)

    return script


class Blackhole:
    """A port whose queue of connections is full: nobody is refused and nobody is accepted."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port: int = self._server.getsockname()[1]
        self._filling: list[socket.socket] = []

    def __enter__(self) -> Self:
        for _ in range(16):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._filling.append(filler)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        for each in (*self._filling, self._server):
            each.close()
