"""What can be a base: revisions, folders, repositories with links, odd names and shallow histories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stepdown.gate.base import BaseError, opened, repository_of
from tests.integration.gate.conftest import Project
from tests.kit.configuration import REPAIRED
from tests.kit.git import Repository


def test_a_tag_a_commit_and_an_expression_are_revisions(project: Project) -> None:
    project.git("tag", "v1")
    first = project.git("rev-parse", "HEAD")
    project.write("README", "x")
    project.commit()
    for base in ("v1", first, first[:8], "HEAD~1", "HEAD^1", "refs/heads/main"):
        assert project.failing(base=base) == []


def test_a_folder_is_a_base_too(project: Project, tmp_path: Path) -> None:
    shutil.copytree(project.path, tmp_path / "published", ignore=shutil.ignore_patterns(".git"))
    project.write("contracts/1.0.0.json", '{"type": "object"}')
    assert "contract-edited 1.0.0" in project.failing(base=str(tmp_path / "published"))
    assert "contract-edited 1.0.0" in project.failing(base="../published")


def test_a_configuration_may_lie_below_the_top_and_name_files_beside_it(tmp_path: Path) -> None:
    one = Repository(tmp_path / "r")
    shared = REPAIRED.replace("contracts/", "../../shapes/")
    one.write("services/churn/stepdown.yaml", shared)
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        one.write(f"shapes/{version}.json", '{"type": "object"}')
    one.write("huge/model.bin", "not for the gate")
    one.commit()
    with opened("main", one.path / "services/churn/stepdown.yaml") as base:
        assert base.file.exists()
        assert (base.file.parent / "../../shapes/1.0.0.json").exists()
        assert not (base.file.parent / "../../huge/model.bin").exists()
        folder = base.file
    assert not folder.exists()


def test_what_git_has_is_read_as_it_was_committed(tmp_path: Path) -> None:
    """Neither `export-ignore` nor a filter of the repository has a say."""
    one = Repository(tmp_path / "r")
    marker = tmp_path / "ran"
    one.write("stepdown.yaml", "a: $Id$\n")
    one.write(".gitattributes", "stepdown.yaml export-ignore export-subst ident filter=evil\n")
    one.commit()
    one.git("config", "filter.evil.smudge", f"touch {marker}")
    one.git("config", "core.fsmonitor", f"touch {marker}")
    with opened("main", one.path / "stepdown.yaml") as base:
        assert base.file.read_text() == "a: $Id$\n"
    assert not marker.exists()


def test_links_stay_inside(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    one = Repository(tmp_path / "r")
    one.write("contracts/1.0.0.json", '{"type": "object"}')
    (one.path / "latest.json").symlink_to("contracts/1.0.0.json")
    (one.path / "outside.json").symlink_to(secret)
    (one.path / "above.json").symlink_to("../secret.json")
    one.write("stepdown.yaml", "a: b\n")
    one.commit()
    with opened("main", one.path / "stepdown.yaml") as base:
        folder = base.file.parent
        assert (folder / "latest.json").read_text() == '{"type": "object"}'
        assert not (folder / "outside.json").is_symlink()
        assert not (folder / "above.json").is_symlink()


def test_names_with_blanks_and_letters_of_all_kinds_are_read(tmp_path: Path) -> None:
    one = Repository(tmp_path / "r")
    one.write("mód el/step\tdown.yaml", "a: b\n")
    one.commit()
    with opened("main", one.path / "mód el/step\tdown.yaml") as base:
        assert base.file.read_text() == "a: b\n"


def test_a_file_that_the_base_does_not_have_is_all_new(project: Project) -> None:
    project.git("mv", "stepdown.yaml", "renamed.yaml")
    done = project.run("renamed.yaml", "--base", "main")
    assert "renamed.yaml is not in the base main (" in done.stderr
    assert "2.0.0 (new)" in done.stdout


def test_a_clone_that_is_shallow_says_how_to_fetch_more(project: Project, tmp_path: Path) -> None:
    project.git("branch", "published")
    project.write("README", "x")
    project.commit()
    clone = tmp_path / "clone"
    project.git("clone", "--quiet", "--depth=1", "--single-branch", f"file://{project.path}", str(clone))
    with pytest.raises(BaseError, match=r"the clone is shallow; fetch more: .* fetch-depth: 0, or git fetch"):
        opened("origin/published", clone / "stepdown.yaml").__enter__()


@pytest.mark.parametrize(
    ("base", "says"),
    [
        ("nowhere", "nowhere is neither a revision of git nor a folder"),
        ("--output=x", "--output=x is neither"),
        ("main:stepdown.yaml", "is neither"),
        ("contracts", ""),
    ],
)
def test_a_base_that_does_not_exist_is_named(project: Project, base: str, says: str) -> None:
    done = project.run("--base", base)
    if not says:  # a folder without the file: everything is new
        assert "stepdown.yaml is not in the base contracts" in done.stderr
        return
    assert done.exit_code == 2
    assert says in done.stderr


def test_a_name_that_is_both_a_revision_and_a_folder_is_refused(project: Project) -> None:
    project.git("branch", "contracts")
    done = project.run("--base", "contracts")
    assert done.exit_code == 2
    assert "contracts is both a revision of git and a folder: write ./contracts or refs/heads/contracts" in done.stderr


def test_outside_of_any_repository_a_folder_is_needed(tmp_path: Path) -> None:
    assert repository_of(tmp_path / "stepdown.yaml") is None
    with pytest.raises(BaseError, match="is in no git repository, and main is no folder"):
        opened("main", tmp_path / "stepdown.yaml").__enter__()


def test_without_git_a_folder_is_needed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BaseError, match="git is not installed"):
        opened("main", project.path / "stepdown.yaml").__enter__()


def test_nothing_of_the_base_is_run(project: Project, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    project.write("danger.py", f"open({str(marker)!r}, 'w')\ndef hook(document, context): return document\nModel = 1\n")
    safe = (project.path / "stepdown.yaml").read_text()
    project.change(("- project: {keep: [score]}\n", "- project: {keep: [score]}\n        hook: danger:hook\n"))
    project.change(("schema: contracts/1.0.0.json", "schema: danger:Model"))
    base = project.commit()
    project.write("stepdown.yaml", safe)
    command = [sys.executable, "-m", "stepdown", "gate", "--base", base]
    environ = {**os.environ, "PYTHONPATH": f"{project.path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(command, cwd=project.path, env=environ, capture_output=True, text=True, check=False)
    assert not marker.exists()
    assert "the model danger:Model is not imported here" in done.stderr
    assert done.returncode in (0, 1), done.stderr


def test_a_base_that_cannot_be_read_at_all_is_refused(project: Project) -> None:
    good = (project.path / "stepdown.yaml").read_text()
    project.write("stepdown.yaml", "models: [")
    broken = project.commit()
    project.write("stepdown.yaml", good)
    done = project.run("--base", broken)
    assert done.exit_code == 2
    assert "no YAML" in done.stdout
