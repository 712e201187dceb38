"""docs/metric-guards.md: every guard on it can be loaded, and its defaults are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stepdown.control.metrics.webhook import pointed
from stepdown.decide.rollout_spec import (
    Breaker,
    Ceiling,
    Counters,
    Guard,
    Hook,
    MetricServer,
    Query,
    Share,
    Threshold,
)
from tests.docs.repository import ROOT
from tests.kit.configuration import CHURN, Folder

PAGE = (ROOT / "docs" / "metric-guards.md").read_text()
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
ROUTES = "routes:\n  churn: {match: {path: /infer}, model: churn, rules: [{name: everyone, rollout: churn-2}]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def guards() -> list[Any]:
    """All that the page shows."""
    found = []
    for block in BLOCKS:
        if isinstance(block, list):
            found += block
        elif "rollouts" in block:
            found += block["rollouts"]["churn-2"]["guards"]
    return found


def loaded(folder: Folder) -> tuple[tuple[Guard, ...], Breaker]:
    """What they come to in one file."""
    (breaker,) = (block["breaker"] for block in BLOCKS if isinstance(block, dict) and "breaker" in block)
    one = {"stable": "1.1.0", "candidate": "2.0.0", "steps": [5, 50, 100], "guards": guards(), "breaker": breaker}
    prometheus = BLOCKS[0]["prometheus"]
    text = f"prometheus: {prometheus}\n{CHURN}{ROUTES}rollouts: {json.dumps({'churn-2': one})}\n"
    (rollout,) = folder.load(text, environ={"SHOP_TOKEN": "s3cret"}).spec.rollouts
    return rollout.guards, rollout.breaker


def test_every_guard_of_the_page_can_be_loaded(folder: Folder) -> None:
    found, breaker = loaded(folder)
    assert [(guard.name, type(guard), type(guard.source)) for guard in found[1:]] == [
        ("ctr", Share, Counters),
        ("timeouts", Ceiling, Counters),
        ("refunds", Share, Hook),
        ("ready", Threshold, Query),
        ("smoke-test", Threshold, Hook),
    ]
    assert breaker == Breaker()


def test_the_defaults_in_its_table_are_the_defaults() -> None:
    rows = dict(re.findall(r"^\| `(\w+_limit)` \((\d+)\) \|", PAGE, re.MULTILINE))
    usual = Threshold(name="usual")
    assert rows == {name: str(getattr(usual, name)) for name in Threshold.__struct_fields__ if name.endswith("_limit")}


def test_what_a_webhook_answers_on_the_page_is_what_is_read_where_the_guard_names_nothing_else() -> None:
    (document,) = re.findall(r'`(\{"data": .*?\}\}\})`', PAGE)
    hook = Hook(server=MetricServer(url="http://app"))
    for texts in (hook.events, hook.trials):
        for pointer in (texts.candidate, texts.stable):
            assert isinstance(pointed(json.loads(document)["data"], pointer), int)
