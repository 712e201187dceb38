from __future__ import annotations

import asyncio
import socket

import pytest

from stepdown.process.arrivals import let_in_the_last, queued


def listener() -> socket.socket:
    opened = socket.create_server(("127.0.0.1", 0))
    opened.setblocking(False)
    return opened


def test_the_queue_of_a_listening_socket_is_counted() -> None:
    with listener() as listening:
        assert queued(listening) == 0
        clients = [socket.create_connection(listening.getsockname()) for _ in range(3)]
        assert queued(listening) == 3
        for client in clients:
            listening.accept()[0].close()
            client.close()
        assert queued(listening) == 0


def test_who_waits_is_served_and_nobody_new_comes() -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        with listener() as listening:
            waiting = socket.create_connection(listening.getsockname())
            waiting.send(b"request")
            closing = asyncio.ensure_future(let_in_the_last(listening, 1e6))
            await asyncio.sleep(0)
            late = socket.socket()
            late.setblocking(False)
            late.connect_ex(listening.getsockname())
            assert not closing.done()
            accepted, _ = listening.accept()
            assert accepted.recv(100) == b"request"
            await closing
            assert queued(listening) == 0
            with pytest.raises(BlockingIOError):
                listening.accept()
            await loop.sock_sendall(accepted, b"answer")
            assert waiting.recv(100) == b"answer"
            for opened in (waiting, late, accepted):
                opened.close()

    asyncio.run(play())


def test_a_queue_that_nobody_empties_is_given_up() -> None:
    with listener() as listening, socket.create_connection(listening.getsockname()):
        asyncio.run(let_in_the_last(listening, 0.01))
        assert queued(listening) == 1
