"""Closing a listening socket without losing who waits at it.

The kernel completes connections and queues them before anybody accepts them; when the socket is closed, it resets all
that are queued, with the requests that their clients have sent already. So first nobody new is let in: a socket filter
that accepts no packet makes the kernel ignore attempts to connect, which clients repeat after a second and then find
refused. Then the queue is accepted as usual, and the socket is closed when it is empty.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import socket
import struct
import sys

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.01
"""Seconds between looks at the queue."""
FIRST_REQUEST_LOOKS = 5
"""How often the loop looks at the last ones for their request, which is here already or on its way. Several short waits
and not one long one: on a machine that is busy, a timer may be late and come before what has arrived is read."""

_SO_ATTACH_FILTER = 26
_RETURN_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # linux/filter.h: one instruction, BPF_RET with 0 bytes to keep
_QUEUED = slice(24, 28)  # linux/tcp.h: tcpi_unacked of struct tcp_info, which of a listening socket is its queue


async def let_in_the_last(listening: socket.socket, seconds: float) -> None:
    """Let nobody new come, and return when those who wait were accepted by whoever serves the socket.

    Waits for at most `seconds`; not at all where the kernel knows no such filter, for there the queue never ends.
    """
    program = ctypes.create_string_buffer(_RETURN_NOTHING)
    try:
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))
    except OSError as error:
        logger.debug("the queue cannot be emptied: %s", error)
        return
    loop = asyncio.get_running_loop()
    give_up = loop.time() + seconds
    while queued(listening) and loop.time() < give_up:  # noqa: ASYNC110 - the kernel announces no empty queue
        await asyncio.sleep(LOOK_EVERY)
    for _ in range(FIRST_REQUEST_LOOKS):
        await asyncio.sleep(LOOK_EVERY)


def queued(listening: socket.socket) -> int:
    """How many connections wait to be accepted."""
    return int.from_bytes(listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[_QUEUED], sys.byteorder)
