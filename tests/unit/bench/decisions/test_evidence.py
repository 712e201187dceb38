"""What a rollout costs is timed with requests that really count, and judged without what taking the next one costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from bench.adapters.turns import Cost
from bench.decisions import evidence
from bench.decisions.evidence import ALONE, DRAWN, DRAWN_TOKEN, STICKY, STICKY_TOKEN, promises, table, ways
from bench.decisions.ways import Way
from stepdown.plane.evidence import Counted
from stepdown.telemetry.slab import Slab

COSTS = {
    ALONE: Cost(1, 2),
    DRAWN: Cost(2.5, 4),
    STICKY: Cost(5, 6),
    DRAWN_TOKEN: Cost(5, 7),
    STICKY_TOKEN: Cost(9.5, 9),
}


Timed = tuple[Slab, Callable[[], dict[str, Way]]]


@pytest.fixture
def timed() -> Iterator[Timed]:
    """The memory in which the ways count, and what makes them."""
    slab = Slab.create()
    with asyncio.Runner() as runner:
        yield slab, lambda: ways(slab, runner.get_loop())
    slab.close()


def counted(slab: Slab, metric: str) -> int:
    return sum(slab.values(series)[0] for series in slab.series() if series.family == metric)


def test_each_way_is_one_request_and_those_of_users_are_known_after_their_first(
    timed: Timed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "HEADS", 5)
    slab, found = timed
    requests, units = 0, 0
    for name, way in found().items():
        for _ in range(10):
            way()
        requests += 0 if name == ALONE else 10
        units += {ALONE: 0, DRAWN: 10, DRAWN_TOKEN: 10}.get(name, 5)
        assert counted(slab, "stepdown_evidence_requests_total") == requests
        assert counted(slab, "stepdown_evidence_units_total") == units


@pytest.mark.parametrize("name", [DRAWN, STICKY, DRAWN_TOKEN, STICKY_TOKEN])
def test_tokens_are_made_only_where_the_row_says_so(name: str, timed: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []
    line = Counted.line
    monkeypatch.setattr(Counted, "line", lambda self, exchange: made.append(line(self, exchange)))
    timed[1]()[name]()
    assert [token.startswith(b"x-stepdown-token: A") for token in made] == [True] * (
        name in (DRAWN_TOKEN, STICKY_TOKEN)
    )


def test_costs_are_without_the_loop_and_promises_by_the_least() -> None:
    assert list(table(COSTS).lines)[1] == (STICKY, "4.00", "4.00")
    assert [(one.measured, one.bound, one.kept) for one in promises(COSTS)] == [(4, 5, True), (8.5, 8, False)]
