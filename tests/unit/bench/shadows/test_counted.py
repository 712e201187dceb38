"""A sidecar's counters are read from its metrics, summed over their series."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

from bench.shadows.rounds import Sidecar

METRICS = b"""\
# TYPE copies_total counter
copies_total{route="a",end="match"} 3.0
copies_total{route="b",end="late"} 4
copies_total_of_others{route="a"} 100
"""


class Metrics(BaseHTTPRequestHandler):
    """It answers with the metrics, whatever is asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(METRICS)

    def log_message(self, format: str, *args: Any) -> None:
        """Not a word."""


def test_a_counter_is_the_sum_of_its_series_and_no_others() -> None:
    with HTTPServer(("127.0.0.1", 0), Metrics) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sidecar = Sidecar(cast("Any", None), 0, server.server_port)
        assert sidecar.counted("copies_total") == 7
        assert sidecar.counted("nothing_total") == 0
        server.shutdown()
