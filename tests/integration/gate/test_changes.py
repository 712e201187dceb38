"""Changes as pull requests make them, in a real repository: a good one passes, each bad one fails by its rule."""

from __future__ import annotations

import json

from tests.integration.gate.conftest import Project
from tests.kit.configuration import SCHEMA_1_0, SCHEMA_2_0

ADAPTER = """\
      - from: "2.0.0"
        to: "1.1.0"
        response:
          - move: {from: /logit, to: /score}
          - sigmoid: /score
          - project: {keep: [score]}
"""
VERSION_2 = '      "2.0.0":\n        schema: contracts/2.0.0.json\n'
SCHEMA_3 = '{"type": "object", "properties": {"logits": {"type": "array"}}, "required": ["logits"]}'
NEW_VERSION = '      "3.0.0": {schema: contracts/3.0.0.json, endpoints: [http://churn-v3:8080]}\n'
REFUSAL = '      - {from: "2.0.0", to: "1.1.0", refuse: the embedding space differs}\n'
OLD_SHAPE = "deprecated: 2026-12-01, sunset: 2027-06-01}"


def test_nothing_changed_and_nothing_is_said(project: Project) -> None:
    code, report = project.judge()
    assert (code, report["passes"], report["findings"]) == (0, True, [])
    assert [row["version"] for row in report["models"]["churn"]] == ["2.0.0", "1.1.0", "1.0.0"]


def test_a_new_version_with_its_adapter_and_its_line_passes(project: Project) -> None:
    project.write("contracts/2.1.0.json", SCHEMA_2_0.replace('"number"}', '"number"}, "note": {"type": "string"}'))
    project.change(
        (VERSION_2, '      "2.1.0": {schema: contracts/2.1.0.json, endpoints: [http://churn-v21:8080]}\n' + VERSION_2),
        ('split: {"1.1.0": 95, "2.0.0": 5}', 'split: {"1.1.0": 94, "2.0.0": 5, "2.1.0": 1}'),
    )
    assert project.failing() == ["lock-behind 2.1.0"]
    project.lock()
    assert project.failing() == []
    _, report = project.judge()
    (row, *_) = report["models"]["churn"]
    assert (row["version"], row["new"], row["declared"], row["needed"]) == ("2.1.0", True, "minor", "minor")
    assert row["ways"] == {"1.0.0": "adapted via 2.0.0 1.1.0", "1.1.0": "adapted via 2.0.0", "2.0.0": "projected"}


def test_a_breaking_version_without_an_adapter_fails(project: Project) -> None:
    project.write("contracts/3.0.0.json", SCHEMA_3)
    project.change((VERSION_2, NEW_VERSION + VERSION_2))
    project.lock()
    assert project.failing() == ["breaking-unadapted 3.0.0"]


def test_a_breaking_change_under_a_small_number_fails(project: Project) -> None:
    project.write("contracts/2.1.0.json", SCHEMA_3)
    project.change((VERSION_2, NEW_VERSION.replace("3.0.0", "2.1.0") + VERSION_2))
    project.lock()
    assert project.failing() == ["breaking-unadapted 2.1.0", "bump-too-small 2.1.0"]


def test_an_edit_in_place_fails_until_it_is_accepted(project: Project) -> None:
    project.write("contracts/1.0.0.json", SCHEMA_1_0.replace('"number"', '"number", "minimum": 0'))
    assert "contract-edited 1.0.0" in project.failing()
    refused = project.run("--write-lock")
    assert refused.exit_code == 1
    assert "churn/1.0.0: the contract is not the one that stepdown.lock has" in refused.stderr
    assert "contract-edited 1.0.0" in project.failing()
    project.lock("--accept-edit", "churn/1.0.0", "--reason", "it never was negative", "--by", "ann")
    _, report = project.judge()
    assert "contract-edited 1.0.0" not in project.failing()
    told = [one["sentence"] for one in report["findings"] if one["rule"] == "contract-edited"]
    assert len(told) == 1
    assert "accepted by ann on " in told[0]
    assert told[0].endswith(": it never was negative")


def test_other_words_in_a_published_contract_pass_and_are_told(project: Project) -> None:
    project.write(
        "contracts/1.0.0.json", json.dumps({**json.loads(SCHEMA_1_0), "description": "What the model thinks."})
    )
    code, report = project.judge()
    assert code == 0
    assert [(one["rule"], one["severity"]) for one in report["findings"]] == [("contract-annotated", "note")]


def test_a_meaning_that_is_declared_for_the_first_time_renews_the_line_with_the_base_at_hand(project: Project) -> None:
    meant = SCHEMA_1_0.replace('"type": "number"', '"type": "number", "x-semantic": {"kind": "score"}')
    project.write("contracts/1.0.0.json", meant)
    failing = project.failing()
    assert "lock-behind 1.0.0" in failing
    assert "contract-edited 1.0.0" not in failing
    assert project.run("--write-lock").exit_code == 1
    project.lock("--base", "main")
    assert "lock-behind 1.0.0" not in project.failing()


def test_a_version_removed_before_its_sunset_fails_and_after_it_passes(project: Project) -> None:
    line = f'      "1.0.0": {{schema: contracts/1.0.0.json, {OLD_SHAPE}\n'
    project.change((line, ""))
    assert project.failing() == ["version-removed 1.0.0"]
    assert project.failing(today="2027-06-01") == []


def test_an_adapter_removed_takes_ways_and_promises_with_it(project: Project) -> None:
    project.change(("    adapters:\n" + ADAPTER, ""))
    assert project.failing() == ["breaking-unadapted 2.0.0", "promise-broken 1.1.0"]
    project.change(('      - {name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}\n', '      - {split: {"2.0.0": 1}}\n'))
    assert {"path-lost 1.0.0", "path-lost 1.1.0"} <= set(project.failing())


def test_a_refusal_needs_an_old_server_on_every_route(project: Project) -> None:
    project.change((ADAPTER, REFUSAL), ('{"1.1.0": 95, "2.0.0": 5}', '{"2.0.0": 1, "1.1.0": 0}'))
    assert project.failing() == []
    project.change(('{"2.0.0": 1, "1.1.0": 0}', '{"2.0.0": 1}'))
    failing = project.failing()
    assert {"refusal-unserved 1.0.0", "refusal-unserved 1.1.0"} <= set(failing)
    _, report = project.judge()
    sentences = [one["sentence"] for one in report["findings"] if one["rule"] == "refusal-unserved"]
    assert all("2.0.0 -> 1.1.0 is refused (the embedding space differs)" in sentence for sentence in sentences)


def test_a_waiver_lets_a_change_pass_until_it_ends(project: Project) -> None:
    project.write("contracts/3.0.0.json", SCHEMA_3)
    project.change((VERSION_2, NEW_VERSION + VERSION_2))
    project.lock()
    waiver = (
        "waivers:\n"
        "  - {rule: breaking-unadapted, model: churn, version: 3.0.0, by: ann,\n"
        "     reason: no clients yet, until: 2026-12-31}\n"
    )
    project.write("stepdown-policy.yaml", "diff: {client: tolerant}\n" + waiver)
    assert project.failing(today="2026-12-31") == []
    assert project.failing(today="2027-01-01") == ["breaking-unadapted 3.0.0", "waiver-expired 3.0.0"]
    approvals = "approvals: [{rule: '*', by: [bob]}]\n"
    project.write("stepdown-policy.yaml", "diff: {client: tolerant}\n" + approvals + waiver)
    assert project.failing() == ["approval-missing 3.0.0", "breaking-unadapted 3.0.0"]


def test_a_policy_holds_ends_to_what_was_agreed(project: Project) -> None:
    project.write(
        "stepdown-policy.yaml", "diff: {client: tolerant}\nnotice: 200d\nsupport: {majors: 2, at_least: 365d}\n"
    )
    assert project.failing() == ["notice-too-short 1.0.0"]
    project.change((OLD_SHAPE, "deprecated: 2026-12-01, sunset: 2027-07-01}"))
    assert project.failing() == []
    project.change(("contracts/1.1.0.json, ", "contracts/1.1.0.json, deprecated: 2026-12-01, sunset: 2027-05-31, "))
    assert project.failing() == ["notice-too-short 1.1.0", "support-too-short 1.1.0"]


def test_a_lock_that_was_edited_by_hand_fails(project: Project) -> None:
    project.change(('"sha256:', '"sha256:0'), name="stepdown.lock")
    assert project.failing() == ["lock-edited 1.0.0", "lock-edited 1.1.0", "lock-edited 2.0.0"]
    (project.path / "stepdown.lock").unlink()
    assert "lock-edited " in project.failing()


def test_two_branches_that_each_add_a_version_merge_by_themselves(project: Project) -> None:
    for branch, version in (("old-line", "1.0.1"), ("new-line", "2.0.1")):
        project.git("switch", "--quiet", "--create", branch, "main")
        line = f'      "{version}": {{schema: contracts/{version[0]}.0.0.json}}\n'
        project.change(("    versions:\n" if version < "2" else "    adapters:\n", "{}"))
        text = (project.path / "stepdown.yaml").read_text()
        put = f"    versions:\n{line}" if version < "2" else f"{line}    adapters:\n"
        project.write("stepdown.yaml", text.replace("{}", put, 1))
        project.lock()
        project.commit(version)
    project.git("merge", "--quiet", "--no-edit", "old-line")
    assert "breaking-unadapted 2.0.1" not in project.failing()
    assert "lock-behind 1.0.1" not in project.failing()
    project.lock()
    assert project.git("status", "--short") == ""
