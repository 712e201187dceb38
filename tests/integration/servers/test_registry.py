"""The model servers load from the registry that the models were trained into, and only what is as it was added."""

from __future__ import annotations

import urllib.error

import pytest

from config.churn.demo.question import ask
from stepdown.registry import Registry
from tests.kit.mlserver import Pair
from tests.kit.model_registry import overwrite

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.xdist_group("mlserver"), pytest.mark.timeout(180)]


def test_both_versions_are_in_it_with_contracts_code_and_training(pair: Pair) -> None:
    registry = Registry(pair.v1.registry)
    assert [str(version) for version in registry.versions("churn")] == ["1.1.0", "2.0.0"]
    assert registry.verify().damages == ()
    newest = registry.manifest("churn", "latest")
    assert set(newest.contracts) == {"output", "input"}
    assert newest.preprocessing is not None
    assert newest.training["libraries"]["scikit-learn"]
    assert newest.step is not None
    assert (newest.step.made, newest.step.needed) == ("major", "major")


def test_a_server_does_not_load_an_artifact_that_was_changed(pair: Pair) -> None:
    artifact = Registry(pair.v2.registry).artifact("churn", "2.0.0")
    data = artifact.read_bytes()
    overwrite(artifact, data[:-1])
    try:
        with pytest.raises(urllib.error.HTTPError, match="500"):
            pair.v2.deploy()
        assert f"{artifact}: is cut short" in (pair.v2.registry.parent / "logs" / "v2.log").read_text()
    finally:
        overwrite(artifact, data)
        pair.v2.deploy()
    assert ask(pair.v2.url, pair.customers[0], {}).answer["model_version"] == "v2"
