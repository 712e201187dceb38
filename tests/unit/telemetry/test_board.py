"""The board: the newest payload is whole at any moment, and anything else is nothing."""

import os
from collections.abc import Iterator

import pytest

from stepdown.process import held
from stepdown.telemetry.board import Board, BoardError

SIZE = 64 * 1024


@pytest.fixture
def memory() -> Iterator[int]:
    fd = held.blank("stepdown-test-board", SIZE)
    yield fd
    os.close(fd)


def test_a_blank_board_says_nothing(memory: int) -> None:
    assert Board(memory, SIZE).read() is None


def test_the_newest_payload_is_read_by_another_process_s_view(memory: int) -> None:
    writer, reader = Board(memory, SIZE), Board(memory, SIZE)
    for payload in (b"one", b"", b"three" * 100):
        assert writer.write(payload)
        assert reader.read() == payload


def test_a_successor_goes_on_where_the_writer_before_it_was(memory: int) -> None:
    Board(memory, SIZE).write(b"before")
    successor = Board(memory, SIZE)
    assert successor.read() == b"before"
    successor.write(b"after")
    assert Board(memory, SIZE).read() == b"after"


def test_what_has_no_room_changes_nothing(memory: int) -> None:
    board = Board(memory, SIZE)
    assert board.write(b"x" * board.room)
    assert not board.write(b"y" * (board.room + 1))
    assert board.read() == b"x" * board.room


def test_a_payload_that_is_written_halfway_is_not_the_newest_one(memory: int) -> None:
    board = Board(memory, SIZE)
    board.write(b"whole")
    board.write(b"newest")
    with memoryview(os.pread(memory, SIZE, 0)) as before:
        place = bytes(before).index(b"whole")
    os.pwrite(memory, b"brok", place)  # as a writer that was killed in the half that is not the newest
    assert board.read() == b"newest"


def test_what_does_not_fit_its_checksum_is_nothing(memory: int) -> None:
    board = Board(memory, SIZE)
    board.write(b"newest")
    place = os.pread(memory, SIZE, 0).index(b"newest")
    os.pwrite(memory, b"N", place)
    assert board.read() is None


def test_a_length_beyond_the_half_is_not_believed(memory: int) -> None:
    board = Board(memory, SIZE)
    board.write(b"newest")
    place = os.pread(memory, SIZE, 0).index(b"newest")
    os.pwrite(memory, b"\xff\xff\xff\xff", place - 4)
    assert board.read() is None


def test_memory_that_is_too_small_is_refused(memory: int) -> None:
    with pytest.raises(BoardError, match="announced"):
        Board(memory, SIZE + 1)
