"""Guards on a real Prometheus and on a real HTTP server: from counters to verdicts, window by window."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stepdown.control.rollouts.measurer import SourceMeasurer
from stepdown.decide.rollout_spec import Counters, Guard, Hook, MetricServer, PerArm, Query, Share, Threshold
from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Window
from stepdown.rollout.looking import Elsewhere
from stepdown.rollout.position import Candidate, Position, begin
from stepdown.rollout.walk import Walk
from tests.kit.counting_app import App
from tests.kit.looping import PATIENCE
from tests.kit.processes import eventually
from tests.kit.prometheus import PROMETHEUS, Exporter, Prometheus, scraping
from tests.kit.rollouts import rollout

OLD, NEW, CTR = "1.1.0", "2.0.0", "metric:ctr"
COUNTERS = PerArm(candidate='clicks_total{version="{{version}}"}', stable='clicks_total{version="{{version}}"}')
TRIALS = PerArm(candidate='shown_total{version="{{version}}"}', stable='shown_total{version="{{version}}"}')
real = [
    pytest.mark.real,
    pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed (apt: prometheus)"),
]


def page(clicks: tuple[int, int], shown: tuple[int, int]) -> str:
    """What an application exports of the new and of the old version."""
    lines = ["# TYPE clicks_total counter", "# TYPE shown_total counter"]
    for version, clicked, seen in zip((NEW, OLD), clicks, shown, strict=True):
        lines += [f'clicks_total{{version="{version}"}} {clicked}', f'shown_total{{version="{version}"}} {seen}']
    return "\n".join(lines) + "\n"


class Scraped:
    """An application whose counters a Prometheus scrapes."""

    def __init__(self, exporter: Exporter, prometheus: Prometheus) -> None:
        self.exporter = exporter
        self.prometheus = prometheus

    @property
    def server(self) -> MetricServer:
        return MetricServer(url=f"http://127.0.0.1:{self.prometheus.port}", timeout=PATIENCE)

    def show(self, clicks: tuple[int, int], shown: tuple[int, int]) -> None:
        """Export these, and wait until they are scraped."""
        self.exporter.page = page(clicks, shown)
        for name, values in (("clicks", clicks), ("shown", shown)):
            for version, value in zip((NEW, OLD), values, strict=True):
                query = f'{name}_total{{version="{version}"}}'
                eventually(lambda: self.prometheus.value(query) == value)  # noqa: B023 - waited for at once


@contextmanager
def scraped(folder: Path) -> Iterator[Scraped]:
    folder.mkdir()
    with Exporter() as exporter:
        exporter.page = page((0, 1000), (0, 20_000))
        with scraping(folder, exporter.port) as prometheus:
            one = Scraped(exporter, prometheus)
            one.show((0, 1000), (0, 20_000))
            yield one


class Canary:
    """A rollout at half of the units, which whoever decides looks at."""

    def __init__(self, *guards: Guard) -> None:
        self.rollout = rollout(50, 100, guards=guards, least_units=10)
        self.walk = Walk(self.rollout)
        first = begin(self.rollout, Candidate(version=NEW, endpoints="d"))
        self.began = time.time()
        self.position: Position = self.walk.after(first, events.Started(now=self.began, who="ops")).position
        self.said = ""

    def look(self) -> Elsewhere:
        """Ask, and take in what is said, as a controller does that was started for this look alone."""

        async def ask() -> Elsewhere:
            asked = SourceMeasurer()
            try:
                return await asked.measure(self.rollout, self.position, time.time(), since=self.began)
            finally:
                await asked.close()

        found = asyncio.run(ask())
        now = time.time()
        window = Window(
            stage=0, share=0.5, begin=self.began, end=now, units=Arms(candidate=50, stable=50), **found._asdict()
        )
        moved = self.walk.after(self.position, events.WindowEnded(now=now, window=window))
        stored = msgspec.json.encode(moved.position)
        self.position, self.said = msgspec.json.decode(stored, type=Position), moved.sentence or self.said
        return found

    @property
    def guard(self) -> Any:
        """What is known of the first one."""
        return self.position.evidence[0].guards[0]


def ctr(*servers: MetricServer, **fields: Any) -> Share:
    source = Counters(servers=servers, events=COUNTERS, trials=TRIALS, **fields)
    return Share(name="ctr", kind=CTR, must_not="fall", source=source)


class TestPrometheus:
    pytestmark = real

    def test_a_click_through_that_falls_is_found_in_counters_and_taken_back(self, tmp_path: Path) -> None:
        with scraped(tmp_path / "a") as app:
            canary = Canary(ctr(app.server))
            clicks, shown = [0, 1000], [0, 20_000]
            for _ in range(8):
                clicks, shown = [clicks[0] + 20, clicks[1] + 50], [shown[0] + 1000, shown[1] + 1000]
                app.show((clicks[0], clicks[1]), (shown[0], shown[1]))
                canary.look()
                if canary.position.phase != "stepping":
                    break
            assert canary.position.phase == "rolled back"
            total = 70 * (clicks[0] // 20)
            assert f"{clicks[0]} of {total} ctr came from the candidate, which had 50 % of the trials" in canary.said

    def test_counters_that_are_set_back_or_stand_still_or_are_gone_never_count_twice(self, tmp_path: Path) -> None:
        with scraped(tmp_path / "a") as app:
            canary = Canary(ctr(app.server))
            app.show((50, 1050), (1000, 21_000))
            assert canary.look().unread == {}
            assert canary.guard.trials == Arms(candidate=1000, stable=1000)

            assert canary.look().unread == {
                CTR: "trials of the candidate and stable have not grown since the last look"
            }
            app.show((60, 1060), (1200, 21_200))
            canary.look()
            assert (canary.guard.trials, canary.guard.candidate) == (Arms(candidate=1200, stable=1200), 60)

            app.exporter.stop()
            eventually(lambda: app.prometheus.value("up") == 0)
            (reason,) = canary.look().unread.values()
            assert "candidate: fresh: it has no series" in reason
            assert canary.guard.trials == Arms(candidate=1200, stable=1200)
            assert canary.position.phase == "stepping"

    def test_two_that_each_know_a_part_are_added_up_and_one_that_is_gone_leaves_nothing(self, tmp_path: Path) -> None:
        with scraped(tmp_path / "a") as one, scraped(tmp_path / "b") as other:
            canary = Canary(ctr(one.server, other.server, parts=True))
            one.show((50, 1050), (1000, 21_000))
            other.show((5, 1005), (100, 20_100))
            assert canary.look().unread == {}
            assert (canary.guard.trials, canary.guard.total) == (Arms(candidate=1100, stable=1100), 110)
            other.exporter.stop()
            eventually(lambda: other.prometheus.value("up") == 0)
            one.show((60, 1060), (1200, 21_200))
            (reason,) = canary.look().unread.values()
            assert reason.startswith(f"http://127.0.0.1:{other.prometheus.port}: candidate: fresh: it has no series")
            assert canary.guard.trials == Arms(candidate=1100, stable=1100)

    def test_a_ratio_that_is_too_low_fails_and_one_that_nobody_exports_is_an_error(self, tmp_path: Path) -> None:
        with scraped(tmp_path / "a") as app:
            query = 'sum(clicks_total{version="{{stable}}"}) / sum(shown_total{version="{{stable}}"})'
            low = Threshold(name="ratio", success="result[0] >= 0.06", source=Query(servers=(app.server,), query=query))
            canary = Canary(low)
            canary.look()
            assert canary.position.phase == "rolled back"
            assert "ratio: failed: failed (1) > failureLimit (0)" in canary.said

            nobody = Query(servers=(app.server,), query="ready{version='{{candidate}}'}")
            canary = Canary(Threshold(name="ready", success="result[0] > 0", source=nobody))
            canary.look()
            assert (canary.guard.last, canary.position.phase) == ("error", "stepping")
            assert "it has no series" in canary.guard.reason


# --- webhooks ---------------------------------------------------------------------------------------------------------


def refunds(app: App) -> Share:
    hook = Hook(server=MetricServer(url=app.url, timeout=PATIENCE), reads="counts", pointer="/data")
    return Share(name="refunds", kind="metric:refunds", source=hook)


def test_refunds_that_rise_are_found_in_what_a_service_counts_and_taken_back() -> None:
    with App() as app:
        canary = Canary(refunds(app))
        for look in range(10):
            app.answer = lambda _, look=look: (200, {"data": {  # type: ignore[misc]
                "candidate": {"events": 7 + 30 * look, "trials": 90 + 1000 * look},
                "stable": {"events": 900 + 10 * look, "trials": 90_000 + 1000 * look},
            }})  # fmt: skip
            canary.look()
            if canary.position.phase != "stepping":
                break
        assert canary.position.phase == "rolled back"
        assert f"{30 * look} of {40 * look} refunds came from the candidate" in canary.said
        assert {told["step"] for told in app.told} == {1}
        assert {(told["candidate"], told["stable"], told["weight"]) for told in app.told} == {(NEW, OLD, 50)}


@pytest.mark.parametrize(("status", "document", "said"), [
    (200, b"<html>", "the answer is not JSON"), (200, {"data": []}, "the answer has nothing at /candidate/events"),
    (404, {}, "it answers 404"), (302, {}, "redirect"), (204, b"", "it answers 204"),
])  # fmt: skip
def test_what_a_service_says_wrongly_holds_the_guard_and_rolls_nothing_back(
    status: int, document: Any, said: str
) -> None:
    with App() as app:
        app.answer = lambda _: (status, document)
        canary = Canary(refunds(app))
        (reason,) = canary.look().unread.values()
        assert said in reason
        assert (canary.guard.unread, canary.position.phase) == (reason, "stepping")


def test_a_test_that_a_service_runs_passes_by_its_status() -> None:
    with App() as app:
        hook = Hook(server=MetricServer(url=app.url, timeout=PATIENCE), reads="status")
        smoke = Threshold(name="smoke", success="result == 1", source=hook)
        app.answer = lambda _: (202, b"started")
        passed = Canary(smoke)
        passed.look()
        assert (passed.guard.ended, passed.position.phase) == ("successful", "stepping")
        app.answer = lambda _: (500, b"")
        failed = Canary(smoke)
        failed.look()
        assert failed.position.phase == "rolled back"
