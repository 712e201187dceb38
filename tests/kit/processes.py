"""The whole sidecar as its user starts it: `stepdown run FILE` in processes of its own, waited for by its log.

Nothing here looks at a clock but to give up. Ports are free ones, which the sidecar's first log lines tell.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.kit.looping import PATIENCE, LoopThread
from tests.kit.upstream import Script, Upstream

Event = dict[str, Any]
TOKEN = "the-token-of-an-operator"

RUN = [sys.executable, "-P", "-m", "stepdown", "run"]

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
workers: {workers}
drain: {{delay: {delay}s, grace: {grace}s}}
log: {{format: json, level: debug}}
models:
  m:
    default_version: "1.0.0"
    repeatable: {repeatable}
    versions:
      "1.0.0": {{endpoints: [{endpoints}]{version}}}
routes:
  r: {{match: {{path_prefix: /}}, model: m, split: {{"1.0.0": 100}}}}
"""


def config(
    *ports: int,
    workers: int = 1,
    delay: float = 0,
    grace: float = 20,
    repeatable: bool = False,
    version: str = "",
) -> str:
    """A file: everything goes to one version on these loopback ports; `version` is more of its YAML, `, key: value`."""
    endpoints = ", ".join(f"http://127.0.0.1:{port}" for port in ports)
    return CONFIG.format(
        workers=workers,
        delay=delay,
        grace=grace,
        endpoints=endpoints,
        version=version,
        repeatable=str(repeatable).lower(),
    )


class Processes:
    """A running sidecar; a context manager that leaves no process behind."""

    def __init__(self, file: Path, *arguments: str, environ: dict[str, str] | None = None) -> None:
        self.file = file
        self._arguments = arguments
        self._environ = {**os.environ, "STEPDOWN_TEST_TOKEN": TOKEN, **(environ or {})}
        self.events: list[Event] = []
        """Every line of its log so far, parsed; a line that is no JSON is `{"text": line}`."""
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [*RUN, str(self.file), *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environ,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.process.poll() is None:
            self.process.kill()  # its children see that and end by themselves
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        if error is not None:
            print(*self.events, sep="\n", file=sys.stderr)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "", "text": line.rstrip("\n")}
            with self._news:
                self.events.append(event)
                self._news.notify_all()

    # --- its log ------------------------------------------------------------------------------------------------------

    def seen(self, text: str, **facts: object) -> list[Event]:
        """Events whose name contains `text` and that have these facts."""
        return [event for event in self.events if text in event["event"] and facts.items() <= event.items()]

    def wait_for(self, text: str, count: int = 1, **facts: object) -> Event:
        """The `count`-th such event, once it is there."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.seen(text, **facts)) >= count, PATIENCE):
                raise TimeoutError(f"no event {text!r} {facts} number {count} in {self.events}")
            return self.seen(text, **facts)[count - 1]

    def access_line(self) -> Event:
        """The next line of its access log, which must be in JSON and written by somebody soon."""
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], PATIENCE)[0], "nothing was logged"
        line: Event = json.loads(self.process.stdout.readline())
        return line

    def started(self) -> Self:
        """Wait until every worker listens and the controller has put the file in force."""
        self.wait_for("serving")
        self.wait_for("configuration is in force")
        return self

    def _port(self, purpose: str) -> int:
        return int(self.wait_for("serving")[purpose].rpartition(":")[2])

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self._port("listen")

    # --- its processes ------------------------------------------------------------------------------------------------

    def worker(self, index: int = 0) -> int:
        """Process id of the worker that listens now, or did last."""
        return int(self.seen("worker listens", index=index)[-1]["pid"])

    def controller(self) -> int:
        """Process id of the controller that was started last."""
        return int(self.seen("started", child="controller")[-1]["pid"])

    def signal(self, number: signal.Signals) -> None:
        """To the parent, which is the process that was started."""
        self.process.send_signal(number)

    def exit_code(self) -> int:
        """Once it has ended."""
        return self.process.wait(PATIENCE)

    # --- its servers --------------------------------------------------------------------------------------------------

    def get(self, purpose: str, path: str) -> tuple[int, bytes]:
        """Status and body of the status or admin server's answer."""
        return self._call(purpose, urllib.request.Request(f"http://127.0.0.1:{self._port(purpose)}{path}"))

    def post(self, path: str, body: bytes = b"{}") -> tuple[int, bytes]:
        """An admin call that changes something."""
        address = f"http://127.0.0.1:{self._port('admin')}{path}"
        headers = {"Content-Type": "application/json"}
        return self._call("admin", urllib.request.Request(address, body, headers, method="POST"))

    def _call(self, purpose: str, request: urllib.request.Request) -> tuple[int, bytes]:
        if purpose == "admin":
            request.add_header("Authorization", f"Bearer {TOKEN}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def metric(self, name: str) -> float:
        """Value of a metric without labels."""
        _status, body = self.get("status", "/metrics")
        values = [line.split()[1] for line in body.decode().splitlines() if line.split()[0] == name]
        return float(values[0])


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that announces itself nowhere."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, "it did not come true"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether the process exists and is not merely waiting to be buried."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@contextmanager
def running(
    directory: Path, script: Script | None = None, *, environ: dict[str, str] | None = None, **options: Any
) -> Iterator[tuple[Processes, Upstream]]:
    """A scripted upstream and a sidecar in front of it, started; `options` are those of `config`."""
    file = directory / "stepdown.yaml"
    with LoopThread() as thread, Upstream(thread, script) as upstream:
        file.write_text(config(upstream.port, **options))
        with Processes(file, environ=environ) as sidecar:
            yield sidecar.started(), upstream
