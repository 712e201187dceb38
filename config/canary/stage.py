"""Everything that a rollout needs, on free ports: two servers, the sidecar, Prometheus, and users."""

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from config.churn.processes import Program, StartError, free_port, until

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
ROLLOUT = "recommendation-3"
STEPDOWN = [sys.executable, "-m", "stepdown"]
PROMETHEUS = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - {{job_name: stepdown, static_configs: [{{targets: ["127.0.0.1:{status}"]}}]}}
  - {{job_name: recommenders, static_configs: [{{targets: ["127.0.0.1:{v2}", "127.0.0.1:{v3}"]}}]}}
"""


class Stage:
    """All of it, until the end of the block; the candidate is of one build."""

    def __init__(self, folder: Path, build: str, rate: float) -> None:
        self.folder, self._build, self._rate = folder, build, rate
        self.listen, self.status, self.admin, self.v2, self.v3, self.prometheus = (free_port() for _ in range(6))
        self.token = os.environ.get("STEPDOWN_ADMIN_TOKEN") or "a-secret-of-this-demo"
        self.environment = {
            "CANARY_LISTEN": f"127.0.0.1:{self.listen}",
            "CANARY_STATUS": f"127.0.0.1:{self.status}",
            "CANARY_ADMIN": f"127.0.0.1:{self.admin}",
            "CANARY_STATE": str(folder / "rollouts.db"),
            "CANARY_V2_URL": f"http://127.0.0.1:{self.v2}",
            "CANARY_V3_URL": f"http://127.0.0.1:{self.v3}",
            "CANARY_PROMETHEUS_URL": f"http://127.0.0.1:{self.prometheus}",
            "STEPDOWN_ADMIN": f"http://127.0.0.1:{self.admin}",
            "STEPDOWN_ADMIN_TOKEN": self.token,
            "CANARY_FEEDBACK_SECRET": "signs-the-tokens-of-this-demo-and-nothing-else",
            "CANARY_FEEDBACK_KEY": "a-feedback-key-of-this-demo",
        }
        self._programs = ExitStack()
        self._users: Program | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._programs.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._programs.close()

    def _start(self) -> None:
        program = shutil.which("prometheus")
        if program is None:
            raise StartError("Prometheus is not installed (apt install prometheus)")
        server = [sys.executable, str(FOLDER / "server.py")]
        v2 = self._run("v2", [*server, str(self.v2), "2.0.0"])
        v3 = self._run("v3", [*server, str(self.v3), "3.0.0", "--build", self._build])
        v2.wait_for(f"http://127.0.0.1:{self.v2}/")
        v3.wait_for(f"http://127.0.0.1:{self.v3}/")
        sidecar = self._run("stepdown", [*STEPDOWN, "run", str(FOLDER / "stepdown.yaml")])
        sidecar.wait_for(f"http://127.0.0.1:{self.status}/readyz")
        file = self.folder / "prometheus.yml"
        file.write_text(PROMETHEUS.format(status=self.status, v2=self.v2, v3=self.v3))
        data, listen = self.folder / "prometheus", f"--web.listen-address=127.0.0.1:{self.prometheus}"
        scraper = self._run("prometheus", [program, f"--config.file={file}", f"--storage.tsdb.path={data}", listen])
        scraper.wait_for(f"http://127.0.0.1:{self.prometheus}/-/ready")
        users = [sys.executable, "-m", "config.canary.population", f"http://127.0.0.1:{self.listen}"]
        self._users = self._run("users", [*users, "--rate", str(self._rate)], ROOT)
        if not until(lambda: self.counted("count(up == 1)") == 3 and self.seen()["asked"] > self._rate, 60):
            raise StartError(f"Nobody asks, or Prometheus scrapes nothing:\n{self._users.end_of_log()}")

    def _run(self, name: str, arguments: list[str], folder: Path = FOLDER) -> Program:
        program = Program(name, arguments, self.folder / f"{name}.log", self.environment, folder)
        self._programs.callback(program.stop)
        return program

    def stepdown(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a person would."""
        environment = {**os.environ, **self.environment}
        return subprocess.run([*STEPDOWN, *command], env=environment, capture_output=True, text=True, check=False)

    def rollout(self, path: str = "") -> Any:
        """What the admin API says of the rollout."""
        url = f"http://127.0.0.1:{self.admin}/v1/rollouts/{ROLLOUT}{path}"
        request = urllib.request.Request(url, headers={"authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def seen(self) -> dict[str, Any]:
        """What the users have seen so far; all zeros before their first second is over."""
        assert self._users is not None
        lines = [line for line in self._users.log.read_text().splitlines(keepends=True) if line.endswith("}\n")]
        nothing: dict[str, Any] = {"asked": 0, "left_out": 0, "failed": 0, "unreadable": 0, "clicks": 0}
        return json.loads(lines[-1]) if lines else {**nothing, "statuses": {}, "served": {}, "feedback": {}}

    def counted(self, query: str) -> float:
        """The one number that Prometheus answers; 0 where it has none."""
        url = f"http://127.0.0.1:{self.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(url, timeout=30) as response:
            found = json.load(response)["data"]["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def log(self, name: str) -> str:
        """The end of what a program has printed."""
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-30:])
