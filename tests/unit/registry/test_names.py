from __future__ import annotations

from pathlib import Path

import pytest

from stepdown.registry.errors import BadInputError
from stepdown.registry.names import artifact_kind, artifact_name, check_model, parse_version, parse_wanted

SHA = "0a1b2c3d4e5f" + "0" * 52


@pytest.mark.parametrize("name", ["churn", "churn-2", "c", "0_a", "a" * 64])
def test_a_model_may_be_called(name: str) -> None:
    assert check_model(name) == name


@pytest.mark.parametrize("name", ["", "Churn", "..", ".hidden", "a/b", "-x", "_x", "a" * 65, "büro", "a\n", "con trol"])
def test_a_model_may_not_be_called(name: str) -> None:
    with pytest.raises(BadInputError, match="a name has a-z"):
        check_model(name)


@pytest.mark.parametrize("text", ["1", "1.2", "v1.2.x", "01.2.3", "1.2.3/..", "", "latest", "1.2.3\n"])
def test_what_is_no_semver_is_no_version(text: str) -> None:
    with pytest.raises(BadInputError, match="is no version"):
        parse_version(text)


def test_a_version_fits_into_a_file_name() -> None:
    assert parse_version("1.0.0-" + "a" * 94)
    with pytest.raises(BadInputError, match="more than 100 characters"):
        parse_version("1.0.0-" + "a" * 95)


def test_what_is_wanted_is_exact_a_range_or_latest() -> None:
    assert parse_wanted("latest").allows(parse_version("9.0.0"))
    assert not parse_wanted("^1.0").allows(parse_version("2.0.0"))
    with pytest.raises(BadInputError, match="or latest"):
        parse_wanted("newest")


def test_an_artifact_is_named_by_model_version_and_hash() -> None:
    assert artifact_name("churn", "1.0.0", SHA, "pkl") == "churn_model_v1.0.0_0a1b2c3d4e5f.pkl"
    assert artifact_name("churn", "1.0.0", SHA, "savedmodel") == "churn_model_v1.0.0_0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("name", "kind"), [("m.pkl", "pkl"), ("m.pickle", "pkl"), ("m.joblib", "joblib"), ("m.ONNX", "onnx")]
)
def test_an_artifact_is_known_by_its_ending(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).touch()
    assert artifact_kind(tmp_path / name) == kind


def test_other_files_and_folders_are_no_artifacts(tmp_path: Path) -> None:
    (tmp_path / "m.bin").touch()
    for name, sentence in (("m.bin", "ends in"), ("none.pkl", "does not exist"), (".", r"without saved_model\.pb")):
        with pytest.raises(BadInputError, match=sentence):
            artifact_kind(tmp_path / name)
