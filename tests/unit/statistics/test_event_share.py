"""The event-share e-process by its published values, as events come and as counts."""

from __future__ import annotations

import math

import pytest

from stepdown.statistics.event_share import FALLING, RISING, Events, candidate_share, event_share_evidence
from tests.kit.statistics import PRECISION, vectors


def test_the_published_values_are_reproduced_event_by_event() -> None:
    for case in vectors("event_share"):
        counted: list[Events] = []
        for (hit, share), expected in zip(case["events"], case["logE"], strict=True):
            counted.append(Events(hit, 1, share))
            found = event_share_evidence(counted, case["grid"], case["r0"])
            assert found == pytest.approx(expected, abs=PRECISION)


def test_the_published_values_are_reproduced_from_counts() -> None:
    for case in vectors("event_share_counts")["cases"]:
        events = Events(case["canary_events"], case["events"], case["pi"])
        found = event_share_evidence([events], case["grid"], case["r0"])
        assert found == pytest.approx(case["logE"], abs=PRECISION)
        assert math.exp(found) == pytest.approx(case["E"])


def test_counts_of_several_processes_add_up() -> None:
    together = event_share_evidence([Events(7, 50, 0.05)], RISING)
    apart = event_share_evidence([Events(3, 20, 0.05), Events(4, 30, 0.05)], RISING)
    assert together == pytest.approx(apart, abs=PRECISION)


def test_equal_rates_give_the_candidate_its_share_of_events() -> None:
    assert candidate_share(1.0, 0.05) == pytest.approx(0.05)
    assert candidate_share(2.0, 0.5) == pytest.approx(2 / 3)


def test_no_events_are_no_evidence() -> None:
    assert event_share_evidence([], FALLING) == pytest.approx(0, abs=PRECISION)
