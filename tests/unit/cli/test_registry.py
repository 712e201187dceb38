"""`stepdown registry`: what it prints for people and for machines, and exit codes fit for scripts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from tests.kit.model_registry import ANSWER, MORE, WIDER, Bomb, Workshop, overwrite
from tests.unit.cli.test_check import in_a_terminal


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEPDOWN_REGISTRY", raising=False)
    return Workshop(tmp_path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["registry", *map(str, arguments)])


def add(workshop: Workshop, version: str, *more: object, value: object = "model", output: object = ANSWER) -> Result:
    artifact = workshop.artifact(value)
    return run("add", "churn", version, artifact, "--output", workshop.contract(output), *more)


def test_an_addition_says_where_the_artifact_lies_and_what_the_step_was(workshop: Workshop) -> None:
    first = add(workshop, "1.0.0")
    assert first.exit_code == 0
    name = workshop.kept().name
    sha256 = workshop.registry.manifest("churn", "1.0.0").artifact.sha256
    assert first.stdout == f"churn 1.0.0 was added: model_registry/churn/1.0.0/{name}\n  SHA-256 {sha256}\n"
    again = add(workshop, "1.0.0")
    assert again.exit_code == 0
    assert "churn 1.0.0 is there already with the same content" in again.stdout
    assert add(workshop, "1.1.0", output=MORE).stdout.endswith("\n  MINOR since 1.0.0, needed MINOR\n")


def test_what_is_probably_not_meant_is_warned_of(workshop: Workshop) -> None:
    added = add(workshop, "1.0.0", output=WIDER)
    assert added.exit_code == 0
    assert "warning: output /score: " in added.stderr


def test_a_refusal_exits_with_1_and_names_the_changes(workshop: Workshop) -> None:
    add(workshop, "1.0.0")
    refused = add(workshop, "1.0.1", output=WIDER)
    assert refused.exit_code == 1
    assert "error: churn 1.0.1: 1.0.0 to 1.0.1 is a PATCH step; the contracts need MAJOR" in refused.stderr
    assert "2.0.0 or later would do; or give a reason with --allow-bump" in refused.stderr
    assert "\n  output /score: " in refused.stderr
    allowed = add(workshop, "1.0.1", "--allow-bump", "never meant", output=WIDER)
    assert allowed.exit_code == 0
    assert "warning: the step is smaller than needed, and allowed: never meant" in allowed.stderr
    assert add(workshop, "1.0.2", "--allow-bump", " ").exit_code == 2


def test_other_bytes_for_the_same_version_exit_with_1(workshop: Workshop) -> None:
    add(workshop, "1.0.0")
    refused = add(workshop, "1.0.0", value="other")
    assert refused.exit_code == 1
    assert "never changes; give the model a new version" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "Churn", "1.0.0", "model.pkl", "--output", "contract.json"], "model 'Churn'"),
        (["add", "churn", "one", "model.pkl", "--output", "contract.json"], "version 'one'"),
        (["add", "churn", "1.0.0", "none.pkl", "--output", "contract.json"], "the artifact does not exist"),
        (["add", "churn", "1.0.0", "model.pkl", "--output", "none.json"], "is no usable contract"),
        (["add", "churn", "1.0.0", "model.pkl", "--output", "contract.json", "--training", "x"], "No such file"),
        (["add", "churn", "1.0.0", "model.pkl", "--output", "contract.json", "--client", "x"], "--client x"),
        (["list"], "there is no registry here"),
        (["verify"], "there is no registry here"),
        (["load", "churn", "latest"], "there is no registry here"),
        (["show", "churn", "nonsense"], "is no version and no range"),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_exits_with_2_and_says_why(workshop: Workshop, arguments: list[str], said: str) -> None:
    workshop.artifact("model")
    workshop.contract(ANSWER)
    failed = run(*arguments)
    assert failed.exit_code == 2
    assert failed.stderr.startswith("error: ")
    assert said in failed.stderr
    if "none" not in str(arguments) and arguments[0] != "add":
        machine = json.loads(run(*arguments, "--json").stdout)
        assert machine["ok"] is False
        assert said in f"{machine['place']}: {machine['sentence']}"


def test_the_list_is_a_table_or_json(workshop: Workshop) -> None:
    add(workshop, "1.0.0")
    add(workshop, "1.1.0", output=MORE)
    lines = run("list").stdout.splitlines()
    assert lines[:2] == ["", "model_registry"]
    assert [line.split()[1] for line in lines[2:]] == ["version", "1.0.0", "1.1.0"]
    listed = json.loads(run("list", "churn", "--json").stdout)
    assert [one["version"] for one in listed["versions"]] == ["1.0.0", "1.1.0"]
    assert run("list", "spam").exit_code == 2
    workshop.edit('"churn"', '"spam"', "1.0.0")
    assert "damaged: see `stepdown registry verify`" in run("list").stdout


def test_the_registry_comes_from_option_environment_or_folder(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(workshop, "1.0.0")
    shutil.move("model_registry", "elsewhere")
    assert run("list").exit_code == 2
    assert run("list", "--registry", "elsewhere").exit_code == 0
    monkeypatch.setenv("STEPDOWN_REGISTRY", "elsewhere")
    assert run("list").exit_code == 0


def test_a_version_is_shown_with_all_that_is_known(workshop: Workshop) -> None:
    (workshop.folder / "training.json").write_text('{"rows": 569, "commit": "abc"}')
    (workshop.folder / "features.py").write_text("A = 1\n")
    add(workshop, "1.0.0")
    add(workshop, "1.1.0", "--training", "training.json", "--preprocessing", "features.py", output=MORE)
    shown = run("show", "churn", "latest").stdout
    for text in ("churn 1.1.0", "features.py", "rows    569", "MINOR output /note", "abc"):
        assert text in shown
    assert json.loads(run("show", "churn", "1.1.0", "--json").stdout)["training"] == {"rows": 569, "commit": "abc"}


def test_verify_exits_with_1_when_any_byte_is_not_as_it_was_added(workshop: Workshop) -> None:
    add(workshop, "1.0.0")
    add(workshop, "1.1.0")
    good = run("verify")
    assert (good.exit_code, good.stdout.count("good: churn")) == (0, 2)
    overwrite(workshop.kept("1.1.0"), b"short")
    bad = run("verify")
    assert bad.exit_code == 1
    assert "good: churn 1.0.0" in bad.stdout
    assert f"damaged: model_registry/churn/1.1.0/{workshop.kept('1.1.0').name}: is cut short: 5 of" in bad.stdout
    report: dict[str, Any] = json.loads(run("verify", "--json").stdout)
    assert [one["ok"] for one in report["versions"]] == [True, False]
    assert [damage["harm"] for damage in report["damages"]] == ["truncated"]
    assert run("verify", "churn", "1.0.0").exit_code == 0


def test_load_prints_a_verified_path_and_unpickles_only_when_told(workshop: Workshop) -> None:
    add(workshop, "1.0.0", value=Bomb(workshop.folder / "exploded"))
    loaded = run("load", "churn", "^1")
    assert loaded.exit_code == 0
    assert loaded.stdout == f"model_registry/churn/1.0.0/{workshop.kept().name}\n"
    assert "warning: churn 1.0.0: unpickling runs whatever code the file names" in loaded.stderr
    assert not (workshop.folder / "exploded").exists()
    told = run("load", "churn", "^1", "--unpickle")
    assert told.stdout.endswith(".pkl: builtins.NoneType\n")
    assert told.stderr.count("unpickling runs") == 1
    assert (workshop.folder / "exploded").exists()


def test_load_refuses_what_was_damaged_or_is_not_expected(workshop: Workshop) -> None:
    add(workshop, "1.0.0", value=Bomb(workshop.folder / "exploded"))
    sha256 = workshop.registry.manifest("churn", "1.0.0").artifact.sha256
    assert run("load", "churn", "1.0.0", "--sha256", sha256).stderr == ""
    assert run("load", "churn", "1.0.0", "--unpickle", "--sha256", "0" * 64).exit_code == 1
    overwrite(workshop.at() / "SCHEMA.md", b"")
    refused = run("load", "churn", "1.0.0", "--unpickle", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["damages"][0]["harm"] == "truncated"
    assert not (workshop.folder / "exploded").exists()


def test_load_warns_when_the_preprocessing_code_has_moved_on(workshop: Workshop) -> None:
    code = workshop.folder / "features.py"
    code.write_text("A = 1\n")
    add(workshop, "1.0.0", "--preprocessing", "features.py")
    assert "preprocessing" not in run("load", "churn", "1.0.0", "--strict").stderr
    code.write_text("A = 2\n")
    for more in ([], ["--unpickle"]):
        warned = run("load", "churn", "1.0.0", *more)
        assert warned.exit_code == 0
        assert warned.stderr.count("other preprocessing code than is at hand (features.py: features.py differs)") == 1
        strict = run("load", "churn", "1.0.0", "--strict", *more)
        assert strict.exit_code == 1
        assert strict.stdout.endswith(".pkl\n")
    assert len(json.loads(run("load", "churn", "1.0.0", "--json").stdout)["warnings"]) == 2


def test_schema_prints_the_page_or_the_fields(workshop: Workshop) -> None:
    add(workshop, "1.0.0")
    assert run("schema", "churn", "1.0.0").stdout == (workshop.at() / "SCHEMA.md").read_text()
    listed = json.loads(run("schema", "churn", "1.0.0", "--json").stdout)
    assert [field["path"] for field in listed["output"]] == ["/score"]


def test_help_teaches_by_example() -> None:
    assert "stepdown registry add churn 1.1.0 model.joblib" in run("--help").output
    for command in ("add", "list", "show", "verify", "load", "schema"):
        shown = run(command, "--help").output
        assert "Examples:" in shown
        assert f"stepdown registry {command}" in shown


@pytest.mark.slow
def test_in_a_terminal_there_is_colour(workshop: Workshop) -> None:
    add(workshop, "1.0.0")
    overwrite(workshop.at() / "SCHEMA.md", b"")
    code, shown = in_a_terminal("registry", "verify", "--registry", str(workshop.registry.folder))
    assert code == 1
    assert "\x1b[1;31mdamaged:" in shown
    assert "churn_model_v1.0.0" in in_a_terminal("registry", "list", "--registry", str(workshop.registry.folder))[1]
