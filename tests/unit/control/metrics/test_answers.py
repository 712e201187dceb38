"""What Prometheus may answer to an instant query, and what of that is a number."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.control.metrics.answers import Instant, instant
from stepdown.control.metrics.asking import Inconclusive
from tests.kit.metrics import NOW, vector


def reason(body: str | bytes, status: int = 200) -> str:
    """Why there is no single number in it."""
    found = instant(status, body.encode() if isinstance(body, str) else body)
    single = found.single() if isinstance(found, Instant) else found
    assert isinstance(single, Inconclusive), single
    return single.reason


def data(kind: str, result: Any) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


def test_a_vector_of_one_and_a_scalar_are_a_number() -> None:
    one = instant(200, vector("0.97").encode())
    assert (one, one.single()) == (Instant(("0.97",), (NOW,)), "0.97") if isinstance(one, Instant) else False
    scalar = instant(200, data("scalar", [NOW, "3"]).encode())
    assert (scalar, scalar.single()) == (Instant("3", (NOW,)), "3") if isinstance(scalar, Instant) else False


@pytest.mark.parametrize(("body", "said"), [
    (vector(), "it has no series (where that means none so far, end the query with `or vector(0)`)"),
    (vector("1", "2"), "it has 2 series, and one is asked for (`sum(...)`?)"),
    (vector("NaN"), "the value is NaN"),
    (vector("+Inf"), "the value is +Inf"),
    (vector("-Inf"), "the value is -Inf"),
    (data("scalar", [NOW, "NaN"]), "the value is NaN"),
    (data("matrix", []), "the query gives a matrix, and one number is asked for"),
    (data("string", [NOW, "1"]), "the query gives a string, and one number is asked for"),
    (data("vector", [{"histogram": [NOW, {}]}]), "the query gives a histogram, and one number is asked for"),
    (vector("1", warnings=["remote storage is down"]), "it warns: remote storage is down"),
    (vector(warnings=["PromQL\nwarning", "two"]), "it warns: PromQL warning; two"),
])  # fmt: skip
def test_what_is_no_single_number_is_inconclusive_with_its_reason(body: str, said: str) -> None:
    assert reason(body) == said


@pytest.mark.parametrize("body", [
    "", "null", "[]", "{}", "<html>", "[" * 200_000, '{"status": "success"}', '{"status": "success", "data": null}',
    '{"status": "success", "data": {"resultType": "vector"}}', data("vector", {}), data("vector", [1]),
    data("vector", [{"value": ["now", "1"]}]), data("vector", [{"value": [NOW, 1]}]),
    data("vector", [{"value": [NOW]}]), data("scalar", ["1"]), data("scalar", [NOW, "x"]),
    vector("about 3"), vector("1_000"), vector("٣"), vector(""), b"\xff\xfe",
])  # fmt: skip
def test_what_prometheus_never_answers_is_inconclusive(body: str | bytes) -> None:
    assert "Prometheus" in reason(body) or reason(body).startswith("it answers 200")


def test_errors_are_told_in_the_servers_words() -> None:
    said = '{"status": "error", "errorType": "bad_data", "error": "parse error: unexpected\\n}"}'
    assert reason(said, 400) == "it answers 400: bad_data: parse error: unexpected }"
    assert reason(said, 200) == "it answers 200: bad_data: parse error: unexpected }"
    assert reason("<html>Bad Gateway</html>", 502) == "it answers 502"
    assert reason(vector("1"), 503).startswith("it answers 503")
    assert len(reason(json.dumps({"status": "error", "error": "x" * 100_000}), 422)) < 300


def test_infos_are_no_warnings() -> None:
    found = instant(200, vector("1", infos=["metric might not be a counter"], warnings=[]).encode())
    assert isinstance(found, Instant)


@given(st.binary(max_size=300), st.sampled_from([200, 204, 404, 500]))
def test_no_answer_raises(body: bytes, status: int) -> None:
    assert isinstance(instant(status, body), Inconclusive)
