"""The pages about the gate say what the code does: rules, keys, policies that can be read, a working example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepdown.gate.policy import Policy, ProofDemand
from stepdown.gate.policy_file import load_policy, policy_schema
from stepdown.gate.rules.table import BY_ID

DOCS = Path(__file__).parents[3] / "docs"
GATE = (DOCS / "gate.md").read_text(encoding="utf-8")
TEMPLATE = (DOCS / "versioning-policy.md").read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    """YAML blocks of a page, without the indentation of a list."""
    found = re.findall(r"^( *)```yaml\n(.*?)^ *```$", page, re.DOTALL | re.MULTILINE)
    return ["\n".join(line.removeprefix(indent) for line in block.splitlines()) + "\n" for indent, block in found]


def policies(page: str) -> list[str]:
    """Blocks that are a policy."""
    keys = policy_schema()["properties"].keys()
    return [block for block in blocks(page) if re.findall(r"^(\w+):", block, re.MULTILINE) and
            set(re.findall(r"^(\w+):", block, re.MULTILINE)) <= keys]  # fmt: skip


def read(tmp_path: Path, text: str) -> Policy:
    file = tmp_path / "stepdown-policy.yaml"
    file.write_text(text)
    return load_policy(file)


def test_the_template_holds_one_policy_and_it_enforces_what_the_page_says(tmp_path: Path) -> None:
    (text,) = policies(TEMPLATE)
    policy = read(tmp_path, text)
    assert (policy.majors, policy.at_least, policy.notice, policy.remove_before_sunset) == (2, 365, 180, False)
    assert policy.approvers("breaking-unadapted") == ("api-council",)
    assert policy.approvers("contract-edited") == ("platform-team",)
    assert policy.waivers == ()
    assert policy.proof == ProofDemand(1000, 1000, "proof-cases")


def test_the_waiver_that_the_template_explains_can_be_switched_on(tmp_path: Path) -> None:
    (text,) = policies(TEMPLATE)
    written = re.sub(r"^# (- |  )", r"\1", text.replace("waivers: []  ", "waivers:  "), flags=re.MULTILINE)
    assert [waiver.rule for waiver in read(tmp_path, written).waivers] == ["notice-too-short"]


def test_every_policy_on_the_page_about_the_gate_can_be_read(tmp_path: Path) -> None:
    found = policies(GATE)
    assert len(found) == 3
    for text in found:
        read(tmp_path, text)


def test_the_page_lists_every_rule_in_its_order() -> None:
    assert re.findall(r"^\| `([a-z]+(?:-[a-z]+)+)` \|", GATE, re.MULTILINE) == list(BY_ID)


@pytest.mark.parametrize("key", sorted(policy_schema()["properties"]))
def test_the_page_explains_every_key_of_the_policy(key: str) -> None:
    assert re.search(rf"^\| `{key}[`.]", GATE, re.MULTILINE)
