"""Evidence that a rate is below a ceiling."""

from __future__ import annotations

import pytest

from stepdown.statistics.ceiling import ceiling_evidence
from stepdown.statistics.evidence import reaches
from tests.kit.statistics import PRECISION, vectors


def test_the_published_values_are_reproduced() -> None:
    for case in vectors("ceiling"):
        found = ceiling_evidence(case["k"], case["n"], case["pmax"], case["mult"])
        assert found == pytest.approx(case["logE"], abs=PRECISION)


def test_a_rate_at_the_ceiling_is_not_let_pass() -> None:
    assert not reaches(ceiling_evidence(10, 1000, 0.01))
    assert reaches(ceiling_evidence(0, 600, 0.01))
