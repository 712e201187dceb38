"""What is told to workers is what there is room for, less what they have on its way, under one configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from stepdown.comparer.courtesy import BUSY, LEAST, Usage
from stepdown.comparer.granting import MOST, Granting
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import Route
from stepdown.telemetry.grants import SHADOWS, Grants, generation
from stepdown.telemetry.ring import HEADER, RingReader, RingWriter
from tests.kit import specs
from tests.kit.looping import Gate, LoopThread, eventually
from tests.kit.shadowing import SCORED, Scene, a_copy, shadowed
from tests.kit.upstream import Upstream, gated, serve

SIZE = HEADER + 4096
ONE = generation("one")


@contextmanager
def rings(count: int) -> Iterator[tuple[list[RingWriter], list[RingReader]]]:
    with ExitStack() as stack:
        fds = [os.memfd_create("ring") for _ in range(count)]
        for fd in fds:
            stack.callback(os.close, fd)
            os.ftruncate(fd, SIZE)
        writers, readers = [RingWriter(fd, SIZE) for fd in fds], [RingReader(fd, SIZE) for fd in fds]
        for side in (*writers, *readers):
            stack.callback(side.close)
        yield writers, readers


def routes(*names: str) -> list[Route]:
    return [specs.route({"1.0.0": 100}, name=name, shadows=(Shadow(name="s", version="2.0.0"),)) for name in names]


def granting(readers: list[RingReader], *names: str) -> Granting:
    made = Granting(readers)
    assert made.adopt("one", routes(*(names or ("r",))))
    made.speak()
    return made


def gives(worker: Grants, number: int = 0, of: int = ONE, most: int = 100) -> int:
    """How many copies it gives until it is refused."""
    given = 0
    while given < most and not worker.refused(of, number):
        worker.gave(of, number)
        given += 1
    return given


def test_what_came_out_of_the_ring_makes_no_room_and_what_has_ended_does() -> None:
    with rings(1) as ((writer,), readers):
        made = granting(readers)
        made.tell(0, 8, "concurrent")
        assert gives(writer.grants) == 8
        for taken in range(1, 4):
            made.took(0, a_copy(digest="one"))
            made.tell(0, 8 - taken, "concurrent")
            assert gives(writer.grants) == 0
        made.tell(0, 7, "concurrent")  # two of the three have ended
        assert gives(writer.grants) == 2


@pytest.mark.parametrize(("room", "share"), [(9, 3), (8, 2), (2, 1), (1, 1), (0, 0), (-3, 0)])
def test_workers_share_the_room_evenly_and_each_gets_one_while_there_is_any(room: int, share: int) -> None:
    with rings(3) as (writers, readers):
        granting(readers).tell(0, room, "rate")
        assert [gives(writer.grants) for writer in writers] == [share] * 3
        assert {writer.grants.refused(ONE, 0) for writer in writers} == {"rate"}


def test_without_a_limit_as_many_are_granted_as_fit_a_cell() -> None:
    with rings(1) as ((writer,), readers):
        granting(readers).tell(0, 1 << 62, "rate")
        assert gives(writer.grants, most=1000) == 1000
        assert MOST < 1 << 60


def test_copies_of_a_former_configuration_are_not_counted_as_the_new_one_s() -> None:
    with rings(1) as ((writer,), readers):
        made = granting(readers, "r", "other")
        made.tell(1, 8, "concurrent")
        assert gives(writer.grants, 1) == 8
        assert made.adopt("two", routes("r", "other"))
        made.tell(1, 8, "concurrent")
        made.speak()
        assert gives(writer.grants, 1, generation("two")) == 8
        for _ in range(8):  # those of the former one come out
            made.took(0, a_copy(digest="one", route="other"))
        made.tell(1, 8, "concurrent")
        assert gives(writer.grants, 1, generation("two")) == 0


def test_the_same_configuration_again_changes_nothing() -> None:
    with rings(1) as ((writer,), readers):
        made = granting(readers)
        made.tell(0, 3, "concurrent")
        assert not made.adopt("one", routes("r"))
        assert gives(writer.grants) == 3


def test_who_lost_count_has_it_again_once_the_ring_is_empty() -> None:
    with rings(1) as ((writer,), readers):
        made = granting(readers)
        made.tell(0, 8, "concurrent")
        assert writer.put(b"record", b"")
        assert gives(writer.grants) == 8  # and none of them ever comes out
        made.settle()
        made.tell(0, 8, "concurrent")
        assert gives(writer.grants) == 0  # they may be in the ring
        assert readers[0].take() is not None
        made.settle()
        made.tell(0, 8, "concurrent")
        assert gives(writer.grants) == 8


def test_shadows_beyond_the_cells_are_left_out() -> None:
    many = [str(number) for number in range(SHADOWS + 3)]
    with rings(1) as (_, readers):
        made = granting(readers, *many)
        assert len(made.numbers) == len(made.shadows) == SHADOWS
        made.took(0, a_copy(digest="one", route=many[-1]))
        made.took(0, a_copy(digest="one", route="unknown"))


def test_a_copy_that_ends_makes_room_at_once() -> None:
    gate = Gate()
    with (
        rings(1) as ((writer,), readers),
        LoopThread() as thread,
        Upstream(thread, serve(SCORED)) as served,
        Upstream(thread, gated(gate, SCORED)) as server,
    ):
        shadow = Shadow(name="s", version="2.0.0", concurrent=3)
        scene = Scene(thread, shadowed(shadow, served=served.port, ports=[server.port]), rings=readers)
        named = generation(scene.digest)
        assert gives(writer.grants, of=named) == 3
        for _ in range(3):
            scene.copy()
        assert writer.grants.refused(named, 0) == "concurrent"
        gate.open()
        scene.until("copies", {("s", "answered"): 3})  # no time passes, so nothing else tells of it
        assert eventually(lambda: not writer.grants.refused(named, 0))
        assert gives(writer.grants, of=named) == 3
        scene.close()
        assert writer.grants.refused(named, 0) == ""  # nobody says anything any more


def test_the_busiest_worker_is_the_one_that_used_most_since_it_was_asked_last() -> None:
    with rings(2) as (writers, readers):
        writers[0].grants.used(5 * 10**9)
        made = granting(readers)
        writers[0].grants.used(6 * 10**9)
        writers[1].grants.used(10**8)
        assert made.busiest() == 1.0
        assert made.busiest() == 0.0
        writers[0].grants.used(0)  # another process in its place
        writers[1].grants.used(3 * 10**8)
        assert made.busiest() == pytest.approx(0.2)


def test_without_workers_none_is_busy() -> None:
    assert Granting([]).busiest() == 0.0


@pytest.mark.parametrize("worker", [0.05, 0.5])
def test_beside_a_busy_worker_on_the_same_core_shadows_take_no_more_than_time_allows(worker: float) -> None:
    used = Usage(0.0, 0.0)
    with (
        rings(1) as ((writer,), readers),
        LoopThread() as thread,
        Upstream(thread, serve(SCORED)) as served,
        Upstream(thread, serve(SCORED)) as server,
    ):
        shadow = Shadow(name="s", version="2.0.0")
        specification = shadowed(shadow, served=served.port, ports=[server.port])
        scene = Scene(thread, specification, rings=readers, usage=lambda: used)
        named = generation(scene.digest)
        scene.wait(1.0)
        for _ in range(50):
            scene.copy()
        scene.until("copies", {("s", "answered"): 50})
        used = Usage(0.3, 0.3)  # a second in which it ran and waited alike
        writer.grants.used(int(worker * 1e9))
        scene.wait(1.0)
        if worker < BUSY:
            assert gives(writer.grants, of=named) == shadow.concurrent
        else:
            assert gives(writer.grants, of=named) == LEAST  # time would be enough for one
            assert writer.grants.refused(named, 0) == "busy"
        scene.close()
