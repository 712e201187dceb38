from typing import Any

import pytest

from stepdown_adapters.errors import OperationError, Problem
from stepdown_adapters.operations import parse


def problems(*operations: Any) -> list[Problem]:
    with pytest.raises(OperationError) as error:
        parse(operations)
    assert str(error.value) == "\n".join(map(str, error.value.problems))
    return list(error.value.problems)


def test_the_worked_adapter_is_read() -> None:
    operations = parse(
        [
            {
                "in": "/outputs/[name=score]",
                "do": [{"replace": {"path": "/name", "value": "probability"}}, {"sigmoid": "/data/*"}],
            },
            {"remove": "/outputs/[name=explanation]"},
        ]
    )
    assert [operation.name for operation in operations] == ["in", "remove"]
    assert [inner.where for inner in operations[0].inner()] == ["[0]/do/0/replace", "[0]/do/1/sigmoid"]
    assert str(operations[1].about) == "/outputs/[name=explanation]"


def test_all_problems_are_reported_at_once_each_with_its_place_and_the_nearest_name() -> None:
    found = problems(
        {"sigmoyd": "/x"},
        {"in": "/a", "do": [{"replace": {"pth": "/x", "value": 1}}], "on_mising": "skip"},
        {"cast": {"path": "x", "to": "strin"}},
    )
    assert [(problem.where, problem.nearest) for problem in found] == [
        ("[0]/sigmoyd", "sigmoid"),
        ("[1]/on_mising", "on_missing"),
        ("[1]/do/0/replace", None),
        ("[1]/do/0/replace/pth", "path"),
        ("[2]/cast/path", None),
        ("[2]/cast/to", "string"),
    ]


@pytest.mark.parametrize(
    ("operation", "where", "sentence"),
    [
        (5, "[0]", "an operation is a mapping"),
        ({}, "[0]", "an operation is a mapping"),
        ({"remove": "/a", "wrap": "/b"}, "[0]", "one operation has one name, not remove, wrap"),
        ({"do": []}, "[0]", "needs in"),
        ({"in": "/a"}, "[0]/in", "needs do"),
        ({"in": "/a", "do": {}}, "[0]/do", "a list of operations is needed"),
        ({"in": "a", "do": []}, "[0]/in", "write /a"),
        ({"remove": 5}, "[0]/remove", "takes a path or a mapping"),
        ({"remove": ""}, "[0]/remove", "cannot remove the whole document"),
        (
            {"remove": {"path": "/a", "on_missing": "default", "default": 1}},
            "[0]/remove/on_missing",
            "one of fail, skip",
        ),
        ({"add": {"path": "/a/*", "value": 1}}, "[0]/add/path", "use in for several places"),
        ({"add": {"path": "/a", "value": float("nan")}}, "[0]/add/value", "NaN"),
        ({"add": {"path": "/a", "value": {1: 2}}}, "[0]/add/value", "name of a member is a string"),
        ({"add": {"path": "/a", "value": "\ud800"}}, "[0]/add/value", "surrogate"),
        ({"add": {"path": "/a", "value": [{1, 2}]}}, "[0]/add/value", "no JSON form"),
        ({"move": {"from": "/a"}}, "[0]/move", "needs to"),
        ({"move": {"from": "/a", "to": "/a"}}, "[0]/move/to", "is its own source"),
        ({"move": {"from": "/a", "to": "/a/b"}}, "[0]/move/to", "lies in its own source"),
        ({"move": {"from": "/a/*", "to": "/b"}}, "[0]/move/from", "one source and one target"),
        ({"move": {"from": "/a", "to": "/b/[c=d]"}}, "[0]/move/to", "puts a value at a member"),
        ({"zip": {"from": {}, "to": "/a"}}, "[0]/zip/from", "a mapping of member names"),
        ({"zip": {"from": {"a": "x"}, "to": "/a"}}, "[0]/zip/from", "a: a path starts with /"),
        ({"zip": {"from": {"a": "/x/*"}, "to": "/a"}}, "[0]/zip/from", "a: needs one place"),
        ({"zip": {"from": {"a": "/x"}, "to": ""}}, "[0]/zip/to", "puts the result at one member"),
        ({"unzip": {"from": "/a/*", "to": {"a": "/x"}}}, "[0]/unzip/from", "needs one array"),
        ({"unzip": {"from": "/a", "to": {"a": "/[x=y]"}}}, "[0]/unzip/to", "a: needs one place"),
        ({"carry": {"from": "/a/*", "as": "x"}}, "[0]/carry/from", "carries one value"),
        ({"carry": {"from": "/a", "as": ""}}, "[0]/carry/as", "the name of what is carried"),
        ({"map_values": "/a"}, "[0]/map_values", "needs table"),
        ({"map_values": {"path": "/a", "table": {1: "x"}}}, "[0]/map_values/table", "a mapping of old values"),
        (
            {"map_values": {"path": "/a", "table": {"a": 1}, "on_unmapped": "default"}},
            "[0]/map_values",
            "needs default",
        ),
        ({"linear": "/a"}, "[0]/linear", "needs scale or offset"),
        ({"linear": {"path": "/a", "scale": 0}}, "[0]/linear/scale", "loses every value"),
        ({"linear": {"path": "/a", "scale": True}}, "[0]/linear/scale", "scale is a number, not True"),
        ({"linear": {"path": "/a", "scale": float("inf")}}, "[0]/linear/scale", "scale is a number, not inf"),
        ({"clamp": "/a"}, "[0]/clamp", "needs min or max"),
        ({"clamp": {"path": "/a", "min": 2, "max": 1}}, "[0]/clamp/min", "min is over max"),
        ({"round": {"path": "/a", "digits": 99}}, "[0]/round/digits", "from 0 to 15"),
        ({"logit": {"path": "/a", "epsilon": 1}}, "[0]/logit/epsilon", "between 0 and 0.5"),
        ({"threshold": "/a"}, "[0]/threshold", "needs at"),
        ({"threshold": {"path": "/a", "at": 1, "above": float("nan")}}, "[0]/threshold/above", "NaN"),
        ({"slice": "/a"}, "[0]/slice", "needs start or end"),
        ({"slice": {"path": "/a", "end": -1}}, "[0]/slice/end", "from 0 on"),
        ({"sort_by": {"path": "/a", "by": "/b/*"}}, "[0]/sort_by/by", "leads to one member"),
        ({"sort_by": {"path": "/a", "order": "desc"}}, "[0]/sort_by/order", "ascending, descending"),
        ({"top_k": "/a"}, "[0]/top_k", "needs k"),
        ({"project": "/a"}, "[0]/project", "needs keep"),
        ({"project": {"keep": ["a", "a"]}}, "[0]/project/keep", "a list of the members that stay"),
        ({"to_entries": {"path": "/a", "key": "x", "value": "x"}}, "[0]/to_entries/value", "the same name"),
        ({"argmax": {"path": "/a", "labels": []}}, "[0]/argmax/labels", "a list of labels"),
        ({"reshape": {"path": "/a", "shape": [-1, -1]}}, "[0]/reshape/shape", "one of them perhaps -1"),
        ({"cast": {"path": "/a"}}, "[0]/cast", "needs to"),
        ({"sigmoid": {"path": "/a/*", "default": 1}}, "[0]/sigmoid", "ends in a member"),
        ({"rows_to_tensor": {}}, "[0]/rows_to_tensor", "needs tensors"),
        ({"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP"}]}}, "[0]/rows_to_tensor/tensors", "datatype"),
        (
            {"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "BOOL"}] * 2}},
            "[0]/rows_to_tensor/tensors",
            "the same name",
        ),
    ],
    ids=str,
)
def test_a_mistake_is_named(operation: Any, where: str, sentence: str) -> None:
    found = problems(operation)
    assert any(problem.where == where and sentence in problem.sentence for problem in found), found


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(OperationError, match="a list of operations is needed"):
        parse({"remove": "/a"})  # type: ignore[arg-type]


def test_in_can_be_nested_sixteen_times_and_not_more() -> None:
    def nested(depth: int) -> Any:
        return {"in": "/*", "do": [nested(depth - 1)] if depth else [{"remove": "/a"}]}

    assert parse([nested(15)])
    assert "stands in more than 16 others" in problems(nested(16))[0].sentence


def test_a_hint_is_only_given_where_a_name_is_like_another() -> None:
    assert problems({"xyzzy": "/a"})[0].nearest is None


def test_an_integer_that_no_float_can_hold_is_no_number_for_an_option() -> None:
    with pytest.raises(OperationError, match="scale"):
        parse([{"linear": {"path": "/x", "scale": 10**400}}])
