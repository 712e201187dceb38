"""What workers give and the comparer takes, with processes replaced at any point: never too much, and never stuck."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from stepdown.comparer.granting import Granting
from stepdown.decide.copies import Copy
from stepdown.decide.shadow_spec import Shadow
from stepdown.telemetry.grants import generation
from stepdown.telemetry.ring import HEADER, RingReader, RingWriter
from tests.kit import specs
from tests.kit.shadowing import a_copy

SIZE = HEADER + 400
CONCURRENT = 8
ROUTES = {
    digest: [
        specs.route(
            {"1.0.0": 100}, name="a", shadows=tuple(Shadow(name=str(n), version="2.0.0") for n in range(count))
        ),
        specs.route({"1.0.0": 100}, name="b", shadows=(Shadow(name="s", version="2.0.0", concurrent=CONCURRENT),)),
    ]
    for digest, count in (("one", 1), ("two", 3))
}
NUMBERS = {"one": 1, "two": 3}
"""Of the shadow of route `b`, by configuration."""


class GrantingMachine(RuleBasedStateMachine):
    """Records are a byte for the configuration; a comparer keeps what it has taken until it ends."""

    @initialize(workers=st.integers(1, 3))
    def begin(self, workers: int) -> None:
        self.fds = [os.memfd_create("ring") for _ in range(workers)]
        for fd in self.fds:
            os.ftruncate(fd, SIZE)
        self.writers = [RingWriter(fd, SIZE) for fd in self.fds]
        self.knows = ["one"] * workers
        self.comparer("one")

    def comparer(self, digest: str) -> None:
        """One that was just started."""
        self.readers = [RingReader(fd, SIZE) for fd in self.fds]
        self.granting, self.flying = Granting(self.readers), 0
        self.lost_count = True
        """Whether it may not know yet what is on its way to it."""
        self.adopt(digest)

    def adopt(self, digest: str) -> None:
        self.digest = digest
        if self.granting.adopt(digest, ROUTES[digest]):
            self.lost_count = True
            self.tell()
            self.granting.speak()

    def tell(self) -> None:
        self.granting.tell(NUMBERS[self.digest], CONCURRENT - self.flying, "concurrent")

    @rule(worker=st.integers(0, 2), times=st.integers(1, 12))
    def give(self, worker: int, times: int) -> None:
        worker %= len(self.writers)
        writer, digest = self.writers[worker], self.knows[worker]
        for _ in range(times):
            if writer.grants.refused(generation(digest), NUMBERS[digest]):
                return
            if writer.put(digest.encode(), b"x" * 20):
                writer.grants.gave(generation(digest), NUMBERS[digest])

    @rule(worker=st.integers(0, 2), times=st.integers(1, 5))
    def take(self, worker: int, times: int) -> None:
        worker %= len(self.readers)
        for _ in range(times):
            record = self.readers[worker].take()
            if record is None:
                return
            self.taken(worker, record)

    def taken(self, worker: int, record: bytes) -> None:
        digest = record[:3].decode()
        about: Copy = a_copy(digest=digest, route="b")
        self.granting.took(worker, about)
        if self.flying < CONCURRENT:
            self.flying += 1
        elif not self.lost_count and digest == self.digest and all(one == digest for one in self.knows):
            assert len(self.writers) > 1  # one worker alone never gives more than there is room for
        self.tell()

    @rule()
    def end(self) -> None:
        if self.flying:
            self.flying -= 1
            self.tell()

    @rule(digest=st.sampled_from(["one", "two"]), first=st.booleans())
    def reload(self, digest: str, first: bool) -> None:
        """Workers may know of it before the comparer does, or after."""
        if first:
            self.adopt(digest)
        self.knows = [digest] * len(self.knows)
        self.adopt(digest)

    @rule(worker=st.integers(0, 2), digest=st.sampled_from(["one", "two"]))
    def a_worker_lags(self, worker: int, digest: str) -> None:
        self.knows[worker % len(self.knows)] = digest
        self.lost_count = True

    @rule(worker=st.integers(0, 2))
    def replace_worker(self, worker: int) -> None:
        worker %= len(self.writers)
        self.writers[worker].close()
        self.writers[worker] = RingWriter(self.fds[worker], SIZE)

    @rule(politely=st.booleans())
    def replace_comparer(self, politely: bool) -> None:
        if politely:
            self.granting.silence()
            assert not any(writer.grants.refused(generation(self.digest), 0) for writer in self.writers)
        for reader in self.readers:
            reader.close()
        self.comparer(self.digest)

    @rule()
    def come_to_rest(self) -> None:
        """With nothing on its way and nothing flying, every worker may give its whole share, and no more."""
        for worker, reader in enumerate(self.readers):
            while (record := reader.take()) is not None:
                self.taken(worker, record)
        self.flying = 0
        self.granting.settle()
        self.tell()
        self.lost_count = False
        self.knows = [self.digest] * len(self.knows)
        share = max(1, CONCURRENT // len(self.writers))
        for writer in self.writers:
            number, given = (generation(self.digest), NUMBERS[self.digest]), 0
            while not writer.grants.refused(*number):
                assert writer.put(self.digest.encode(), b"")
                writer.grants.gave(*number)
                given += 1
            assert given == share

    def teardown(self) -> None:
        for side in (*self.writers, *self.readers) if hasattr(self, "writers") else ():
            side.close()
        for fd in getattr(self, "fds", ()):
            os.close(fd)


TestGranting = GrantingMachine.TestCase
TestGranting.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
