"""Hosts: how a `Host` field is compared with the hosts that a match names."""

from __future__ import annotations

from collections.abc import Iterator


def bare_host(host: bytes) -> bytes:
    """Lower case, without port and without the dot of a fully qualified name: what matches compare."""
    if host[:1] == b"[":  # an IPv6 literal keeps its brackets
        return host[: host.find(b"]") + 1].lower()
    return host.partition(b":")[0].lower().removesuffix(b".")


def parents(host: bytes) -> Iterator[bytes]:
    """Every name that the host is below, nearest first: `a.b.c` gives `b.c`, `c`."""
    while host:
        _, _, host = host.partition(b".")
        if host:
            yield host


def host_holds(host: bytes, wanted: bytes) -> bool:
    """Whether a bare host is `wanted`, or below it where that is written `*.example.com`."""
    if wanted.startswith(b"*."):
        return host.endswith(wanted[1:]) and len(host) > len(wanted) - 1
    return host == wanted
