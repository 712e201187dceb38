"""What MLServer answers when it does not infer (errors, metadata, readiness) reaches the client as it is."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.kit.mlserver import Pair, RunningSidecar, question

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("mlserver")]

JSON = {"content-type": "application/json"}
INFER = "/v2/models/churn/infer"
TEXT_IN_A_TENSOR = {"inputs": [{"name": "x", "shape": [1, 10], "datatype": "FP64", "data": ["a"]}]}
NINE_COLUMNS = {"inputs": [{"name": "x", "shape": [1, 9], "datatype": "FP64", "data": [1] * 9}]}


def same(through: httpx.Response, direct: httpx.Response) -> None:
    assert through.status_code == direct.status_code
    assert through.content == direct.content
    assert through.headers.get("content-type") == direct.headers.get("content-type")


@pytest.mark.parametrize("behind", ["v1", "v2"])
@pytest.mark.parametrize(
    ("body", "status", "content_type"),
    [
        (json.dumps(TEXT_IN_A_TENSOR), 500, "text/plain; charset=utf-8"),
        (json.dumps(NINE_COLUMNS), 400, "application/json"),
        (json.dumps(question([[0.0] * 10], outputs=[{"name": "colour"}])), 400, "application/json"),
        ('{"inputs": 7}', 422, "application/json"),
    ],
    ids=["500 in plain text", "400 wrong shape", "400 unknown output", "422 wrong type"],
)
def test_an_error_of_the_model_server_passes_unchanged(
    request: pytest.FixtureRequest, pair: Pair, behind: str, body: str, status: int, content_type: str
) -> None:
    running: RunningSidecar = request.getfixturevalue(f"{behind}_sidecar")
    direct = httpx.post(getattr(pair, behind).url + INFER, content=body, headers=JSON)
    assert (direct.status_code, direct.headers["content-type"]) == (status, content_type)
    same(httpx.post(running.url + INFER, content=body, headers=JSON), direct)


def test_a_body_that_is_no_json_gets_the_model_servers_own_answer_where_nothing_is_adapted(
    pair: Pair, v1_sidecar: RunningSidecar
) -> None:
    direct = httpx.post(pair.v1.url + INFER, content="{bad", headers=JSON)
    assert direct.status_code == 422
    same(httpx.post(v1_sidecar.url + INFER, content="{bad", headers=JSON), direct)


def test_a_body_that_is_no_json_is_a_clear_422_where_the_request_is_adapted(v2_sidecar: RunningSidecar) -> None:
    refused = httpx.post(v2_sidecar.url + INFER, content="{bad", headers=JSON)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"].endswith("request-not-adaptable")


def test_an_unknown_version_in_a_path_that_no_route_has_is_the_model_servers_404(
    pair: Pair, split_sidecar: RunningSidecar
) -> None:
    direct = httpx.get(pair.v1.url + "/v2/models/churn/versions/v9")
    assert (direct.status_code, direct.json()) == (404, {"error": "Model churn with version v9 not found"})
    same(httpx.get(split_sidecar.url + "/v2/models/churn/versions/v9"), direct)


def test_an_unknown_model_is_the_model_servers_404(pair: Pair, split_sidecar: RunningSidecar) -> None:
    direct = httpx.post(pair.v1.url + "/v2/models/weather/infer", json=question([[0.0] * 10]))
    assert direct.status_code == 404
    same(httpx.post(split_sidecar.url + "/v2/models/weather/infer", json=question([[0.0] * 10])), direct)


@pytest.mark.parametrize(("pin", "status"), [("9", 406), ("not a version", 400)])
def test_a_pin_that_cannot_be_had_is_refused_before_any_server_is_asked(
    split_sidecar: RunningSidecar, pin: str, status: int
) -> None:
    refused = httpx.post(split_sidecar.url + INFER, json=question([[0.0] * 10]), headers={"x-model-version": pin})
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/churn/ready"])
def test_metadata_and_readiness_come_from_the_model_servers(
    pair: Pair, split_sidecar: RunningSidecar, path: str
) -> None:
    direct = httpx.get(pair.v1.url + path)
    assert direct.status_code == 200
    same(httpx.get(split_sidecar.url + path), direct)


def test_the_models_metadata_comes_from_one_of_its_servers(pair: Pair, split_sidecar: RunningSidecar) -> None:
    direct = [httpx.get(f"{server.url}/v2/models/churn").content for server in (pair.v1, pair.v2)]
    assert httpx.get(f"{split_sidecar.url}/v2/models/churn").content in direct
