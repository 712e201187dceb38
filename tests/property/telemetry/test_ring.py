"""A ring against a queue: any lengths, any order, processes that are replaced at any point."""

from __future__ import annotations

import os
from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from stepdown.telemetry.ring import HEADER, RingReader, RingWriter

SIZE = HEADER + 512


class RingMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fd = os.memfd_create("ring")
        os.ftruncate(self.fd, SIZE)
        self.writer, self.reader = RingWriter(self.fd, SIZE), RingReader(self.fd, SIZE)
        self.queue: deque[bytes] = deque()

    @rule(head=st.binary(max_size=60), body=st.binary(max_size=300))
    def put(self, head: bytes, body: bytes) -> None:
        waiting = sum(8 + len(record) for record in self.queue)
        assert self.writer.waiting == waiting
        fits = waiting + 8 + len(head) + len(body) <= 512
        assert self.writer.put(head, body) == fits
        if fits:
            self.queue.append(head + body)

    @rule()
    def take(self) -> None:
        assert self.reader.take() == (self.queue.popleft() if self.queue else None)

    @rule()
    def replace_writer(self) -> None:
        self.writer.close()
        self.writer = RingWriter(self.fd, SIZE)

    @rule()
    def replace_reader(self) -> None:
        self.reader.close()
        self.reader = RingReader(self.fd, SIZE)

    def teardown(self) -> None:
        self.writer.close()
        self.reader.close()
        os.close(self.fd)


TestRing = RingMachine.TestCase
TestRing.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
