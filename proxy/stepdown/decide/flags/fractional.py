"""flagd's `fractional`: a key's hash picks one of several variants by their weights.

    {"fractional": [{"var": "email"}, ["red", 50], ["blue", 50]]}
    {"fractional": [["red"], ["blue"]]}         # the key is flagKey + targetingKey; a weight left out is 1

Three generations of flagd hash differently, so that the same user gets another variant in each. They are told apart by
number, because nothing in a flag file says which one it was written for:

1. `|murmur3 as int32| / (2^31 - 1) * 100`, a floating-point walk over percentages.
2. `murmur3 as uint32 * total weight >> 32`, a walk over whole weights. No bias, and a growing weight only lets keys in.
3. As 2, over the key's canonical CBOR (RFC 8949, section 4.2.1) in the place of its UTF-8.

Texts are encoded before they are hashed: mmh3 (5.3) takes a text too, but ends the process, not only the evaluation, on
one with half of a surrogate pair, which any client can send in a JSON body.

In all of them: a key that is absent or empty, and weights that are none, make null, which takes the default variant. A
negative weight is 0 (generations 2 and 3), a sum over 2^31 - 1 is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mmh3

from stepdown.decide.flags.cbor import canonical

GENERATIONS = (1, 2, 3)

LARGEST_SUM = 2**31 - 1

Pick = Callable[[Any], Any]
"""Takes the key to bucket by, gives the variant or `None`. A text without an UTF-8 form raises `UnicodeEncodeError`."""

Share = tuple[Any, int]
"""A variant and its weight."""


def hash_of(key: str) -> int:
    """murmur3 (x86, 32 bits, seed 0) of the text in UTF-8, unsigned."""
    return mmh3.hash(key.encode(), 0, False)


def _share(entry: Any, generation: int) -> Share | None:
    """One `[variant, weight]`; `None` if it is none. Generation 1 wants a text and takes a weight as it is."""
    if not isinstance(entry, list) or not 1 <= len(entry) <= 2:
        return None
    weight = entry[1] if len(entry) == 2 else 1
    if generation == 1:
        return (entry[0], int(weight)) if isinstance(entry[0], str) and isinstance(weight, int) else None
    if not isinstance(weight, int) or isinstance(weight, bool):
        return None
    return entry[0], max(0, weight)


def shares_of(entries: Sequence[Any], generation: int) -> list[Share] | None:
    """The variants with their weights; `None` if one is wrong or they are too heavy."""
    shares = []
    for entry in entries:
        share = _share(entry, generation)
        if share is None:
            return None
        shares.append(share)
    if generation > 1 and sum(weight for _, weight in shares) > LARGEST_SUM:
        return None
    return shares


def pick_of(shares: list[Share] | None, generation: int) -> Pick:
    """The function from keys to variants."""
    if shares is None:
        return lambda key: None
    return _by_percentage(shares) if generation == 1 else _by_weight(shares, generation)


def _by_weight(shares: list[Share], generation: int) -> Pick:
    total = 0
    bounds: list[tuple[int, Any]] = []
    for variant, weight in shares:
        total += weight
        bounds.append((total, variant))
    if not total:
        return lambda key: None
    rows = tuple(bounds)
    hashed = mmh3.hash

    def pick_hashed(key: bytes) -> Any:
        bucket = hashed(key, 0, False) * total >> 32
        for bound, variant in rows:
            if bucket < bound:
                return variant
        return None  # not reached: the last bound is the total

    def pick(key: str) -> Any:
        return pick_hashed(key.encode())

    def pick_encoded(key: Any) -> Any:
        try:
            return pick_hashed(canonical(key))
        except ValueError:  # not to be encoded, texts without UTF-8 included
            return None

    return pick if generation == 2 else pick_encoded


def _by_percentage(shares: list[Share]) -> Pick:
    total = sum(weight for _, weight in shares)

    def pick(key: str) -> Any:
        bucket = abs(mmh3.hash(key.encode())) / LARGEST_SUM * 100
        bound = 0.0
        for variant, weight in shares:
            bound += weight * 100 / total  # a total of 0 is this generation's evaluation error
            if bucket < bound:
                return variant
        return None

    return pick


def shorthand_key(data: Any, generation: int) -> Any:
    """The key where none is written: from `data`, which is an item of a list inside of an iteration; `None`: no key.

    Raises `AttributeError` or `TypeError` where the engine fails: an item that is no object, a key that is no text.
    """
    flagd = data.get("$flagd", {})
    targeting_key = data.get("targetingKey")
    if generation == 3 and not isinstance(targeting_key, str):
        return None
    if not targeting_key:
        return None
    flag_key = flagd.get("flagKey", "")
    return [flag_key, targeting_key] if generation == 3 else flag_key + targeting_key


def fractional(data: Any, values: list[Any], generation: int) -> Any:
    """The operator over arguments that are evaluated already: the slow way, where something but the key can change."""
    if not values:
        return None
    first = values[0]
    if not isinstance(first, list) if generation == 3 else isinstance(first, str):
        key, entries = first, values[1:]
    else:
        key, entries = shorthand_key(data, generation), values
    if key is None or (key == "" and generation < 3):
        return None
    return pick_of(shares_of(entries, generation), generation)(key)
