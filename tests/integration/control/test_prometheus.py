"""A real Prometheus scrapes a real sidecar: what it stores is what happened, also across a worker that is killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stepdown.telemetry.families import FAMILIES
from tests.kit.client import ask
from tests.kit.load import REQUEST
from tests.kit.looping import PATIENCE
from tests.kit.processes import Processes, eventually, running

PROMETHEUS = shutil.which("prometheus")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed (apt: prometheus)"),
]

CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
- job_name: stepdown
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus:
    """A running server that scrapes one target."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._port = 0

    def _answer(self, path: str) -> Any:
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return json.load(response)["data"]

    def listens(self) -> bool:
        """Whether it has a listening socket, which is where it will be asked."""
        sockets = set()
        for link in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was closed since the folder was listed
                sockets.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                self._port = int(fields[1].partition(":")[2], 16)
        return self._port != 0

    def is_up(self) -> bool:
        """Whether it answers queries, and its last scrape of the target succeeded."""
        try:
            return self.value("up") == 1
        except urllib.error.HTTPError:  # 503 while it opens its storage
            return False

    def value(self, query: str) -> float | None:
        """The one value of an instant query."""
        found = self._answer("query?" + urllib.parse.urlencode({"query": query}))["result"]
        return float(found[0]["value"][1]) if found else None

    def kinds(self) -> dict[str, str]:
        """The type of each family as Prometheus understood it."""
        return {name: entries[0]["type"] for name, entries in self._answer("metadata").items()}


def port_of_status(sidecar: Processes) -> int:
    """Where the sidecar's metrics are."""
    return int(sidecar.wait_for("serving")["status"].rpartition(":")[2])


@contextmanager
def scraping(directory: Path, port: int) -> Iterator[Prometheus]:
    """A Prometheus that has begun to scrape the sidecar's status port."""
    file = directory / "prometheus.yaml"
    file.write_text(CONFIG.format(port=port))
    assert PROMETHEUS is not None
    arguments = [
        f"--config.file={file}", f"--storage.tsdb.path={directory / 'data'}",
        "--web.listen-address=127.0.0.1:0", "--log.level=warn",
    ]  # fmt: skip
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([PROMETHEUS, *arguments], stdout=log, stderr=log)
    try:
        prometheus = Prometheus(process)
        eventually(prometheus.listens)
        eventually(prometheus.is_up)
        yield prometheus
    finally:
        process.terminate()
        process.wait(PATIENCE)


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
