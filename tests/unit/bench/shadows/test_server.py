"""A shadow's server of the benchmark does what its kind says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bench import payload
from bench.shadows import server

REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(payload.REQUEST) + payload.REQUEST.encode()


@contextlib.asynccontextmanager
async def connected(kind: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of that kind."""
    served: list[server.Connection] = []

    def made() -> server.Connection:
        served.append(server.KINDS[kind]())
        return served[-1]

    listening = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    async with listening:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.sockets[0].getsockname()[1])
        yield reader, writer
        for transport in (writer.transport, *(each.transport for each in served)):
            transport.abort()
        await asyncio.sleep(0.01)  # for their ends to be told


def test_one_answers_every_request_in_whatever_pieces_it_comes() -> None:
    async def work() -> None:
        async with connected("answers") as (reader, writer):
            for cut in (len(REQUEST), 100, len(REQUEST) - 1):
                writer.write(REQUEST[:cut])
                await asyncio.sleep(0)
                writer.write(REQUEST[cut:])
                assert await reader.readexactly(len(server.ANSWER)) == server.ANSWER

    asyncio.run(work())


def test_one_floods() -> None:
    async def work() -> None:
        async with connected("floods") as (reader, writer):
            writer.write(REQUEST)
            for _ in range(64):
                await reader.readexactly(1 << 16)

    asyncio.run(work())


def test_one_resets() -> None:
    async def work() -> None:
        async with connected("resets") as (reader, writer):
            writer.write(REQUEST)
            with pytest.raises(ConnectionResetError):
                await reader.read()

    asyncio.run(work())


def test_one_takes_nothing() -> None:
    async def work() -> None:
        async with connected("unread") as (_, writer):
            writer.transport.set_write_buffer_limits(high=1 << 16)
            writer.write(bytes(32 << 20))  # more than all buffers on the way
            await asyncio.sleep(0.05)
            assert writer.transport.get_write_buffer_size() > 1 << 20

    asyncio.run(work())
