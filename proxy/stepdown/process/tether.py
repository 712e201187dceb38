"""The line between the parent and each child: small JSON messages that can carry file descriptors.

A tether is one end of a `SOCK_SEQPACKET` pair, so a message arrives whole or not at all, with its descriptors, and the
end of the other process shows as the end of the line. Nothing here ever waits: what cannot be sent at once is not sent.
"""

import json
import os
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

MESSAGE_BYTES = 64 * 1024
DESCRIPTORS = 250
"""The kernel passes at most 253 in one message."""


class TetherClosedError(Exception):
    """Nothing sensible will come any more."""


class Received(NamedTuple):
    """One message: what it is, its facts, and the descriptors that came with it by name; the receiver owns those."""

    kind: str
    facts: dict[str, Any]
    fds: dict[str, int]


class Tether:
    """One end of the line."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end

    @classmethod
    def pair(cls) -> tuple["Tether", socket.socket]:
        """A new line: the parent's end, and the socket whose descriptor the child inherits."""
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(near), far

    @classmethod
    def inherited(cls, fd: int) -> "Tether":
        """The end that a child was started with."""
        return cls(socket.socket(fileno=fd))

    def fileno(self) -> int:
        """Descriptor to wait on for reading."""
        return self._end.fileno()

    def send(self, kind: str, fds: Mapping[str, int] | None = None, /, **facts: object) -> bool:
        """Whether the message was handed over; not so when the other end is gone, or so far behind that it is stuck."""
        names = fds or {}
        data = json.dumps([kind, facts, list(names)]).encode()
        if len(data) > MESSAGE_BYTES:
            raise ValueError(f"a message of {len(data)} bytes is over the limit of {MESSAGE_BYTES}")
        try:
            socket.send_fds(self._end, [data], list(names.values()))
        except OSError:  # BlockingIOError: full; BrokenPipeError, ConnectionError: gone
            return False
        return True

    def receive(self) -> Received | None:
        """The next message, or `None` when there is none yet.

        Raises:
            TetherClosedError: the other process is gone, or talks nonsense.
        """
        try:
            data, fds, _flags, _address = socket.recv_fds(self._end, MESSAGE_BYTES, DESCRIPTORS)
        except BlockingIOError:
            return None
        except OSError as error:
            raise TetherClosedError(str(error)) from error
        for fd in fds:  # `recv_fds` ignores its flags, so MSG_CMSG_CLOEXEC cannot be asked for
            os.set_inheritable(fd, False)
        if not data:
            raise TetherClosedError("the other end is closed")
        try:
            kind, facts, names = json.loads(data)
            return Received(kind, facts, dict(zip(names, fds, strict=True)))
        except ValueError as error:
            raise TetherClosedError(f"no message of ours: {error}") from error

    def close(self) -> None:
        """Let go of the line; the other process sees its end."""
        self._end.close()
