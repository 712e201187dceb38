"""What was measured of adapters is judged by the least costs and shown cheapest first."""

from bench.adapters.many import Checked
from bench.adapters.outcome import Outcome, promises, tables
from bench.adapters.streams import PASSED, TOUCHED
from bench.adapters.turns import Cost
from bench.adapters.ways import BY_HAND, COMPILED, COPY

OUTCOME = Outcome(
    chain={COMPILED: Cost(15, 40), BY_HAND: Cost(10, 12), "jmespath": Cost(80, 90), COPY: Cost(8, 9)},
    tensors={
        (1, 512): {COMPILED: Cost(10, 11), COPY: Cost(20, 21)},
        (256, 2): {COMPILED: Cost(26, 27), COPY: Cost(20, 90)},
    },
    checks={2: Checked(0.5, 0.4), 100: Checked(2.5, 2.4)},
    streams={TOUCHED: Cost(8, 9), PASSED: Cost(3, 4)},
)


def test_each_promise_is_judged_by_the_least_costs() -> None:
    judged = [(promise.measured, promise.bound, promise.kept) for promise in promises(OUTCOME)]
    assert judged == [(1.5, 1.5, True), (0.5, 1.2, True), (1.3, 1.2, False), (8, 10, True), (2.5, 2, False)]


def test_each_promise_says_what_it_is_about() -> None:
    said = " ".join(promise.what for promise in promises(OUTCOME))
    assert all(
        part in said
        for part in ("by hand", "[1, 512]", "[256, 2]", "event of a stream", "100 versions with 99 adapters")
    )


def test_ways_are_listed_from_the_cheapest_on_with_their_ratio_to_code_by_hand() -> None:
    chain, tensors, events, checks = tables(OUTCOME)
    assert [(line[0], line[-1]) for line in chain.lines] == [
        (COPY, "0.80"),
        (BY_HAND, "1.00"),
        (COMPILED, "1.50"),
        ("jmespath", "8.00"),
    ]
    assert [line[-1] for line in tensors.lines] == ["0.50", "1.30"]
    assert [line[:2] for line in events.lines] == [(TOUCHED, "8.0"), (PASSED, "3.0")]
    assert [line[0] for line in checks.lines] == ["2", "100"]
