"""The gate demands grades where the policy says so, shows them, and keeps counterexamples."""

from __future__ import annotations

from tests.integration.gate.conftest import POLICY, Project

PROJECTED = "          - project: {keep: [score]}\n"
LEAK = (PROJECTED, "")


def test_a_leak_fails_until_it_is_repaired_and_its_case_is_replayed(project: Project) -> None:
    project.write("stepdown-policy.yaml", POLICY + "proof: {at_least: {tested: 100}, keep: proof-cases}\n")
    project.change(LEAK)
    assert project.failing() == ["proof-too-weak 2.0.0", "proof-too-weak 2.0.0"]
    assert len(list((project.path / "proof-cases").iterdir())) == 2
    shown = project.run("--base", "main").stdout
    assert "1.0.0: adapted via 1.1.0 (REFUTED), 1.1.0: adapted (REFUTED)" in shown

    project.change(("          - sigmoid: /score\n", "          - sigmoid: /score\n" + PROJECTED))
    assert project.failing() == []
    _, report = project.judge()
    assert {row["version"]: row.get("grades") for row in report["models"]["churn"]} == {
        "2.0.0": {"1.0.0": {"response": "PROVED"}, "1.1.0": {"response": "PROVED"}},
        "1.1.0": {"1.0.0": {"response": "PROVED"}},
        "1.0.0": None,
    }
    assert "1.1.0: adapted (PROVED)" in project.run("--base", "main", "--markdown").stdout


def test_without_a_word_in_the_policy_what_is_refuted_fails_and_the_grade_is_shown(project: Project) -> None:
    assert project.failing() == []
    assert "1.0.0: adapted via 1.1.0 (PROVED), 1.1.0: adapted (PROVED)" in project.run("--base", "main").stdout
    project.change(LEAK)
    assert project.failing() == ["proof-too-weak 2.0.0", "proof-too-weak 2.0.0"]


def test_without_a_word_in_the_policy_what_has_no_contracts_passes_and_with_one_it_fails(project: Project) -> None:
    project.change(("schema: contracts/1.1.0.json, ", ""), ("schema: contracts/1.0.0.json, ", ""))
    project.commit("Declare nothing")
    assert "proof-too-weak 2.0.0" not in project.failing()
    project.write("stepdown-policy.yaml", POLICY + "proof: {at_least: {tested: 1}}\n")
    assert "proof-too-weak 2.0.0" in project.failing()


def test_a_kept_case_that_cannot_be_read_makes_the_input_unusable(project: Project) -> None:
    project.write("stepdown-policy.yaml", POLICY + "proof: {at_least: proved, keep: cases}\n")
    project.write("cases/churn-2.0.0-1.1.0-response-0.json", "{")
    done = project.run("--base", "main")
    assert done.exit_code == 2
    assert "the kept case cannot be used" in done.stdout


def test_a_policy_whose_clients_check_formats_lets_proofs_check_them(project: Project) -> None:
    newer, older = (
        '{"type": "object", "properties": {"logit": {"type": "number"}, "day": {"type": "string"}}, "required": '
        '["logit", "day"]}',
        '{"type": "object", "properties": {"score": {"type": "number"}, "day": {"type": "string", "format": "date"}}, '
        '"required": ["score"], "additionalProperties": false}',
    )
    project.write("contracts/2.0.0.json", newer)
    for version in ("1.0.0", "1.1.0"):
        project.write(f"contracts/{version}.json", older)
    project.change((PROJECTED, "          - project: {keep: [score, day]}\n"))
    assert "proof-too-weak 2.0.0" not in project.failing()
    project.write("stepdown-policy.yaml", "diff: {client: tolerant, formats: asserted}\n")
    assert "proof-too-weak 2.0.0" in project.failing()
