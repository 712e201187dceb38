"""A real Prometheus scrapes two arms: what is counted of them since a stage began, and what it cannot say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from yarl import URL

from stepdown.control.metrics.asking import Asker, Inconclusive
from stepdown.control.metrics.prometheus import Prometheus, Server
from stepdown.decide.rollout_spec import PerArm
from stepdown.rollout.batch import Arm
from stepdown.rollout.counts import Arms, Counted, Measurement
from stepdown.rollout.queries import CountQueries, Place, queries_of
from tests.kit.looping import PATIENCE
from tests.kit.processes import eventually
from tests.kit.prometheus import PROMETHEUS, Exporter, scraping
from tests.kit.prometheus import Prometheus as Running

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed (apt: prometheus)"),
]

CLICKED, SHOWN = 'clicks_total{version="{{version}}"}', 'shown_total{version="{{version}}"}'


def alike(events: str, trials: str) -> dict[Arm, CountQueries]:
    """The same for both arms."""
    return queries_of(PerArm(candidate=events, stable=events), PerArm(candidate=trials, stable=trials))


CLICKS = alike(CLICKED, SHOWN)
OLD, NEW = "1.1.0", "2.0.0"


def page(counters: Mapping[str, tuple[int, int]]) -> str:
    """The metrics of versions: clicks, and how often something was shown."""
    lines = ["# TYPE clicks_total counter", "# TYPE shown_total counter"]
    for version, (clicks, shown) in counters.items():
        lines += [f'clicks_total{{version="{version}"}} {clicks}', f'shown_total{{version="{version}"}} {shown}']
    return "\n".join(lines) + "\n"


def counted(clicks: int, shown: int, stable_clicks: int, stable_shown: int) -> Counted:
    return Counted(
        events=Arms(candidate=clicks, stable=stable_clicks), trials=Arms(candidate=shown, stable=stable_shown)
    )


class Scraped:
    """An exporter and the Prometheus that scrapes it."""

    def __init__(self, exporter: Exporter, prometheus: Running) -> None:
        self.exporter = exporter
        self.prometheus = prometheus
        self._server = Server(URL(f"http://127.0.0.1:{prometheus.port}"), timeout=PATIENCE)

    def show(self, counters: Mapping[str, tuple[int, int]]) -> None:
        """Export these, and wait until they are scraped."""
        self.exporter.page = page(counters)
        for version, (clicks, shown) in counters.items():
            eventually(lambda: self.prometheus.value(f'shown_total{{version="{version}"}}') == shown)  # noqa: B023
            eventually(lambda: self.prometheus.value(f'clicks_total{{version="{version}"}}') == clicks)  # noqa: B023

    def begin(self) -> float:
        """A stage begins: when, once there is a sample of it."""
        now = time.time()
        eventually(lambda: (self.prometheus.value("min(timestamp(shown_total))") or 0) > now)
        return now

    def counts(self, begin: float, queries: dict[Arm, CountQueries] = CLICKS) -> Counted | Inconclusive:
        async def ask() -> Counted | Inconclusive:
            async with Asker() as asker:
                asked = Prometheus(asker, [self._server])
                return await asked.counts(queries, Place("r", 1, NEW, OLD, begin), time.time())

        return asyncio.run(ask())

    def measure(self, query: str, *, as_is: bool = False) -> Measurement:
        async def ask() -> Measurement:
            async with Asker() as asker:
                return await Prometheus(asker, [self._server]).measure(query, time.time(), as_is=as_is)

        return asyncio.run(ask())


@contextmanager
def scraped(folder: Path) -> Iterator[Scraped]:
    with Exporter() as exporter, scraping(folder, exporter.port) as prometheus:
        yield Scraped(exporter, prometheus)


def test_both_arms_are_counted_since_the_stage_began_with_those_of_a_new_server(tmp_path: Path) -> None:
    with scraped(tmp_path) as running:
        running.show({OLD: (50_000, 1_000_000)})
        begin = time.time()
        running.show({OLD: (50_040, 1_001_000), NEW: (7, 100)})
        assert running.counts(begin) == counted(7, 100, 40, 1000)

        running.show({OLD: (50_050, 1_002_000), NEW: (9, 130)})
        assert running.counts(begin) == counted(9, 130, 50, 2000)


def test_what_a_server_counted_before_it_was_started_again_is_kept(tmp_path: Path) -> None:
    with scraped(tmp_path) as running:
        running.show({OLD: (50, 1000), NEW: (7, 100)})
        begin = running.begin()
        running.show({OLD: (100, 2000), NEW: (8, 120)})
        running.show({OLD: (3, 60), NEW: (8, 120)})
        found = running.counts(begin)
        assert isinstance(found, Counted), found
        assert found.trials is not None
        assert (found.events.candidate, found.trials.candidate) == (1, 20)
        # Set back, it is left to `increase`, which extrapolates: over a second that is much, over a window little.
        assert 1050 <= found.trials.stable <= 2.2 * 1060


def test_counters_that_are_missing_or_that_nobody_scrapes_any_more_are_inconclusive(tmp_path: Path) -> None:
    with scraped(tmp_path) as running:
        begin = time.time()
        running.show({OLD: (5, 100)})
        unknown = running.counts(begin)
        assert isinstance(unknown, Inconclusive)
        assert "stable: known: it has no series" in unknown.reason

        begin = running.begin()
        found = running.counts(begin)
        assert isinstance(found, Inconclusive)
        assert "candidate: events: it has no series" in found.reason
        assert "stable" not in found.reason

        none_yet = alike('errors_total{version="{{version}}"} or vector(0)', SHOWN)
        running.show({OLD: (5, 100), NEW: (1, 20)})
        counted = running.counts(begin, none_yet)
        assert isinstance(counted, Counted), counted
        assert (counted.events.candidate, counted.events.stable) == (0, 0)

        running.exporter.stop()
        eventually(lambda: running.prometheus.value("up") == 0)
        stale = running.counts(begin)
        assert isinstance(stale, Inconclusive)
        assert "candidate: fresh: it has no series" in stale.reason
        blind = {arm: queries._replace(fresh="") for arm, queries in CLICKS.items()}
        assert isinstance(running.counts(begin, blind), Counted)


def test_what_a_threshold_guard_asks_is_measured_and_a_mistake_is_told_in_prometheus_words(tmp_path: Path) -> None:
    with scraped(tmp_path) as running:
        running.show({OLD: (5, 100), NEW: (1, 20)})
        assert running.measure("sum(clicks_total) / sum(shown_total)").value == ("0.05",)
        assert running.measure("scalar(sum(clicks_total))").value == "6"
        for query, said in {
            "clicks_total": "it has 2 series",
            "nothing_total": "it has no series",
            "sum(clicks_total) / 0": "the value is +Inf",
            "0 * sum(clicks_total) / 0": "the value is NaN",
            "clicks_total[1m]": "the query gives a matrix",
            "sum(clicks_total": "it answers 400: bad_data: ",
            "{{wrong}}": "it answers 400: bad_data: ",
        }.items():
            found = running.measure(query)
            assert found.value is None
            assert said in found.error, query
        assert running.measure("nothing_total", as_is=True).value == ()
