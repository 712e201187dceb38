"""Open Inference answers as KServe V1 predictions, and V1 requests as Open Inference ones."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown_adapters import Adapter, AdaptError, Step
from stepdown_adapters.catalogue.entries import entry
from stepdown_adapters.proof.grading import Grade
from tests.kit.catalogue import DOCUMENTS, gradings

MLSERVER = {
    "model_name": "churn",
    "model_version": "v1",
    "id": "r1",
    "parameters": {},
    "outputs": [
        {"name": "predict", "shape": [2, 1], "datatype": "INT64", "parameters": {"content_type": "np"}, "data": [1, 0]}
    ],
}
"""As MLServer 1.7.1 answers."""
NAMES = ["kserve/v2-to-v1", "kserve/mlserver-to-v1"]


def adapter(name: str) -> Adapter:
    brings = entry(name).brings
    return Adapter.of([Step("2.0.0", "1.0.0", **{key: brings[key] for key in ("request", "response", "errors")})])


def tensor(datatype: str, *data: Any, **more: Any) -> dict[str, Any]:
    return {"name": "y", "shape": [len(data)], "datatype": datatype, "data": list(data), **more}


def answer(*tensors: dict[str, Any]) -> dict[str, Any]:
    return {"model_name": "m", "outputs": list(tensors)}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_proved_over_all_that_the_contracts_allow(name: str) -> None:
    found = gradings(name)
    assert {side: one.grade for side, one in found.items()} == {"answers": Grade.PROVED, "requests": Grade.PROVED}
    for one in found.values():
        assert one.trial is not None
        assert not one.trial.coverage.missed
        assert one.trial.passed == DOCUMENTS  # although no contract says that data fill their shape


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("BOOL", [True, False]),
        *((kind, [-7, 7]) for kind in ("INT8", "INT16", "INT32", "INT64")),
        *((kind, [0, 7]) for kind in ("UINT8", "UINT16", "UINT32")),
        ("UINT64", [18446744073709551615, 0]),
        *((kind, [0.5, -1.25]) for kind in ("FP16", "BF16", "FP32", "FP64")),
        ("BYTES", ["yes", "né"]),
    ],
)
def test_every_datatype_becomes_the_values_that_were_written(name: str, datatype: str, values: list[Any]) -> None:
    assert adapter(name)(answer(tensor(datatype, *values))) == {"predictions": values}


def test_a_column_of_mlserver_becomes_a_list_and_otherwise_rows_keep_their_shape() -> None:
    assert adapter("kserve/mlserver-to-v1")(MLSERVER) == {"predictions": [1, 0]}
    assert adapter("kserve/v2-to-v1")(MLSERVER) == {"predictions": [[1], [0]]}


@pytest.mark.parametrize("name", NAMES)
def test_numbers_keep_their_text_both_ways(name: str) -> None:
    found = b'{"model_name":"m","outputs":[{"name":"y","shape":[3],"datatype":"FP64","data":[1.0,1e5,0.10]}]}'
    assert adapter(name).bytes(found) == b'{"predictions":[1.0,1e5,0.10]}'
    asked = b'{"signature_name": "serving_default", "instances": [[1.0, 1e5], [-0, 0.10]]}'
    made = b'{"inputs":[{"name":"input-0","shape":[2,2],"datatype":"FP64","data":[1.0,1e5,-0,0.10]}]}'
    assert adapter(name).request_bytes(asked) == made


@pytest.mark.parametrize("name", NAMES)
def test_several_tensors_become_rows_with_a_member_for_each(name: str) -> None:
    labels = {"name": "label", "shape": [2], "datatype": "BYTES", "data": ["stay", "go"]}
    scores = {"name": "scores", "shape": [2, 2], "datatype": "FP64", "data": [0.9, 0.1, 0.2, 0.8]}
    rows = [{"label": "stay", "scores": [0.9, 0.1]}, {"label": "go", "scores": [0.2, 0.8]}]
    assert adapter(name)(answer(labels, scores)) == {"predictions": rows}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            answer({"name": "y", "shape": [1], "datatype": "FP16", "parameters": {"binary_data_size": 2}}),
            "tensor 'y' has no data (binary tensors are not JSON)",
        ),
        (answer(tensor("FP32", 1.0, shape=[2])), "tensor 'y' has 1 items, and its shape [2] needs 2"),
        (answer(tensor("FP32", 1.0), tensor("FP32", 1.0, 2.0, name="z")), "batches of different sizes: y 1, z 2"),
        (
            answer(tensor("BYTES", "eWVz", parameters={"content_type": "base64"})),
            "a V1 client would take base64 for the text itself",
        ),
        ({"model_name": "m", "outputs": []}, "no tensor"),
    ],
)
def test_what_has_no_rows_is_refused_and_not_half_converted(name: str, document: dict[str, Any], reason: str) -> None:
    with pytest.raises(AdaptError) as refused:
        adapter(name)(document)
    assert reason in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_numbers_become_one_tensor(name: str) -> None:
    asked = {"signature_name": "serving_default", "instances": [[1, 2.5], [3, 4]]}
    made = {"name": "input-0", "shape": [2, 2], "datatype": "FP64", "data": [1, 2.5, 3, 4]}
    assert adapter(name).request(asked) == {"inputs": [made]}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"instances": [[1]], "signature_name": "explain"}, "a signature other than the default one"),
        ({"instances": [[1]], "parameters": {"k": 1}}, "parameters of a request have no place in the tensor"),
        ({"inputs": [[1]]}, "there is no member 'instances'"),
        ({"instances": [["yes"]]}, "a string is no FP64 of tensor 'input-0'"),
        ({"instances": [{"b64": "eWVz"}]}, "row 0 has the members ['b64'], not ['input-0']"),
        ({"instances": [[1, 2], [3]]}, "row 1 does not have the shape [2] of the first"),
    ],
)
def test_a_request_that_a_tensor_does_not_say_is_refused(name: str, asked: dict[str, Any], reason: str) -> None:
    with pytest.raises(AdaptError) as refused:
        adapter(name).request(asked)
    assert reason in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_errors_of_every_form_that_servers_send_become_one_sentence(name: str) -> None:
    step_down = adapter(name)
    said = {"error": "Model churn with version v9 not found"}
    assert step_down.error(said) == said
    body = {"detail": [{"type": "missing", "loc": ["body", "inputs"], "msg": "Field required", "input": {}}]}
    assert step_down.error(body) == {"error": "body.inputs: Field required"}
    with pytest.raises(AdaptError):
        step_down.error_bytes(b"Internal Server Error")
