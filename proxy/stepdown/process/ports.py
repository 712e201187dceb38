"""Binding the sidecar's ports, and saying who has one that is taken."""

import errno
import os
import socket
from typing import NamedTuple

BACKLOG = 4096
"""Connections that wait while a worker is being replaced; the kernel cuts it to net.core.somaxconn."""

_LISTENING = "0A"


class PortError(Exception):
    """A port cannot be bound; the text says which and why."""


class Owner(NamedTuple):
    """The process that has a port."""

    pid: int
    command: str


def bind(purpose: str, address: tuple[str, int], count: int = 1) -> list[socket.socket]:
    """`count` listening sockets that share one address; with port 0 a free one is chosen.

    Several sockets share their port by SO_REUSEPORT, and the kernel spreads connections over them. Any other process of
    the same user could join them the same way, so the port is first bound alone: a second sidecar on the same port must
    be an error, not half of the traffic.

    Raises:
        PortError: taken, not allowed, or no such address.
    """
    host, port = address
    try:
        family, _type, _protocol, _name, resolved = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise PortError(f"{purpose}: {host}:{port}: {error.strerror}") from error
    sockets: list[socket.socket] = []
    try:
        with _bound(family, resolved, shared=False) as alone:
            alone.listen(1)
            resolved = alone.getsockname()
        for _ in range(count):
            sockets.append(_bound(family, resolved, shared=count > 1))
            sockets[-1].listen(BACKLOG)
    except OSError as error:
        for opened in sockets:
            opened.close()
        raise PortError(_why(purpose, host, port, error)) from error
    return sockets


def _bound(family: int, address: tuple[object, ...], shared: bool) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.setblocking(False)
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    return opened


def _why(purpose: str, host: str, port: int, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"{purpose}: {host}:{port} cannot be bound: {os.strerror(error.errno or 0)}"
    found = owner(port)
    by = f" by process {found.pid} ({found.command})" if found else ""
    return f"{purpose}: port {port} on {host} is taken{by}; stop that process or choose another port"


def owner(port: int) -> Owner | None:
    """Who listens on a TCP port, as far as /proc lets us see: processes of other users are hidden."""
    inodes = set(_listening_inodes(port))
    for name in os.listdir("/proc") if inodes else ():
        if name.isdigit() and inodes & set(_socket_inodes(name)):
            return Owner(int(name), _command(name))
    return None


def _listening_inodes(port: int) -> list[str]:
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as lines:
                rows = [line.split() for line in lines][1:]
        except OSError:
            continue
        found += [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]
    return found


def _socket_inodes(pid: str) -> list[str]:
    found = []
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if target.startswith("socket:["):
                found.append(target[8:-1])
    except OSError:  # another user's process, or it ended meanwhile
        pass
    return found


def _command(pid: str) -> str:
    """The program's name; the rest of its command line is its own business and may hold secrets."""
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:
            return file.read(64).decode(errors="replace").strip() or "unknown command"
    except OSError:
        return "unknown command"
