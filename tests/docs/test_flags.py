"""docs/flags.md: its example is a flag file, its bounds and its operators are the code's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from stepdown.control.flag_threads import THREADS
from stepdown.decide.answers import BYTES, ENTRIES, STALE_TTLS
from stepdown.decide.flags import FlagFileError, compile_flags
from stepdown.decide.flags.cache import LONGEST_FACT, MOST_FACTS
from stepdown.decide.flags.compiler import DEEPEST, LARGEST, SPECIAL
from stepdown.decide.flags.document import MOST_FLAGS
from stepdown.decide.flags.flagset import LARGEST_TOTAL, REMEMBERED
from stepdown.decide.flags.nodes import MOST_STEPS
from stepdown.decide.flags.operators import LONGEST_LIST, LONGEST_NUMBER, LONGEST_TEXT, OPERATORS
from stepdown.plane.flag_desk import LONGEST_CONTEXT, MOST_QUESTIONS, MOST_WAITING
from tests.docs.repository import ROOT
from tests.kit.configuration import Folder, changed

PAGE = (ROOT / "docs/flags.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]


def test_the_example_is_a_flag_file_that_does_what_it_says() -> None:
    flags = compile_flags(EXAMPLE)
    assert flags.warnings == ()
    german = {"country": "de", "email": "x@example.org"}
    asked = [flags.evaluate("new-churn-model", {**german, "targetingKey": f"u{at}"}, now=0).value for at in range(1000)]
    assert 50 < asked.count("2.0.0") < 150
    assert flags.evaluate("new-churn-model", {"email": "a@company.com"}, now=0).value == "2.0.0"
    assert flags.evaluate("new-churn-model", {"country": "it"}, now=0).reason == "DEFAULT"


def test_the_refusals_that_are_shown_are_those_of_the_example_with_two_mistakes() -> None:
    broken = json.loads(EXAMPLE)
    broken["flags"]["new-churn-model"] |= {"state": "on", "defaultVariant": "odl"}
    with pytest.raises(FlagFileError) as refused:
        compile_flags(broken)
    assert f"```text\n{refused.value}\n```" in PAGE


def test_the_configuration_of_a_provider_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path)
    section, source = PAGE.split("## Flags of an OpenFeature provider")[1].split("```yaml\n")[1].split("```python\n")
    folder.write("modules/shop/flags.py", source.split("```")[0])
    monkeypatch.syspath_prepend(str(folder.path / "modules"))
    beta, ranker = "{name: beta, when: {header: {x-plan: beta}}", "{name: ranker, when: {flag: new-ranker}"
    text = section.split("routes:")[0] + changed((beta, ranker))
    loaded = folder.load(text, environ={"FLAGS_HOST": "flags"})
    assert loaded.warnings == ()
    assert loaded.provider is not None
    assert loaded.provider.options == {"host": "flags", "port": 8013}


@pytest.mark.parametrize("operator", [*sorted(OPERATORS), *sorted(SPECIAL)])
def test_every_operator_is_named(operator: str) -> None:
    supported = PAGE.split("## What is supported in a file")[1].split("## ")[0]
    assert f"`{operator}`" in supported


@pytest.mark.parametrize(
    "bound",
    [
        *(MOST_FLAGS, LARGEST, LARGEST_TOTAL, DEEPEST, MOST_STEPS, LONGEST_TEXT, LONGEST_LIST, LONGEST_FACT),
        *(REMEMBERED, 2 * REMEMBERED, ENTRIES, LONGEST_CONTEXT, MOST_QUESTIONS, MOST_WAITING),
    ],
)
def test_every_bound_is_named(bound: int) -> None:
    assert re.search(rf"\b{bound:,}\b", PAGE) or re.search(rf"\b{bound}\b", PAGE)


def test_the_bounds_in_words_are_the_codes() -> None:
    assert (MOST_FACTS, "eight facts" in PAGE) == (8, True)
    assert f"{LONGEST_NUMBER} bits" in PAGE
    assert (THREADS, "eight threads" in PAGE) == (8, True)
    assert f"{BYTES // 2**20} MiB" in PAGE
    assert f"{STALE_TTLS} times `ttl`" in PAGE
