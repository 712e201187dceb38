"""The plugin, in runs of pytest of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "config" / "library"
INI = "[pytest]\nstepdown_file = churn.yaml\nstepdown_recordings = recordings\naddopts = --strict-markers\n"


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of pytest in a folder, with this plugin and no other."""
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"}
    environ.pop("PYTEST_ADDOPTS", None)
    plugins = ["-p", "no:cacheprovider", "-p", "stepdown_adapters.integrations.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", *plugins, *arguments]
    ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE / "contracts", tmp_path / "contracts")
    shutil.copytree(EXAMPLE / "recordings", tmp_path / "recordings")
    shutil.copy(EXAMPLE / "churn.yaml", tmp_path)
    (tmp_path / "pytest.ini").write_text(INI)
    return tmp_path


def test_the_example_passes_and_runs_once_for_each_recording(tmp_path: Path) -> None:
    copy = tmp_path / "library"
    shutil.copytree(EXAMPLE, copy)
    code, output = run(copy, "-v")
    assert code == 0, output
    assert "5 passed" in output
    assert "[new-customer] PASSED" in output
    assert "[old-customer] PASSED" in output


def test_a_failure_reads_as_a_report(folder: Path) -> None:
    (folder / "test_it.py").write_text("""
def test_contract(assert_contract):
    assert_contract({"probability": 2, "label": "stay"}, "contracts/1.0.0.json")
def test_client(v1_client):
    v1_client({"logit": 0.5, "label": 7, "explanation": []})
def test_recording(v1_client, v1_recording):
    v1_client.replay(v1_recording, {"logit": 3, "label": "stay", "explanation": []}, same="values")
""")
    code, output = run(folder)
    assert code == 1
    lines = [line.removeprefix("E").strip() for line in output.splitlines()]
    assert "/probability is above 1  [maximum]: 2" in lines
    assert "/label is none of the values that are listed  [enum]: 7" in lines
    assert any(line.startswith("/probability is 0.95") and line.endswith("recorded as 0.81") for line in lines)
    assert "expectations.py" not in output  # whose lines help nobody


def test_the_nearest_marker_counts(folder: Path) -> None:
    (folder / "test_it.py").write_text("""
import pytest
pytestmark = pytest.mark.stepdown(client="1.1.0")
def test_of_the_module(v1_client):
    assert v1_client.version == "1.1.0"
@pytest.mark.stepdown(client="2.0.0")
def test_of_its_own(v1_client):
    assert v1_client.version == "2.0.0"
@pytest.mark.stepdown(server="1.1.0", client="^1.0", file="churn.yaml")
def test_of_a_range(v1_client):
    assert v1_client.adapter.versions == ("1.1.0",)
class TestGroup:
    pytestmark = pytest.mark.stepdown(client="1.0.0")
    def test_of_a_class(self, v1_client):
        assert v1_client.adapter.versions == ("2.0.0", "1.1.0", "1.0.0")
""")
    code, output = run(folder)
    assert code == 0, output
    assert "4 passed" in output


CLIENT = "def test(v1_client): pass"
RECORDING = "def test(v1_recording): pass"
MARKED = "import pytest\n@pytest.mark.stepdown({})\n" + CLIENT


@pytest.mark.parametrize(
    ("ini", "told"),
    [
        (
            "[pytest]\n",
            {
                CLIENT: "say where: stepdown_file in the ini-file, or @pytest.mark.stepdown(file=...)",
                RECORDING: "say where: stepdown_recordings in the ini-file",
            },
        ),
        (
            "[pytest]\nstepdown_file = no.yaml\nstepdown_recordings = gone\n",
            {CLIENT: "no.yaml: cannot be read", RECORDING: "gone: there is no such folder of recordings"},
        ),
        (
            INI,
            {
                MARKED.format("client='9'"): "there is no version '9'",
                MARKED.format("server='a b'"): "'a b' is no version",
                MARKED.format("'1'"): "by name, not '1'",
                MARKED.format("clint='1'"): "by name, not clint",
            },
        ),
    ],
    ids=["nothing", "missing", "wrong"],
)
def test_what_is_configured_wrongly_is_told_in_a_sentence(folder: Path, ini: str, told: dict[str, str]) -> None:
    (folder / "pytest.ini").write_text(ini)
    for index, test in enumerate(told):
        (folder / f"test_{index}.py").write_text(test)
    code, output = run(folder, "--continue-on-collection-errors")
    assert code != 0
    assert "passed" not in output
    for sentence in told.values():
        assert sentence in output


def test_nothing_of_ours_is_imported_before_a_fixture_is_used(folder: Path) -> None:
    (folder / "test_it.py").write_text("""
import sys
def test_nothing():
    heavy = {"msgspec", "yaml", "jsonschema_rs", "orjson", "stepdown_adapters.model", "stepdown_adapters.errors"}
    assert not heavy & sys.modules.keys()
""")
    code, output = run(folder)
    assert code == 0, output


def test_pytest_finds_the_plugin_where_the_package_is_installed() -> None:
    from importlib.metadata import entry_points

    found = [point.value for point in entry_points(group="pytest11") if point.name == "stepdown"]
    if not found:
        pytest.skip("the package was installed before it had a plugin: make setup")
    assert found == ["stepdown_adapters.integrations.pytest_plugin"]
