"""A sidecar whose flags a provider gives, as its user starts it: two versions, and who is served by which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.client import Response, ask
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes
from tests.kit.upstream import Upstream, serve

ROOT = Path(__file__).parents[2]
COMMANDED = "tests.kit.commanded_provider:make"

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
workers: {workers}
drain: {{delay: 0s, grace: 5s}}
log: {{format: json}}
explain: {{allow: [127.0.0.1]}}
decisions: {{file: decisions.jsonl, sample: 100%}}
flags:
  provider: {provider}
  options: {options}
  declare: {{churn: string, testers: boolean}}
  context: {{plan: {{header: x-plan}}}}
  {more}
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{endpoints: [http://127.0.0.1:{old}]}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{new}]}}
    adapters: [{{from: "2.0.0", to: "1.0.0"}}]
routes:
  r:
    match: {{path_prefix: /}}
    model: m
    key: [{{header: x-user-id}}]
    rules:
      - {{name: testers, when: {{flag: testers, header: {{x-tester: "yes"}}}}, split: {{"2.0.0": 1}}}}
      - {{name: all, flag: {{name: churn, versions: {{old: "1.0.0", new: "2.0.0"}}, default: "1.0.0"}}}}
"""


class Provided:
    """The running sidecar, and the commands of its provider."""

    def __init__(self, directory: Path, old: int, new: int) -> None:
        self.directory = directory
        self.commands = directory / "commands"
        self.start = directory / "commands.start"
        self.file = directory / "stepdown.yaml"
        self._ports = {"old": old, "new": new}
        self.sidecar: Processes

    def write(
        self,
        more: str = "",
        *,
        provider: str = COMMANDED,
        options: str | None = None,
        workers: int = 1,
        text: str = CONFIG,
    ) -> None:
        """The configuration; `more` are more keys of `flags`."""
        if options is None:
            options = f"{{commands: {self.commands}, log: {self.directory / 'log'}}}"
        self.file.write_text(
            CONFIG.format(provider=provider, options=options, more=more, workers=workers, **self._ports)
        )

    def command(self, text: str) -> None:
        """What the provider does from now on."""
        new = self.commands.with_suffix(".new")
        new.write_text(text)
        new.rename(self.commands)

    def log(self) -> list[str]:
        """What the provider has noted."""
        file = self.directory / "log"
        return file.read_text().splitlines() if file.exists() else []

    def send(self, user: str = "ann", *lines: bytes) -> Response:
        """One request."""
        fields = (b"POST /predict HTTP/1.1", b"Host: test", b"X-User-Id: " + user.encode(), *lines)
        return ask(self.sidecar.port, b"\r\n".join((*fields, b"Content-Length: 2", b"", b"{}")), "POST")

    def served(self, user: str = "ann", *lines: bytes) -> str:
        """Who answers this user."""
        response = self.send(user, *lines)
        assert response.status == 200, response
        return response.body.decode()

    def counted(self, name: str, **labels: str) -> float:
        """Sum of the samples with these labels."""
        text = self.sidecar.get("status", "/metrics")[1].decode()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in text.splitlines() if line.partition("{")[0].partition(" ")[0] == name]
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(one in line for one in wanted))


def _answer(text: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


@contextmanager
def provided(
    directory: Path,
    more: str = "",
    *,
    command: str = "variant new",
    start: str = "",
    ready: bool = True,
    **options: object,
) -> Iterator[Provided]:
    """Started, with a provider that is ready unless told otherwise; hung threads end with their process."""
    with (
        LoopThread() as thread,
        Upstream(thread, serve(_answer("old"))) as old,
        Upstream(thread, serve(_answer("new"))) as new,
    ):
        here = Provided(directory, old.port, new.port)
        here.command(command)
        if start:
            here.start.write_text(start)
        here.write(more, **options)  # type: ignore[arg-type]
        path = {"PYTHONPATH": f"{ROOT}:{directory}"}
        with Processes(here.file, environ=path) as here.sidecar:
            here.sidecar.started()
            if ready:
                here.sidecar.wait_for("flag provider is ready")
            yield here
