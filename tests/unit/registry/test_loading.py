from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import pytest

from stepdown.registry import (
    BadInputError,
    DamagedError,
    NotFoundError,
    PickleRiskWarning,
    PreprocessingDriftWarning,
    RefusedError,
)
from tests.kit.model_registry import MORE, Bomb, Workshop, overwrite


@pytest.fixture
def three(workshop: Workshop) -> Workshop:
    workshop.add("1.0.0", value="one")
    workshop.add("1.1.0", value="one-one", output=MORE)
    workshop.add("2.0.0-rc.1", value="two")
    return workshop


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("1.0.0", "one"),
        ("v1.0.0", "one"),
        ("^1.0", "one-one"),
        ("1", "one-one"),
        ("latest", "one-one"),
        ("2.0.0-rc.1", "two"),
    ],
)
def test_a_version_is_loaded_by_number_range_or_latest(three: Workshop, wanted: str, found: str) -> None:
    assert three.registry.load("churn", wanted, trusted=True) == found


@pytest.mark.parametrize("wanted", ["3.0.0", "^2", "~1.2"])
def test_what_no_version_fits_is_not_found(three: Workshop, wanted: str) -> None:
    with pytest.raises(NotFoundError, match=r"no version fits .*; there are: 1\.0\.0, 1\.1\.0, 2\.0\.0-rc\.1"):
        three.registry.load("churn", wanted)


def test_whoever_has_decided_nothing_is_told_what_pickle_risks(workshop: Workshop) -> None:
    added = workshop.add()
    with pytest.warns(PickleRiskWarning, match=r"churn 1\.0\.0: unpickling runs whatever code the file names"):
        workshop.registry.load("churn", "1.0.0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        workshop.registry.load("churn", "1.0.0", trusted=True)
        workshop.registry.load("churn", "1.0.0", sha256=added.manifest.artifact.sha256[:12])


def test_an_artifact_that_was_put_in_the_place_of_another_never_runs(workshop: Workshop) -> None:
    workshop.add()
    bomb = workshop.artifact(Bomb(workshop.folder / "exploded"), "bomb.pkl").read_bytes()
    overwrite(workshop.kept(), bomb)
    with pytest.raises(DamagedError, match="nothing of it is used"):
        workshop.registry.load("churn", "1.0.0", trusted=True)
    assert not (workshop.folder / "exploded").exists()


def test_any_other_damage_keeps_a_version_from_being_loaded_too(workshop: Workshop) -> None:
    workshop.add(value=Bomb(workshop.folder / "exploded"))
    overwrite(workshop.at() / "output.json", b"{}")
    for use in (workshop.registry.load, workshop.registry.artifact):
        with pytest.raises(DamagedError, match=r"output\.json"):
            use("churn", "1.0.0")
    assert not (workshop.folder / "exploded").exists()


def test_an_artifact_that_is_not_the_expected_one_is_not_loaded(workshop: Workshop) -> None:
    workshop.add(value=Bomb(workshop.folder / "exploded"))
    with pytest.raises(RefusedError, match="000000000000 was expected, so it is not loaded"):
        workshop.registry.load("churn", "1.0.0", sha256="sha256:" + "0" * 64)
    with pytest.raises(BadInputError, match="12 to 64 hexadecimal digits"):
        workshop.registry.load("churn", "1.0.0", sha256="abc")
    assert not (workshop.folder / "exploded").exists()


def test_the_right_pickle_is_what_runs(workshop: Workshop) -> None:
    workshop.add(value=Bomb(workshop.folder / "exploded"))
    workshop.registry.load("churn", "1.0.0", trusted=True)
    assert (workshop.folder / "exploded").is_dir()


def test_code_that_has_moved_on_is_warned_of(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workshop.folder)
    code = workshop.folder / "features.py"
    code.write_text("LIMIT = 1\n")
    workshop.add(preprocessing="features.py")
    workshop.registry.load("churn", "1.0.0", trusted=True)
    code.write_text("LIMIT = 2\n")
    said = r"other preprocessing code than is at hand \(features\.py: features\.py differs\)"
    with pytest.warns(PreprocessingDriftWarning, match=said):
        assert workshop.registry.load("churn", "1.0.0", trusted=True) == "model"
    (workshop.folder / "old.py").write_text("LIMIT = 1\n")
    with pytest.warns(PreprocessingDriftWarning, match=r"features\.py is gone; old\.py is new"):
        workshop.registry.load("churn", "1.0.0", trusted=True, preprocessing=workshop.folder / "old.py")


def test_code_that_is_not_at_hand_is_no_reason_to_warn(workshop: Workshop) -> None:
    (workshop.folder / "features.py").write_text("LIMIT = 1\n")
    workshop.add(preprocessing="features.py")
    workshop.registry.load("churn", "1.0.0", trusted=True)
    with pytest.raises(BadInputError, match=r"elsewhere\.py"):
        workshop.registry.load("churn", "1.0.0", trusted=True, preprocessing="elsewhere.py")


def test_a_pickle_that_cannot_be_read_here_is_told_so(workshop: Workshop) -> None:
    (workshop.folder / "strange.pkl").write_bytes(b"cno_such_module\nname\n.")
    workshop.add(path=workshop.folder / "strange.pkl")
    with pytest.raises(BadInputError, match="is sound, and yet cannot be loaded here: ModuleNotFoundError"):
        workshop.registry.load("churn", "1.0.0", trusted=True)


@pytest.mark.parametrize(("ending", "library"), [("joblib", "joblib"), ("onnx", "onnxruntime")])
def test_the_library_that_is_needed_is_named(workshop: Workshop, ending: str, library: str) -> None:
    if importlib.util.find_spec(library):
        pytest.skip(f"{library} is installed")
    workshop.add(path=workshop.artifact("model", f"model.{ending}"))
    with pytest.raises(BadInputError, match=f"{library} must be installed here"):
        workshop.registry.load("churn", "1.0.0", trusted=True)


def test_a_library_is_given_the_bytes_that_were_verified(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    # A library of that name in the tests' own folder: what it is given is what counts here.
    (workshop.folder / "joblib.py").write_text("def load(file): return file.read()\n")
    monkeypatch.syspath_prepend(str(workshop.folder))
    path: Path = workshop.artifact("model", "model.joblib")
    workshop.add(path=path)
    assert workshop.registry.load("churn", "1.0.0", trusted=True) == path.read_bytes()
