"""A real Prometheus for tests, and an exporter whose page is scripted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.kit.looping import PATIENCE
from tests.kit.processes import eventually

PROMETHEUS = shutil.which("prometheus")

CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
- job_name: stepdown
  static_configs: [{{targets: {targets}}}]
"""


class Prometheus:
    """A running server that scrapes these targets."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.port = 0

    def _answer(self, path: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}"
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
                self.port = int(fields[1].partition(":")[2], 16)
        return self.port != 0

    def is_up(self) -> bool:
        """Whether it answers queries, and its last scrape of every target succeeded."""
        try:
            return self.value("min(up)") == 1
        except urllib.error.HTTPError:  # 503 while it opens its storage
            return False

    def value(self, query: str) -> float | None:
        """The one value of an instant query."""
        found = self._answer("query?" + urllib.parse.urlencode({"query": query}))["result"]
        return float(found[0]["value"][1]) if found else None

    def kinds(self) -> dict[str, str]:
        """The type of each family as Prometheus understood it."""
        return {name: entries[0]["type"] for name, entries in self._answer("metadata").items()}


@contextmanager
def scraping(directory: Path, *ports: int) -> Iterator[Prometheus]:
    """A Prometheus that has begun to scrape these ports."""
    file = directory / "prometheus.yaml"
    file.write_text(CONFIG.format(targets=json.dumps([f"127.0.0.1:{port}" for port in ports])))
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


class Exporter:
    """Serves a page of metrics that a test may change at any time."""

    def __init__(self) -> None:
        self.page = "scripted 1\n"
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing to say."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Exporter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse whoever comes from now on; may be called again."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)
