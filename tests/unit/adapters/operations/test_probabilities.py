"""sigmoid, logit, softmax, argmax and threshold at their edges, against values from exact arithmetic."""

import json
import math
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.errors import AdaptError
from tests.kit.adapters import REFUSED, adapted, both

EDGES = [-1000.0, -745.2, -709.8, -37.0, -1e-17, -0.0, 0, 1e-17, 0.5, 1, 36.8, 709.8, 1000.0, 1000, -1000, 1e308]


def exact_sigmoid(x: float) -> float:
    """`1 / (1 + e^-x)` in 400 digits."""
    with localcontext() as context:
        context.prec = 400
        context.Emin, context.Emax = -(10**9), 10**9
        return float(1 / (1 + (-Decimal(max(min(x, 1e4), -1e4))).exp()))


def exact_softmax(values: list[float]) -> list[float]:
    with localcontext() as context:
        context.prec = 400
        highest = max(map(Decimal, values))
        powers = [max(Decimal(value) - highest, Decimal(-10000)).exp() for value in values]
        return [float(power / sum(powers)) for power in powers]


@pytest.mark.parametrize("x", EDGES)
def test_sigmoid_is_right_to_the_last_digits(x: float) -> None:
    found = both([{"sigmoid": "/a/*"}], {"a": [x]})["a"][0]
    assert math.isclose(found, exact_sigmoid(x), rel_tol=1e-15, abs_tol=5e-324)
    assert 0.0 <= found <= 1.0


@pytest.mark.parametrize("x", [5e-324, 1e-300, 1e-17, 0.1, 0.5, 0.75, 1 - 2**-53])
def test_logit_is_right_where_a_float_can_be(x: float) -> None:
    found = both([{"logit": "/a/*"}], {"a": [x]})["a"][0]
    with localcontext() as context:
        context.prec = 400
        exact = float((Decimal(x) / (1 - Decimal(x))).ln())
    assert math.isclose(found, exact, rel_tol=1e-15, abs_tol=1e-15)


@pytest.mark.parametrize("x", [0, 0.0, 1, 1.0, -0.1, 1.0000001, 1000, -1000.0, True, "0.5", None])
def test_logit_refuses_what_is_no_probability_or_has_no_finite_logit(x: Any) -> None:
    assert both([{"logit": "/a/*"}], {"a": [x]}) == REFUSED


@pytest.mark.parametrize(
    "values",
    [
        [1000.0, -1000.0],
        [-1000, -1000],
        [1000, 1000.0, 999],
        [1e308, -1e308, 0],
        [0],
        [3, 3, 3],
        [-0.0, 0.0],
        [2**63, 1],
    ],
)
def test_softmax_is_right_to_the_last_digits(values: list[float]) -> None:
    found = both([{"softmax": "/a"}], {"a": values})["a"]
    for value, exact in zip(found, exact_softmax(values), strict=True):
        assert math.isclose(value, exact, rel_tol=1e-14, abs_tol=5e-324)


@pytest.mark.parametrize(
    "values", [[], [[]], [[1], []], [1, [2]], [[1], 2], ["1"], [None], [True], "1", 1, {"a": 1}, [[[]]]]
)
def test_softmax_and_argmax_refuse_what_is_no_array_of_numbers(values: Any) -> None:
    assert both([{"softmax": "/a"}], {"a": values}) == REFUSED
    assert both([{"argmax": "/a"}], {"a": values}) == REFUSED


@pytest.mark.parametrize(
    ("values", "index"),
    [
        ([1, 1.0], 0),
        ([1.0, 1], 0),
        ([-0.0, 0.0], 0),
        ([0, 5, 5], 1),
        ([-1e308, -1000], 1),
        ([[[1, 2]], [[2, 1]]], [[1], [0]]),
    ],
)
def test_argmax_takes_the_first_of_equals_in_each_innermost_array(values: Any, index: Any) -> None:
    assert both([{"argmax": "/a"}], {"a": values}) == {"a": index}


def test_threshold_marks_each_of_many_labels() -> None:
    document = {"a": [[0.5, 0.49999999999999994, 1], [0, 0.5000000000000001, -3]]}
    found = both([{"threshold": {"path": "/a/*/*", "at": 0.5}}], document)
    assert found == {"a": [[True, False, True], [False, True, False]]}
    by_label = both([{"threshold": {"path": "/a/*", "at": 1, "above": 1, "below": 0}}], {"a": {"x": 1, "y": 0.999}})
    assert by_label == {"a": {"x": 1, "y": 0}}
    assert both([{"threshold": {"path": "/a/*", "at": 0.5}}], {"a": [0.7, True]}) == REFUSED


@pytest.mark.parametrize("operation", ["sigmoid", "logit", "exp", "log", "threshold"])
@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("fidelity", ["normal", "strict"])
def test_what_has_no_json_form_is_refused(operation: str, text: str, fidelity: str) -> None:
    options = {"path": "/a/*", **({"at": 0} if operation == "threshold" else {})}
    with pytest.raises(AdaptError):
        adapted([{operation: options}], f'{{"a":[{text}]}}'.encode(), fidelity)


@settings(max_examples=50)
@given(st.lists(st.floats(-800, 800), min_size=1, max_size=5))
def test_softmax_of_floats_is_right(values: list[float]) -> None:
    found = json.loads(adapted([{"softmax": "/a"}], json.dumps({"a": values}).encode()))["a"]
    for value, exact in zip(found, exact_softmax(values), strict=True):
        assert math.isclose(value, exact, rel_tol=1e-13, abs_tol=1e-300)
