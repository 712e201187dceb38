"""config/shadow: the example is good as it is, and its demo's gate tells the two builds apart."""

from __future__ import annotations

import re
import subprocess
import sys

from typer.testing import CliRunner

from stepdown.cli.app import app
from tests.docs.repository import ROOT

FOLDER = ROOT / "config/shadow"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def as_text(printed: str) -> str:
    """Without the numbers, which are others each time."""
    return " ".join(re.sub(r"[\d.,]*\d", "#", printed).split())


def test_the_example_is_good_and_copies_everything() -> None:
    environ = {"STEPDOWN_ADMIN_TOKEN": "a-secret-of-this-test"}
    result = CliRunner().invoke(app, ["check", str(FOLDER / "stepdown.yaml")], env=environ)
    assert result.exit_code == 0, result.output
    assert "100 % of requests" in result.stdout
    assert result.stdout.endswith("stepdown.yaml: good\n")


def test_the_demo_holds_back_the_build_with_a_mistake_and_lets_the_other_one_pass() -> None:
    command = [sys.executable, "-m", "config.shadow.demo", "--customers", "800", "--limit", "3%"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = re.findall(r"^  (/\w+) +\w+ \d.* (differs|noise)\b", ran.stdout, re.MULTILINE)
    assert {("/probability", "differs"), ("/label", "differs")} <= {*found}
    printed = as_text(ran.stdout)
    (shown,) = re.findall(r"^```text\n(\$ stepdown shadow report churn\n.*?)^```", README, re.DOTALL | re.MULTILINE)
    for line in map(as_text, shown.replace("...", "").splitlines()):
        assert line in printed or line.startswith("/hint")  # which may differ nowhere
    decided = re.findall(r"^(fail|pass|inconclusive): .*\n\(exit code (\d)\)", ran.stdout, re.MULTILINE)
    assert decided == [("fail", "1"), ("pass", "0")]


def test_every_command_of_the_readme_names_what_is_there() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in re.findall(r"(?<=[ (])(?:config/shadow/)?([\w.]+\.(?:py|yaml))\b", text):
        assert (FOLDER / path).is_file(), path
    assert "python -m config.shadow.demo" in text
