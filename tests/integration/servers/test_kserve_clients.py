"""Clients of KServe V1 and of MLflow, which know of no tensors, before a real MLServer that knows nothing else."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.kit.mlserver import Pair, question
from tests.kit.processes import Processes

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("mlserver")]

REQUEST = "request: [{rows_to_tensor: {tensors: [{name: x, datatype: FP64}]}}]"
FILE = """\
listen: 127.0.0.1:0
status: 127.0.0.1:0
drain: {{delay: 0s}}
log: {{format: json, level: debug}}
models:
  churn:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{schema: {{catalogue: {older}}}}}
      "2.0.0":
        schema: {{catalogue: kserve/v2}}
        endpoints: [{{url: "{url}", path: /v2/models/churn/infer}}]
    adapters:
      - {{from: "2.0.0", to: "1.0.0", use: {name}{beside}}}
routes:
  churn: {{match: {{path: "{path}", methods: [POST]}}, model: churn, errors: v2, split: {{"2.0.0": 100}}}}
"""
V1, INVOCATIONS = "/v1/models/churn:predict", "/invocations"


def ask(file: Path, text: str, path: str, *asked: object) -> list[httpx.Response]:
    """What a sidecar with this file answers."""
    file.write_text(text)
    with Processes(file) as sidecar:
        url = f"http://127.0.0.1:{sidecar.started().port}{path}"
        return [httpx.post(url, json=one, timeout=30) for one in asked]


def test_a_client_of_v1_reads_the_predictions_of_mlserver(pair: Pair, tmp_path: Path) -> None:
    rows = pair.customers[:3]
    direct = httpx.post(f"{pair.v1.url}/v2/models/churn/infer", json=question(rows)).json()
    name = "kserve/mlserver-to-v1"
    text = FILE.format(older="kserve/v1", url=pair.v1.url, name=name, beside=f", {REQUEST}", path=V1)
    found, wrong = ask(tmp_path / "stepdown.yaml", text, V1, {"instances": rows}, {"instances": [[1.0]]})
    assert found.status_code == 200
    assert found.json() == {"predictions": direct["outputs"][0]["data"]}
    assert found.headers["x-model-version"] == "1.0.0"
    assert wrong.status_code == 400
    assert wrong.json() == {"error": "Input 'x' has shape [1, 1]; the model reads [n, 10]."}


def test_two_tensors_of_mlserver_are_rows_with_two_members(pair: Pair, tmp_path: Path) -> None:
    rows = pair.customers[:2]
    direct = httpx.post(f"{pair.v2.url}/v2/models/churn/infer", json=question(rows)).json()
    score, explanation = (tensor["data"] for tensor in direct["outputs"])
    name = "kserve/mlserver-to-v1"
    text = FILE.format(older="kserve/v1", url=pair.v2.url, name=name, beside=f", {REQUEST}", path=V1)
    (found,) = ask(tmp_path / "stepdown.yaml", text, V1, {"instances": rows})
    expected = [{"score": score[i], "explanation": explanation[10 * i : 10 * i + 10]} for i in range(2)]
    assert found.json() == {"predictions": expected}


def test_a_client_of_mlflow_reads_the_predictions_of_mlserver_and_its_errors(pair: Pair, tmp_path: Path) -> None:
    rows = pair.customers[:2]
    direct = httpx.post(f"{pair.v1.url}/v2/models/churn/infer", json=question(rows)).json()
    name = "mlflow/open-inference-to-predictions"
    text = FILE.format(older="mlflow/invocations", url=pair.v1.url, name=name, beside=f", {REQUEST}", path=INVOCATIONS)
    found, wrong = ask(tmp_path / "stepdown.yaml", text, INVOCATIONS, {"instances": rows}, {"instances": [[1.0]]})
    assert found.json() == {"predictions": direct["outputs"][0]["data"]}
    assert wrong.status_code == 400
    sentence = "Input 'x' has shape [1, 1]; the model reads [n, 10]."
    assert wrong.json() == {"error_code": "BAD_REQUEST", "message": sentence}


def test_a_request_with_a_tensor_of_another_name_is_the_servers_error_in_v1(pair: Pair, tmp_path: Path) -> None:
    text = FILE.format(older="kserve/v1", url=pair.v1.url, name="kserve/v2-to-v1", beside="", path=V1)
    unnamed, text_row = ask(
        tmp_path / "stepdown.yaml", text, V1, {"instances": pair.customers[:1]}, {"instances": [["a"]]}
    )
    assert (unnamed.status_code, unnamed.json()) == (400, {"error": "The model reads one input, named 'x'."})
    assert text_row.status_code == 422
    assert "a string is no FP64 of tensor 'input-0'" in text_row.json()["error"]
