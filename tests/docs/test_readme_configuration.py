"""The configuration that the README shows is one that the sidecar accepts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from stepdown.config import load
from tests.docs.repository import ROOT

FIRST_YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_readmes_configuration_is_accepted(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config" / "churn" / "contracts", tmp_path / "contracts")
    found = FIRST_YAML.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    file = tmp_path / "stepdown.yaml"
    file.write_text(found[1])
    loaded = load(file, {})
    assert not loaded.warnings
    assert {(chain.served, chain.pinned) for chain in loaded.spec.models[0].chains} == {("2.0.0", "1.1.0")}
