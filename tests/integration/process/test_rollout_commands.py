"""`stepdown rollout` against a real sidecar: started, looked at, held, let on, ended, and looked back on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from tests.kit.processes import TOKEN, eventually
from tests.kit.rolled_out import NAME, QUICK, Stage, rolled_out

HELD = QUICK.replace("for: 1s", "for: 1h")
ENVIRON = {"STEPDOWN_ADMIN_TOKEN": TOKEN}


class Terminal:
    """Runs commands at a sidecar."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.admin = f"http://{stage.sidecar.wait_for('serving')['admin']}"

    def run(self, *arguments: str) -> Result:
        """One command."""
        return CliRunner().invoke(app, ["rollout", *arguments, "--admin", self.admin], env=ENVIRON)

    def says(self, *arguments: str, code: int = 0) -> str:
        """What it prints, if it ends as it should."""
        done = self.run(*arguments)
        assert done.exit_code == code, done.output
        return done.stdout


@contextmanager
def terminal(directory: Path, rollout: str) -> Iterator[Terminal]:
    with rolled_out(directory, rollout=rollout) as stage:
        yield Terminal(stage)


def test_a_rollout_is_driven_from_the_command_line(tmp_path: Path) -> None:
    with terminal(tmp_path, HELD) as at:
        assert re.search(r"m-2 +r/everyone +1\.0\.0 -> 2\.0\.0 +pending +0 of 2 +0 % +a start\n", at.says("status"))
        assert at.says("history", NAME) == "Nothing has happened to m-2 yet.\n"
        assert at.says("verdict", NAME, code=3).startswith("inconclusive: ")
        assert at.says("pause", NAME, code=1) == "m-2: pause: not possible while pending.\n"

        assert at.says("start", NAME) == "m-2: started with step 1 of 2 (50 %): by ann.\n"
        share = at.stage.served(0, 200)
        assert min(share) > 50
        eventually(lambda: "200 units" in _units(at))
        whole = at.says("status", NAME)
        assert "stepping at step 1 of 2 (50 %)\n" in whole
        assert "errors  ok" in whole
        assert "Waits for: " in whole
        assert "Differs from the file: 2.0.0 has 50 % of the rule everyone, and 0 % in the file.\n" in whole
        assert "workers still have" not in whole

        assert at.says("pause", NAME) == "m-2: paused at step 1 of 2 (50 %): by ann.\n"
        assert at.stage.served(0, 200) == share
        assert at.says("resume", NAME) == "m-2: stepping at step 1 of 2 (50 %): by ann.\n"
        assert at.says("abort", NAME) == "m-2: aborted at step 1 of 2 (50 %): by ann; 1.0.0 has all traffic.\n"
        assert at.stage.served(0, 200) == (200, 0)
        assert at.says("verdict", NAME, "--of", "rollout", code=1).startswith("failure: 2.0.0 was aborted")
        assert at.says("abort", NAME, code=1) == "m-2: abort: not possible while aborted.\n"

        told = [json.loads(line)["sentence"] for line in at.says("history", NAME, "--json").splitlines()]
        assert [sentence.split()[0] for sentence in told] == ["aborted", "stepping", "paused", "started"]
        assert len(at.says("history", NAME, "--limit", "2").splitlines()) == 3 + 2


def _units(at: Terminal) -> str:
    view = json.loads(at.says("status", NAME, "--json"))
    units = view["ladder"][0]["units"]
    return f"{units['candidate'] + units['stable']} units"


def test_watching_ends_with_the_promotion_that_requests_have_earned(tmp_path: Path) -> None:
    with terminal(tmp_path, QUICK) as at:
        at.says("start", NAME)
        command = [sys.executable, "-m", "stepdown", "rollout", "watch", NAME, "--every", "0.2", "--admin", at.admin]
        with subprocess.Popen(command, env=ENVIRON, stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            first = watching.stdout.readline()  # it looks on before anything comes that could let the step on
            at.stage.keeps_asking("promoted")
            printed = watching.stdout.read()
        assert watching.returncode == 0
        said = [line[9:] for line in (first + printed).splitlines()]
        assert said[0] == "m-2: 2.0.0 for 1.0.0 on r/everyone, run 1"
        assert said[1] == "started with step 1 of 2 (50 %): by ann"
        assert said[-1] == "promoted: 2.0.0 has 100 %"
        assert any(line.startswith("step 1 of 2 (50 %) passed, on to step 2 of 2 (100 %): ") for line in said)
        assert at.says("verdict", NAME, "--of", "rollout") == "success: 2.0.0 was promoted and has all traffic\n"
        assert at.says("undo", NAME).endswith("by ann; 1.0.0 has all traffic.\n")


def test_a_rollback_by_itself_ends_the_watch_and_is_seen_by_metrics_and_status(tmp_path: Path) -> None:
    with terminal(tmp_path, HELD) as at:
        at.says("start", NAME)
        at.stage.model.fails_every = 1
        at.stage.keeps_asking("rolled back")
        assert at.says("watch", NAME, code=1).splitlines()[-1].endswith("2.0.0 is in quarantine")
        assert "In quarantine: 2.0.0 (endpoints " in at.says("status", NAME, code=1)
        page = at.stage.sidecar.get("status", "/metrics")[1].decode()
        seen = dict(re.findall(r'^stepdown_rollout_(.*m-2"[^}]*\}) (.*)$', page, re.MULTILINE))
        assert seen['phase{phase="rolled back",rollout="m-2"}'] == "1.0"
        assert seen['quarantined{rollout="m-2"}'] == "1.0"
        assert seen['verdict{of="rollout",rollout="m-2"}'] == "-1.0"
        assert seen['weight_ratio{rollout="m-2",where="applied"}'] == "0.0"


def test_tools_call_it_by_the_names_that_the_file_has_from_the_next_reload_on(tmp_path: Path) -> None:
    with terminal(tmp_path, HELD) as at:

        def by_name(host: str) -> int:
            headers = {"Authorization": f"Bearer {TOKEN}", "Host": host}
            request = urllib.request.Request(f"{at.admin}/v1/rollouts/{NAME}/verdict", headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    assert json.load(answer)["score"] == 0
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code

        assert by_name("stepdown-admin.models.svc:9901") == 403
        file = at.stage.sidecar.file
        file.write_text(file.read_text().replace("admin: {", "admin: {hosts: [stepdown-admin.models.svc], "))
        assert json.loads(at.stage.sidecar.post("/v1/reload")[1])["ok"]
        assert by_name("stepdown-admin.models.svc:9901") == 200
        assert by_name("evil.example") == 403
