"""A raw HTTP client for tests: sends exactly the bytes it is given and tells apart how a connection ended.

It blocks; the servers of a test run on a `LoopThread`. Answers are parsed by h11, which is strict and knows nothing of
the proxy's own framing code.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import h11

from tests.kit.looping import PATIENCE


class EndedError(Exception):
    """The connection ended before a whole answer was there: `how` is `fin` or `reset`, `seen` what had come."""

    def __init__(self, how: str, seen: bytes) -> None:
        super().__init__(f"{how} after {seen!r}")
        self.how = how
        self.seen = seen


@dataclass
class Response:
    """One final answer, with the interim ones before it."""

    status: int
    reason: bytes
    version: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    raw: bytes
    """All bytes of the message, interim heads included."""
    interim: list[int] = field(default_factory=list)

    def get(self, name: bytes) -> bytes | None:
        """First value of a field, by its lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def all(self, name: bytes) -> list[bytes]:
        """All values of a field, in order."""
        return [value for key, value in self.headers if key.lower() == name]


class Client:
    """One connection to the proxy; a context manager."""

    def __init__(self, port: int, *, receive_buffer: int = 0, timeout: float = PATIENCE) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.buffer = bytearray()
        """Received and not yet part of an answer."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.close()

    # --- sending ---------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """All at once."""
        self.socket.sendall(data)

    def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """One write each; when the proxy refuses early and closes, what is left is dropped."""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self.socket.send(piece)

    def send_bytewise(self, data: bytes) -> None:
        """Byte by byte."""
        self.send_pieces(data[place : place + 1] for place in range(len(data)))

    def half_close(self) -> None:
        """FIN; reading goes on."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """FIN, or RST where unread bytes are left (as the kernel does)."""
        self.socket.close()

    def reset(self) -> None:
        """RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # --- receiving -------------------------------------------------------------------------------------------------

    def response(self, method: str = "GET") -> Response:
        """Exactly one final answer to a request of `method`; what follows stays in `buffer`.

        Raises `EndedError` when the connection ends first, `h11.RemoteProtocolError` for bytes that are no answer.
        """
        parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        parser.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        parser.send(h11.EndOfMessage())
        seen, interim, head, body = bytearray(self.buffer), [], None, bytearray()
        if seen:
            parser.receive_data(bytes(seen))
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                data, how = self._receive(bytes(seen))
                seen += data
                if how == "fin" and not (head is not None and _close_delimited(head)):
                    raise EndedError(how, bytes(seen))
                parser.receive_data(data)
            elif isinstance(event, h11.InformationalResponse):
                interim.append(event.status_code)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                raise EndedError("fin", bytes(seen))
        assert head is not None
        left = bytes(parser.trailing_data[0])
        self.buffer = bytearray(left)
        raw = bytes(seen[: len(seen) - len(left)])
        headers = list(head.headers.raw_items())
        return Response(head.status_code, head.reason, head.http_version, headers, bytes(body), raw, interim)

    def _receive(self, seen: bytes) -> tuple[bytes, str]:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            raise EndedError("reset", seen) from None
        return data, "" if data else "fin"

    def receive(self, mark: bytes) -> bytes:
        """All bytes until `mark` was seen (with what came behind it); they stay in `buffer`."""
        while mark not in self.buffer:
            data, how = self._receive(bytes(self.buffer))
            if how:
                raise EndedError(how, bytes(self.buffer))
            self.buffer += data
        return bytes(self.buffer)

    def until_close(self) -> tuple[bytes, str]:
        """Everything that still comes, and `fin` or `reset`."""
        while True:
            try:
                data, how = self._receive(b"")
            except EndedError as end:
                return bytes(self.buffer), end.how
            if how:
                return bytes(self.buffer), how
            self.buffer += data

    def is_quiet(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes for a moment: neither bytes nor an end. For negatives only, where no event exists."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.socket.settimeout(PATIENCE)
        self.buffer += data
        return False


def _close_delimited(head: h11.Response) -> bool:
    names = {name for name, _ in head.headers}
    return b"content-length" not in names and b"transfer-encoding" not in names


def ask(port: int, request: bytes, method: str = "GET") -> Response:
    """One request on a connection of its own, one answer."""
    with Client(port) as client:
        client.send(request)
        return client.response(method)
