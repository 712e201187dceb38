"""The old client goes on while servers stop and builds go wrong, and nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.churn.clients import new
from config.churn.clients.old import NotWhatWeAgreedError, OldClient
from config.churn.processes import until
from tests.kit.mlserver import Pair, RunningSidecar, running_sidecar

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("mlserver")]


@pytest.fixture
def sidecar(pair: Pair, tmp_path: Path) -> Iterator[RunningSidecar]:
    """A sidecar of the test's own, since its health checks will see servers go."""
    with running_sidecar(pair, tmp_path) as running:
        yield running


def test_the_old_client_goes_on_when_v1s_server_is_taken_away_and_comes_back(
    pair: Pair, sidecar: RunningSidecar
) -> None:
    users = [f"user-{number}" for number in range(60)]
    with OldClient(sidecar.url) as client:

        def served() -> set[str]:
            return {client.ask(pair.customers[:1], user).headers["x-model-served"] for user in users}

        assert served() == {"1.1.0", "2.0.0"}

        try:
            pair.v1.ask_to_stop()
            assert until(lambda: served() == {"2.0.0"}, seconds=20)  # any answer but v1's fails on the way
            pair.v1.stop()
            assert served() == {"2.0.0"}
        finally:
            pair.v1.start()
            pair.v1.wait()
        assert until(lambda: served() == {"1.1.0", "2.0.0"}, seconds=30)


def test_a_build_of_v2_that_breaks_its_contract_is_a_clear_502_for_the_old_client_only(
    pair: Pair, v2_sidecar: RunningSidecar
) -> None:
    customer = pair.customers[0]
    try:
        pair.v2.deploy(score_datatype="BYTES")
        with OldClient(v2_sidecar.url) as client, pytest.raises(NotWhatWeAgreedError) as refused:
            client.ask([customer], "user-1")
        assert refused.value.status == 502
        assert refused.value.headers["content-type"] == "application/problem+json"
        assert "sigmoid at /outputs/[name=score]/data/*: a string is not a number" in refused.value.body.decode()
        with pytest.raises(ValueError, match="could not convert string to float: 'logit"):
            new.ask(v2_sidecar.url, customer, "user-1")
    finally:
        pair.v2.deploy()
    with OldClient(v2_sidecar.url) as client:
        assert client.ask([customer], "user-1").headers["x-model-served"] == "2.0.0"
