from typing import Any

import pytest

from stepdown_adapters.operations import check, parse

NEWER: Any = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "model": {"const": "churn"},
        "outputs": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/score"}, {"$ref": "#/$defs/explanation"}]}},
        "free": {"type": "object"},
        "strings": {"type": "object", "additionalProperties": {"type": "string"}},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "object"}], "items": False},
        "maybe": {"type": ["object", "null"], "properties": {"x": {"type": "number"}}, "additionalProperties": False},
        "anything": True,
        "nothing": False,
        "patterned": {"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": False},
        "tree": {"$ref": "#/$defs/tree"},
        "mixed": {"allOf": [{"type": "object", "properties": {"a": {}}, "additionalProperties": False},
         {"minProperties": 1}]},
    },
    "$defs": {
        "score": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"name": {"const": "score"}, "data": {"type": "array", "items": {"type": "number"}}},
        },
        "explanation": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"name": {"$ref": "#/$defs/kind"}, "data": {"type": "array"}, "parameters": {}},
        },
        "kind": {"enum": ["explanation", "reason"]},
        "tree": {"type": "object", "additionalProperties": False, "properties": {"left": {"$ref": "#/$defs/tree"}}},
        "circle": {"$ref": "#/$defs/circle"},
    },
}  # fmt: skip


def found(*operations: Any, newer: Any = NEWER, older: Any = None) -> list[tuple[str, str | None]]:
    return [(problem.where, problem.nearest) for problem in check(parse(operations), newer, older)]


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/outpts", "outputs"),
        ("/model/x", None),
        ("/model/*", None),
        ("/outputs/name", None),
        ("/outputs/*/nam", "name"),
        ("/outputs/0/dta", "data"),
        ("/outputs/*/data/x", None),
        ("/outputs/[name=score]/data/*/x", None),
        ("/outputs/[name=scor]", "score"),
        ("/outputs/[name=reson]", "reason"),
        ("/outputs/[nam=score]", "name"),
        ("/outputs/[name=score]/parameters", None),
        ("/free/[a=b]", None),
        ("/outputs/[name=score]/data/[a=b]", None),
        ("/strings/x/y", None),
        ("/strings/*/y", None),
        ("/pair/*/*/x/[a=b]/0/q", ""),
        ("/pair/0/x", ""),
        ("/maybe/y", None),
        ("/nothing/x", None),
        ("/tree/left/left/right", None),
        ("/mixed/b", None),
    ],
)
def test_a_path_that_the_newer_contract_rules_out_is_a_problem(path: str, nearest: str | None) -> None:
    expected = [] if nearest == "" else [("[0]/remove", nearest)]
    assert found({"remove": path}) == expected


@pytest.mark.parametrize(
    "path",
    ["/outputs/*/name", "/outputs/[name=score]/data/0", "/outputs/[name=reason]/parameters/x", "/free/a/b",
     "/strings/x",
     "/pair/1/x", "/maybe/x", "/anything/at/all", "/patterned/xyz", "/tree/left/left", "/mixed/a", "/*/x",
      "/outputs/-"],
)  # fmt: skip
def test_a_path_that_may_be_there_is_none(path: str) -> None:
    assert found({"remove": path}) == []


def test_paths_inside_of_in_are_seen_from_the_top() -> None:
    operation = {
        "in": "/outputs/[name=score]",
        "do": [{"replace": {"path": "/name", "value": "p"}}, {"sigmoid": "/dat/*"}],
    }
    assert found(operation) == [("[0]/do/1/sigmoid", "data")]


def test_a_problem_of_in_is_not_repeated_by_what_is_inside() -> None:
    assert found({"in": "/outpts/*", "do": [{"remove": "/a"}, {"remove": "/b"}]}) == [("[0]", "outputs")]


def test_the_message_names_path_and_place() -> None:
    (problem,) = check(parse([{"remove": "/outputs/*/nam"}]), NEWER, None)
    assert str(problem) == (
        "[0]/remove: /outputs/*/nam: the contract declares no member 'nam' at /outputs/* (did you mean 'name'?)"
    )


def test_what_was_changed_before_is_not_judged() -> None:
    assert (
        found({"move": {"from": "/outputs", "to": "/results"}}, {"remove": "/results/x"}, {"remove": "/outputs/x"})
        == []
    )
    assert found({"replace": {"path": "/outputs/*/name", "value": "x"}}, {"remove": "/outputs/[name=x]"}) == []
    assert found({"tensor_to_rows": {}}, {"remove": "/predictions/x"}) == []


def test_what_was_not_changed_is_still_judged() -> None:
    operations = [
        {"remove": "/outputs/[name=score]/data"},
        {"remove": "/outputs/[name=reason]/dat"},
        {"remove": "/modl"},
    ]
    assert found(*operations) == [("[1]/remove", "data"), ("[2]/remove", "model")]
    assert found({"copy": {"from": "/model", "to": "/free/x"}}, {"remove": "/model/x"}) == [("[1]/remove", None)]
    assert found({"test": {"path": "/outputs/0/name", "value": "score"}}, {"remove": "/outputs/0/nam"}) == [
        ("[1]/remove", "name")
    ]


def test_what_is_written_must_have_a_place_in_the_older_contract() -> None:
    older = {"type": "object", "additionalProperties": False, "properties": {"score": {}, "rows": {"type": "array"}}}
    assert found({"move": {"from": "/model", "to": "/scor"}}, older=older) == [("[0]/move", "score")]
    operations = [{"add": {"path": "/score/x", "value": 1}}, {"add": {"path": "/rows/-", "value": 1}}]
    assert found(*operations, newer=True, older=older) == []


def test_what_is_written_may_be_taken_away_again() -> None:
    older = {"type": "object", "additionalProperties": False, "properties": {"score": {}}}
    newer = {"type": "object", "additionalProperties": False, "properties": {"model": {}}, "required": ["model"]}
    operations = [{"move": {"from": "/model", "to": "/temporary"}}, {"move": {"from": "/temporary", "to": "/score"}}]
    assert found(*operations, newer=newer, older=older) == []


def test_nothing_is_judged_without_contracts() -> None:
    assert found({"remove": "/x"}, newer=None) == []
    assert found({"remove": "/x"}, newer=True) == []


def test_references_in_a_circle_are_not_judged() -> None:
    assert found({"remove": "/a"}, newer={"$ref": "#/$defs/c", "$defs": {"c": {"$ref": "#/$defs/c"}}}) == []


def test_draft_7_tuples_are_understood() -> None:
    newer = {"type": "array", "items": [{"type": "string"}], "additionalItems": {"type": "number"}}
    assert found({"remove": "/0/x"}, newer=newer) == [("[0]/remove", None)]
