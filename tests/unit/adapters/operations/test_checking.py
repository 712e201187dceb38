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


def told(*operations: Any, newer: Any, older: Any = None, then: Any = (), **how: Any) -> list[str]:
    return [str(problem) for problem in check(parse(operations), newer, older, then=parse(then), **how)]


def closed(optional: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


TEXT, NUMBER = {"type": "string"}, {"type": "number"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def test_a_conversion_of_what_it_always_refuses_is_told_with_what_is_there() -> None:
    assert told({"sigmoid": "/x"}, newer=closed(x=TEXT)) == [
        "[0]/sigmoid: /x is a string in the contract, and sigmoid refuses every such value"
    ]
    optional = closed(("x",), x={"type": ["string", "null"]})
    assert told({"sigmoid": {"path": "/x", "on_missing": "skip"}}, newer=optional) == [
        "[0]/sigmoid: /x is null or a string in the contract, and sigmoid refuses every such value"
    ]


def test_a_conversion_of_what_an_earlier_one_made_is_told_with_that_one() -> None:
    chain = [{"cast": {"path": "/x", "to": "string"}}, {"linear": {"path": "/x", "scale": 2}}]
    assert told(*chain, newer=closed(x=NUMBER)) == [
        "[1]/linear: /x is a string after [0]/cast, and linear refuses every such value"
    ]


def test_a_conversion_of_some_values_is_no_mistake() -> None:
    assert told({"sigmoid": "/x"}, newer=closed(x={"type": ["string", "number"]})) == []
    assert told({"sigmoid": "/*"}, newer=closed(("x",), x=TEXT, y=NUMBER)) == []


def test_the_innermost_operation_is_blamed() -> None:
    inside = {"in": "/rows/*", "do": [{"remove": "/id"}, {"softmax": "/x"}]}
    newer = closed(rows={"type": "array", "minItems": 1, "items": closed(x=TEXT, id=TEXT)})
    assert told(inside, newer=newer) == [
        "[0]/do/1/softmax: /rows/*/x is a string in the contract, and softmax refuses every such value"
    ]


def test_an_operation_that_can_accept_no_document_is_told() -> None:
    assert told({"test": {"path": "/x", "value": 1}}, newer=closed(x=TEXT)) == [
        "[0]/test: /x: every document that comes this far is refused"
    ]
    assert told({"zip": {"from": {"a": "/x"}, "to": "/y"}}, newer=closed(x=TEXT)) == [
        "[0]/zip: /x: every document that comes this far is refused"
    ]


def test_a_refusal_on_purpose_is_no_mistake() -> None:
    assert told({"refuse": {"reason": "another space"}}, newer=closed(x=TEXT), older=closed(y=TEXT)) == []


def test_a_conversion_that_contradicts_a_meaning_is_told() -> None:
    share = {**NUMBER, "x-semantic": {"kind": "probability"}}
    assert told({"sigmoid": "/x"}, newer=closed(x=share)) == [
        "[0]/sigmoid: /x: the contract declares a probability there, and sigmoid is for a logit"
    ]
    logits = {"type": "array", "items": NUMBER, "x-semantic": {"kind": "logit", "normalised_over": "classes"}}
    assert told({"sigmoid": "/x/*"}, newer=closed(x=logits)) == [
        "[0]/sigmoid: /x/*: the contract declares logits over classes, and softmax makes probabilities of them"
    ]
    assert told({"softmax": "/x"}, newer=closed(x=logits)) == []


def test_a_meaning_that_stays_another_is_told() -> None:
    newer = closed(x={**NUMBER, "x-semantic": {"kind": "logit"}})
    older = closed(x={**NUMBER, "x-semantic": {"kind": "probability"}})
    assert told(newer=newer, older=older) == [
        ": /x means kind 'logit', and the contract declares kind 'probability'; no operation changes it"
    ]
    assert told({"sigmoid": "/x"}, newer=newer, older=older) == []
    assert told({"linear": {"path": "/x", "scale": 2}}, newer=newer, older=older) == []


@pytest.mark.parametrize(
    ("operation", "newer", "older", "sentence"),
    [
        (
            {"remove": "/x"},
            closed(x=TEXT, y=TEXT),
            closed(x=TEXT, y=TEXT),
            "[0]/remove: after this, /x is never there, and the contract requires it",
        ),
        (
            {"cast": {"path": "/x", "to": "string"}},
            closed(x=NUMBER),
            closed(x=NUMBER),
            "[0]/cast: after this, /x is a string, and the contract has a number",
        ),
        (
            {"replace": {"path": "/x", "value": "v3"}},
            closed(x=TEXT),
            closed(x={"enum": ["v1", "v2"]}),
            "[0]/replace: after this, /x is 'v3', and the contract has 'v1' or 'v2'",
        ),
        (
            {"linear": {"path": "/x", "offset": 2}},
            closed(x=SHARE),
            closed(x=SHARE),
            "[0]/linear: after this, /x is a number from 2 to 3, and the contract has a number from 0 to 1",
        ),
        (
            {"slice": {"path": "/x", "end": 2}},
            closed(x={"type": "array", "minItems": 3}),
            closed(x={"type": "array", "minItems": 3}),
            "[0]/slice: after this, /x has 2 items, and the contract has 3 or more",
        ),
        (
            {"sigmoid": "/x"},
            closed(x=NUMBER, y=TEXT),
            closed(x=NUMBER),
            ": /y is always there, and the contract declares no such member; no operation changes it",
        ),
        (
            {"sigmoid": "/x"},
            closed(("y",), x=NUMBER, y=TEXT),
            closed(x=NUMBER),
            ": /y may be there, and the contract declares no such member; no operation changes it",
        ),
        (
            {"remove": "/x"},
            closed(x=NUMBER, y={"type": "array", "items": closed(z=TEXT)}),
            closed(y={"type": "array", "items": closed(z=NUMBER)}),
            ": /y/*/z is a string, and the contract has a number; no operation changes it",
        ),
    ],
)  # fmt: skip
def test_a_result_that_can_only_break_the_older_contract_is_told(
    operation: Any, newer: Any, older: Any, sentence: str
) -> None:
    assert told(operation, newer=newer, older=older) == [sentence]


def test_a_document_that_becomes_none_of_the_older_contract_is_told() -> None:
    rows = {"type": "array", "items": NUMBER}
    found = told({"slice": {"path": "/x", "end": 5}}, newer=closed(x=rows), older=closed(x={**rows, "minItems": 1}))
    assert [text.split(": [] ")[0] for text in found] == [': {"x": []} becomes {"x": []}, and at /x']


def test_nothing_is_told_of_what_is_only_not_proved() -> None:
    newer = {"type": "object", "properties": {"x": NUMBER}, "required": ["x"]}  # open: z may be anything
    older = {"type": "object", "properties": {"x": SHARE, "z": TEXT}, "required": ["x"]}
    assert told({"sigmoid": "/x"}, newer=newer, older=older) == []


def test_what_follows_a_list_counts_before_it_is_held_against_the_older_contract() -> None:
    newer, older = closed(x=NUMBER, y=TEXT), closed(x=NUMBER)
    prune = {"project": {"keep": ["x"]}}
    assert told({"sigmoid": "/x"}, newer=newer, older=older, then=[prune]) == []
    assert told({"sigmoid": "/x"}, newer=newer, older=older, hooked=True) == []


def test_mistakes_in_paths_are_told_alone() -> None:
    newer, older = closed(logit=NUMBER), closed(score=SHARE)
    operations: list[Any] = [{"move": {"from": "/logt", "to": "/score"}}, {"sigmoid": "/score"}]
    assert [text.split(":")[0] for text in told(*operations, newer=newer, older=older)] == ["[0]/move"]
