"""A ring hands records from one process to another, and refuses what has no room."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stepdown.telemetry.ring import DEFAULT_SIZE, HEADER, PATIENCE, RingError, RingReader, RingWriter

SIZE = HEADER + 1000


@contextmanager
def ring(size: int = SIZE) -> Iterator[tuple[RingWriter, RingReader, int]]:
    fd = os.memfd_create("ring")
    os.ftruncate(fd, size)
    writer, reader = RingWriter(fd, size), RingReader(fd, size)
    try:
        yield writer, reader, fd
    finally:
        writer.close()
        reader.close()
        os.close(fd)


def test_records_come_out_as_they_went_in_and_in_order() -> None:
    with ring() as (writer, reader, _fd):
        assert reader.take() is None
        assert writer.put(b"first ", b"record")
        assert writer.put(b"", b"")
        assert writer.put(b"third", b"\0" * 100)
        assert [reader.take() for _ in range(4)] == [b"first record", b"", b"third" + b"\0" * 100, None]


def test_records_go_on_at_the_beginning_of_the_memory() -> None:
    with ring() as (writer, reader, _fd):
        for turn in range(200):
            record = bytes([turn]) * (turn * 7 % 300)
            assert writer.put(record[:5], record[5:])
            assert reader.take() == record


def test_the_newest_is_refused_where_there_is_no_room_and_taken_again_where_there_is() -> None:
    with ring() as (writer, reader, _fd):
        count = 0
        while writer.put(b"head", b"b" * 92):
            count += 1
        assert count == 1000 // (8 + 96)
        assert writer.waiting == count * 104
        assert reader.take() == b"head" + b"b" * 92
        assert writer.put(b"head", b"c" * 92)
        assert not writer.put(b"head", b"d" * 92)
        assert [reader.take() for _ in range(count)][-1] == b"head" + b"c" * 92


def test_what_is_longer_than_the_memory_is_refused_and_harms_nothing() -> None:
    with ring() as (writer, reader, _fd):
        assert not writer.put(b"", b"x" * 993)
        assert writer.put(b"", b"x" * 992)
        assert reader.take() == b"x" * 992


def test_a_sleeper_is_woken_once() -> None:
    with ring() as (writer, reader, _fd):
        assert not writer.wake()
        reader.sleep()
        assert writer.wake()
        assert not writer.wake()


def test_what_waits_outlives_both_sides() -> None:
    with ring() as (writer, reader, fd):
        writer.put(b"a", b"1")
        writer.put(b"a", b"2")
        assert reader.take() == b"a1"
        second_writer, second_reader = RingWriter(fd, SIZE), RingReader(fd, SIZE)
        second_writer.put(b"a", b"3")
        assert [second_reader.take() for _ in range(3)] == [b"a2", b"a3", None]
        second_writer.close()
        second_reader.close()


def test_a_record_whose_bytes_cannot_be_seen_yet_is_taken_when_they_can() -> None:
    with ring() as (writer, reader, fd):
        writer.put(b"", b"record")
        os.pwrite(fd, b"R", HEADER + 8)
        assert reader.take() is None
        os.pwrite(fd, b"r", HEADER + 8)
        assert reader.take() == b"record"
        assert reader.lost == 0


@pytest.mark.parametrize("damage", [(8, b"R"), (4, b"\xff\xff\xff\x7f"), (0, b"\0\0\0\0")])
def test_what_never_fits_is_skipped_with_all_that_follows(damage: tuple[int, bytes]) -> None:
    with ring() as (writer, reader, fd):
        writer.put(b"", b"record")
        writer.put(b"", b"next")
        os.pwrite(fd, damage[1], HEADER + damage[0])
        assert [reader.take() for _ in range(PATIENCE)] == [None] * PATIENCE
        assert reader.lost == 1
        assert reader.waiting == 0
        writer.put(b"", b"good")
        assert reader.take() == b"good"


def test_positions_that_make_no_sense_are_survived_by_both() -> None:
    with ring() as (writer, reader, fd):
        os.pwrite(fd, (1 << 40).to_bytes(8, "little"), 64)  # more was read than was ever written
        assert not writer.put(b"", b"record")
        for _ in range(PATIENCE):
            assert reader.take() is None
        assert writer.put(b"", b"record")
        assert reader.take() == b"record"


def test_memory_that_is_too_small_is_refused() -> None:
    fd = os.memfd_create("ring")
    os.ftruncate(fd, 1000)
    with pytest.raises(RingError, match="1000 bytes of shared memory where 4194304"):
        RingWriter(fd, DEFAULT_SIZE)
    os.close(fd)


def test_memory_that_no_record_used_costs_nothing() -> None:
    with ring(DEFAULT_SIZE) as (writer, reader, fd):
        writer.put(b"", b"x" * 5000)
        reader.take()
        assert os.fstat(fd).st_blocks * 512 <= 16 * 1024


def test_there_is_room_while_an_eighth_stays_free_besides() -> None:
    with ring() as (writer, reader, _fd):
        assert writer.has_room(875)
        assert not writer.has_room(876)
        assert writer.put(b"", b"x" * 500)
        assert writer.has_room(875 - writer.waiting)
        assert not writer.has_room(875 - writer.waiting + 1)
        reader.take()
        assert writer.has_room(875)
