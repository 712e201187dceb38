"""Kept cases as files; how runs use them is tested with the command."""

from __future__ import annotations

import json
from pathlib import Path

from stepdown.gate.cases import forgotten, keep, kept
from stepdown_adapters.proof.questions import Question, Sample
from stepdown_adapters.proof.trials import Counterexample


def question(model: str = "a/b") -> Question:
    return Question(model, "2.0.0", "1.0.0", "response", (), True, True)


def test_a_case_comes_back_with_the_request_that_it_needs(tmp_path: Path) -> None:
    sample = Sample({"a": 1}, {"k": None}, True, {"model": "x"}, {"x-unit": "s"})
    file = keep(tmp_path / "new", question(), Counterexample(sample, {"b": 1}, "at /b: 1 breaks maximum 0"))
    assert file.name.startswith("a_b-2.0.0-1.0.0-response-")
    assert kept(file.parent, question()) == (sample,)
    assert json.loads(file.read_text())["breaks"] == "at /b: 1 breaks maximum 0"


def test_a_case_is_that_of_one_model_however_alike_the_names_of_files_are(tmp_path: Path) -> None:
    keep(tmp_path, question("a/b"), Counterexample(Sample({}), {}, ""))
    assert kept(tmp_path, question("a_b")) == ()


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    assert kept(tmp_path / "none", question()) == ()


def test_a_case_that_no_question_asks_for_is_forgotten(tmp_path: Path) -> None:
    mine, renamed = (keep(tmp_path, question(name), Counterexample(Sample({}), {}, "")) for name in ("new", "old"))
    (tmp_path / "notes.txt").write_text("no case")
    assert forgotten(tmp_path, [question("new")]) == [renamed.name]
    assert forgotten(tmp_path, []) == [mine.name, renamed.name]
    assert forgotten(tmp_path / "none", []) == []
