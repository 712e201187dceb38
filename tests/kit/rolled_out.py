"""A whole sidecar with a rollout between two scripted servers, driven by the admin API as people drive it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.kit.client import Client
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.upstream import Peer, Upstream

NAME = "m-2"
FILE = """\
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: ann, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
workers: {workers}
drain: {{delay: 0s, grace: 20s}}
log: {{format: json, level: debug}}
state: {state}
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{endpoints: ["http://127.0.0.1:{stable}"]}}
      "2.0.0": {{endpoints: ["http://127.0.0.1:{candidate}"]}}
    adapters:
      - {{from: "2.0.0", to: "1.0.0", response: [{{remove: /explanation}}]}}
routes:
{routes}  r:
    match: {{path_prefix: /}}
    model: m
    key: [{{header: x-user-id}}]
    rules:
      - {{name: beta, when: {{header: {{x-plan: beta}}}}, split: {{"2.0.0": 100}}}}
      - {{name: everyone, rollout: m-2}}
rollouts:
  m-2: {{stable: "1.0.0", candidate: "2.0.0", {rollout}}}
"""
QUICK = "steps: [50, 100], for: 1s, window: 1s, min_requests: 20, guards: [errors]"


class Model:
    """What a server answers, on every connection."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.fails_every = 0
        """Every so manieth request gets a 500; 0: none."""
        self._asked = 0

    async def script(self, peer: Peer) -> None:
        """For `Upstream`."""
        while True:
            await peer.request()
            self._asked += 1
            status = b"500" if self.fails_every and self._asked % self.fails_every == 0 else b"200"
            head = b"HTTP/1.1 %s X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            await peer.send(head % (status, len(self.body)) + self.body)


class Stage(NamedTuple):
    """What is there."""

    sidecar: Processes
    stable: Upstream
    candidate: Upstream
    model: Model
    """The candidate's."""

    def rollout(self, name: str = NAME) -> dict[str, Any]:
        """As the admin API shows it."""
        status, body = self.sidecar.get("admin", f"/v1/rollouts/{name}")
        found: dict[str, Any] = json.loads(body)
        assert status == 200, found
        return found

    def act(self, action: str, body: bytes = b"{}", name: str = NAME) -> tuple[int, dict[str, Any]]:
        """What came of it."""
        status, answer = self.sidecar.post(f"/v1/rollouts/{name}/{action}", body)
        return status, json.loads(answer)

    def history(self, name: str = NAME) -> list[str]:
        """Sentences, the oldest first."""
        status, body = self.sidecar.get("admin", f"/v1/rollouts/{name}/history")
        assert status == 200, body
        return [one["sentence"] for one in json.loads(body)["transitions"]][::-1]

    def ask(self, first: int, number: int, *headers: str) -> list[int]:
        """Statuses of so many users' requests."""
        more = "".join(f"{header}\r\n" for header in headers)
        with Client(self.sidecar.port) as client:
            found = []
            for user in range(first, first + number):
                client.send(f"GET / HTTP/1.1\r\nHost: h\r\nx-user-id: u{user}\r\n{more}\r\n".encode())
                found.append(client.response("GET").status)
        return found

    def served(self, first: int, number: int, *headers: str) -> tuple[int, int]:
        """How many of so many users' requests stable and the candidate got."""
        before = len(self.stable.requests), len(self.candidate.requests)
        self.ask(first, number, *headers)
        return len(self.stable.requests) - before[0], len(self.candidate.requests) - before[1]

    def keeps_asking(self, phase: str, name: str = NAME) -> None:
        """New users, a few at a time, until the rollout stands there."""
        users = itertools.count(10**6, 20)

        def there() -> bool:
            self.ask(next(users), 20)
            return bool(self.rollout(name)["phase"] == phase)

        eventually(there)

    def reaches(self, phase: str, name: str = NAME) -> None:
        """Wait until it stands there."""
        eventually(lambda: self.rollout(name)["phase"] == phase)


class Servers(NamedTuple):
    """Of both versions, for one sidecar or several."""

    stable: Upstream
    candidate: Upstream
    model: Model


@contextmanager
def servers() -> Iterator[Servers]:
    """Running."""
    old, new = Model(b'{"by": 1}'), Model(b'{"by": 2, "explanation": 0}')
    with LoopThread() as thread, Upstream(thread, old.script) as first, Upstream(thread, new.script) as second:
        yield Servers(first, second, new)


@contextmanager
def rolled_out(
    directory: Path,
    *,
    state: str = "{rollouts: rollouts.db}",
    rollout: str = QUICK,
    workers: int = 1,
    routes: str = "",
    rollouts: str = "",
    shared: Servers | None = None,
) -> Iterator[Stage]:
    """Started; its state is beside its file. `routes` and `rollouts` are more of these sections.

    Replicas have the same servers, or their candidates are others: `shared`.
    """
    with ExitStack() as stack:
        both = shared or stack.enter_context(servers())
        file = directory / "stepdown.yaml"
        ports = {"stable": both.stable.port, "candidate": both.candidate.port}
        text = FILE.format(state=state, rollout=rollout, workers=workers, routes=routes, **ports)
        file.write_text(text + rollouts)
        sidecar = stack.enter_context(Processes(file))
        eventually(lambda: sidecar.started().get("status", "/readyz")[0] == 200)
        yield Stage(sidecar, both.stable, both.candidate, both.model)
