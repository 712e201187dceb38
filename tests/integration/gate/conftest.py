"""A published configuration in a real repository, and the command that judges changes of it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from tests.kit.configuration import REPAIRED, SCHEMA_1_0, SCHEMA_1_1, SCHEMA_2_0
from tests.kit.git import Repository

TODAY = "2026-12-01"
POLICY = "diff: {client: tolerant}\n"


class Project(Repository):
    """The worked example, locked and committed on main; the working tree is for changes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.write("stepdown.yaml", REPAIRED)
        for version, schema in (("1.0.0", SCHEMA_1_0), ("1.1.0", SCHEMA_1_1), ("2.0.0", SCHEMA_2_0)):
            self.write(f"contracts/{version}.json", schema)
        self.write("stepdown-policy.yaml", POLICY)
        self.lock("--today", "2026-06-01")
        self.commit("Publish")

    def change(self, *changes: tuple[str, str], name: str = "stepdown.yaml") -> None:
        """Replace texts of a file; each must be there."""
        path = self.path / name
        text = path.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)

    def run(self, *arguments: str) -> Result:
        """`stepdown gate` in the repository."""
        with contextlib.chdir(self.path):
            return CliRunner().invoke(app, ["gate", *arguments])

    def lock(self, *arguments: str) -> None:
        """Write the lock; it must succeed."""
        done = self.run("--write-lock", *arguments)
        assert done.exit_code == 0, done.output

    def judge(self, *arguments: str, base: str = "main", today: str = TODAY) -> tuple[int, dict[str, Any]]:
        """Exit code and JSON."""
        done = self.run("--base", base, "--today", today, "--json", *arguments)
        assert done.stdout, done.stderr
        return done.exit_code, json.loads(done.stdout)

    def failing(self, **options: str) -> list[str]:
        """`rule version` of everything that the change fails for."""
        code, report = self.judge(**options)
        found = sorted(f"{one['rule']} {one['version']}" for one in report["findings"] if one["fails"])
        assert code == bool(found)
        assert report["passes"] is (not found)
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")
