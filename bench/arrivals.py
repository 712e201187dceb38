"""When bytes reached a socket, by the kernel (`SO_TIMESTAMPNS`, socket(7)), however late a program reads them."""

from __future__ import annotations

import socket
import struct

_TIMESTAMPNS = getattr(socket, "SO_TIMESTAMPNS", 35)  # which Python names from 3.14 on
_TIMESPEC = struct.Struct("@ll")
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)


def note(connection: socket.socket) -> None:
    """Let the kernel note arrivals from now on."""
    connection.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)


def receive(connection: socket.socket) -> tuple[bytes, int | None]:
    """Up to 64 KiB, and when the last of it came, in nanoseconds since 1970.

    That is `None` for the first bytes after anybody has asked for it, of which the kernel notes no time.
    """
    data, ancillary, _, _ = connection.recvmsg(65536, _ROOM)
    if not ancillary:
        return data, None
    seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
    return data, seconds * 10**9 + nanoseconds
