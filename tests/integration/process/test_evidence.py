"""Evidence on its way from a real worker process over real channels, which are lost whenever that hurts most."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from stepdown.decide.spec import SnapshotSpec, encode
from stepdown.process.fleet import Fleet, Taken
from stepdown.process.messages import Evidence, EvidenceTaken
from stepdown.rollout.batch import Batch
from tests.kit.client import Client, ask
from tests.kit.driven import BY_USER, FEEDBACK, KEY, Store, driven, get
from tests.kit.looping import LoopThread, eventually
from tests.kit.upstream import Upstream
from tests.kit.worker_process import Running, worker


def batch_of(message: Evidence) -> Batch:
    """As the controller makes one of a message."""
    return Batch(
        message.rollout, message.run, message.source, message.sequence, message.sightings, dict(message.deltas)
    )


class Controller:
    """A fleet with one worker, on a loop in a thread, and a store that can be told how to behave."""

    def __init__(self, thread: LoopThread, spec: SnapshotSpec, running: Running) -> None:
        self._thread = thread
        self._running = running
        self.store = Store()
        self.silent = False
        """What is stored is not acknowledged."""
        self.away = False
        """Nothing is stored, nor acknowledged: as where nobody drives rollouts yet, or the store is lost."""
        self.let_fall = 0
        """Batches that came meanwhile."""
        self._relinked: list[int] = []
        self.fleet = Fleet(1, encode(spec), self._relinked.append)
        self.fleet.counted = self._count

    def _count(self, message: Evidence, taken: Taken) -> None:
        if self.away:
            self.let_fall += 1
            return
        self.store.add(batch_of(message))
        if not self.silent:
            taken(
                EvidenceTaken(
                    rollout=message.rollout, run=message.run, source=message.source, sequence=message.sequence
                )
            )

    def link(self) -> None:
        """A new channel to the worker; what there was ends."""
        near, far = socket.socketpair()
        with near:
            self._running.child.tell("link", {"channel": near.fileno()})
        self._thread.call(self.fleet.place(0, self._running.child.pid, 0, far.detach()))

    def cut(self) -> None:
        """The channel is lost."""
        self._thread.call(self.fleet.place(0, 0, 0, None))

    def has(self, condition: Callable[[Store], object]) -> bool:
        """Whether the store comes to be so."""
        return eventually(lambda: self._thread.run(lambda: condition(self.store)))


@contextmanager
def controlled(**options: Any) -> Iterator[tuple[Controller, Running]]:
    with LoopThread() as thread, Upstream(thread) as one, Upstream(thread) as two:
        spec = driven(one.port, two.port, step=2, **options)
        with worker(spec) as running:
            running.receive()
            controller = Controller(thread, spec, running)
            controller.link()
            yield controller, running
            controller.cut()


def users(running: Running, *names: str | None) -> list[bytes]:
    """A request of each; the tokens of their answers."""
    tokens = []
    with Client(running.port) as client:
        for name in names:
            client.send(get(user=name))
            answer = client.response()
            assert answer.status == 200
            tokens.append(answer.get(b"x-stepdown-token") or b"")
    return tokens


def click(token: bytes) -> bytes:
    body = b'{"token": "%b", "event": "click"}' % token
    return (
        b"POST /-/stepdown/feedback HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
        % (KEY.encode(), len(body), body)
    )


def test_what_a_worker_counts_comes_to_the_controller_soon() -> None:
    with controlled(key=BY_USER) as (controller, running):
        users(running, "ann", "ann", "bob", None)
        assert controller.has(lambda store: store.of("requests", 2) == {"candidate": (4, 0)})
        assert controller.store.of("units", 2) == {"candidate": (3, 0)}


def test_a_batch_whose_acknowledgement_was_lost_with_the_channel_counts_once() -> None:
    with controlled(key=BY_USER) as (controller, running):
        controller.silent = True
        users(running, "ann", None)
        assert controller.has(lambda store: store.received)
        controller.cut()
        users(running, "bob", "ann")
        controller.silent = False
        controller.link()
        assert controller.has(lambda store: store.of("requests", 2) == {"candidate": (4, 0)})
        assert controller.store.of("units", 2) == {"candidate": (3, 0)}
        assert [batch.sequence for batch in controller.store.received][:2] == [1, 1]
        assert len({batch.source for batch in controller.store.received}) == 1


def test_channels_that_are_lost_again_and_again_lose_nothing() -> None:
    with controlled(key=BY_USER) as (controller, running):
        for number in range(12):
            controller.silent = number % 3 == 0
            users(running, f"user-{number % 5}", None)
            if number % 2:
                assert controller.has(lambda store: store.received)
            controller.link()
        controller.silent = False
        controller.link()
        assert controller.has(lambda store: store.of("requests", 2) == {"candidate": (24, 0)})
        assert controller.store.of("units", 2) == {"candidate": (17, 0)}


def test_what_a_controller_let_fall_while_it_started_is_sent_again_by_itself() -> None:
    with controlled() as (controller, running):
        controller.away = True
        users(running, None)
        assert controller.has(lambda _: controller.let_fall == 1)
        controller.away = False
        assert controller.has(lambda store: store.of("requests", 2) == {"candidate": (1, 0)})


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_worker_that_is_drained_sends_the_last_of_it_and_waits_but_not_for_ever(acknowledged: bool) -> None:
    with controlled(key=BY_USER) as (controller, running):
        controller.silent = not acknowledged
        users(running, *map(str, range(30)))
        running.child.tell("drain", grace=0.1)
        assert running.exit_code() == 0
        assert controller.has(lambda store: store.of("requests", 2) == {"candidate": (30, 0)} or not acknowledged)
        assert acknowledged or controller.store.received


def test_a_worker_that_takes_the_place_of_another_counts_under_a_source_of_its_own() -> None:
    with LoopThread() as thread, Upstream(thread) as one, Upstream(thread) as two:
        spec = driven(one.port, two.port, step=2)
        with worker(spec) as running:
            running.receive()
            controller = Controller(thread, spec, running)
            controller.link()
            users(running, None, None)
            assert controller.has(lambda store: store.of("requests", 2) == {"candidate": (2, 0)})
            os.kill(running.child.pid, 9)
            running.exit_code()
        with worker(spec) as second:
            second.receive()
            controller._running = second
            controller.link()
            users(second, None)
            assert controller.has(lambda store: store.of("requests", 2) == {"candidate": (3, 0)})
            controller.cut()
        assert [batch.sequence for batch in controller.store.received].count(1) == 2


def test_feedback_is_acknowledged_when_the_store_has_it_and_after_a_lost_channel_too() -> None:
    with controlled(key=BY_USER, feedback=FEEDBACK) as (controller, running):
        ann, bob = users(running, "ann", "bob")
        assert ask(running.port, click(ann), "POST").status == 200
        assert controller.store.of("click", 2) == {"candidate": (0, 1)}
        controller.silent = True
        with Client(running.port) as client:
            client.send(click(bob))
            assert controller.has(lambda store: store.of("click", 2) == {"candidate": (0, 2)})
            assert not client.buffer
            controller.silent = False
            controller.link()
            assert client.response("POST").status == 200
        assert controller.store.of("click", 2) == {"candidate": (0, 2)}


def test_without_a_controller_feedback_has_to_come_again_and_requests_do_not_mind() -> None:
    with controlled(key=BY_USER, feedback=FEEDBACK) as (controller, running):
        [token] = users(running, "ann")
        controller.cut()
        assert ask(running.port, click(token), "POST").status == 503
        assert users(running, "bob")
        controller.link()
        assert ask(running.port, click(token), "POST").status == 200
        assert controller.has(lambda store: store.of("click", 2) == {"candidate": (0, 1)})
