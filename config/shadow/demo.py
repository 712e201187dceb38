"""`python -m config.shadow.demo`: a shadow, its report and its gate, in a minute.

Starts both servers and the sidecar, asks as many customers would, and runs the commands that you would; first with a
build of 2.0.0 that has a mistake, then with one that has none.
"""

import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.churn.processes import Program, StartError, free_port, until

FOLDER = Path(__file__).parent
STEPDOWN = [sys.executable, "-m", "stepdown"]


class Stage:
    """Two servers with a sidecar in front of them, on free ports."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._draw = random.Random(1)
        self.listen, self.status, self.admin, self.v1, self.v2 = (free_port() for _ in range(5))
        self.environment = {
            "SHADOW_LISTEN": f"127.0.0.1:{self.listen}",
            "SHADOW_STATUS": f"127.0.0.1:{self.status}",
            "SHADOW_ADMIN": f"127.0.0.1:{self.admin}",
            "SHADOW_V1_URL": f"http://127.0.0.1:{self.v1}",
            "SHADOW_V2_URL": f"http://127.0.0.1:{self.v2}",
            "STEPDOWN_ADMIN": f"http://127.0.0.1:{self.admin}",
            "STEPDOWN_ADMIN_TOKEN": os.environ.get("STEPDOWN_ADMIN_TOKEN") or "a-secret-of-this-demo",
        }

    @contextmanager
    def server(self, port: int, *arguments: str) -> Iterator[None]:
        """A model server, until the end of the block."""
        program = self._started(f"server-{port}", [sys.executable, str(FOLDER / "server.py"), str(port), *arguments])
        try:
            program.wait_for(f"http://127.0.0.1:{port}/")
            yield
        finally:
            program.stop()

    @contextmanager
    def sidecar(self) -> Iterator[None]:
        """The sidecar, until the end of the block."""
        program = self._started("stepdown", [*STEPDOWN, "run", str(FOLDER / "stepdown.yaml")])
        try:
            program.wait_for(f"http://127.0.0.1:{self.status}/readyz")
            yield
        finally:
            program.stop()

    def compare(self, customers: int) -> None:
        """Ask until so many answers are compared: where there is no time for a copy, it is dropped."""
        until(lambda: self._ask(max(customers - self.compared(), 0)) and self.compared() >= customers, 60)

    def _ask(self, customers: int) -> bool:
        """As many requests, one after another; each client is served by 1.1.0 and sees nothing of any shadow."""
        connection = http.client.HTTPConnection("127.0.0.1", self.listen, timeout=30)
        for _ in range(customers):
            question = json.dumps({"months": self._draw.randrange(60), "calls": self._draw.randrange(4)})
            connection.request("POST", "/predict", question, {"content-type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if (answer.status, answer.headers["x-model-served"]) != (200, "1.1.0"):
                raise StartError(f"an answer has status {answer.status}, served by {answer.headers['x-model-served']}")
        connection.close()
        return True

    def compared(self) -> int:
        """How many answers are in the report."""
        done = self._stepdown("shadow", "report", "churn", "next", "--json", stdout=subprocess.PIPE)
        return int(json.loads(done.stdout)["report"]["total"]["compared"]) if done.returncode == 0 else 0

    def show(self, *command: str) -> int:
        """Run a command as a person would; its exit code."""
        print(f"\n$ stepdown {' '.join(command)}", flush=True)
        code = self._stepdown(*command).returncode
        print(f"(exit code {code})", flush=True)
        return code

    def _stepdown(self, *command: str, stdout: int | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*STEPDOWN, *command], env={**os.environ, **self.environment}, stdout=stdout, check=False)

    def _started(self, name: str, arguments: list[str]) -> Program:
        return Program(name, arguments, self._logs / f"{name}.log", self.environment, FOLDER)


def play(customers: int, limit: str, logs: Path) -> list[int]:
    """The whole demo; the exit codes of both gates."""
    stage = Stage(logs)
    gate = ("shadow", "gate", "churn", "--max-different", limit, "--min-compared", str(customers))
    codes = []
    with ExitStack() as stack:
        stack.enter_context(stage.server(stage.v1, "1.1.0"))
        candidate = stack.enter_context(ExitStack())
        candidate.enter_context(stage.server(stage.v2, "2.0.0", "--mistaken"))
        stack.enter_context(stage.sidecar())
        print(f"{customers:,} customers are served by 1.1.0. 2.0.0, in a build with a mistake, gets copies.")
        stage.compare(customers)
        stage.show("shadow", "report", "churn")
        codes.append(stage.show(*gate))

        print("\nAnother build of 2.0.0, without the mistake, takes its place; its report is begun anew.")
        candidate.close()
        candidate.enter_context(stage.server(stage.v2, "2.0.0"))
        stage.show("shadow", "reset", "churn")
        stage.compare(customers)
        codes.append(stage.show(*gate))
    return codes


def main() -> int:
    """The exit code: 0 if the gate told the two builds apart."""
    parser = argparse.ArgumentParser(prog="python -m config.shadow.demo", description="A shadow, its report, its gate.")
    parser.add_argument(
        "--customers",
        type=int,
        default=2000,
        metavar="N",
        help="whose answers are compared, for each build (default: 2000)",
    )
    parser.add_argument("--limit", default="2%", metavar="SHARE", help="what the gate lets differ (default: 2%%)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as logs:
        try:
            codes = play(given.customers, given.limit, Path(logs))
        except StartError as error:
            print(error, file=sys.stderr)
            return 1
    return 0 if codes == [1, 0] else 1


if __name__ == "__main__":
    raise SystemExit(main())
