"""Lists of ids as tables of fingerprints: a million of them in 16 MiB that all workers share, each found at once.

A table is a header and a power of two of 64-bit slots, at most half of them taken. An id's fingerprint is 64 bits of
its murmur3; the lower ones say at which slot to begin, and it is in the first free one from there on (open addressing
with linear probing). 0 stands for a free slot, so a fingerprint of 0 counts as 1.

Fingerprints are not ids: of a million in a table, an id that is not one of them is taken for one with a probability of
5e-14. Who is on a list is whom it is asked for by the client's own word, so that is no weaker than the question.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import mmh3

HEADER_BYTES = 32
_HEAD = struct.Struct("<8sQQ8x")
_MAGIC = b"stepids1"
_SLOT_BYTES = 8


class KeySetError(ValueError):
    """The memory holds no such table."""


def bytes_for(most: int) -> int:
    """Size of a table with room for so many ids."""
    return HEADER_BYTES + _SLOT_BYTES * (1 << max(1, (2 * most - 1).bit_length()))


def fill(memory: memoryview, ids: Iterable[bytes]) -> int:
    """Write a table of these ids into zeroed memory of `bytes_for(most)` bytes; returns how many different ones.

    Raises `ValueError` where there are more of them than half of the slots.
    """
    with memory[HEADER_BYTES:] as body, body.cast("Q") as slots:
        mask = len(slots) - 1
        room = len(slots) // 2
        count = 0
        for one in ids:
            fingerprint = mmh3.mmh3_x64_128_utupledigest(one, 0)[0] or 1
            slot = fingerprint & mask
            while (taken := slots[slot]) and taken != fingerprint:
                slot = (slot + 1) & mask
            if not taken:
                if count == room:
                    raise ValueError(f"there are more than {room} ids")
                slots[slot] = fingerprint
                count += 1
        memory[:HEADER_BYTES] = _HEAD.pack(_MAGIC, count, len(slots))
    return count


class KeySet:
    """A table as its readers see it."""

    __slots__ = ("_mask", "_slots", "count")

    def __init__(self, memory: memoryview) -> None:
        """Read a table that `fill` wrote; raises `KeySetError` on anything else."""
        try:
            magic, count, slots = _HEAD.unpack_from(memory)
        except struct.error as error:
            raise KeySetError(str(error)) from error
        if magic != _MAGIC or slots & (slots - 1) or len(memory) != HEADER_BYTES + _SLOT_BYTES * slots:
            raise KeySetError("this is no table of ids, or not all of one")
        if count * 2 > slots:
            raise KeySetError("the table has no free slots")
        self.count: int = count
        self._slots = memory[HEADER_BYTES:].cast("Q")
        self._mask: int = slots - 1

    def __contains__(self, one: bytes) -> bool:
        """Whether the id is one of them."""
        fingerprint = mmh3.mmh3_x64_128_utupledigest(one, 0)[0] or 1
        slots, mask = self._slots, self._mask
        slot = fingerprint & mask
        while taken := slots[slot]:
            if taken == fingerprint:
                return True
            slot = (slot + 1) & mask
        return False


def key_set(ids: Iterable[bytes]) -> KeySet:
    """A table in this process's own memory, for tests and small lists."""
    known = list(ids)
    memory = memoryview(bytearray(bytes_for(len(known))))
    fill(memory, known)
    return KeySet(memory)
