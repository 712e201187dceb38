"""What is read from the counters of workers and comparer."""

from __future__ import annotations

from stepdown.control.counting import Counted
from stepdown.decide.warming import Copies
from stepdown.telemetry.slab import Slab
from tests.kit.controller_state import slabs


def count(slab: Slab, family: str, *labels: str, times: int = 1) -> None:
    slab.cells[slab.counter(f"stepdown_{family}_total", labels)] += times


def test_copies_of_warm_ups_are_added_up_over_routes_and_processes_and_others_are_not() -> None:
    with slabs(2) as (worker, comparer), Counted([worker, comparer], frozenset({"a", "b"})) as counted:
        assert counted.copies() == Copies()
        for route, shadow in (("a", "warm-up"), ("b", "warm-up"), ("a", "next"), ("c", "warm-up")):
            count(comparer, "shadow_copies", route, shadow, "answered", times=5)
            count(comparer, "shadow_copies", route, shadow, "timeout")
            count(comparer, "shadow_answers", route, shadow, "2xx", times=3)
            count(comparer, "shadow_answers", route, shadow, "4xx", times=2)
            count(comparer, "shadow_skipped", route, shadow, "down")
            count(worker, "shadow_skipped", route, shadow, "full")
        assert counted.copies() == Copies({"answered": 10, "timeout": 2}, 4, {"full": 2, "down": 2})


def test_requests_are_those_of_the_routes_and_failed_are_5xx() -> None:
    with slabs(2) as (one, two), Counted([one, two], frozenset({"a"})) as counted:
        for slab in (one, two):
            for route in ("a", "b"):
                for status in ("2xx", "5xx"):
                    labels = (route, "all", "1.0.0", "1.0.0", "1.0.0", "split", "none", status, "none")
                    count(slab, "requests", *labels, times=3)
        assert counted.requests() == (12, 6)


def test_what_one_shadow_was_not_sent_is_added_up_over_processes_most_frequent_reason_first() -> None:
    with slabs(2) as (worker, comparer), Counted([worker, comparer], frozenset({"a"})) as counted:
        assert counted.skipped("next") == {}
        for slab in (worker, comparer):
            count(slab, "shadow_skipped", "a", "next", "full")
            count(slab, "shadow_skipped", "a", "next", "served", times=4)
            count(slab, "shadow_skipped", "a", "other", "full", times=9)
            count(slab, "shadow_skipped", "b", "next", "full", times=9)
            count(slab, "shadow_skipped", "a", "next", "rate", times=0)
        assert counted.skipped("next") == {"served": 8, "full": 2}
        assert [*counted.skipped("next")] == ["served", "full"]
