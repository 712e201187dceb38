"""Channels over real socket pairs; the other end is a plain socket, so that it can misbehave."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
import uvloop

from stepdown.process.channel import SLACK_BYTES, Channel
from stepdown.process.messages import Activate, Health, Reader, StatusRequest, ToWorker, frame

LIMIT = 4096
LOOPS = pytest.mark.parametrize("factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])


class Listener:
    """A channel, what it heard, and its peer's bare socket."""

    def __init__(self) -> None:
        self.heard: list[ToWorker] = []
        self.over = asyncio.Event()
        self.news = asyncio.Event()
        self.channel = Channel[ToWorker]("the test", Reader(ToWorker, LIMIT), LIMIT, self._hear, self._end)

    async def open(self) -> socket.socket:
        near, far = socket.socketpair()
        far.setblocking(False)
        await self.channel.open(near)
        return far

    def _hear(self, _channel: Channel[ToWorker], message: ToWorker) -> None:
        self.heard.append(message)
        self.news.set()

    def _end(self, _channel: Channel[ToWorker]) -> None:
        self.over.set()


@LOOPS
def test_messages_go_both_ways(factory: object) -> None:
    async def play() -> None:
        listener = Listener()
        with await listener.open() as far:
            far.send(frame(StatusRequest(ticket=1)))
            await listener.news.wait()
            listener.channel.send(Activate(ticket=2, digest="d"))
            data = await asyncio.get_running_loop().sock_recv(far, 1000)
        assert listener.heard == [StatusRequest(ticket=1)]
        assert data == frame(Activate(ticket=2, digest="d"))
        await listener.over.wait()
        assert not listener.channel.is_open

    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        runner.run(play())


@LOOPS
def test_a_peer_that_talks_garbage_is_dropped_with_a_line_in_the_log(
    factory: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        listener = Listener()
        with await listener.open() as far:
            far.send(frame(StatusRequest(ticket=1)) + b"GET / HTTP/1.1\r\n\r\n" + frame(StatusRequest(ticket=2)))
            await listener.over.wait()
        assert listener.heard == [StatusRequest(ticket=1)]

    with caplog.at_level(logging.WARNING), asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        runner.run(play())
    assert "channel to the test dropped: a frame of 1195725856 bytes" in caplog.text


@LOOPS
def test_a_peer_that_reads_nothing_is_dropped_at_the_bound(factory: object, caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> int:
        listener = Listener()
        sent = 0
        with await listener.open():
            while listener.channel.is_open:
                listener.channel.send(Health(states={"x" * 1000: True}))
                sent += 1000
            await listener.over.wait()
            listener.channel.send(StatusRequest(ticket=1))  # lost, and no error
        return sent

    with caplog.at_level(logging.WARNING), asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        sent = runner.run(play())
    kernel = 1024 * 1024
    assert SLACK_BYTES < sent < SLACK_BYTES + LIMIT + kernel
    assert "bytes unread" in caplog.text


def test_a_message_that_the_peer_would_refuse_is_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        listener = Listener()
        with await listener.open() as far:
            listener.channel.send(Health(states={"x" * LIMIT: True}))
            await listener.over.wait()
            assert far.recv(10) == b""

    with caplog.at_level(logging.WARNING):
        asyncio.run(play())
    assert "would be over its limit of 4096" in caplog.text


def test_a_closed_channel_hears_no_more() -> None:
    async def play() -> None:
        listener = Listener()
        with await listener.open() as far:
            far.send(frame(StatusRequest(ticket=1)))
            listener.channel.close()
            await listener.over.wait()
        assert listener.heard == []

    asyncio.run(play())
