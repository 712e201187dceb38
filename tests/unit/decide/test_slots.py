"""Slots, shares and tables: published vectors of the hash, exact shares, and who moves when a split changes."""

from __future__ import annotations

import pytest

from stepdown.decide.slots import SLOTS, Tables, hash_of, shares, slot_of, spread


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"", 0),
        (b"test", 0xBA6BD213),
        (b"Hello, world!", 0xC0363E43),
        (b"The quick brown fox jumps over the lazy dog", 0x2E4FF723),
        (b"ejOoVL", 0x00000000),
        (b"bY9fO-", 0x00000001),
        (b"SI7p-", 0x7FFFFFFF),
        (b"6LvT0", 0x80000000),
        (b"ceQdGm", 0xFFFFFFFF),
        (b"canary:user-5", 333801483),
        (b"canary:bob", 3523717734),
    ],
)
def test_the_hash_is_murmur3_of_32_bits_without_a_sign(key: bytes, expected: int) -> None:
    assert hash_of(key) == expected
    assert slot_of(key) == expected * SLOTS // 2**32


# Percent at which each key enters the canary, from flagd's fractional targeting with the same hash.
RAMP = {
    b"user-5": 8,
    b"user-7": 17,
    b"user-2": 23,
    b"alice": 23,
    b"jon@company.com": 24,
    b"user-4": 31,
    b"user-3": 32,
    b"user-9": 33,
    b"user-10": 34,
    b"eve": 56,
    b"user1": 63,
    b"carol": 69,
    b"dave": 74,
    b"user-6": 79,
    b"user-8": 81,
    b"bob": 83,
    b"user-1": 100,
}


def test_a_ramp_takes_users_in_at_the_published_percentages_and_keeps_them() -> None:
    tables = Tables()
    entered: dict[bytes, int] = {}
    for percent in range(101):
        table = tables.table((("1.0.0", 100 - percent), ("2.0.0", percent)))
        for key in RAMP:
            if table[slot_of(b"canary:" + key)] == 1:
                entered.setdefault(key, percent)
            else:
                assert key not in entered
    assert entered == RAMP


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([100], [10_000]),
        ([95, 5], [9500, 500]),
        ([1, 1, 1], [3334, 3333, 3333]),
        ([0, 7], [0, 10_000]),
        ([2, 1], [6667, 3333]),
        ([1_000_000, 1], [10_000, 0]),
        ([90, 20], [8182, 1818]),
    ],
)
def test_shares_go_by_largest_remainder(weights: list[int], expected: list[int]) -> None:
    assert shares(weights) == expected


@pytest.mark.parametrize("weights", [[], [0, 0], [5, -1]])
def test_weights_that_share_nothing_out_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="share nothing out"):
        shares(weights)


def test_rules_with_the_same_split_share_a_table() -> None:
    tables = Tables()
    split = (("1.0.0", 1), ("1.1.0", 2), ("1.2.0", 3), ("1.3.0", 4))
    assert tables.table(split) is tables.table(tuple(split))
    assert list(tables.table(split)) == list(Tables().table(split))


def test_a_version_of_weight_0_owns_no_slot() -> None:
    split = (("1.0.0", 50), ("1.1.0", 0), ("1.2.0", 30), ("1.3.0", 20))
    owners = list(Tables().table(split))
    assert [owners.count(arm) for arm in range(4)] == [5000, 0, 3000, 2000]


def test_the_second_look_at_a_slot_scatters_neighbours_evenly() -> None:
    assert sorted(spread(slot) for slot in range(SLOTS)) == list(range(SLOTS))
    neighbours = [spread(slot) for slot in range(500)]
    assert abs(sum(slot < SLOTS // 2 for slot in neighbours) - 250) <= 2
