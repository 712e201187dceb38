"""Clients written for churn 1.x: each passes against v1's server, and unchanged against v2's through the sidecar."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

import httpx
import jsonschema_rs
import pytest

from config.churn.clients.old import NotWhatWeAgreedError, OldClient
from config.churn.servers import MLSERVER
from tests.kit.mlserver import EXAMPLE, Pair, RunningSidecar, question

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("mlserver")]

CONTRACT = jsonschema_rs.validator_for(json.loads((EXAMPLE / "contracts" / "1.1.0.json").read_text()))


@pytest.fixture(params=["v1 directly", "v1 through the sidecar", "v2 through the sidecar"])
def server(request: pytest.FixtureRequest, pair: Pair) -> str:
    """URL of what a client of 1.x talks to."""
    if request.param == "v1 directly":
        return pair.v1.url
    name = "v1_sidecar" if request.param.startswith("v1") else "v2_sidecar"
    return request.getfixturevalue(name).url


def test_the_old_client_works(server: str, pair: Pair) -> None:
    with OldClient(server) as client:
        for customer in pair.customers[:20]:
            assert 0 <= client.ask([customer], "user-1").probabilities[0] <= 1


def test_the_old_client_asks_about_many_at_once(server: str, pair: Pair) -> None:
    with OldClient(server) as client:
        assert len(client.ask(pair.customers, "user-1").probabilities) == len(pair.customers)


def test_httpx_reads_the_contract_with_and_without_compression(server: str, pair: Pair) -> None:
    with httpx.Client(base_url=server) as client:
        for coding in ("identity", "gzip"):
            answer = client.post(
                "/v2/models/churn/infer", json=question(pair.customers), headers={"accept-encoding": coding}
            )
            assert answer.status_code == 200
            assert not list(CONTRACT.iter_errors(answer.json()))


def test_the_id_that_a_client_sends_comes_back(server: str, pair: Pair) -> None:
    answer = httpx.post(f"{server}/v2/models/churn/infer", json=question(pair.customers[:1], id="question-7"))
    assert answer.json()["id"] == "question-7"


def test_a_client_that_names_its_version_in_the_path_works(server: str, pair: Pair) -> None:
    answer = httpx.post(f"{server}/v2/models/churn/versions/v1/infer", json=question(pair.customers[:1]))
    assert not list(CONTRACT.iter_errors(answer.json()))


def test_the_library_of_triton_works(server: str, pair: Pair) -> None:
    script = Path(__file__).parent / "triton_client.py"
    done = subprocess.run(
        [MLSERVER / "python", script, server.removeprefix("http://"), json.dumps(pair.customers[:3])],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    probabilities = json.loads(done.stdout)
    assert [len(row) for row in probabilities] == [1, 1, 1]
    assert all(0 <= row[0] <= 1 for row in probabilities)


def test_a_probability_of_v2_is_the_sigmoid_of_its_score(pair: Pair, v2_sidecar: RunningSidecar) -> None:
    direct = httpx.post(f"{pair.v2.url}/v2/models/churn/infer", json=question(pair.customers)).json()
    scores = direct["outputs"][0]["data"]
    with OldClient(v2_sidecar.url) as client:
        stepped_down = client.ask(pair.customers, "user-1").probabilities
    expected = [1 / (1 + math.exp(-score)) for score in scores]
    assert stepped_down == pytest.approx(expected, rel=1e-12)


def test_without_the_sidecar_the_old_client_fails_on_v2(pair: Pair) -> None:
    with OldClient(pair.v2.url) as client, pytest.raises(NotWhatWeAgreedError, match="Unknown output 'probability'"):
        client.ask(pair.customers[:1], "user-1")
