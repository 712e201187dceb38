"""A rollout of a sidecar that is measured: started, and waited for until its requests are evidence."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from pathlib import Path

from bench import payload

FILES = Path(__file__).parent / "peers"
NAME = "walk"
FEEDBACK = (
    "feedback: {{secrets: {{file: {peers}/secret.txt}}, keys: [{{name: bench, key: {{file: {peers}/key.txt}}}}]}}"
)
PATIENCE = 30.0


def feedback() -> str:
    """The part of the file with which answers carry tokens."""
    return FEEDBACK.format(peers=FILES)


def start(port: int, status: int, admin: int, *, tokens: bool) -> None:
    """Start it, and return when requests of the sidecar at `port` count for it, or raise."""
    headers = {"Authorization": f"Bearer {(FILES / 'admin.txt').read_text()}", "Content-Type": "application/json"}
    path, said = f"/v1/rollouts/{NAME}/start", ""

    def started() -> bool:  # a controller that has not read its file yet knows neither token nor rollout
        nonlocal said
        code, said, _ = _call(admin, "POST", path, "{}", headers)
        return code == 200

    _wait(started, lambda: f"the rollout was not started: {said}")
    _wait(lambda: _counts(port, status, tokens=tokens), lambda: "requests do not count for the rollout")


def _wait(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(complaint())
        time.sleep(0.05)


def _counts(port: int, status: int, *, tokens: bool) -> bool:
    asked = {"Content-Type": "application/json", "x-user-id": "a"}
    _, _, token = _call(port, "POST", payload.PATH, payload.REQUEST, asked)
    _, metrics, _ = _call(status, "GET", "/metrics", "", {})
    lines = [line for line in metrics.splitlines() if line.startswith("stepdown_evidence_requests_total{")]
    counted = any(f'rollout="{NAME}"' in line and not line.endswith(" 0") for line in lines)
    return counted and (token is not None) == tokens


def _call(port: int, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, str, str | None]:
    """Status, body and token of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.getheader("x-stepdown-token")
