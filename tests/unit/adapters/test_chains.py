"""Worked adapters: real answers and the changes that models really make to them."""

import json
import math
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.context import Context
from stepdown_adapters.contract.json_schema import load_schema
from stepdown_adapters.diff.project import Projection, project
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.generate import CompiledChain, compile_chain
from stepdown_adapters.operations import check, parse
from tests.kit.adapters import Step, adapted, both

CONTRACTS = Path(__file__).parents[3] / "config" / "churn" / "contracts"

# As MLServer 1.7.1 wrote it, but for the numbers of the second customer.
ANSWER = (
    b'{"model_name":"churn","model_version":"v1","id":"r1","parameters":{},"outputs":[{"name":"predict","shape":[2,1],'
    b'"datatype":"INT64","parameters":{"content_type":"np"},"data":[1,0]}]}'
)
CHURN_RESPONSE = [
    {"replace": {"path": "/model_version", "value": "v1"}},
    {
        "in": "/outputs/[name=score]",
        "do": [{"replace": {"path": "/name", "value": "probability"}}, {"sigmoid": "/data/*"}],
    },
    {"remove": "/outputs/[name=explanation]"},
]
CHURN_REQUEST = [{"replace": {"path": "/outputs/[name=probability]/name", "value": "score"}}]


@pytest.fixture(scope="module")
def churn() -> CompiledChain:
    newer, older = load_schema(CONTRACTS / "1.1.0.json"), load_schema(CONTRACTS / "1.0.0.json")
    projection = project(newer, older)
    assert isinstance(projection, Projection)
    return compile_chain(
        [
            Step(CHURN_RESPONSE, CHURN_REQUEST, "2.0.0", "1.1.0"),
            Step(projection.operations, (), "1.1.0", "1.0.0"),
        ]
    )


def output(name: str, data: list[float], width: int = 1) -> dict[str, Any]:
    shape = [len(data) // width, width]
    return {"name": name, "shape": shape, "datatype": "FP64", "parameters": {"content_type": "np"}, "data": data}


def churn_answer(*outputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model_name": "churn", "model_version": "v2", "id": "7", "parameters": {}, "outputs": list(outputs), **more}


def test_the_churn_adapter_agrees_with_its_contracts() -> None:
    newer, older = load_schema(CONTRACTS / "2.0.0.json"), load_schema(CONTRACTS / "1.1.0.json")
    assert check(parse(CHURN_RESPONSE), newer, older) == []


@pytest.mark.parametrize("explained", [False, True])
def test_churn_2_steps_down_to_what_1_0_promised(churn: CompiledChain, explained: bool) -> None:
    outputs = [output("score", [0.0, 2.0, -800.0])]
    if explained:
        outputs.insert(0, output("explanation", [0.25] * 30, 10))
    answer = churn_answer(*outputs)
    assert jsonschema_rs.is_valid(load_schema(CONTRACTS / "2.0.0.json"), answer)
    result = json.loads(churn.response(json.dumps(answer).encode(), Context()))
    assert jsonschema_rs.is_valid(load_schema(CONTRACTS / "1.0.0.json"), result)
    (only,) = result["outputs"]
    assert only["name"] == "probability"
    assert only["data"] == [0.5, 1 / (1 + math.exp(-2)), 0.0]


def test_an_old_client_asks_by_the_old_name(churn: CompiledChain) -> None:
    tensor = b'[{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1.10, 2]}]'
    request = b'{"inputs": ' + tensor + b', "outputs": [{"name": "probability"}]}'
    expected = b'{"inputs":' + tensor + b',"outputs":[{"name":"score"}]}'
    assert churn.request(request, Context()) == expected


def test_parts_that_the_churn_adapter_does_not_touch_keep_their_bytes(churn: CompiledChain) -> None:
    body = (
        b'{"x": {"n": 1E5, "m": 18446744073709551617}, "model_version":"v2","parameters":{"threshold":0.5,"t":1.10},'
        b'"outputs":[{"name":"score","data":[0.0], "shape":[1,  1]}]}'
    )
    assert churn.response(body, Context()) == (
        b'{"x":{"n": 1E5, "m": 18446744073709551617},"model_version":"v1","parameters":{"t":1.10},'
        b'"outputs":[{"name":"probability","data":[0.5],"shape":[1,  1]}]}'
    )


def test_a_churn_answer_without_a_score_fails_whole(churn: CompiledChain) -> None:
    with pytest.raises(AdaptError) as error:
        churn.response(json.dumps(churn_answer(output("explanation", [0.5] * 10, 10))).encode(), Context())
    assert (error.value.step, error.value.path) == ("2.0.0 -> 1.1.0", "/outputs/[name=score]")
    assert error.value.sentence == "no item fits [name=score]"


@pytest.mark.parametrize("bad", ["a string", None, [1.0], True])
def test_a_churn_answer_with_one_bad_row_fails_whole(churn: CompiledChain, bad: Any) -> None:
    with pytest.raises(AdaptError, match=r"/outputs/\[name=score\]/data/\*"):
        churn.response(json.dumps(churn_answer(output("score", [0.5, bad, 1.0]))).encode(), Context())


def test_an_open_inference_answer_becomes_kserve_predictions() -> None:
    assert adapted([{"tensor_to_rows": {}}], ANSWER) == b'{"predictions":[[1],[0]]}'
    assert adapted([{"tensor_to_rows": {"squeeze": True}}], ANSWER) == b'{"predictions":[1,0]}'
    assert adapted([{"tensor_to_rows": {"squeeze": True, "keep": ["model_name"]}}], ANSWER) == (
        b'{"model_name":"churn","predictions":[1,0]}'
    )


def test_kserve_instances_become_an_open_inference_request() -> None:
    operation = {"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"}]}}
    assert adapted([operation], b'{"instances": [[1.5, 2], [3, 4]]}') == (
        b'{"inputs":[{"name":"x","shape":[2,2],"datatype":"FP64","data":[1.5,2,3,4]}]}'
    )


def test_labels_are_mapped_row_by_row() -> None:
    operations = [{"map_values": {"path": "/predictions/*", "table": {"0": "stays", "1": "leaves"}}}]
    chain = [{"tensor_to_rows": {"squeeze": True}}, *operations]
    assert adapted(chain, ANSWER) == b'{"predictions":["leaves","stays"]}'
    with pytest.raises(AdaptError, match="the table has nothing for 2"):
        adapted(chain, ANSWER.replace(b"[1,0]", b"[1,2]"))


def test_logits_become_probabilities_and_the_best_label() -> None:
    operations = [
        {"in": "/rows/*", "do": [
            {"copy": {"from": "/logits", "to": "/label"}},
            {"argmax": {"path": "/label", "labels": ["cat", "dog"]}},
            {"softmax": "/logits"},
            {"move": {"from": "/logits", "to": "/probabilities"}},
        ]},
    ]  # fmt: skip
    result = both(operations, {"rows": [{"logits": [0.0, 0.0]}, {"logits": [1.0, 3.0]}]})
    assert [row["label"] for row in result["rows"]] == ["cat", "dog"]
    assert result["rows"][0]["probabilities"] == [0.5, 0.5]
    assert all(row.keys() == {"label", "probabilities"} for row in result["rows"])


def test_nested_becomes_flat_and_names_go_back() -> None:
    operations = [
        {"move": {"from": "/result/label", "to": "/label"}},
        {"move": {"from": "/result/confidence/value", "to": "/score"}},
        {"remove": "/result"},
    ]
    answer = {"id": 1, "result": {"label": "a", "confidence": {"value": 0.5, "low": 0.4}}}
    assert both(operations, answer) == {"id": 1, "label": "a", "score": 0.5}


def test_ten_classes_become_the_best_three_as_a_map() -> None:
    operations = [
        {"top_k": {"path": "/classes", "k": 3, "by": "/score"}},
        {"from_entries": {"path": "/classes", "key": "label", "value": "score"}},
    ]
    classes = [{"label": f"c{index}", "score": index / 10} for index in range(10)]
    body = json.dumps({"classes": classes}).encode()
    assert list(json.loads(adapted(operations, body))["classes"].items()) == [("c9", 0.9), ("c8", 0.8), ("c7", 0.7)]


def test_a_batch_envelope_is_put_on_and_taken_off() -> None:
    assert (
        adapted([{"wrap": ""}, {"wrap": {"as": "predictions"}}], b'{"score": 1.10}')
        == b'{"predictions":[{"score":1.10}]}'
    )
    operations = [{"move": {"from": "/predictions", "to": ""}}, {"head": ""}]
    assert adapted(operations, b'{"predictions": [{"score": 1.10}], "id": 1}') == b'{"score": 1.10}'


def test_percent_becomes_a_fraction_and_a_decision() -> None:
    operations = [
        {"linear": {"path": "/items/*/percent", "scale": 0.01}},
        {"clamp": {"path": "/items/*/percent", "min": 0, "max": 1}},
        {"copy": {"from": "/items/*/percent", "to": "/items/*/fraud"}},
        {"threshold": {"path": "/items/*/fraud", "at": 0.5, "above": "yes", "below": "no"}},
    ]
    answer = {"items": [{"percent": 50}, {"percent": 100.5}, {"percent": 12.5}]}
    assert both(operations, answer)["items"] == [
        {"percent": 0.5, "fraud": "yes"},
        {"percent": 1, "fraud": "yes"},
        {"percent": 0.125, "fraud": "no"},
    ]


def test_parallel_arrays_become_objects() -> None:
    operations = [{"zip": {"from": {"label": "/labels", "score": "/scores"}, "to": "/predictions"}}]
    assert adapted(operations, b'{"labels":["a","b"],"scores":[1.10,2E0]}') == (
        b'{"predictions":[{"label":"a","score":1.10},{"label":"b","score":2E0}]}'
    )
