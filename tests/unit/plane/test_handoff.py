"""A worker's end of the hand-off: bodies in pieces stay within their bounds, and numbers are nobody else's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time_ns

from hypothesis import given
from hypothesis import strategies as st

from stepdown.plane.handoff import GATHERED_BYTES, Handoff, Pieces
from stepdown.telemetry.ring import RingReader, RingWriter

SIZE = 4096


@contextmanager
def ring() -> Iterator[tuple[Handoff, RingReader]]:
    fd = os.memfd_create("ring")
    os.ftruncate(fd, SIZE)
    writer, reader = RingWriter(fd, SIZE), RingReader(fd, SIZE)
    try:
        yield Handoff(writer, -1), reader
    finally:
        writer.close()
        reader.close()
        os.close(fd)


@given(st.lists(st.binary(max_size=20)), st.integers(0, 100))
def test_a_body_in_pieces_is_all_there_or_not_at_all(parts: list[bytes], limit: int) -> None:
    with ring() as (handoff, _):
        pieces = Pieces(handoff, limit)
        for part in parts:
            pieces.add(part)
            assert handoff.gathered <= limit
        whole = b"".join(parts)
        fits = len(whole) <= limit
        assert pieces.missing == ("" if fits else "too-large")
        assert pieces.take() == (whole if fits else b"")
        assert handoff.gathered == 0


def test_what_was_taken_is_not_let_go_of_twice() -> None:
    with ring() as (handoff, _):
        one, other = Pieces(handoff, 10), Pieces(handoff, 10)
        other.add(b"12345")
        one.add(b"123")
        assert handoff.gathered == 8
        assert [bytes(one.take()), bytes(one.take())] == [b"123", b""]
        assert handoff.gathered == 5


def test_all_bodies_together_have_a_bound_and_what_is_let_go_of_makes_room() -> None:
    with ring() as (handoff, _):
        first, second, third = (Pieces(handoff, 2 * GATHERED_BYTES) for _ in range(3))
        first.add(b"x" * GATHERED_BYTES)
        assert first.missing == ""
        second.add(b"x")
        assert second.missing == "full"
        first.take()
        second.add(b"x")  # what was given up stays so, or it would have a hole
        assert second.missing == "full"
        assert second.take() == b""
        third.add(b"x")
        assert third.missing == ""


def test_pieces_of_a_byte_take_no_more_memory_than_they_are_long() -> None:
    with ring() as (handoff, _):
        pieces = Pieces(handoff, 100_000)
        for number in range(100_000):
            pieces.add(b"%d" % (number % 10))
        assert len(pieces.take()) == 100_000


def test_numbers_are_not_those_of_the_worker_before() -> None:
    with ring() as (before, _), ring() as (after, _):
        numbers = {one.number() for one in (before, after) for _ in range(1000)}
        assert len(numbers) == 2000
        assert 0 not in numbers
        assert max(numbers) < 2**63


def test_a_record_goes_round_the_end_of_the_memory_in_one_piece() -> None:
    with ring() as (handoff, reader):
        for size in range(300):
            body = bytes(size % 256 for _ in range(size * 7 % 1500))
            assert handoff.put(b"head", body)
            assert reader.take() == b"head" + body


def test_a_body_that_was_gathered_is_put_like_any_other() -> None:
    with ring() as (handoff, reader):
        assert handoff.put(b"head", bytearray(b"body"))
        assert reader.take() == b"headbody"


def test_the_comparer_sees_what_the_worker_uses() -> None:
    with ring() as (handoff, reader):
        handoff.tick(0.0)
        before = reader.grants.used()
        until = process_time_ns() + 10_000_000
        while process_time_ns() < until:
            pass
        assert reader.grants.used() == before
        handoff.tick(0.0)
        assert reader.grants.used() - before >= 10_000_000
