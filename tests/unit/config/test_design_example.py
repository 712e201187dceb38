"""The file that the design shows: it loads without what this version does not support, and is only refused for that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit.configuration import Folder

DESIGN = Path(__file__).parents[4] / "shared" / "DESIGN.md"
LATER = {
    "{segment: beta}": "{header: {x-plan: beta}}",
    "{name: everyone, rollout: churn-2}": '{name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}',
}
"""What is written instead, until then."""


@pytest.fixture
def example(folder: Folder) -> str:
    if not DESIGN.exists():
        pytest.skip(f"{DESIGN} is not on this machine")
    found = re.search(r"```yaml\n(.*?)```", DESIGN.read_text(), re.DOTALL)
    assert found is not None
    folder.write("contracts/churn/1.0.0.json", '{"properties": {"outputs": {"type": "array"}}}')
    folder.write(
        "contracts/churn/1.1.0.json", '{"properties": {"outputs": {"type": "array"}, "note": {"type": "string"}}}'
    )
    folder.write("contracts/churn/2.0.0.json", '{"properties": {"outputs": {"type": "array"}}}')
    folder.write("beta-users.txt", "u1\n")
    return found[1].replace("9f86d0...", "ab" * 32)


def test_what_is_not_supported_yet_is_all_that_is_wrong_with_it(folder: Folder, example: str) -> None:
    found = folder.refusal(example)
    unsupported = [line for line in found if line.endswith("is not supported by this version")]
    assert {line.split(": ")[1] for line in unsupported} == {
        "rollouts",
        "routes.churn.rules[1].rollout",
    }
    others = [line.split(": ", 1)[1] for line in found if line not in unsupported]
    assert [line for line in others if not line.startswith("warning: admin")] == []


def test_without_that_it_loads(folder: Folder, example: str) -> None:
    text = example[: example.index("segments:")]
    for written, instead in LATER.items():
        assert written in text
        text = text.replace(written, instead)
    loaded = folder.load(text)
    (model,) = loaded.spec.models
    assert (model.default_version, model.latest) == ("1.1.0", "1.1.0")
    assert model.clients[0].version == "1.1.0"
    assert {(chain.served, chain.pinned) for chain in model.chains} == {
        ("1.1.0", "1.0.0"),
        ("2.0.0", "1.0.0"),
        ("2.0.0", "1.1.0"),
    }
    assert loaded.process.status == ("0.0.0.0", 9902)
