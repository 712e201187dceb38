"""A model server and a client for bodies of a gibibyte, in either direction; plain sockets, nothing kept.

`python -m bench.bodies PORT` is the server: it reads a request's body to its end, then answers with as many
bytes as the request's header `x-answer-bytes` says.
"""

from __future__ import annotations

import re
import socket
import socketserver
import sys

from bench import payload

CHUNK = bytes(256 * 1024)
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_ANSWER = re.compile(rb"x-answer-bytes:\s*(\d+)", re.IGNORECASE)


class _Handler(socketserver.BaseRequestHandler):
    request: socket.socket

    def handle(self) -> None:
        while head := _receive_message(self.request):
            wanted = _ANSWER.search(head)
            size = int(wanted[1]) if wanted else 2
            answer = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
            self.request.sendall(answer.encode())
            _send(self.request, size)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def exchange(port: int, *, ask: int, answer: int, path: str = payload.PATH) -> None:
    """Send a body of `ask` bytes and read an answer, of `answer` bytes if the server above gives it.

    Raises:
        RuntimeError: the answer is no success, or not whole.
    """
    with socket.create_connection(("127.0.0.1", port)) as connection:
        exchange_on(connection, ask=ask, answer=answer, path=path)


def exchange_on(connection: socket.socket, *, ask: int, answer: int, path: str = payload.PATH) -> None:
    """The same on a connection that stays open."""
    connection.settimeout(60)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nx-user-id: a\r\nx-answer-bytes: {answer}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {ask}\r\n\r\n"
    )
    connection.sendall(head.encode())
    _send(connection, ask)
    if not (seen := _receive_message(connection)).startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the answer is no success, or not whole: {seen!r}")


def _send(connection: socket.socket, size: int) -> None:
    while size:
        size -= connection.send(CHUNK[:size])


def _receive_message(connection: socket.socket) -> bytes:
    """Read one message and return its head; empty when the peer closed before the end."""
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        head += chunk
    head, _, body = head.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    missing = (int(length[1]) if length else 0) - len(body)
    room = bytearray(len(CHUNK))
    while missing > 0:
        count = connection.recv_into(room)
        if not count:
            return b""
        missing -= count
    return head


if __name__ == "__main__":
    with _Server(("127.0.0.1", int(sys.argv[1])), _Handler) as server:
        server.serve_forever()
