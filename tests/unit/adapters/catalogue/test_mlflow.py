"""Answers of newer scoring servers for clients of older MLflow, recorded from MLflow 1.30.1 and 3.17.2.

Both served the same models (`mlflow models serve`), a linear regression of scikit-learn and a Python function that
gives a dataframe, and were asked with the bodies below.
"""

from __future__ import annotations

from typing import Any

import pytest

from stepdown_adapters import Adapter, AdaptError, Step
from stepdown_adapters.catalogue.entries import entry
from stepdown_adapters.proof.grading import Grade
from tests.kit.catalogue import gradings

LIST = "mlflow/predictions-to-list"
MOVED = "mlflow/open-inference-to-predictions"


def adapter(name: str) -> Adapter:
    brings = entry(name).brings
    sides = {key: brings[key] for key in ("request", "response", "errors") if key in brings}
    return Adapter.of([Step("2.0.0", "1.0.0", **sides)])


@pytest.mark.parametrize(("name", "requests"), [(LIST, Grade.TESTED), (MOVED, Grade.PROVED)])
def test_it_has_its_grade_over_all_that_the_contracts_allow(name: str, requests: Grade) -> None:
    found = gradings(name)
    assert {side: one.grade for side, one in found.items()} == {"answers": Grade.PROVED, "requests": requests}
    assert all(one.trial is not None and not one.trial.coverage.missed for one in found.values())


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (b'{"predictions": [2.875, 7.125000000000001]}', b"[2.875, 7.125000000000001]"),
        (
            b'{"predictions": [{"label": "y", "score": 0.1}, {"label": "x", "score": 0.3}]}',
            b'[{"label": "y", "score": 0.1}, {"label": "x", "score": 0.3}]',
        ),
    ],
)
def test_an_answer_of_mlflow_3_becomes_that_of_mlflow_1_to_the_byte(newer: bytes, older: bytes) -> None:
    assert adapter(LIST).bytes(newer) == older


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (
            {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]},
            {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}},
        ),
        ([{"a": 1, "b": 2}], {"dataframe_records": [{"a": 1, "b": 2}]}),
        ([], {"dataframe_records": []}),
        ([{"data": 1}], {"dataframe_records": [{"data": 1}]}),
        ({"instances": [[1, 2]]}, {"instances": [[1, 2]]}),
        ({"inputs": {"a": [1]}}, {"inputs": {"a": [1]}}),
        ({"inputs": {"a": [1]}, "data": 7}, {"inputs": {"a": [1]}, "data": 7}),
    ],
)
def test_a_request_of_mlflow_1_is_told_apart_as_mlflow_1_did(older: Any, newer: dict[str, Any]) -> None:
    assert adapter(LIST).request(older) == newer


def test_an_answer_without_predictions_is_refused() -> None:
    with pytest.raises(AdaptError, match="/predictions"):
        adapter(LIST)({"choices": []})


@pytest.mark.parametrize("member", ["instances", "inputs"])
def test_rows_become_a_tensor_and_tensors_predictions(member: str) -> None:
    moved = adapter(MOVED)
    made = {"name": "input-0", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}
    assert moved.request({member: [[1, 2]]}) == {"inputs": [made]}
    output = {"name": "predict", "shape": [2, 1], "datatype": "FP64", "data": [2.875, 7.125]}
    assert moved({"model_name": "m", "outputs": [output]}) == {"predictions": [2.875, 7.125]}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"dataframe_split": {"data": [[1]]}}, "a dataframe has columns whose datatypes are not known"),
        ({"dataframe_records": [{"a": 1}]}, "a dataframe has columns whose datatypes are not known"),
        ({"instances": [[1]], "params": {"k": 1}}, "params of a request have no place in the tensor"),
        ({"inputs": {"a": [1]}}, "an object"),
    ],
)
def test_a_request_that_a_tensor_does_not_say_is_refused(asked: dict[str, Any], reason: str) -> None:
    with pytest.raises(AdaptError) as refused:
        adapter(MOVED).request(asked)
    assert reason in str(refused.value)


def test_errors_become_those_of_mlflow() -> None:
    moved = adapter(MOVED)
    assert moved.error({"error": "no such model"}) == {"error_code": "BAD_REQUEST", "message": "no such model"}
    said = moved.error({"detail": [{"loc": ["body"], "msg": "bad"}]})
    assert said == {"error_code": "BAD_REQUEST", "message": "body: bad"}
