"""Numbers in sentences."""

from __future__ import annotations

import math

from stepdown.rollout import sentences


def test_evidence_is_shown_to_three_digits_and_as_a_power_where_it_is_beyond_reading() -> None:
    assert [sentences.evidence(math.log(e)) for e in (0.4236, 3.14159, 312.4, 12_345)] == [
        "0.424",
        "3.14",
        "312",
        "12,345",
    ]
    assert sentences.evidence(100 * math.log(10) + 0.1) == "over 10^100"
    assert sentences.evidence(5000) == "over 10^2171"


def test_a_duration_is_in_its_largest_unit() -> None:
    found = [sentences.duration(seconds) for seconds in (-1, 45, 720, 12_600, 172_800)]
    assert found == ["0 s", "45 s", "12 min", "3.5 h", "2 d"]


def test_shares_and_weights_are_per_cent() -> None:
    assert sentences.percent(0.05) == sentences.weight(5) == "5 %"
    assert sentences.weight(99.99) == "99.99 %"
    assert sentences.number(12_345) == "12,345"


def test_kinds_are_nouns() -> None:
    found = [sentences.kind(name) for name in ("errors", "contract_violations", "slow", "shadow_different")]
    assert found == ["errors", "contract violations", "slow answers", "copies that differ"]


def test_what_a_guard_counts_elsewhere_is_called_as_the_guard_is() -> None:
    assert sentences.kind("metric:cart_clicks") == "cart clicks"
