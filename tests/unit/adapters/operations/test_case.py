"""case and refuse: operations by a discriminator, and what cannot be had in the older shape."""

from typing import Any

import pytest

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError, OperationError
from stepdown_adapters.operations import check, is_lossless, parse
from stepdown_adapters.operations.refuse import Refuse
from tests.kit.adapters import REFUSED, both, compiled, refusal

A, B = [{"move": {"from": "/x", "to": "/a"}}], [{"remove": "/x"}, {"add": {"path": "/b", "value": 1}}]


def case(**options: Any) -> Any:
    return {"case": {"path": "/type", "when": {"a": A, "b": B}, **options}}


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        (case(), {"type": "a", "x": 1}, {"type": "a", "a": 1}),
        (case(), {"type": "b", "x": 1}, {"type": "b", "b": 1}),
        (case(), {"type": "c", "x": 1}, REFUSED),
        (case(), {"type": "a"}, REFUSED),
        (case(), {"x": 1}, REFUSED),
        (case(on_missing="skip"), {"x": 1}, {"x": 1}),
        (case(), {"type": ["a"]}, REFUSED),
        (case(otherwise="skip"), {"type": "c", "x": 1}, {"type": "c", "x": 1}),
        (case(otherwise="skip"), {"type": {}}, REFUSED),
        (case(otherwise=B), {"type": "c", "x": 1}, {"type": "c", "b": 1}),
        (case(otherwise=[]), {"type": "c"}, {"type": "c"}),
        (case(otherwise=B, on_missing="skip"), {"x": 1}, {"x": 1}),
        (case(when={"1": B, "true": [], "null": A}), {"type": 1.0}, {"type": 1.0, "b": 1}),
        (case(when={"1": B, "true": [], "null": A}), {"type": True}, {"type": True}),
        (case(when={"1": B, "true": [], "null": A}), {"type": None, "x": 1}, {"type": None, "a": 1}),
        (case(when={"a": [{"replace": {"path": "/type", "value": "b"}}], "b": B}), {"type": "a"}, {"type": "b"}),
        (case(when={"a": [case(path="/sub")]}), {"type": "a", "sub": "b", "x": 1}, {"type": "a", "sub": "b", "b": 1}),
        ({"in": "/parts/*", "do": [case(otherwise="skip")]}, {"parts": [{"type": "a", "x": 1}, {"type": "z"},
         {"type": "b"}]}, {"parts": [{"type": "a", "a": 1}, {"type": "z"}, {"type": "b", "b": 1}]}),
        (case(path="", when={"a": [{"wrap": ""}]}), "a", ["a"]),
        (case(path="/[n=t]/v", when={"a": [{"remove": "/1"}]}), [{"n": "t", "v": "a"}, 5], [{"n": "t", "v": "a"}]),
    ],
    ids=str,
)  # fmt: skip
def test_the_branch_of_the_discriminator_is_run(operation: Any, document: Any, expected: Any) -> None:
    assert both([operation], document) == expected


def test_an_error_inside_of_a_branch_names_its_operation_and_path() -> None:
    error = refusal([{"in": "/parts/*", "do": [case()]}], b'{"parts":[{"type":"a"}]}')
    assert (error.operation, error.path) == ("response[0]/do/0/case/when/a/0/move", "/parts/*/x")
    error = refusal([case()], b'{"type":"c"}')
    assert (error.operation, error.path, error.sentence) == ("response[0]/case", "/type", "there is no case for 'c'")


def test_the_operation_behind_a_case_is_blamed_for_its_own_mistake() -> None:
    error = refusal([case(otherwise="skip"), {"sigmoid": "/s"}], b'{"type":"b"}')
    assert error.operation == "response[1]/sigmoid"


def test_the_value_of_a_branch_cannot_break_out_of_the_code() -> None:
    name = "a'\"\n\\\nraise SystemExit"
    assert both([case(when={name: B})], {"type": name}) == {"type": name, "b": 1}


def test_a_case_loses_what_its_branches_lose() -> None:
    assert is_lossless(parse([case(when={"a": A})]))
    assert not is_lossless(parse([case()]))
    assert not is_lossless(parse([case(when={"a": A}, otherwise=B)]))


def test_paths_in_branches_are_held_against_the_contract() -> None:
    newer: Any = {"type": "object", "properties": {"type": {}, "xx": {}}, "additionalProperties": False}
    (found,) = check(parse([case(when={"a": A, "b": []})]), newer, None)
    assert (found.where, found.nearest) == ("[0]/case/when/a/0/move", "xx")


@pytest.mark.parametrize(
    ("operation", "where", "sentence"),
    [
        ({"case": "/type"}, "[0]/case", "needs when"),
        (case(when={}), "[0]/case/when", "a mapping of values"),
        (case(when={1: A}), "[0]/case/when", "a mapping of values"),
        (case(when={"a": {}}), "[0]/case/when/a", "a list of operations is needed"),
        (case(when={"a": [{"rmove": "/x"}]}), "[0]/case/when/a/0/rmove", "there is no operation"),
        (case(otherwise="default"), "[0]/case/otherwise", "fail, skip or a list"),
        (case(otherwise=[5]), "[0]/case/otherwise/0", "an operation is a mapping"),
        (case(path="/a/*"), "[0]/case/path", "use in for several places"),
        (case(whn=1), "[0]/case/whn", "has no option"),
        (case(when={"a": [{"status_map": {"422": 400}}]}), "[0]/case/when/a/0/status_map", "outside of in"),
        ({"refuse": {}}, "[0]/refuse", "needs reason"),
        ({"refuse": {"reason": " "}}, "[0]/refuse/reason", "a sentence that says why"),
        ({"refuse": {"reason": "x", "when": {}}}, "[0]/refuse/when", "a condition is a mapping"),
    ],
    ids=str,
)
def test_a_mistake_is_named(operation: Any, where: str, sentence: str) -> None:
    with pytest.raises(OperationError) as error:
        parse([operation])
    assert any(problem.where == where and sentence in problem.sentence for problem in error.value.problems)


def nested(depth: int) -> Any:
    return case(when={"a": [nested(depth - 1)] if depth else A})


def test_cases_can_be_nested_sixteen_times_and_not_more() -> None:
    document = {"type": "a", "x": 1}
    assert both([nested(15)], document) == {"type": "a", "a": 1}
    with pytest.raises(OperationError, match="stands in more than 16 others"):
        parse([nested(16)])


def test_hundreds_of_branches_compile() -> None:
    assert both([case(when={str(number): B for number in range(500)})], {"type": 499}) == {"type": 499, "b": 1}


def test_a_refusal_without_conditions_refuses_everything_with_its_reason() -> None:
    reason = 'embeddings of another space: "v2"\ncannot be stepped down'
    (operation,) = parse([{"refuse": {"reason": reason}}])
    assert isinstance(operation, Refuse)
    assert operation.always
    with pytest.raises(AdaptError) as error:
        compiled({"refuse": {"reason": reason}}).response(b"{}", Context())
    assert error.value.sentence == reason
    assert not is_lossless([operation])


@pytest.mark.parametrize(
    ("document", "refused"),
    [({"calls": [1]}, False), ({"calls": [1, 2]}, True), ({}, False), ({"calls": [1, 2], "kind": "old"}, False)],
    ids=str,
)
def test_a_refusal_with_conditions_lets_other_documents_by(document: Any, refused: bool) -> None:
    conditions = [{"path": "/calls/1", "exists": True}, {"path": "/kind", "not_equals": "old"}]
    operation = {"refuse": {"reason": "several calls", "when": conditions}}
    assert both([operation], document) == (REFUSED if refused else document)
