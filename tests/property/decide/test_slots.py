"""Tables of slots: exact shares, monotonic ramps, no bystander moved, independence between salts."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.decide.slots import SLOTS, Tables, shares, slot_of

Split = tuple[tuple[str, int], ...]
TABLES = Tables()


def split_of(*weights: int) -> Split:
    return tuple((f"{number}.0.0", weight) for number, weight in enumerate(weights, 1))


def moves(before: Split, after: Split) -> Counter[tuple[int, int]]:
    """How many slots go from which version to which."""
    pairs = zip(TABLES.table(before), TABLES.table(after), strict=True)
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def least_moves(before: Split, after: Split) -> int:
    pairs = zip(shares([weight for _, weight in before]), shares([weight for _, weight in after]), strict=True)
    return sum(abs(old - new) for old, new in pairs) // 2


weights = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=7).filter(any)


@given(weights)
def test_shares_are_exact_to_one_slot_and_add_up(given_weights: list[int]) -> None:
    owned = shares(given_weights)
    assert sum(owned) == SLOTS
    total = sum(given_weights)
    for share, weight in zip(owned, given_weights, strict=True):
        assert abs(share * total - weight * SLOTS) < total


@given(st.lists(st.integers(0, 100), min_size=1, max_size=3).filter(any))
def test_a_table_of_up_to_three_versions_has_exactly_the_shares(given_weights: list[int]) -> None:
    counted = Counter(TABLES.table(split_of(*given_weights)))
    assert [counted[arm] for arm in range(len(given_weights))] == shares(given_weights)


@pytest.mark.parametrize(
    "given_weights",
    [(1, 1, 1, 1), (97, 1, 1, 1), (0, 0, 1, 1), (1, 2, 3, 4, 5), (5, 0, 90, 3, 2), (1,) * 10, (1, 10**9, 1, 1)],
)
def test_a_table_of_four_and_more_has_exactly_the_shares(given_weights: tuple[int, ...]) -> None:
    counted = Counter(TABLES.table(split_of(*given_weights)))
    assert [counted[arm] for arm in range(len(given_weights))] == shares(given_weights)


@given(st.integers(0, 100), st.integers(0, 100))
def test_of_two_versions_only_the_growing_one_gains(before: int, after: int) -> None:
    low, high = sorted((before, after))
    assert set(moves(split_of(100 - low, low), split_of(100 - high, high))) <= {(0, 1)}
    assert set(moves(split_of(100 - high, high), split_of(100 - low, low))) <= {(1, 0)}


@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(1, 1000))
def test_of_two_versions_weights_that_do_not_add_up_to_100_move_nobody_back(base: int, low: int, more: int) -> None:
    assert set(moves(split_of(base, low), split_of(base, low + more))) <= {(0, 1)}


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_of_three_versions_users_move_only_between_the_base_and_one_that_changes(
    a: int, b: int, c: int, d: int
) -> None:
    before, after = split_of(100 - a - b, a, b), split_of(100 - c - d, c, d)
    moved = moves(before, after)
    assert moved[0, 1] == max(0, c - a) * 100
    assert moved[1, 0] == max(0, a - c) * 100
    assert moved[0, 2] == max(0, d - b) * 100
    assert moved[2, 0] == max(0, b - d) * 100
    assert moved[1, 2] == moved[2, 1] == 0


def test_a_ramp_of_one_of_three_moves_nobody_else() -> None:
    # The counter-example that contiguous intervals fail: a goes from 10 to 20 at the cost of the base, b keeps its 10.
    moved = moves(split_of(80, 10, 10), split_of(70, 20, 10))
    assert moved == {(0, 1): 1000}


def test_a_ramp_from_5_to_25_percent_keeps_everybody_who_was_in() -> None:
    before, after = TABLES.table(split_of(95, 5)), TABLES.table(split_of(75, 25))
    slots = [slot_of(b"churn/everyone:header:x-user-id:u%d" % number) for number in range(100_000)]
    counts = Counter((before[slot], after[slot]) for slot in slots)
    assert counts[1, 0] == 0
    assert abs(counts[1, 1] - 5_000) < 300
    assert abs(counts[0, 1] - 20_000) < 600


RAMPS = [
    (split_of(70, 10, 10, 10), split_of(70, 20, 10, 10)),
    (split_of(25, 25, 25, 25), split_of(25, 25, 25, 50)),
    (split_of(25, 25, 25, 25), split_of(25, 25, 25, 26)),
    (split_of(25, 25, 25, 25), split_of(25, 25, 25, 0)),
    (split_of(5, 65, 15, 15), split_of(25, 65, 15, 15)),
    (split_of(1, 2, 3, 4, 5, 6), split_of(1, 2, 3, 8, 5, 6)),
    (split_of(10, 10, 10, 10, 10), split_of(10, 10, 10, 10, 0)),
    (split_of(70, 10, 10, 10), split_of(60, 20, 10, 10)),
    (split_of(85, 5, 5, 5), split_of(65, 25, 5, 5)),
    (split_of(97, 1, 1, 1), split_of(92, 6, 1, 1)),
    (split_of(80, 5, 5, 5, 5), split_of(60, 25, 5, 5, 5)),
]


@pytest.mark.parametrize(("before", "after"), [*RAMPS, *((after, before) for before, after in RAMPS)])
def test_of_four_and_more_at_most_a_quarter_more_than_must_move_does(before: Split, after: Split) -> None:
    assert sum(moves(before, after).values()) <= 1.25 * least_moves(before, after)


def test_shares_of_many_keys_are_the_weights() -> None:
    table = TABLES.table(split_of(50, 30, 15, 5))
    counted = Counter(table[slot_of(b"salt:header:x:%d" % number)] for number in range(100_000))
    for arm, share in enumerate((50_000, 30_000, 15_000, 5_000)):
        assert abs(counted[arm] - share) < 800


@pytest.mark.parametrize(("one", "other"), [(b"a/all", b"b/all"), (b"a/all", b"a/al"), (b"1", b"2"), (b"r/x", b"r/y")])
def test_two_salts_assign_the_same_users_independently(one: bytes, other: bytes) -> None:
    """Chi-square of the 10 by 10 table of deciles: 81 degrees of freedom, 140 is beyond the 99.99th percentile."""
    users, cells = 50_000, 10
    counted = Counter(
        tuple(slot_of(salt + b":header:x-user-id:user-%d" % user) // 1000 for salt in (one, other))
        for user in range(users)
    )
    expected = users / cells**2
    chi_square = sum(
        (counted[row, column] - expected) ** 2 / expected for row in range(cells) for column in range(cells)
    )
    assert chi_square < 140
