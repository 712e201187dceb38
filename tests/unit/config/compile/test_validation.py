"""Which share of a version's answers is held against contracts, as far as the file says nothing or something."""

from __future__ import annotations

import pytest

from stepdown.config import Loaded
from stepdown.decide import checks
from tests.kit.configuration import GOOD, Folder, changed

SERVED = '"1.1.0": {schema: contracts/1.1.0.json, '
SPLIT = 'split: {"1.1.0": 95, "2.0.0": 5}'
BETA = 'split: {"2.0.0": 100}'


def shares(loaded: Loaded) -> dict[str, float]:
    return {version.id: version.validate for version in loaded.spec.models[0].versions}


def test_a_candidate_is_watched_whole_and_nobody_else(folder: Folder) -> None:
    loaded = folder.load(GOOD)
    assert shares(loaded) == {"1.0.0": 0.0, "1.1.0": 0.0, "2.0.0": 1.0}
    assert checks.wanted(loaded.spec)


@pytest.mark.parametrize(
    ("split", "candidates"),
    [
        ('split: {"1.1.0": 5, "2.0.0": 95}', {"1.1.0"}),
        ('split: {"1.1.0": 50, "2.0.0": 50}', set()),
        ('split: {"1.1.0": 100, "2.0.0": 0}', set()),
        ('split: {"1.1.0": 1}', set()),
    ],
    ids=["the older one", "equal weights", "no weight", "alone"],
)
def test_a_candidate_has_a_weight_and_less_than_another(folder: Folder, split: str, candidates: set[str]) -> None:
    loaded = folder.load(changed((SPLIT, split)))
    assert {version for version, share in shares(loaded).items() if share} == candidates
    assert checks.wanted(loaded.spec) == bool(candidates)


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0%", 0.0), ("0.25", 0.25), ("1", 1.0), ("12.5 %", 0.125)])
def test_the_file_says_another_share(folder: Folder, text: str, share: float) -> None:
    loaded = folder.load(changed((SERVED, f"{SERVED}validate: {text}, ")))
    assert shares(loaded)["1.1.0"] == share


def test_a_candidate_may_be_left_alone(folder: Folder) -> None:
    loaded = folder.load(
        changed(("schema: contracts/2.0.0.json", "schema: contracts/2.0.0.json\n        validate: 0%"))
    )
    assert shares(loaded)["2.0.0"] == 0.0
    assert not checks.wanted(loaded.spec)


@pytest.mark.parametrize("text", ["50", "-1", "101%", "true", "often", "[1]"])
def test_what_is_no_share_is_refused(folder: Folder, text: str) -> None:
    (found,) = folder.refusal(changed((SERVED, f"{SERVED}validate: {text}, ")))
    assert 'models.churn.versions."1.1.0".validate: found' in found
    assert found.endswith("allowed a percentage such as 20%, or a share from 0 to 1")


def test_a_share_of_what_nobody_computes_is_doubtful(folder: Folder) -> None:
    old = '"1.0.0": {schema: contracts/1.0.0.json, '
    (found,) = folder.warnings(changed((old, f"{old}validate: 10%, ")))
    assert "a share of the answers of a version that no server computes" in found


def test_the_longest_answer_has_a_bound_of_its_own(folder: Folder) -> None:
    loaded = folder.load(GOOD + "limits: {validated_body: 2MiB}\n")
    assert loaded.spec.routes[0].limits.validated_body == 2 * 1024 * 1024
    assert folder.load(GOOD).spec.routes[0].limits.validated_body == 1024 * 1024
    (found,) = folder.refusal(GOOD + "limits: {validated_body: 3MiB}\n")
    assert "limits.validated_body" in found
