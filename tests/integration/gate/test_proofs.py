"""The gate demands grades where the policy says so, shows them, and keeps counterexamples."""

from __future__ import annotations

from tests.integration.gate.conftest import POLICY, Project

REPAIR = ("          - sigmoid: /score\n", "          - sigmoid: /score\n          - project: {keep: [score]}\n")


def test_a_leak_fails_until_it_is_repaired_and_its_case_is_replayed(project: Project) -> None:
    project.write("stepdown-policy.yaml", POLICY + "proof: {at_least: {tested: 100}, keep: proof-cases}\n")
    assert project.failing() == ["proof-too-weak 2.0.0", "proof-too-weak 2.0.0"]
    assert len(list((project.path / "proof-cases").iterdir())) == 2
    shown = project.run("--base", "main").stdout
    assert "1.0.0: adapted via 1.1.0 (REFUTED), 1.1.0: adapted (REFUTED)" in shown

    project.change(REPAIR)
    assert project.failing() == []
    _, report = project.judge()
    assert {row["version"]: row.get("grades") for row in report["models"]["churn"]} == {
        "2.0.0": {"1.0.0": {"response": "PROVED"}, "1.1.0": {"response": "PROVED"}},
        "1.1.0": {"1.0.0": {"response": "PROVED"}},
        "1.0.0": None,
    }
    assert "1.1.0: adapted (PROVED)" in project.run("--base", "main", "--markdown").stdout


def test_without_a_word_in_the_policy_nothing_is_graded(project: Project) -> None:
    _, report = project.judge()
    assert all("grades" not in row for row in report["models"]["churn"])
    assert "PROVED" not in project.run("--base", "main").stdout


def test_a_kept_case_that_cannot_be_read_makes_the_input_unusable(project: Project) -> None:
    project.write("stepdown-policy.yaml", POLICY + "proof: {at_least: proved, keep: cases}\n")
    project.write("cases/churn-2.0.0-1.1.0-response-0.json", "{")
    done = project.run("--base", "main")
    assert done.exit_code == 2
    assert "the kept case cannot be used" in done.stdout
