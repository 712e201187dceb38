"""`sem_ver`, by flagd's own cases."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide.flags.versions import sem_ver
from tests.kit.flags import compiled, evaluated

VERSION = {"var": "version"}


def versions(*pairs: str) -> dict[str, Any]:
    """`if sem_ver(version, comparison, to) then name, else ...`, and `none` at the end."""
    branches: list[Any] = []
    for comparison, to, name in zip(pairs[::3], pairs[1::3], pairs[2::3], strict=True):
        branches += [{"sem_ver": [VERSION, comparison, to]}, name]
    return {"if": [*branches, "none"]}


@pytest.mark.parametrize(
    ("version", "variant"),
    [("2.0.0", "equal"), ("2.1.0", "greater"), ("1.9.0", "lesser"), ("2.0.0-alpha", "lesser"), ("2.0.0.0", "none")],
)
def test_versions_are_ordered_by_precedence(version: str, variant: str) -> None:
    targeting = versions("=", "2.0.0", "equal", ">", "2.0.0", "greater", "<", "2.0.0", "lesser")
    assert evaluated(compiled(targeting, "equal", "greater", "lesser", "none"), version=version).variant == variant


@pytest.mark.parametrize(("version", "variant"), [("3.0.1", "minor"), ("3.1.0", "major"), ("4.0.0", "none")])
def test_a_tilde_means_the_same_minor_and_a_caret_the_same_major(version: str, variant: str) -> None:
    targeting = versions("~", "3.0.0", "minor", "^", "3.0.0", "major")
    assert evaluated(compiled(targeting, "minor", "major", "none"), version=version).variant == variant


@pytest.mark.parametrize(
    ("comparison", "to", "version", "holds"),
    [
        *(("=", "v1.0.0", version, True) for version in ("1.0.0", "v1.0.0", "V1.0.0")),
        ("=", "v1.0.0", "2.0.0", False),
        *(("^", "1", version, True) for version in ("1.5.0", "1.0.0", "1.0", "1", 1, 1.0, 1.2)),
        ("^", "1", "2.0.0", False),
        ("=", "1.0.0+build", "1.0.0", True),
        ("=", "1.0.0+build", "1.0.0+other", True),
        ("=", "1.0.0+build", "2.0.0", False),
        ("!=", "1", "1.0.1", True),
        ("<=", "1.0", "1.0.0-rc.1", True),
        (">=", "1.0.0-alpha.2", "1.0.0-alpha.10", True),
        ("<", "1.0.0-alpha.beta", "1.0.0-alpha.1", True),
        *(("=", "1", version, None) for version in ("not-a-version", "", None, True, [1], "vv1", "1.0.0.0", "01.0.0")),
        ("=", "1", "1." + "0" * 300, None),
        pytest.param("=", "1", 10**5000, None, id="a number of 5001 digits"),
        ("===", "1", "1", None),
        (1, "1", "1", None),
    ],
)
def test_what_is_no_version_or_comparison_has_no_answer(comparison: Any, to: str, version: Any, holds: Any) -> None:
    assert sem_ver(version, comparison, to) is holds


@pytest.mark.parametrize("arguments", [["not-a-version", "=", "1.0.0"], ["1.0.0", "===", "1.0.0"], ["1.0.0", "="]])
def test_no_answer_is_null_and_takes_the_default_variant(arguments: list[str]) -> None:
    assert sem_ver() is None
    outcome = evaluated(compiled({"sem_ver": arguments}, "true", "false"))
    assert (outcome.variant, outcome.reason) == ("fallback", "DEFAULT")
