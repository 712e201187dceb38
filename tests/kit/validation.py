"""A sidecar that holds answers against contracts: its configuration, its scripted servers, and what it has counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kit.client import ask
from tests.kit.counts import summed
from tests.kit.load import REQUEST
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.upstream import Peer, Upstream

NEW = {
    "type": "object",
    "properties": {
        "score": {"type": "number"},
        "notes": {"type": "object"},
        "by_user": {"additionalProperties": {"type": "number"}},
    },
    "required": ["score"],
}
OLD = {"type": "object", "properties": {"probability": {"type": "number", "maximum": 1}}, "required": ["probability"]}

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
workers: {workers}
drain: {{delay: 0s, grace: 20s}}
log: {{format: json, level: debug}}
{more}
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{{old}}}
      "2.0.0": {{{new}validate: {share}, endpoints: [http://127.0.0.1:{port}]}}
    adapters:
      - {{from: "2.0.0", to: "1.0.0", response: [{{move: {{from: /score, to: /probability}}}}]}}
routes:
  r: {{match: {{path_prefix: /}}, model: m, split: {{"2.0.0": 100}}}}
"""

NATIVE = {"model": "m", "served": "2.0.0", "contract": "2.0.0"}
DELIVERED = {"model": "m", "served": "2.0.0", "contract": "1.0.0"}
PINNED = REQUEST.replace(b"Host: test", b"Host: test\r\nX-Model-Version: 2.0.0")
"""Asks for the served version's own shape, which is passed on as it is; without a pin, answers are adapted."""


def answer(body: Any, *lines: bytes, media: bytes = b"application/json", status: int = 200) -> bytes:
    """A whole answer; a body that is no bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [b"HTTP/1.1 %d OK" % status, b"Content-Type: " + media, b"Content-Length: %d" % len(content), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + content


@dataclass
class Server:
    """What the model server says next, on connections that are open too."""

    answer: bytes = b""
    pieces: int = 0
    """Where not 0, bytes of each write."""
    ends: bool = False
    """Whether the connection ends with the answer."""

    async def play(self, peer: Peer) -> None:
        """The script."""
        while True:
            await peer.request()
            await peer.send(self.answer, slice_every=self.pieces)
            if self.ends:
                peer.fin()
                return


@dataclass
class Validated:
    """A running sidecar whose served version's answers are held against contracts."""

    directory: Path
    sidecar: Processes
    upstream: Upstream
    server: Server
    before: str = ""
    """The metrics at the last `mark`."""

    def ask(self, request: bytes = REQUEST) -> int:
        """Status of the answer to one request."""
        return ask(self.sidecar.port, request, "POST").status

    def comparer(self) -> int:
        """Process id of the comparer that was started last, once it works."""
        started = self.sidecar.seen("started", child="comparer")
        self.sidecar.wait_for("comparer works", pid=started[-1]["pid"])
        return int(started[-1]["pid"])

    def mark(self) -> None:
        """Count from now on."""
        self.before = self.sidecar.get("status", "/metrics")[1].decode()

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples of a family that have these labels, without what was there at the last `mark`."""
        now = self.sidecar.get("status", "/metrics")[1].decode()
        return summed(now, name, labels) - summed(self.before, name, labels)

    def counted(self, count: int, name: str = "stepdown_validations_total", **labels: str) -> None:
        """Wait until a family has counted to `count`."""
        eventually(lambda: self.metric(name, **labels) >= count)
        assert self.metric(name, **labels) == count

    def rewrite(self, **options: Any) -> None:
        """Another file in the place of the one that is in force, followed without being told."""
        before = len(self.sidecar.seen("configuration is in force"))
        write(self.directory, self.upstream.port, **options)
        self.sidecar.wait_for("configuration is in force", count=before + 1)


def write(
    directory: Path,
    port: int,
    *,
    share: str = "100%",
    old: Any = OLD,
    new: Any = NEW,
    workers: int = 1,
    more: str = "",
) -> Path:
    """The configuration and its contracts; `None` for a contract that there is not."""
    for name, contract in (("old", old), ("new", new)):
        (directory / f"{name}.json").write_text(json.dumps(contract))
    text = CONFIG.format(
        port=port,
        share=share,
        workers=workers,
        more=more,
        old="" if old is None else "schema: old.json",
        new="" if new is None else "schema: new.json, ",
    )
    file = directory / "stepdown.yaml"
    (directory / "stepdown.new").write_text(text)
    (directory / "stepdown.new").rename(file)
    return file


@contextmanager
def validated(directory: Path, first: bytes = b"", *, compares: bool = True, **options: Any) -> Iterator[Validated]:
    """A server that answers `first` and a sidecar in front of it, started, with its comparer if it is to have one."""
    server = Server(first)
    with LoopThread() as thread, Upstream(thread, server.play) as upstream:
        with Processes(write(directory, upstream.port, **options)) as sidecar:
            sidecar.started()
            if compares:
                sidecar.wait_for("comparer works")
            yield Validated(directory, sidecar, upstream, server)
        assert not upstream.failures, upstream.failures
