"""Tables of ids: who is in, how they are laid out, and what is no table."""

from __future__ import annotations

import pytest

from stepdown.decide.keysets import KeySet, KeySetError, bytes_for, fill, key_set


def test_every_id_is_in_its_table_and_no_other() -> None:
    ids = [f"user-{number}".encode() for number in range(5000)]
    table = key_set(ids)
    assert table.count == 5000
    assert all(one in table for one in ids)
    assert not any(f"nobody-{number}".encode() in table for number in range(5000))


def test_an_id_that_comes_twice_counts_once() -> None:
    assert key_set([b"a", b"b", b"a"]).count == 2


def test_an_empty_table_has_nobody() -> None:
    table = key_set([])
    assert table.count == 0
    assert b"" not in table


def test_at_most_half_of_a_table_is_taken() -> None:
    assert bytes_for(1) == 32 + 8 * 2
    assert bytes_for(1_000_000) == 32 + 8 * 2**21
    memory = memoryview(bytearray(bytes_for(4)))
    with pytest.raises(ValueError, match="more than 4 ids"):
        fill(memory, (str(number).encode() for number in range(5)))


def test_memory_that_holds_something_else_is_no_table() -> None:
    good = bytearray(bytes_for(4))
    fill(memoryview(good), [b"a"])
    for bad in (b"", bytes(16), bytes(len(good)), good[:-8], good + bytes(8), b"x" + good[1:]):
        with pytest.raises(KeySetError):
            KeySet(memoryview(bytes(bad)))


def test_a_full_table_is_refused_rather_than_searched_for_ever() -> None:
    memory = bytearray(bytes_for(2))
    fill(memoryview(memory), [b"a"])
    memory[8:16] = (4).to_bytes(8, "little")
    with pytest.raises(KeySetError, match="no free slots"):
        KeySet(memoryview(bytes(memory)))
