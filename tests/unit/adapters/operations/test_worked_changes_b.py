"""Changes that model servers really make, stepped down: what the newer version answers, and what the older did."""

import base64
import json
import struct
from typing import Any

from stepdown_adapters.context import Context
from stepdown_adapters.generate import compile_chain
from tests.kit.adapters import REFUSED, Step, both, refusal


def close(found: Any, expected: Any) -> bool:
    """Equality but for the last digits of floats."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(close(found[name], expected[name]) for name in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, float):
        return isinstance(found, int | float) and abs(found - expected) < 1e-6
    return bool(found == expected)


def v2(*outputs: Any, version: str = "2") -> dict[str, Any]:
    return {"model_name": "churn", "model_version": version, "id": "1f3a", "outputs": list(outputs)}


def tensor(name: str, datatype: str, shape: list[int], data: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def test_logits_of_a_binary_classifier_become_probabilities() -> None:
    operations = [
        {"in": "/outputs/[name=logit]", "do": [{"replace": {"path": "/name", "value": "probability"}},
                                               {"sigmoid": "/data/*"}]},
        {"replace": {"path": "/model_version", "value": "1"}},
    ]  # fmt: skip
    found = both(operations, v2(tensor("logit", "FP32", [3, 1], [0.0, 2.0, -1000.0])))
    assert close(found, v2(tensor("probability", "FP32", [3, 1], [0.5, 0.880797, 0.0]), version="1"))


def test_logits_of_many_labels_become_a_probability_each() -> None:
    document = {"predictions": [{"toxic": 1.0, "insult": -1.0}, {"toxic": 0, "insult": 800.0}]}
    found = both([{"sigmoid": "/predictions/*/*"}], document)
    assert close(found["predictions"], [{"toxic": 0.731059, "insult": 0.268941}, {"toxic": 0.5, "insult": 1.0}])


def test_logits_of_exclusive_classes_become_probabilities_that_sum_to_1() -> None:
    document = v2(tensor("logits", "FP32", [2, 3], [1.0, 2.0, 3.0, -1000.0, 0, 1000.0]))
    operations = [{"tensor_to_rows": {}}, {"softmax": "/predictions"}]
    found = both(operations, document)
    assert close(found, {"predictions": [[0.090031, 0.244728, 0.665241], [0.0, 0.0, 1.0]]})


def test_log_probabilities_become_probabilities() -> None:
    document = {"labels": [{"label": "a", "logprob": 0.0}, {"label": "b", "logprob": -0.6931471805599453}]}
    operations = [{"in": "/labels/*", "do": [{"move": {"from": "/logprob", "to": "/score"}}, {"exp": "/score"}]}]
    assert close(both(operations, document), {"labels": [{"label": "a", "score": 1.0}, {"label": "b", "score": 0.5}]})


def test_of_all_labels_the_best_k_stay() -> None:
    document = {"label_scores": [{"label": "cat", "score": 0.1}, {"label": "dog", "score": 0.7},
                                 {"label": "cow", "score": 0.2}]}  # fmt: skip
    best = [{"label": "dog", "score": 0.7}, {"label": "cow", "score": 0.2}]
    by_hand = [{"sort_by": {"path": "/label_scores", "by": "/score", "order": "descending"}},
               {"slice": {"path": "/label_scores", "end": 2}}]  # fmt: skip
    assert both(by_hand, document) == {"label_scores": best}
    at_once = {"top_k": {"path": "/label_scores", "by": "/score", "k": 2}}
    assert both([at_once], document) == {"label_scores": best}
    # A client whose scores summed to 1 gets that back only by saying so.
    shares = both([at_once, {"normalize": {"path": "/label_scores", "by": "/score", "norm": "l1"}}], document)
    assert close(shares["label_scores"], [{"label": "dog", "score": 7 / 9}, {"label": "cow", "score": 2 / 9}])


def test_a_class_is_removed_and_the_others_share_what_it_had() -> None:
    operations = [{"remove": "/scores/[label=unknown]"},
                  {"normalize": {"path": "/scores", "by": "/score", "norm": "l1"}}]  # fmt: skip
    document = {"scores": [{"label": "spam", "score": 0.3}, {"label": "unknown", "score": 0.4},
                           {"label": "ham", "score": 0.3}]}  # fmt: skip
    found = both(operations, document)
    assert close(found, {"scores": [{"label": "spam", "score": 0.5}, {"label": "ham", "score": 0.5}]})
    only_unknown = {"scores": [{"label": "unknown", "score": 1.0}, {"label": "spam", "score": 0.0}]}
    assert both(operations, only_unknown) == REFUSED

    by_name = [{"remove": "/scores/unknown"}, {"normalize": {"path": "/scores", "norm": "l1"}}]
    found = both(by_name, {"scores": {"spam": 0.2, "unknown": 0.5, "ham": 0.3}})
    assert close(found, {"scores": {"spam": 0.4, "ham": 0.6}})


def test_numbers_change_their_type() -> None:
    operations = [{"round": "/prediction/age"}, {"cast": {"path": "/prediction/id", "to": "string"}},
                  {"round_to": {"path": "/prediction/price", "multiple": 0.05}}]  # fmt: skip
    document = {"prediction": {"age": 41.6, "id": 9007199254740993, "price": 19.98}}
    assert both(operations, document) == {"prediction": {"age": 42, "id": "9007199254740993", "price": 20.0}}
    back = [{"cast": {"path": "/prediction/id", "to": "integer"}}]
    assert both(back, {"prediction": {"id": "9007199254740993"}}) == {"prediction": {"id": 9007199254740993}}
    for body in (b'{"prediction":{"age":NaN}}', b'{"prediction":{"age":Infinity}}', b'{"prediction":{"age":1e999}}'):
        assert refusal([{"round": "/prediction/age"}], body)


def test_a_tensor_becomes_predictions() -> None:
    document = v2(tensor("scores", "FP64", [2, 2], [0.1, 0.9, 0.8, 0.2]))
    assert both([{"tensor_to_rows": {}}], document) == {"predictions": [[0.1, 0.9], [0.8, 0.2]]}


def test_a_tensor_in_base64_becomes_predictions() -> None:
    raw = struct.pack("<6f", 0.5, 0.25, 0.25, 1, 0, 0)
    document = {"model_name": "m", "raw_output_contents": [base64.b64encode(raw).decode()]}
    operations = [
        {"tensor_decode": {"path": "/raw_output_contents/0", "datatype": "FP32", "shape": [-1, 3]}},
        {"move": {"from": "/raw_output_contents/0", "to": "/predictions"}},
        {"project": {"keep": ["predictions"]}},
    ]
    assert both(operations, document) == {"predictions": [[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]]}
    truncated = {"raw_output_contents": [base64.b64encode(raw[:-2]).decode()]}
    assert both(operations, truncated) == REFUSED


def test_embeddings_in_base64_become_arrays_of_numbers() -> None:
    text = base64.b64encode(struct.pack("<3f", 0.5, -0.25, 0.125)).decode()
    document = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": text}], "model": "e"}
    found = both([{"tensor_decode": {"path": "/data/*/embedding", "datatype": "FP32"}}], document)
    assert found["data"][0]["embedding"] == [0.5, -0.25, 0.125]


def test_an_embedding_of_a_matryoshka_model_is_cut_and_brought_to_length_1() -> None:
    operations = [{"slice_dims": {"path": "/data/*/embedding", "dims": 2, "renormalize": True}}]
    document = {"data": [{"index": 0, "embedding": [0.6, 0.0, 0.8]}, {"index": 1, "embedding": [0.3, 0.4, 0.866]}]}
    found = both(operations, document)
    assert close(found["data"], [{"index": 0, "embedding": [1.0, 0.0]}, {"index": 1, "embedding": [0.6, 0.8]}])
    assert both(operations, {"data": [{"index": 0, "embedding": [1.0]}]}) == REFUSED


def test_quantised_embeddings_become_floats() -> None:
    document = {"embeddings": {"int8": [[-128, 0, 127]], "ubinary": [[0b11000000]]}}
    operations = [
        {"dequantize": {"path": "/embeddings/int8", "from": "int8", "scale": 0.0078125}},
        {"dequantize": {"path": "/embeddings/ubinary", "from": "ubinary", "dims": 3}},
        {"move": {"from": "/embeddings/int8", "to": "/embeddings/float"}},
    ]
    found = both(operations, document)
    assert found == {"embeddings": {"float": [[-1.0, 0.0, 0.9921875]], "ubinary": [[1, 1, -1]]}}


def test_a_label_follows_the_threshold_that_it_had_in_the_older_version() -> None:
    operations = [
        {"in": "/predictions/*", "do": [
            {"copy": {"from": "/score", "to": "/label"}},
            {"threshold": {"path": "/label", "at": 0.5, "above": "churn", "below": "stay"}},
        ]},
    ]  # fmt: skip
    document = {"predictions": [{"label": "stay", "score": 0.55}, {"label": "churn", "score": 0.81},
                                {"label": "stay", "score": 0.5}, {"label": "stay", "score": 0.4999}]}  # fmt: skip
    labels = [row["label"] for row in both(operations, document)["predictions"]]
    assert labels == ["churn", "churn", "churn", "stay"]
    assert both(operations, {"predictions": [{"label": "stay"}]}) == REFUSED  # the newer version must say the score


def test_of_many_labels_the_older_version_says_the_best() -> None:
    operations = [{"in": "/predictions/*", "do": [
        {"top_k": {"path": "/labels", "by": "/score", "k": 1}},
        {"head": "/labels"},
        {"move": {"from": "/labels/name", "to": "/label"}},
        {"remove": "/labels"},
    ]}]  # fmt: skip
    document = {"predictions": [{"labels": [{"name": "a", "score": 0.2}, {"name": "b", "score": 0.9}]}]}
    assert both(operations, document) == {"predictions": [{"label": "b"}]}
    assert both(operations, {"predictions": [{"labels": []}]}) == REFUSED

    scores = {"predictions": [[0.2, 0.9, 0.9], [1, 0, 0]]}
    named = [{"argmax": {"path": "/predictions", "labels": ["a", "b", "c"]}}]
    assert both(named, scores) == {"predictions": ["b", "a"]}  # the first of equals
    assert both(named, {"predictions": [[]]}) == REFUSED


def test_corners_become_a_corner_and_a_size() -> None:
    document = [{"name": "person", "class": 0, "confidence": 0.91,
                 "box": {"x1": 10.5, "y1": 20.0, "x2": 110.5, "y2": 220.0}}]  # fmt: skip
    members = {"from_members": ["x1", "y1", "x2", "y2"], "to_members": ["x", "y", "width", "height"]}
    found = both([{"box_convert": {"path": "/*/box", "from": "xyxy", "to": "xywh", **members}}], document)
    assert found[0]["box"] == {"x": 10.5, "y": 20.0, "width": 100.0, "height": 200.0}
    tensors = {"outputs": [{"name": "boxes", "data": [[10, 20, 110, 220], [0, 0, 5, 5]]}]}
    found = both([{"box_convert": {"path": "/outputs/0/data", "from": "xyxy", "to": "xywh"}}], tensors)
    assert found["outputs"][0]["data"] == [[10, 20, 100, 200], [0, 0, 5, 5]]


def asked(body: Any) -> Any:
    return lambda: Context("POST", "/v1/models/yolo:predict", body=json.dumps(body).encode())


def test_relative_boxes_become_pixels_of_the_image_that_was_sent() -> None:
    operations = [{"box_convert": {
        "path": "/predictions/*/detection_boxes", "from": "cxcywh", "from_unit": "relative", "to": "xyxy",
        "width": {"request": "/instances/0/width"}, "height": {"request": "/instances/0/height"}, "digits": 0,
    }}]  # fmt: skip
    document = {"predictions": [{"detection_boxes": [[0.5, 0.5, 0.25, 0.5], [0.1, 0.1, 0.2, 0.2]]}]}
    request = {"instances": [{"b64": "...", "width": 640, "height": 480}]}
    found = both(operations, document, asked(request))
    assert found == {"predictions": [{"detection_boxes": [[240, 120, 400, 360], [0, 0, 128, 96]]}]}
    assert both(operations, document, asked({"instances": [{"b64": "..."}]})) == REFUSED
    assert both(operations, document, asked({"instances": [{"width": 0, "height": 480}]})) == REFUSED
    assert both(operations, document) == REFUSED  # without a request there is no image


def test_width_and_height_may_come_as_one_value_of_the_request() -> None:
    operations = [{"box_convert": {"path": "/boxes", "from": "xyxy", "to": "xyxy", "to_unit": "relative",
                                   "size": {"request": "/image_size"}}}]  # fmt: skip
    adapter = compile_chain([Step(operations)])
    context = asked({"image_size": [200, 100]})()
    assert json.loads(adapter.response(b'{"boxes":[[20,10,100,50]]}', context)) == {"boxes": [[0.1, 0.1, 0.5, 0.5]]}


def test_a_problem_becomes_the_error_that_the_older_version_told() -> None:
    problem = {"type": "https://errors.example/context-too-long", "title": "Context too long", "status": 400,
               "detail": "9000 tokens are more than 8192"}  # fmt: skip
    errors = [{"error_map": {"from": "problem", "to": "openai", "fallback": "the model failed"}},
              {"status_map": {"422": 400}}]  # fmt: skip
    adapter = compile_chain([Step(errors=errors)])
    found = json.loads(adapter.errors(json.dumps(problem).encode(), Context()))
    message = "9000 tokens are more than 8192"
    assert found == {"error": {"message": message, "type": "invalid_request_error", "param": None,
                               "code": "context-too-long"}}  # fmt: skip
    assert json.loads(adapter.errors(b'["oops"]', Context()))["error"]["message"] == "the model failed"
    assert both(errors[:1], problem) == found
