from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from stepdown.process.tether import Tether, TetherClosedError


@pytest.fixture
def ends() -> Iterator[tuple[Tether, Tether]]:
    near, far = Tether.pair()
    child = Tether.inherited(far.detach())
    yield near, child
    near.close()
    child.close()


def test_messages_arrive_one_by_one_and_whole(ends: tuple[Tether, Tether]) -> None:
    near, child = ends
    assert near.send("start", index=3)
    assert near.send("drain", grace=1.5)
    first, second = child.receive(), child.receive()
    assert first is not None
    assert (first.kind, first.facts, first.fds) == ("start", {"index": 3}, {})
    assert second is not None
    assert (second.kind, second.facts) == ("drain", {"grace": 1.5})
    assert child.receive() is None


def test_descriptors_arrive_by_name_and_are_the_receivers_own(ends: tuple[Tether, Tether]) -> None:
    near, child = ends
    read, write = os.pipe()
    near.send("link", {"read": read, "write": write})
    os.close(read)
    os.close(write)
    message = child.receive()
    assert message is not None
    os.write(message.fds["write"], b"through")
    assert os.read(message.fds["read"], 100) == b"through"
    assert not os.get_inheritable(message.fds["read"])
    for fd in message.fds.values():
        os.close(fd)


def test_the_end_of_the_other_process_shows_after_its_last_message(ends: tuple[Tether, Tether]) -> None:
    near, child = ends
    near.send("drain")
    near.close()
    assert child.receive() is not None
    with pytest.raises(TetherClosedError):
        child.receive()
    assert not child.send("listening")


def test_a_peer_that_reads_nothing_never_makes_the_sender_wait(ends: tuple[Tether, Tether]) -> None:
    near, _child = ends
    sent = 0
    while near.send("worker", index=0):
        sent += 1
        assert sent < 100_000
    assert sent > 50


def test_a_message_over_the_limit_is_the_senders_mistake(ends: tuple[Tether, Tether]) -> None:
    with pytest.raises(ValueError, match="over the limit of 65536"):
        ends[0].send("start", text="x" * 70_000)


def test_bytes_that_are_no_message_are_not_believed() -> None:
    near, far = Tether.pair()
    with far:
        far.send(b"GET / HTTP/1.1")
        with pytest.raises(TetherClosedError, match="no message"):
            near.receive()
    near.close()
