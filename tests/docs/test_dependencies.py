"""docs/dependencies.md says something about every dependency, the locks pin them, and nothing else is imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.repository import ROOT, text, tracked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN_TIME = [
    *PROJECT["project"]["dependencies"],
    *(line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra),
]
DEVELOPMENT = [line for group in PROJECT["dependency-groups"].values() for line in group]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


@pytest.mark.parametrize("dependency", [name(line) for line in RUN_TIME + DEVELOPMENT])
def test_the_page_names_every_dependency(dependency: str) -> None:
    page = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8").lower()
    assert re.search(rf"^\|.*\b{re.escape(dependency)}\b", page, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_every_package_by_hash(lock: Path) -> None:
    requirements = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    unpinned = [line for line in requirements if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", line, re.DOTALL)]
    assert not unpinned


def test_the_locks_of_the_tests_pin_every_dependency_of_the_project() -> None:
    pinned = {name(line) for line in (ROOT / "requirements/test.txt").read_text("utf-8").splitlines() if "==" in line}
    assert {name(line) for line in PROJECT["project"]["dependencies"]} <= pinned


def imported(path: Path) -> set[str]:
    """Top-level names of the modules that a source file imports."""
    nodes = list(ast.walk(ast.parse(text(path))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    from_there = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {module.split(".")[0] for module in plain | from_there}


def test_sources_import_nothing_that_is_not_declared_for_run_time() -> None:
    # Five come under other names: PyYAML as yaml, google-re2 as re2, protobuf as google.protobuf, openfeature-sdk as
    # openfeature, pydantic in two, the second pinned by the first.
    declared = {name(line).replace("-", "_") for line in RUN_TIME}
    declared |= {"yaml", "re2", "google", "openfeature", "pydantic_core"}
    known = declared | set(sys.stdlib_module_names) | {"stepdown", "stepdown_adapters"}
    sources = [path for path in tracked() if path.suffix == ".py" and path.parts[0] in {"proxy", "adapters"}]
    found = {(path.name, module) for path in sources for module in imported(path) - known}
    assert found <= {("pytest_plugin.py", "pytest")}  # which is loaded by pytest, and by nothing else
