"""A sidecar that records all that it sees, in processes of its own, before a server that gives a tenth of `x`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.client import Response, ask
from tests.kit.counts import summed
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.replaying import model
from tests.kit.upstream import Upstream

CONFIG = """\
listen: 127.0.0.1:0
status: 127.0.0.1:0
log: {{format: json, level: debug}}
models:
  churn:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{port}]}}
    adapters:
      - {{from: "2.0.0", to: "1.0.0", response: [{{move: {{from: /logit, to: /score}}}}]}}
routes:
  churn:
    match: {{path: /churn}}
    model: churn
    split: {{"2.0.0": 100}}
    record: {{folder: {folder}, sample: 100%{more}}}
"""


@dataclass
class Recorded:
    """A sidecar that records, and its server."""

    sidecar: Processes
    server: Upstream
    file: Path
    folder: Path

    def ask(self, x: int, version: str = "1.0.0", pad: str = "") -> Response:
        """One request of a client that knows a version."""
        body = json.dumps({"x": x} | ({"pad": pad} if pad else {})).encode()
        head = b"POST /churn HTTP/1.1\r\nHost: m\r\nX-Model-Version: %b\r\nContent-Type: application/json\r\n"
        length = b"Authorization: Bearer s3cret\r\nContent-Length: %d\r\n\r\n" % len(body)
        return ask(self.sidecar.port, head % version.encode() + length + body, "POST")

    def recorded(self, times: int, result: str = "recorded") -> None:
        """Wait until so many exchanges are in files, or have come to another end."""
        eventually(lambda: self.counted(result) >= times)
        assert self.counted(result) == times

    def counted(self, result: str) -> float:
        """Exchanges by what became of them."""
        return self.metric("stepdown_recorded_total", route="churn", result=result)

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples with these labels, as Prometheus gets them."""
        text = self.sidecar.get("status", "/metrics")[1].decode()
        return summed(text, name, labels)


@contextmanager
def recording(directory: Path, folder: Path | None = None, more: str = "") -> Iterator[Recorded]:
    """Everything is recorded, into `kept` or another folder; `more` is more of the YAML, `, key: value`."""
    file, folder = directory / "stepdown.yaml", folder or directory / "kept"
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        thread = stack.enter_context(LoopThread())
        server = stack.enter_context(Upstream(thread, model(lambda x: {"logit": x / 10})))
        file.write_text(CONFIG.format(port=server.port, folder=folder, more=more))
        sidecar = stack.enter_context(Processes(file))
        sidecar.started()
        sidecar.wait_for("comparer works")
        yield Recorded(sidecar, server, file, folder)
        assert not server.failures
