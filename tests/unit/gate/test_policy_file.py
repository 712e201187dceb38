from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from stepdown.config import RefusedError
from stepdown.gate.facts import Place
from stepdown.gate.policy import Approval, Policy, ProofDemand, Waiver
from stepdown.gate.policy_file import load_policy, policy_schema
from tests.kit.gate import day

GOOD = """\
support: {majors: 2, at_least: 52w}
notice: 180d
diff: {client: tolerant, enums: extensible}
approvals:
  - {rule: breaking-unadapted, by: [api-council]}
  - {rule: "*", by: platform-team}
waivers:
  - rule: path-lost
    model: churn
    version: v1.0.0
    by: platform-team
    reason: the last client left in May
    until: 2027-01-31
"""


def refusals(tmp_path: Path, text: str | bytes) -> list[str]:
    file = tmp_path / "stepdown-policy.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RefusedError) as caught:
        load_policy(file)
    return [str(finding).removeprefix(f"{file}:") for finding in caught.value.findings]


def test_everything_that_a_policy_says_is_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    reason, until = "the last client left in May", day("2027-01-31")
    assert load_policy(file) == Policy(
        majors=2,
        at_least=364,
        notice=180,
        client="tolerant",
        enums="extensible",
        approvals=(Approval("breaking-unadapted", ("api-council",)), Approval("*", ("platform-team",))),
        waivers=(Waiver("path-lost", "churn", "1.0.0", "platform-team", reason, until, Place(str(file), 8, 5)),),
    )


@pytest.mark.parametrize(
    ("text", "demand"),
    [
        ("{at_least: proved}", ProofDemand(None, 1000)),
        ("{at_least: {tested: 50}}", ProofDemand(50, 50)),
        ("{at_least: {tested: 50}, documents: 10}", ProofDemand(50, 50)),
        ("{at_least: proved, documents: 10, keep: cases}", ProofDemand(None, 10, "cases")),
    ],
)
def test_a_policy_says_how_well_chains_are_proved(tmp_path: Path, text: str, demand: ProofDemand) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"proof: {text}\n")
    assert load_policy(file).proof == demand
    assert jsonschema_rs.is_valid(policy_schema(), {"proof": yaml.safe_load(text)})


def test_a_policy_may_say_little(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("notice: 1d\n")
    assert load_policy(file) == Policy(notice=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("notise: 1d", '1:1: notise: found the unknown key "notise"; allowed support, notice, remove_before_sunset, '
         'diff, proof, approvals, waivers; did you mean "notice"?'),
        ("proof: {at_least: {tested: 0}}", "1:19: proof.at_least: found a mapping; allowed proved, or a number of doc"),
        ("proof: {at_least: tested}", '1:19: proof.at_least: found "tested"; allowed proved, or a number of documents'),
        ("proof: {}", "1:1: proof: found no \"at_least\"; allowed `proved`, or `{tested: 1000}`"),
        ("notice: 180", "1:9: notice: found the number 180; allowed a number of days such as 365d, or of weeks"),
        ("support: {majors: 0}", "1:19: support.majors: found the number 0; allowed a number from 1 on"),
        ("approvals: [{rule: path-lots, by: [a]}]", 'did you mean "path-lost"?'),
        ("approvals: [{rule: path-lost, by: []}]", "allowed at least 1"),
        ("waivers: [{rule: waiver-expired}]", "allowed a rule that can be waived: breaking-unadapted, "),
        ("waivers: [{rule: '*'}]", "allowed a rule that can be waived"),
        (GOOD.replace("    until: 2027-01-31\n", ""), '8:5: waivers[0]: found no "until"'),
        (GOOD.replace("2027-01-31", "soon"), '13:12: waivers[0].until: found "soon"; allowed a date'),
        (GOOD.replace("the last client left in May", "x"), "allowed a reason of at least four characters"),
        ("- a", "1:1: found a list; allowed a mapping"),
        ("a: [", "no YAML"),
        ("", "1:1: the file is empty"),
        (b"\xff", "1:1: the file is not UTF-8"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(tmp_path: Path, text: str, expected: str) -> None:
    found = refusals(tmp_path, text)
    assert any(expected in line for line in found), found


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(refusals(tmp_path, "notice: soon\nsupport: {majors: many}\nwaivers: yes\n")) == 3


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="the file does not exist"):
        load_policy(tmp_path / "none.yaml")


def test_the_published_schema_agrees() -> None:
    validator = jsonschema_rs.validator_for(policy_schema())
    as_data = yaml.load(GOOD, yaml.BaseLoader)  # the reader leaves dates as they are written
    as_data["support"]["majors"] = 2
    assert [str(error) for error in validator.iter_errors(as_data)] == []
    assert not validator.is_valid({"notice": "soon"})
    assert not validator.is_valid({"waivers": [{}]})
    assert not validator.is_valid({"approvals": [{"rule": "path-lots", "by": ["a"]}]})
