"""`Adapter`: plain values in, plain values out, by the compiled chain."""

import json
import math
from pathlib import Path

import pytest

from stepdown_adapters import Adapter, AdaptError, ModelError, OperationError, Step, VersionError

CHURN = Path(__file__).parents[3] / "config" / "library" / "churn.yaml"
NEW = {"logit": 0.0, "label": "stay", "explanation": ["new"], "model": "b"}


def scaled(*, non_finite: str = "fail") -> Adapter:
    return Adapter.of([Step("2.0.0", "1.0.0", [{"linear": {"path": "/score", "scale": 2}}], non_finite=non_finite)])


def test_a_document_steps_down_over_declared_and_derived_steps() -> None:
    step_down = Adapter.load(CHURN, "2.0.0", "1.0.0")
    assert step_down.versions == ("2.0.0", "1.1.0", "1.0.0")
    assert step_down(NEW) == {"probability": 0.5, "label": "stay"}
    assert NEW["explanation"] == ["new"]  # what was given stays as it was


def test_the_file_may_be_a_text_and_a_version_a_range() -> None:
    step_down = Adapter.load(str(CHURN), "v2.0.0", "^1.0")
    assert step_down(NEW) == {"probability": 0.5, "label": "stay", "model": "b"}


def test_a_version_becomes_itself_by_doing_nothing() -> None:
    same = Adapter.load(CHURN, "1.0.0", "1.0.0")
    assert same(NEW) == NEW
    assert same.bytes(b'{"a": 1E2}') == b'{"a": 1E2}'
    assert same.source == ""
    assert same.explain() == "1.0.0 as it is: there is nothing to do."


def test_one_model_of_a_configuration_is_taken_and_all_else_ignored() -> None:
    configuration = CHURN.parents[1] / "churn" / "stepdown.yaml"
    step_down = Adapter.load(configuration, "2.0.0", "1.0.0", model="churn")
    answer = {"model_name": "churn", "model_version": "v2", "id": "1", "parameters": {"threshold": 0.5}}
    score = {"name": "score", "shape": [1], "datatype": "FP64", "data": [0.0]}
    old = step_down({**answer, "outputs": [score]})
    assert old["outputs"] == [{**score, "name": "probability", "data": [0.5]}]
    assert old["model_version"] == "v1"


def test_a_request_of_the_old_client_is_stepped_up() -> None:
    step_down = Adapter.load(CHURN, "2.0.0", "1.0.0")
    assert step_down.request({"customer": "c", "months": 1}) == {"customer_id": "c", "months": 1}
    assert json.loads(step_down.request_bytes(b'{"customer": "c"}')) == {"customer_id": "c"}


def test_bytes_that_nothing_looks_at_stay_as_they_are() -> None:
    step_down = Adapter.of([Step("2.0.0", "1.0.0", [{"remove": "/new"}])])
    assert step_down.bytes(b'{"n":1E5,"new":1,"big":18446744073709551617}') == b'{"n":1E5,"big":18446744073709551617}'


def test_numbers_of_any_size_pass_through() -> None:
    step_down = Adapter.of([Step("2.0.0", "1.0.0", [{"remove": "/new"}])])
    document = {"big": 2**70, "small": 5e-324, "whole": 1.0, "text": "\u00e9\u2028"}
    assert step_down({**document, "new": 1}) == document


def test_what_operations_read_of_the_request_is_given_by_name() -> None:
    facts = {
        "body": {"request": "/scale"},
        "param": {"param": "name"},
        "header": {"header": "X-Unit"},
    }
    steps = [{"add": {"path": f"/{name}", "value": operand}} for name, operand in facts.items()]
    step_down = Adapter.of([Step("2.0.0", "1.0.0", steps)])
    old = step_down({}, request={"scale": 3}, params={"name": "churn"}, headers={"x-UNIT": "ms"})
    assert old == {"body": 3, "param": "churn", "header": "ms"}
    assert step_down({}, request=b'{"scale": 3}', params={"name": "churn"}, headers={"X-Unit": "ms"}) == old


def test_a_request_that_is_null_is_a_request() -> None:
    step_down = Adapter.of([Step("2.0.0", "1.0.0", [{"add": {"path": "/asked", "value": {"request": ""}}}])])
    assert step_down({}, request=None) == {"asked": None}
    with pytest.raises(AdaptError, match="the request's body is needed"):
        step_down({})


def test_what_a_request_list_carries_reaches_the_answer() -> None:
    carry = [{"carry": {"from": "/width", "as": "width"}}]
    step_down = Adapter.of(
        [Step("2.0.0", "1.0.0", [{"add": {"path": "/width", "value": {"carried": "width"}}}], carry)]
    )
    assert step_down({}, request={"width": 640}) == {"width": 640}
    with pytest.raises(AdaptError, match="carried as 'width'"):
        step_down({})


def test_errors_have_operations_of_their_own() -> None:
    move = [{"move": {"from": "/detail", "to": "/error"}}]
    step_down = Adapter.of([Step("2.0.0", "1.0.0", [{"remove": "/detail"}], errors=move)])
    assert step_down.error({"detail": "no"}) == {"error": "no"}
    assert step_down.error_bytes(b'{"detail":"no"}') == b'{"error":"no"}'
    assert step_down({"detail": "no"}) == {}


def test_what_is_done_to_a_head_can_be_read() -> None:
    step_down = Adapter.of([Step("2.0.0", "1.0.0", [{"header_set": {"x-shape": "old"}}])])
    assert step_down.head.fields == {"x-shape": "old"}
    assert step_down({"a": 1}) == {"a": 1}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"score": "high"}, "a string is not a number"),
        ({}, "'score'"),
        ({"score": math.nan}, "NaN and infinities have no JSON form"),
        ({"score": {1, 2}}, "a Python set has no JSON form"),
        ({1: 2}, "the name of a member is a string, not a number"),
        ("\ud800", "lone surrogate"),
    ],
    ids=["type", "missing", "nan", "set", "name", "surrogate"],
)
def test_what_cannot_be_adapted_is_an_error_with_its_step(document: object, sentence: str) -> None:
    with pytest.raises(AdaptError, match=sentence) as caught:
        scaled()(document)
    assert caught.value.step == "2.0.0 -> 1.0.0"


def test_a_document_that_contains_itself_is_refused() -> None:
    circle: dict[str, object] = {}
    circle["again"] = circle
    with pytest.raises(AdaptError, match="nested deeper than 200"):
        scaled()(circle)


def test_not_a_number_is_null_where_the_step_says_so() -> None:
    step_down = scaled(non_finite="nullify")
    assert step_down({"score": 1.5, "other": math.nan}) == {"score": 3, "other": None}
    with pytest.raises(AdaptError, match="a Python object has no JSON form"):
        step_down({"score": 1.5, "other": object()})


def test_explain_tells_each_step_with_its_place_and_loss() -> None:
    text = Adapter.load(CHURN, "2.0.0", "1.0.0").explain().splitlines()
    assert text[0] == "2.0.0 to 1.0.0 in 2 steps."
    assert text[1] == f"2.0.0 -> 1.1.0: adapter at {CHURN}:8, lossy"
    assert '  response: {"sigmoid": "/probability"}' in text
    assert text[-2:] == ["1.1.0 -> 1.0.0: derived from the contracts, lossy", '  response: {"remove": "/model"}']


def test_explain_tells_of_hooks_pruning_and_ways_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("""
versions: {"1.0.0": {}, "2.0.0": {}, "3.0.0": {}}
adapters:
  - {from: "3.0.0", to: "2.0.0", hook: "math:prod"}
  - {from: "2.0.0", to: "1.0.0", response: []}
  - {from: "3.0.0", to: "1.0.0", response: []}
""")
    assert "hook: math:prod, unproved" in Adapter.load(file, "3.0.0", "2.0.0").explain()
    lossless = Adapter.load(file, "3.0.0", "1.0.0").explain()
    assert "nothing to do" in lossless
    assert "Not taken: 3.0.0 -> 2.0.0 -> 1.0.0 has 1 lossy step instead of 0." in lossless


def test_the_generated_code_can_be_read() -> None:
    assert "def response(body, context):" in scaled().source
    assert repr(scaled()) == "<Adapter 2.0.0 -> 1.0.0>"


def test_an_adapter_of_steps_that_do_not_follow_one_another_is_refused() -> None:
    with pytest.raises(OperationError, match=r"the step from 1.0.0 cannot follow one to 2.0.0"):
        Adapter.of([Step("3.0.0", "2.0.0"), Step("1.0.0", "0.1.0")])
    with pytest.raises(OperationError, match="needs a step"):
        Adapter.of([])
    with pytest.raises(OperationError, match="did you mean 'sigmoid'"):
        Adapter.of([Step("2.0.0", "1.0.0", [{"sigmoit": "/x"}])])


def test_versions_without_a_way_between_them_are_named() -> None:
    with pytest.raises(ModelError, match=r"2.0.0 cannot be had from 1.0.0: it is newer, and adapters step down only"):
        Adapter.load(CHURN, "1.0.0", "2.0.0")
    with pytest.raises(ModelError, match=r"there is no version '3.0.0'"):
        Adapter.load(CHURN, "3.0.0", "1.0.0")
    with pytest.raises(VersionError, match="'new' is no version"):
        Adapter.load(CHURN, "new", "1.0.0")
