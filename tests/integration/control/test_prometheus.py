"""A real Prometheus scrapes a real sidecar: what it stores is what happened, also across a worker that is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from stepdown.telemetry.families import FAMILIES
from tests.kit.client import ask
from tests.kit.load import REQUEST
from tests.kit.processes import Processes, eventually, running
from tests.kit.prometheus import PROMETHEUS, scraping

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed (apt: prometheus)"),
]


def port_of_status(sidecar: Processes) -> int:
    """Where the sidecar's metrics are."""
    return int(sidecar.wait_for("serving")["status"].rpartition(":")[2])


def test_prometheus_stores_what_happened_and_sees_no_reset_when_a_worker_is_killed(tmp_path: Path) -> None:
    with (
        running(tmp_path, workers=2) as (sidecar, _upstream),
        scraping(tmp_path, port_of_status(sidecar)) as prometheus,
    ):
        for _ in range(20):
            assert ask(sidecar.port, REQUEST, "POST").status == 200
        requests = 'sum(stepdown_requests_total{route="r",served="1.0.0",status_class="2xx"})'
        eventually(lambda: prometheus.value(requests) == 20)
        assert prometheus.value("stepdown_workers") == 2
        assert prometheus.value("min(stepdown_endpoint_ready)") == 1
        assert prometheus.value("sum(stepdown_request_duration_seconds_count)") == 20
        assert prometheus.value("histogram_quantile(0.99, stepdown_request_duration_seconds_bucket)") is not None

        os.kill(sidecar.worker(0), signal.SIGKILL)
        sidecar.wait_for("worker listens", count=2, index=0)
        for _ in range(20):
            assert ask(sidecar.port, REQUEST, "POST").status == 200
        eventually(lambda: prometheus.value(requests) == 40)
        assert prometheus.value("sum(resets(stepdown_requests_total[5m]))") == 0
        eventually(lambda: prometheus.value("stepdown_worker_restarts_total") == 1)


def test_prometheus_knows_the_type_of_every_family(tmp_path: Path) -> None:
    with running(tmp_path) as (sidecar, _upstream), scraping(tmp_path, port_of_status(sidecar)) as prometheus:
        kinds = prometheus.kinds()
    for family in FAMILIES.values():
        stems = {family.name, family.name.removesuffix("_total"), family.name.removesuffix("_info")}
        assert family.kind in {kinds.get(stem) for stem in stems}, family.name
