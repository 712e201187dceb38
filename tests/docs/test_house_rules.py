"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

from tests.docs.repository import text, tracked

SOURCE_ROOTS = ("proxy", "adapters", "bench")

# Each is written in two parts so that this file does not break the rules that it checks.
ELSEWHERE = re.compile(
    "|".join(
        (
            r"\.\./" + "shared",  # lies beside the repository on some machines only; tests may use it, and skip
            r"(?<![\w.])/" + r"work/",
            r"(?<![\w.])/" + r"root/",
            r"\b" + r"pypi\.org",
            r"files\." + r"pythonhosted\.org",
            r"deb\." + r"debian\.org",
            r"index-" + r"url",
        )
    )
)


def sources(*roots: str) -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in roots]


def lines(path: Path) -> int:
    return len(text(path).splitlines())


def test_nothing_but_tests_names_a_place_of_one_machine_or_registry() -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in tracked()
        if path.parts[0] != "tests"
        for number, line in enumerate(text(path).splitlines(), 1)
        if ELSEWHERE.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_file_is_too_long_to_read_in_one_sitting() -> None:
    too_long = {str(path): count for path in sources(*SOURCE_ROOTS, "tests") if (count := lines(path)) > 600}
    assert not too_long


def test_most_files_are_short() -> None:
    counts = sorted(lines(path) for path in sources(*SOURCE_ROOTS) if path.name != "__init__.py")
    assert statistics.median(counts) <= 150
    assert counts[int(0.9 * (len(counts) - 1))] <= 400


def test_the_parser_is_never_made_lenient() -> None:
    name = "set_dangerous" + "_leniencies"  # httptools: what it then lets through is how requests are smuggled
    assert not [str(path) for path in sources(*SOURCE_ROOTS, "tests") if name in text(path)]


def test_own_code_is_not_mocked() -> None:
    word = "unittest" + ".mock"
    also = "from unittest import " + "mock"
    assert not [str(path) for path in sources("tests") if word in text(path) or also in text(path)]
