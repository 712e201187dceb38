"""A whole sidecar with a shadow: its configuration, the servers on both sides, and what it has counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.client import Response, ask
from tests.kit.counts import summed
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.upstream import Script, Upstream, serve

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
drain: {{delay: 0s, grace: 20s}}
log: {{format: json, level: debug}}
models:
  m:
    default_version: "1.0.0"
    repeatable: true
    versions:
      "1.0.0": {{endpoints: [http://127.0.0.1:{old}]}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{new}]}}
    adapters:
      - from: "2.0.0"
        to: "1.0.0"
        request: [{{move: {{from: /x, to: /inputs}}}}]
        response: [{{move: {{from: /score, to: /probability}}}}]
routes:
  r:
    match: {{path_prefix: /}}
    model: m
    split: {{"1.0.0": 100}}
    shadow:
      - {{name: new, version: "2.0.0", noise: 100, deadline: {deadline}, concurrent: 8}}
"""

BODY = b'{"x": 1}'
REQUEST = b"\r\n".join(
    [
        b"POST /predict HTTP/1.1",
        b"Host: model.example",
        b"Authorization: Bearer secret",
        b"Content-Type: application/json",
        b"",
    ]
)
WHOLE = REQUEST + b"Content-Length: 8\r\n\r\n" + BODY
GOOD = b'{"probability": 0.5}'
CHUNKED = REQUEST + b"Transfer-Encoding: chunked\r\n\r\n3\r\n" + BODY[:3] + b"\r\n5\r\n" + BODY[3:] + b"\r\n0\r\n\r\n"


def answer(body: bytes) -> bytes:
    """A whole answer."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body


OLD = answer(GOOD)


@dataclass
class Shadowed:
    """A running sidecar, its served version's server and its shadow's."""

    directory: Path
    sidecar: Processes
    old: Upstream
    new: Upstream

    def ask(self, request: bytes = WHOLE) -> Response:
        """The answer to one request on a connection of its own."""
        return ask(self.sidecar.port, request, "POST")

    def primary(self) -> list[bytes]:
        """What the served version's server got from clients."""
        return [request.raw for request in self.old.requests if not request.get(b"x-stepdown-shadow")]

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples with these labels."""
        text = self.sidecar.get("status", "/metrics")[1].decode()
        return summed(text, name, labels)

    def counted(self, count: int, what: str, **labels: str) -> None:
        """Wait until `stepdown_shadow_<what>_total` has counted to `count`."""
        name = f"stepdown_shadow_{what}_total"
        eventually(lambda: self.metric(name, **labels) >= count)
        assert self.metric(name, **labels) == count

    def rewrite(self, **options: str) -> None:
        """Another file in the place of the one in force."""
        before = len(self.sidecar.seen("configuration is in force"))
        write(self.directory, self.old.port, self.new.port, **options)
        self.sidecar.wait_for("configuration is in force", count=before + 1)


def write(directory: Path, old: int, new: int, deadline: str = "10s") -> Path:
    """The configuration."""
    file = directory / "stepdown.yaml"
    (directory / "stepdown.new").write_text(CONFIG.format(old=old, new=new, deadline=deadline))
    (directory / "stepdown.new").rename(file)
    return file


@contextmanager
def shadowed(directory: Path, script: Script, **options: str) -> Iterator[Shadowed]:
    """A shadow whose server plays a script, and a sidecar with it, started, with its comparer."""
    with ExitStack() as stack:
        thread = stack.enter_context(LoopThread())
        old = stack.enter_context(Upstream(thread, serve(OLD)))
        new = stack.enter_context(Upstream(thread, script))
        sidecar = stack.enter_context(Processes(write(directory, old.port, new.port, **options)))
        sidecar.started()
        sidecar.wait_for("comparer works")
        yield Shadowed(directory, sidecar, old, new)
        assert not old.failures + new.failures
