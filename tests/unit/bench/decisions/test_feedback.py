"""Tokens are timed as they are signed and verified, and judged without what the loop around them costs."""

from __future__ import annotations

from bench.adapters.turns import Cost
from bench.decisions.feedback import DAY, ISSUED, NEXT_UNIT, NOW, RUN, SECRET, VERIFIED, promises, table, ways
from stepdown.decide.feedback import Claim, Verifier

COSTS = {NEXT_UNIT: Cost(0.5, 1), ISSUED: Cost(2.5, 4), VERIFIED: Cost(6.5, 7)}


def test_every_token_that_is_signed_is_another_units_and_good() -> None:
    way, verifier = ways()[ISSUED], Verifier((SECRET,), (RUN,))
    claims = [verifier.verify(token, NOW, DAY) for _ in range(50) if isinstance(token := way(), bytes)]
    assert len({claim.unit for claim in claims if isinstance(claim, Claim)}) == 50


def test_every_token_that_is_verified_is_good() -> None:
    way = ways()[VERIFIED]
    assert all(isinstance(way(), Claim) for _ in range(50))


def test_costs_are_without_the_loop() -> None:
    assert list(table(COSTS).lines) == [(ISSUED, "2.00", "3.00"), (VERIFIED, "6.00", "6.00")]
    assert [(promise.measured, promise.bound) for promise in promises(COSTS)] == [(2.0, 3.0)]
