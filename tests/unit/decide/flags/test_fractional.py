"""Buckets of `fractional`: flagd's own vectors, for each generation of the hashing."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide.flags.fractional import hash_of
from tests.kit.flags import compiled, evaluated

NAME = {"cat": [{"var": "$flagd.flagKey"}, {"var": "name"}]}
SUITS = ["clubs", "diamonds", "hearts", "spades"]
QUARTERS = {"fractional": [NAME, *([suit, 25] for suit in SUITS)]}
HALVES = {"fractional": [{"var": "key"}, ["lower", 50], ["upper", 50]]}


@pytest.mark.parametrize(
    ("name", "hashed", "second", "first"),
    [
        ("jack", 0x9FE843E0, "hearts", "spades"),
        ("queen", 0xFF04FF2F, "spades", "clubs"),
        ("ten", 0x2FCB300A, "clubs", "diamonds"),
        ("nine", 0x53CFD6C5, "diamonds", "hearts"),
        ("3", 0x2405FBD8, "clubs", "diamonds"),
    ],
)
def test_four_quarters_are_dealt_as_each_generation_deals_them(name: str, hashed: int, second: str, first: str) -> None:
    assert hash_of(f"fractional-flag{name}") == hashed
    for generation, expected in ((2, second), (1, first)):
        flags = compiled(QUARTERS, *SUITS, key="fractional-flag", generation=generation)
        outcome = evaluated(flags, key="fractional-flag", name=name)
        assert (outcome.variant, outcome.reason) == (expected, "TARGETING_MATCH")


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize(("key", "variant"), [("jon@company.com", "heads"), ("jane@company.com", "tails")])
def test_without_a_key_the_flags_key_and_the_targeting_key_are_hashed(key: str, variant: str, generation: int) -> None:
    shorthand = {"fractional": [["heads"], ["tails", 1]]}
    flags = compiled(shorthand, "heads", "tails", key="fractional-flag-shorthand", generation=generation)
    assert evaluated(flags, key="fractional-flag-shorthand", targetingKey=key).variant == variant


@pytest.mark.parametrize(
    ("key", "hashed", "variant"),
    [
        ("ejOoVL", 0x00000000, "lower"),
        ("bY9fO-", 0x00000001, "lower"),
        ("SI7p-", 0x7FFFFFFF, "lower"),
        ("6LvT0", 0x80000000, "upper"),
        ("ceQdGm", 0xFFFFFFFF, "upper"),
    ],
)
def test_the_ends_of_the_hash_fall_to_their_own_side(key: str, hashed: int, variant: str) -> None:
    assert hash_of(key) == hashed
    assert compiled(HALVES, "lower", "upper").evaluate("flag", {"key": key}, now=0).variant == variant


@pytest.mark.parametrize(("key", "bucket"), [("jon@company.com", 36), ("user1", 76), ("SI7p-", 49), ("ceQdGm", 99)])
def test_a_hundred_buckets_are_numbered_from_the_first_weight(key: str, bucket: int) -> None:
    buckets = [f"b{number}" for number in range(100)]
    flags = compiled({"fractional": [{"var": "key"}, *([name, 1] for name in buckets)]}, *buckets)
    assert flags.evaluate("flag", {"key": key}, now=0).variant == f"b{bucket}"


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("", 0),
        ("test", 0xBA6BD213),
        ("Hello, world!", 0xC0363E43),
        ("The quick brown fox jumps over the lazy dog", 0x2E4FF723),
        ("jon@company.com", 1557731397),
        ("user1", 3305849917),
        ("canary:user-5", 333801483),
    ],
)
def test_the_hash_is_murmur3_of_the_utf_8_text(text: str, hashed: int) -> None:
    assert hash_of(text) == hashed


@pytest.mark.parametrize(
    ("key", "tier", "variant"),
    [
        ("jon@company.com", "premium", "premium"),
        ("jon@company.com", "basic", "standard"),
        ("user1", "premium", "standard"),
        ("user1", "basic", "standard"),
    ],
)
def test_a_variant_may_be_a_condition(key: str, tier: str, variant: str) -> None:
    nested = {"if": [{"==": [{"var": "tier"}, "premium"]}, "premium", "standard"]}
    flags = compiled({"fractional": [{"var": "targetingKey"}, [nested, 50], ["standard", 50]]}, "premium", "standard")
    assert evaluated(flags, targetingKey=key, tier=tier).variant == variant


@pytest.mark.parametrize(
    ("key", "color", "value", "reason"),
    [
        ("jon@company.com", "red", "RED", "TARGETING_MATCH"),
        ("jon@company.com", "green", "GREEN", "TARGETING_MATCH"),
        ("user1", "red", "BLUE", "TARGETING_MATCH"),
        ("jon@company.com", "yellow", "mine", "ERROR"),
        ("jon@company.com", None, "FALLBACK", "DEFAULT"),
    ],
)
def test_a_variant_may_be_read_from_the_context(key: str, color: Any, value: str, reason: str) -> None:
    targeting = {"fractional": [{"var": "targetingKey"}, [{"var": "color"}, 50], ["blue", 50]]}
    outcome = evaluated(compiled(targeting, "red", "green", "blue"), "mine", targetingKey=key, color=color)
    assert (outcome.value, outcome.reason) == (value, reason)


@pytest.mark.parametrize(
    "entries",
    [
        [["one", 0], ["two", 0]],
        [["one", 1.5], ["two", 1]],
        [["one", "1"], ["two", 1]],
        [["one", True], ["two", 1]],
        [["one", 2_147_483_648]],
        [["one", 2_147_483_647], ["two", 1]],
        [["one", 1, 1]],
        [["one", 1], []],
        [["one", 1], "two"],
        [],
    ],
)
def test_weights_that_are_none_take_the_default_variant(entries: list[Any]) -> None:
    for key in ([{"var": "name"}], []):
        outcome = evaluated(compiled({"fractional": [*key, *entries]}, "one", "two"), targetingKey="u", name="u")
        assert (outcome.variant, outcome.reason, outcome.error) == ("fallback", "DEFAULT", None)


@pytest.mark.parametrize("context", [{}, {"key": None}, {"key": ""}, {"key": 5}, {"targetingKey": "jon"}])
def test_a_key_that_is_not_there_takes_the_default_variant(context: dict[str, Any]) -> None:
    outcome = compiled(HALVES, "lower", "upper").evaluate("flag", context, now=0)
    assert (outcome.variant, outcome.reason, outcome.error) == ("fallback", "DEFAULT", None)


@pytest.mark.parametrize("context", [{}, {"targetingKey": None}, {"targetingKey": ""}])
@pytest.mark.parametrize("generation", [1, 2, 3])
def test_a_targeting_key_that_is_not_there_takes_the_default_variant(context: dict[str, Any], generation: int) -> None:
    flags = compiled({"fractional": [["lower"], ["upper"]]}, "lower", "upper", generation=generation)
    outcome = flags.evaluate("flag", context, now=0)
    assert (outcome.variant, outcome.reason, outcome.error) == ("fallback", "DEFAULT", None)


def test_a_negative_weight_counts_as_none() -> None:
    flags = compiled({"fractional": [{"var": "key"}, ["one", -50], ["two", 100]]}, "one", "two")
    assert {flags.evaluate("flag", {"key": f"u{at}"}, now=0).variant for at in range(200)} == {"two"}


def test_a_single_variant_gets_everybody_and_the_largest_sum_is_allowed() -> None:
    for weight in (1, 2_147_483_647):
        flags = compiled({"fractional": [{"var": "key"}, ["one", weight]]}, "one")
        assert {flags.evaluate("flag", {"key": f"u{at}"}, now=0).variant for at in range(200)} == {"one"}


def test_in_the_first_generation_weights_of_nothing_are_an_error() -> None:
    flags = compiled({"fractional": [{"var": "key"}, ["one", 0]]}, "one", generation=1)
    assert flags.evaluate("flag", {"key": "u"}, "mine", now=0).error == "GENERAL"


@pytest.mark.parametrize(
    ("user", "weight"),
    [
        *(("user-5", 8), ("user-7", 17), ("user-2", 23), ("alice", 23), ("jon@company.com", 24), ("user-4", 31)),
        *(("user-3", 32), ("user-9", 33), ("user-10", 34), ("eve", 56), ("user1", 63), ("carol", 69), ("dave", 74)),
        *(("user-6", 79), ("user-8", 81), ("bob", 83), ("user-1", 100)),
    ],
)
def test_a_growing_canary_takes_a_user_in_at_a_known_weight_and_keeps_them(user: str, weight: int) -> None:
    key = {"cat": ["canary:", {"var": "user"}]}
    for canary in (0, 1, weight - 1, weight, weight + 1, 50, 100):
        flags = compiled({"fractional": [key, ["canary", canary], ["old", 100 - canary]]}, "canary", "old")
        assert evaluated(flags, user=user).variant == ("canary" if canary >= weight else "old")
