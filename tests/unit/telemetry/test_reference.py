import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stepdown.telemetry.families import FAMILIES
from stepdown.telemetry.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
QUERIES = [
    line.split("`")[1].replace("\\|", "|") for line in page().partition("## Questions")[2].splitlines() if "`" in line
]


def test_the_page_is_made_from_the_table_as_it_is():
    if not PAGE.exists():
        pytest.skip("installed without docs/")
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m stepdown.telemetry.reference > docs/metrics.md"


def test_every_family_is_on_the_page():
    assert all(f"| `{name}` |" in page() for name in FAMILIES)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_what_exists(query):
    names = re.findall(r"\bstepdown_[a-z_]+", query)
    assert names
    for name in names:
        assert name in FAMILIES or re.sub("_(bucket|sum|count)$", "", name) in FAMILIES


def test_promtool_understands_every_query(tmp_path):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (apt: prometheus)")
    rules = "".join(f"  - record: question:{number}\n    expr: {query!r}\n" for number, query in enumerate(QUERIES))
    file = tmp_path / "rules.yaml"
    file.write_text("groups:\n- name: questions\n  rules:\n" + rules)
    checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(QUERIES)} rules found" in checked.stdout
