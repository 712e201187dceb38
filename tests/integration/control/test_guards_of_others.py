"""The whole sidecar with a guard whose numbers come from a service: it takes the candidate back, or waits for them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.kit.client import ask
from tests.kit.counting_app import App
from tests.kit.looping import LoopThread
from tests.kit.metrics import answer
from tests.kit.processes import Processes, eventually
from tests.kit.upstream import Upstream, serve

SECRET = "Bearer correct-horse-battery-staple"
CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
state: {{rollouts: rollouts.db}}
drain: {{delay: 0s, grace: 20s}}
log: {{format: json}}
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{endpoints: [http://127.0.0.1:{port}]}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{port}]}}
    adapters: [{{from: "2.0.0", to: "1.0.0", response: [{{remove: /explanation}}]}}]
routes:
  r: {{match: {{path_prefix: /}}, model: m, rules: [{{name: everyone, rollout: two}}]}}
rollouts:
  two:
    stable: "1.0.0"
    candidate: "2.0.0"
    steps: [50, 100]
    for: {lasts}
    min_requests: 5
    window: 1s
    sustained: 1
    guards:
      - {guard}
"""
REFUNDS = {
    "kind": "webhook", "name": "refunds", "must_not": "rise",
    "webhook": {"url": "URL", "set_headers": {"authorization": {"env": "SHOP_TOKEN"}}},
}  # fmt: skip
SMOKE = {"kind": "threshold", "name": "smoke", "webhook": {"url": "URL", "reads": "status"}, "interval": "1s"}


class Story:
    """A sidecar whose rollout was started, with requests that never end."""

    def __init__(self, sidecar: Processes, app: App) -> None:
        self.sidecar = sidecar
        self.app = app
        self._over = threading.Event()
        self._users = threading.Thread(target=self._ask, daemon=True)

    def _ask(self) -> None:
        while not self._over.wait(0.02):
            ask(self.sidecar.port, b"GET / HTTP/1.1\r\nHost: m\r\n\r\n")

    def begin(self) -> None:
        self._users.start()
        eventually(lambda: self.sidecar.post("/v1/rollouts/two/start")[0] == 200)  # 503 until its state was read

    def end(self) -> None:
        self._over.set()
        self._users.join()

    @property
    def shown(self) -> Any:
        """As the admin API has it."""
        _status, body = self.sidecar.get("admin", "/v1/rollouts/two")
        return json.loads(body)

    @property
    def history(self) -> list[str]:
        _status, body = self.sidecar.get("admin", "/v1/rollouts/two/history")
        return [one["sentence"] for one in json.loads(body)["transitions"]]


@contextmanager
def story(directory: Path, guard: dict[str, Any], lasts: str = "1s") -> Iterator[Story]:
    with App() as app, LoopThread() as thread, Upstream(thread, serve(answer('{"score": 1}'))) as upstream:
        file = directory / "stepdown.yaml"
        placed = json.dumps(guard).replace("URL", app.url)
        file.write_text(CONFIG.format(port=upstream.port, guard=placed, lasts=lasts))
        with Processes(file, environ={"SHOP_TOKEN": SECRET}) as sidecar:
            one = Story(sidecar.started(), app)
            try:
                yield one
            finally:
                one.end()


def growing(worse: int) -> Any:
    """Counts that grow with each time they are asked for: the candidate has so many events more."""
    looks = iter(range(1, 1_000_000))

    def answer(_told: Any) -> tuple[int, Any]:
        look = next(looks)
        return 200, {
            "candidate": {"events": (10 + worse) * look, "trials": 1000 * look},
            "stable": {"events": 10 * look, "trials": 1000 * look},
        }

    return answer


def test_refunds_that_a_service_counts_take_the_candidate_back(tmp_path: Path) -> None:
    with story(tmp_path, REFUNDS, lasts="10m") as one:
        one.app.answer = growing(worse=60)
        one.begin()
        eventually(lambda: one.shown["phase"] == "rolled back")
        assert "refunds came from the candidate, which had 50 % of the trials; 1.0.0 has all traffic" in one.history[0]
        assert {told["candidate"] for told in one.app.told} == {"2.0.0"}
        assert {headers["authorization"] for headers in one.app.headers} == {SECRET}
        status, config = one.sidecar.get("admin", "/v1/config")
        assert status == 200
        assert b"refunds" in config
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("rollouts.db*"))
    assert b"refunds" in stored
    assert SECRET.encode() not in stored + config


def test_a_service_that_is_away_holds_the_rollout_until_it_is_back(tmp_path: Path) -> None:
    with story(tmp_path, REFUNDS) as one:
        one.app.answer = lambda _: (503, {})
        one.begin()
        eventually(lambda: len(one.app.told) >= 4)
        assert (one.shown["phase"], one.shown["step"]) == ("stepping", 1)
        assert "refunds cannot be read: " in json.dumps(one.shown)
        assert "it answers 503" in json.dumps(one.shown)
        one.app.answer = growing(worse=0)
        eventually(lambda: one.shown["step"] == 2)


def test_a_test_that_fails_takes_the_candidate_back_and_one_that_passes_lets_it_go_on(tmp_path: Path) -> None:
    with story(tmp_path, SMOKE) as one:
        one.app.answer = lambda _: (200, {})
        one.begin()
        eventually(lambda: one.shown["step"] == 2)
        one.app.answer = lambda _: (500, {})
        eventually(lambda: one.shown["phase"] == "rolled back")
        assert "smoke: failed: failed (1) > failureLimit (0)" in one.history[0]
