from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from stepdown.registry import BadInputError, DamagedError, RefusedError, Registry
from tests.kit.model_registry import ANSWER, MORE, QUESTION, WIDER, Bomb, Workshop, overwrite


def test_a_version_is_a_folder_with_artifact_contracts_page_and_manifest(workshop: Workshop) -> None:
    workshop.contract(QUESTION, "question.json")
    added = workshop.add("1.0.0", input="question.json", training={"rows": 569})
    assert added.new
    artifact = f"churn_model_v1.0.0_{added.manifest.artifact.sha256[:12]}.pkl"
    assert {path.name for path in workshop.at().iterdir()} == {
        artifact,
        "SCHEMA.md",
        "input.json",
        "manifest.json",
        "output.json",
    }
    written = json.loads((workshop.at() / "manifest.json").read_text())
    assert (written["model"], written["version"], written["format"]) == ("churn", "1.0.0", 1)
    assert written["contracts"]["input"]["source"] == "question.json"
    assert written["training"]["rows"] == 569
    assert written["manifest_sha256"] == added.manifest.sha256
    assert workshop.registry.verify().damages == ()


def test_what_is_written_is_read_only_and_nothing_else_is_left(workshop: Workshop) -> None:
    workshop.add()
    assert {path.stat().st_mode & 0o777 for path in workshop.at().iterdir()} == {0o444}
    assert sorted(os.listdir(workshop.registry.folder)) == [".lock", "churn"]
    assert os.listdir(workshop.registry.folder / "churn") == ["1.0.0"]


def test_the_same_again_changes_nothing_and_says_so(workshop: Workshop) -> None:
    first = workshop.add()
    again = workshop.add(training={"told": "later"})
    assert not again.new
    assert again.manifest == first.manifest


def test_the_same_version_with_other_content_is_refused_with_all_that_differs(workshop: Workshop) -> None:
    (workshop.folder / "features.py").write_text("a = 1\n")
    workshop.add()
    workshop.contract(QUESTION, "question.json")
    with pytest.raises(RefusedError, match="never changes; give the model a new version") as refused:
        workshop.add(value="other", output=WIDER, input="question.json", preprocessing="features.py")
    assert [reason.partition(":")[0] for reason in refused.value.reasons] == [
        "other bytes",
        "output",
        "input",
        "other preprocessing code",
    ]
    assert workshop.registry.load("churn", "1.0.0", trusted=True) == "model"


def test_the_same_contract_in_another_layout_is_the_same(workshop: Workshop) -> None:
    workshop.add()
    assert not workshop.add(output=dict(reversed(ANSWER.items()))).new


def test_a_step_smaller_than_the_contracts_need_is_refused_with_the_changes(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    with pytest.raises(RefusedError, match=r"1\.0\.0 to 1\.1\.0 is a MINOR step; the contracts need MAJOR") as refused:
        workshop.add("1.1.0", output=WIDER)
    assert refused.value.reasons
    assert all("/score" in reason for reason in refused.value.reasons)
    assert workshop.registry.versions("churn")[-1].triple == (1, 0, 0)
    assert workshop.add("2.0.0", output=WIDER).manifest.step is not None


def test_a_reason_lets_a_smaller_step_through_and_stays_with_the_version(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    step = workshop.add("1.1.0", output=WIDER, allow_bump="the bound was never true").manifest.step
    assert step is not None
    assert (step.made, step.needed, step.allowed) == ("minor", "major", "the bound was never true")
    assert "allowed because: the bound was never true" in workshop.registry.page("churn", "1.1.0")


def test_a_reason_that_is_not_needed_is_not_kept(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    step = workshop.add("1.1.0", output=MORE, allow_bump="just in case").manifest.step
    assert step is not None
    assert step.allowed is None


def test_a_version_between_two_others_is_compared_with_both(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    workshop.add("1.2.0", output=MORE)
    with pytest.raises(RefusedError, match=r"1\.1\.0 to 1\.2\.0 is a MINOR step"):
        workshop.add("1.1.0", output={**MORE, "required": ["score", "note"]})
    assert workshop.add("1.1.0", output=MORE).manifest.step.since == "1.0.0"  # type: ignore[union-attr]


def test_a_version_is_not_compared_with_one_that_is_damaged(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    overwrite(workshop.at("1.0.0") / "output.json", json.dumps(WIDER).encode())
    with pytest.raises(DamagedError, match=r"output\.json: is cut short"):
        workshop.add("1.1.0", output=WIDER)


def test_a_version_is_not_compared_with_one_whose_manifest_was_edited(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    workshop.edit('"1.0.0"', '"0.9.0"')
    with pytest.raises(DamagedError, match="was edited"):
        workshop.add("1.1.0", output=WIDER)


def test_every_mistake_is_named_at_once_and_nothing_is_made(workshop: Workshop) -> None:
    with pytest.raises(BadInputError) as error:
        workshop.registry.add(
            "Churn",
            "1.0",
            workshop.folder / "none.pkl",
            output="none.json",
            preprocessing="none.py",
            training={"loss": math.nan},
            beside=workshop.folder,
        )
    for word in ("'Churn'", "'1.0'", "none.pkl", "none.json", "none.py", "training metadata"):
        assert word in str(error.value)
    assert not workshop.registry.folder.exists()


def test_an_empty_artifact_is_refused(workshop: Workshop) -> None:
    (workshop.folder / "empty.pkl").touch()
    with pytest.raises(BadInputError, match="is empty"):
        workshop.add(path=workshop.folder / "empty.pkl")


def test_adding_never_unpickles(workshop: Workshop) -> None:
    workshop.add(value=Bomb(workshop.folder / "exploded"))
    workshop.registry.verify()
    assert not (workshop.folder / "exploded").exists()


def test_a_saved_model_is_kept_as_a_folder(workshop: Workshop) -> None:
    added = workshop.add(path=workshop.saved_model())
    assert added.manifest.artifact.kind == "savedmodel"
    assert (workshop.kept() / "variables" / "variables.index").read_bytes() == b"index"
    assert not workshop.add(path=workshop.saved_model()).new
    assert workshop.registry.verify().damages == ()
    assert workshop.registry.artifact("churn", "1.0.0") == workshop.kept()


def test_a_saved_model_that_leads_outside_is_refused(workshop: Workshop) -> None:
    saved = workshop.saved_model()
    (saved / "assets").symlink_to("/etc")
    with pytest.raises(BadInputError, match="symbolic link"):
        workshop.add(path=saved)


def test_a_link_to_an_artifact_is_followed_when_it_is_added(workshop: Workshop) -> None:
    link = workshop.folder / "newest.pkl"
    link.symlink_to(workshop.artifact("model"))
    workshop.add(path=link)
    assert not workshop.kept().is_symlink()


def test_absolute_paths_are_not_written_down(workshop: Workshop, tmp_path: Path) -> None:
    workshop.contract(ANSWER)
    (tmp_path / "features.py").touch()
    code = tmp_path / "features.py"
    Registry(tmp_path / "r").add(
        "churn", "1.0.0", workshop.artifact(1), output=str(tmp_path / "contract.json"), preprocessing=code, beside="/"
    )
    text = (tmp_path / "r" / "churn" / "1.0.0" / "manifest.json").read_text()
    assert '"source": "contract.json"' in text
    assert str(tmp_path) not in text.replace(f'"source": "{str(code)[1:]}"', "")
