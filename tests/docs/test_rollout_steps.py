"""docs/rollouts.md and docs/routing.md: steps for a segment load as they are written, and give what the pages say."""

from __future__ import annotations

import re
from pathlib import Path

from stepdown.decide.driving import in_effect, with_driven
from stepdown.decide.rollout_spec import Driven
from stepdown.decide.spec import Rule
from tests.docs.repository import ROOT
from tests.kit.configuration import Folder

PAGE = (ROOT / "docs/rollouts.md").read_text(encoding="utf-8")
YAML = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
CONTRACT = '{"type": "object", "properties": {"score": {"type": "number"}}}'


def rules_at(folder: Folder, driven: Driven) -> tuple[Rule, ...]:
    """The rules of the page's example with the page's steps for a segment."""
    for version in ("1.1.0", "2.0.0"):
        folder.write(f"contracts/churn/{version}.json", CONTRACT)
    (steps,) = (block for block in YAML[1:] if block.startswith("    steps:\n"))
    example = re.sub(r"^    steps: .*\n", lambda _: steps, YAML[0], flags=re.MULTILINE)
    assert steps in example
    environ = {name: f"the secret called {name}" for name in re.findall(r"env: (\w+)", example)}
    loaded = folder.load(f"{example}segments: {{beta: {{header: {{x-plan: beta}}}}}}\n", environ=environ)
    (route,) = in_effect(with_driven(loaded.spec, {"churn-2": driven}))
    return route.rules


def test_the_steps_for_a_segment_give_what_the_pages_say(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = rules_at(folder, Driven(run=1, step=0, weight=50, stable="1.1.0", evidence=True))
    assert [(rule.name, rule.split, rule.rollout) for rule in first] == [
        ("everyone/beta", (("1.1.0", 5000), ("2.0.0", 5000)), "churn-2"),
        ("everyone", (("1.1.0", 1),), None),
    ]
    later = rules_at(folder, Driven(run=1, step=2, weight=5, stable="1.1.0", evidence=True))
    assert [(rule.name, rule.split, rule.rollout) for rule in later] == [
        ("everyone/beta", (("1.1.0", 0), ("2.0.0", 10_000)), None),
        ("everyone", (("1.1.0", 9500), ("2.0.0", 500)), "churn-2"),
    ]
