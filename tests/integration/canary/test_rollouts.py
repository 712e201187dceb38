"""The whole story on real processes: users, two servers, the sidecar and a Prometheus, with three candidates.

What is checked is in `config.canary.demo`: by which steps the rollout went, why it ended, who serves then, and what
users noticed. Times are short by the example's own settings; nothing is skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from config.canary.demo import asked_for
from tests.docs.repository import ROOT

LIMIT = 400
"""Seconds that a rollout may take on a machine that has no time; it mostly takes some ten to fifty."""

pytestmark = [
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed (apt: prometheus)"),
    pytest.mark.timeout(LIMIT + 200),
]


def played(build: str, *more: str) -> str:
    """What the demo printed, in the end of which everything held."""
    command = [sys.executable, "-m", "config.canary.demo", build, "--limit", str(LIMIT), *more]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT + 150, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_all_candidates_are_played_where_none_is_named() -> None:
    assert asked_for([]).builds == ["good", "dull", "empty"]
    assert asked_for(["dull"]).builds == ["dull"]


@pytest.mark.slow
def test_a_candidate_that_is_as_good_walks_all_steps_and_is_promoted() -> None:
    assert "it took step by step  5 %, 25 %, 50 %, 100 %" in played("good")


@pytest.mark.slow
def test_a_candidate_that_users_click_less_on_is_taken_back_and_stable_has_everybody() -> None:
    assert "all users are served by 2.0.0, and nobody did anything" in played("dull")


def test_a_candidate_whose_answers_break_a_contract_is_taken_back_though_every_status_is_200() -> None:
    said = played("empty", "--rate", "100")
    assert "every answer had status 200" in said
    assert "because of contract_violations" in said


@pytest.mark.slow
def test_the_demo_says_what_does_not_hold() -> None:
    """No rollout ends within no time at all."""
    command = [sys.executable, "-m", "config.canary.demo", "good", "--limit", "1"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert ran.returncode == 1
    assert "This did not hold: it ends within 1 s; found: stepping" in ran.stdout
