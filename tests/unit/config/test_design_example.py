"""The file that the design shows loads as it is, but for what is left out in it, and for what it lacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit.configuration import Folder

DESIGN = Path(__file__).parents[4] / "shared" / "DESIGN.md"


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
    return found[1].replace("9f86d0...", "ab" * 32).replace("guards: [...]", "guards: [errors, latency]")


def test_it_loads(folder: Folder, example: str) -> None:
    loaded = folder.load(example)
    warned = [finding.message for finding in loaded.warnings if not finding.key.startswith("admin")]
    assert [message[:39] for message in warned] == ["there is no place for the state of chur"]
    assert [(one.stable, one.candidate, len(one.steps)) for one in loaded.spec.rollouts] == [("1.1.0", "2.0.0", 4)]
    (model,) = loaded.spec.models
    assert (model.default_version, model.latest) == ("1.1.0", "1.1.0")
    assert model.clients[0].version == "1.1.0"
    assert {(chain.served, chain.pinned) for chain in model.chains} == {
        ("1.1.0", "1.0.0"),
        ("2.0.0", "1.0.0"),
        ("2.0.0", "1.1.0"),
    }
    assert loaded.process.status == ("0.0.0.0", 9902)
