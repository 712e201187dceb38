"""The real pair and the sidecars in front of it, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.mlserver import Pair, RunningSidecar, model_servers, running_sidecar


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """v1 and v2, each on a server of its own. Who changes them puts them back."""
    with model_servers(tmp_path_factory.mktemp("models")) as servers:
        yield servers


@pytest.fixture(scope="session")
def split_sidecar(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    """The example as it is: 95/5."""
    with running_sidecar(pair, tmp_path_factory.mktemp("split")) as running:
        yield running


@pytest.fixture(scope="session")
def v1_sidecar(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    """The example with all users on v1's server."""
    with running_sidecar(pair, tmp_path_factory.mktemp("all-v1"), split='{"1.1.0": 100, "2.0.0": 0}') as running:
        yield running


@pytest.fixture(scope="session")
def v2_sidecar(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    """The example with all users on v2's server."""
    with running_sidecar(pair, tmp_path_factory.mktemp("all-v2"), split='{"1.1.0": 0, "2.0.0": 100}') as running:
        yield running
