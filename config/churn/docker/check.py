"""Asks the composed containers what the demo asks: `python -m config.churn.docker.check docker compose`.

Exits with 0 when the old and the new client work through the composed sidecar, the old one also after v1's container
was stopped, and Prometheus has scraped what they did.
"""

import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Sequence

from config.churn.clients import new
from config.churn.clients.old import NotWhatWeAgreedError, OldClient
from config.churn.processes import answers, until

CUSTOMER = [13.9, 19.2, 90.0, 600.0, 0.09, 0.10, 0.08, 0.05, 0.18, 0.06]
USERS = [f"user-{number}" for number in range(100)]
SIDECAR = f"http://127.0.0.1:{os.environ['STEPDOWN_PORT']}"
STATUS = f"http://127.0.0.1:{os.environ['STATUS_PORT']}"
PROMETHEUS = f"http://127.0.0.1:{os.environ['PROMETHEUS_PORT']}"


def main(compose: Sequence[str]) -> None:
    """Raises `AssertionError` at the first thing that is not so."""
    hold(until(lambda: answers(f"{STATUS}/readyz"), seconds=90), "the sidecar is ready")
    hold(until(_both_serve, seconds=90), "the old client is served by both versions")

    answer = new.ask(SIDECAR, CUSTOMER, "user-1")
    hold(answer.headers["x-model-version"] == "2.0.0", f"the new client reads its own shape, score {answer.score:+.2f}")

    subprocess.run([*compose, "stop", "--timeout", "5", "churn-v1"], check=True, capture_output=True)
    hold(_served() == {"2.0.0"}, "without v1's container the old client is served by v2")

    hold(until(lambda: _scraped() >= 2 * len(USERS), seconds=90), "Prometheus has scraped what the sidecar counted")


def hold(condition: bool, sentence: str) -> None:
    """Prints a sentence that holds; raises `AssertionError` where it does not."""
    if not condition:
        raise AssertionError(f"this did not hold: {sentence}")
    print(f"compose: {sentence}", flush=True)


def _both_serve() -> bool:
    """False also while the model servers, which start at the same time, are not up yet."""
    try:
        return _served() == {"1.1.0", "2.0.0"}
    except (NotWhatWeAgreedError, OSError):
        return False


def _served() -> set[str]:
    with OldClient(SIDECAR) as client:
        return {client.ask([CUSTOMER], user).headers["x-model-served"] for user in USERS}


def _scraped() -> float:
    """Requests of the route `churn` that Prometheus knows of."""
    query = urllib.parse.quote('sum(stepdown_requests_total{route="churn"})')
    try:
        with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/query?query={query}", timeout=5) as response:
            result = json.load(response)["data"]["result"]
    except OSError:
        return 0.0
    return float(result[0]["value"][1]) if result else 0.0


if __name__ == "__main__":
    main(sys.argv[1:])
