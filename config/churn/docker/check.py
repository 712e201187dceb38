"""Asks the composed containers what the demo asks: `python -m config.churn.docker.check docker compose`.

Exits with 0 when the old and the new client work through the composed sidecar, the old one also after v1's container
was stopped, and Prometheus has scraped what they did.
"""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence

from config.churn.clients import new
from config.churn.clients.old import OldClient
from config.churn.processes import answers

CUSTOMER = [13.9, 19.2, 90.0, 600.0, 0.09, 0.10, 0.08, 0.05, 0.18, 0.06]
USERS = [f"user-{number}" for number in range(100)]
SIDECAR = f"http://127.0.0.1:{os.environ['STEPDOWN_PORT']}"
STATUS = f"http://127.0.0.1:{os.environ['STATUS_PORT']}"
PROMETHEUS = f"http://127.0.0.1:{os.environ['PROMETHEUS_PORT']}"


def main(compose: Sequence[str]) -> None:
    """Raises `AssertionError` at the first thing that is not so."""
    wait(lambda: answers(f"{STATUS}/readyz"), "the sidecar to be ready")
    wait(lambda: _served() == {"1.1.0", "2.0.0"}, "both versions to serve the old client")
    print(f"compose: the old client works, served by {', '.join(sorted(_served()))}")

    answer = new.ask(SIDECAR, CUSTOMER, "user-1")
    assert answer.headers["x-model-version"] == "2.0.0", answer
    print(f"compose: the new client works, score {answer.score:+.2f}")

    subprocess.run([*compose, "stop", "--timeout", "5", "churn-v1"], check=True, capture_output=True)
    assert _served() == {"2.0.0"}
    print("compose: without v1's container the old client still works, served by 2.0.0")

    wait(lambda: _scraped() >= 2 * len(USERS), "Prometheus to have scraped the sidecar")
    print(f"compose: Prometheus has counted {_scraped():.0f} requests")


def wait(condition: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
    """Returns once `condition` holds; raises `AssertionError` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.5)


def _served() -> set[str]:
    client = OldClient(SIDECAR)
    return {client.ask([CUSTOMER], user).headers["x-model-served"] for user in USERS}


def _scraped() -> float:
    """Requests of the route `churn` that Prometheus knows of."""
    query = urllib.parse.quote('sum(stepdown_requests_total{route="churn"})')
    with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/query?query={query}", timeout=5) as response:
        result = json.load(response)["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


if __name__ == "__main__":
    main(sys.argv[1:])
