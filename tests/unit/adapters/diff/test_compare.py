"""The diff of whole contracts: policies, proofs, guesses, recursion, and what happens at the bounds."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown_adapters.contract.model import Answer, Contract, Envelope
from stepdown_adapters.diff import Diff, compare
from stepdown_adapters.diff.policy import Policy
from stepdown_adapters.diff.report import as_json, markdown, verdict
from stepdown_adapters.diff.walk import MAX_FOUND, Walk
from stepdown_adapters.paths import ROOT
from tests.unit.adapters.diff.test_catalogue import closed, contract, obj, tagged, text

STRING, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}


def diff(older: Any, newer: Any, **policy: Any) -> Diff:
    return compare(contract(older), contract(newer), **policy)


def kinds(older: Any, newer: Any, **policy: Any) -> list[tuple[str, str]]:
    return [(change.kind, change.path) for change in diff(older, newer, **policy).changes]


def test_equal_contracts_have_no_changes() -> None:
    found = diff(closed(a=STRING), closed(a=STRING))
    assert (found.changes, found.bump, found.compatible, found.inclusion) == ((), "none", True, "included")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": ["string", "null"]}, {"anyOf": [STRING, {"type": "null"}]}),
        ({"type": ["string", "null"]}, {"oneOf": [{"type": "null"}, STRING]}),
        ({"enum": ["a", None]}, {"anyOf": [{"enum": ["a"]}, {"const": None}]}),
        ({"enum": ["a", "b"]}, {"oneOf": [{"const": "a"}, {"const": "b"}]}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"type": "string", "maxLength": 3}, {"allOf": [STRING, {"maxLength": 3}]}),
        ({"type": "string", "maxLength": 3}, {"allOf": [{"maxLength": 3}, {"maxLength": 5}], **STRING}),
        (NUMBER | {"minimum": 3}, {"allOf": [NUMBER | {"minimum": 1}, {"minimum": 3}, {"minimum": 2}]}),
        (NUMBER | {"exclusiveMinimum": 0}, NUMBER | {"minimum": 0, "exclusiveMinimum": 0}),
        ({"type": ["integer", "number"]}, NUMBER),
        (STRING, {"anyOf": [STRING]}),
        (closed(a=STRING), {**obj(a=STRING), "unevaluatedProperties": False}),
        (obj(a=STRING), {**obj(a=STRING), "additionalProperties": {}}),
        ({"anyOf": [STRING, NUMBER]}, {"anyOf": [NUMBER, STRING]}),
    ],
    ids=[str(index) for index in range(14)],
)
def test_what_is_only_written_in_another_way_is_no_change(one: Any, other: Any) -> None:
    assert kinds(one, other) == []
    assert kinds(other, one) == []


def test_a_definition_that_is_factored_out_is_a_patch() -> None:
    newer = {**obj(a={"$ref": "#/$defs/text"}), "$defs": {"text": STRING}}
    found = diff(obj(a=STRING), newer)
    assert [change.kind for change in found.changes] == ["ref-changed"]
    assert (found.bump, found.compatible) == ("patch", True)


def test_recursion_is_followed_once() -> None:
    def tree(**more: Any) -> dict[str, Any]:
        node = closed(value=NUMBER | more, children={"type": "array", "items": {"$ref": "#/$defs/node"}})
        return {"$ref": "#/$defs/node", "$defs": {"node": node}}

    assert kinds(tree(), tree()) == []
    assert kinds(tree(maximum=1), tree()) == [("bound-loosened", "/value")]


def test_mutual_recursion_that_makes_new_schemas_on_the_way_ends() -> None:
    def both(limit: int) -> dict[str, Any]:
        one = obj(x={"$ref": "#/$defs/one"}, y={"$ref": "#/$defs/two"})
        two = obj(x={"$ref": "#/$defs/two"}, y={"$ref": "#/$defs/one"}, z={"type": "string", "maxLength": limit})
        both = {"allOf": [{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}]}
        return {**both, "$defs": {"one": one, "two": two}}

    assert kinds(both(2), both(2)) == []
    assert ("bound-loosened", "/z") in kinds(both(2), both(3))


def test_what_the_walk_cannot_decide_is_proved() -> None:
    (change,) = diff(text(pattern="^[ab]$"), text(pattern="^a$")).changes
    assert (change.kind, change.compatible, change.bump) == ("pattern/changed", True, "minor")
    assert change.reason == "proved to allow nothing new"


def test_what_breaks_is_shown_by_an_example() -> None:
    (change,) = diff(text(pattern="^a$"), text(pattern="^b$")).changes
    assert (change.compatible, change.reason) == (False, "for example b")


def test_a_document_with_a_title_is_shown_and_not_taken_for_a_schema() -> None:
    titled = {"properties": {"title": {"const": "a"}, "type": {"const": "b"}}, "required": ["title", "type"]}
    (change,) = diff({"type": "string"}, {"type": "object", **titled}).changes
    assert change.reason == 'for example {"title": "a", "type": "b"}'


def test_what_nothing_decides_is_major() -> None:
    older = {**text(), "pattern": "(?=a)b|c"}
    newer = {**text(), "pattern": "(?=b)a|c|(?!d)"}
    found = diff(older, newer)
    assert (found.bump, found.compatible, found.inclusion) == ("major", False, "undecided")


def test_a_constraint_that_others_make_superfluous_may_go() -> None:
    older = {"enum": ["ab", "cd"], "maxLength": 2}
    (loosened, removed) = diff(older, {"enum": ["ab"]}).changes
    assert (loosened.kind, loosened.compatible) == ("enum-value-removed", True)
    assert (removed.kind, removed.compatible) == ("bound-loosened", True)


@pytest.mark.parametrize("direction", ["response", "request"])
def test_what_is_sent_in_any_case_may_be_asked_for_beside_a_member(direction: Any) -> None:
    depends = {**obj(a=STRING, b=STRING), "dependentRequired": {"a": ["b"]}}
    sent, other = {**obj(b=STRING), "required": ["b"]}, {**obj(c=STRING), "required": ["c"]}
    for schema, compatible in ((sent, True), (other, False)):
        pair = (depends, schema) if direction == "response" else (schema, depends)
        (dependency,) = [change for change in diff(*pair, direction=direction).changes if "dependent" in change.kind]
        assert dependency.compatible is compatible


def test_a_meaning_breaks_though_types_agree_and_no_proof_heals_it() -> None:
    older = NUMBER | {"x-semantic": {"kind": "probability"}}
    found = diff(older, NUMBER | {"x-semantic": {"kind": "logit"}})
    assert (found.bump, found.compatible, found.inclusion) == ("major", False, "included")


def test_a_meaning_is_compared_behind_null_and_in_alternatives() -> None:
    probability, logit = ({"x-semantic": {"kind": kind}} for kind in ("probability", "logit"))
    older, newer = ({"anyOf": [NUMBER | meaning, {"type": "null"}]} for meaning in (probability, logit))
    assert kinds(older, newer) == [("semantic-changed", "")]
    wrapped = {"oneOf": [NUMBER | logit, STRING]}
    assert ("semantic-changed", "") in kinds(NUMBER | probability, wrapped)


def test_the_growth_of_an_enum_is_a_policy() -> None:
    older, newer = {"enum": ["a"]}, {"enum": ["a", "b"]}
    announced = [{**side, "x-extensible-enum": True} for side in (older, newer)]
    assert diff(older, newer).bump == "major"
    assert diff(older, newer, client="tolerant").bump == "major"
    assert diff(older, newer).changes[0].tolerant == "dangerous"
    assert diff(*announced).bump == "major"
    assert diff(*announced, client="tolerant").bump == "minor"
    assert (diff(older, newer, enums="extensible").bump, diff(older, newer, enums="extensible").compatible) == (
        "minor",
        True,
    )


def test_a_rename_is_a_guess_that_keeps_the_members_own_differences() -> None:
    older = {**closed(probability=NUMBER | {"maximum": 1}), "required": ["probability"]}
    newer = {**closed(churn_probability=NUMBER), "required": ["churn_probability"]}
    renamed, loosened = diff(older, newer).changes
    assert (renamed.kind, renamed.path, renamed.guess) == ("renamed", "/probability", True)
    assert "(a guess)" in renamed.sentence
    assert (loosened.kind, loosened.path, loosened.guess) == ("bound-loosened", "/probability", False)


def test_a_rename_that_becomes_optional_says_both() -> None:
    older = {**closed(label=STRING), "required": ["label"]}
    assert kinds(older, closed(labels=STRING)) == [("renamed", "/label"), ("became-optional", "/label")]


def test_the_same_shape_is_enough_for_a_rename_and_a_similar_name_with_another_type_is_not() -> None:
    bounded = NUMBER | {"minimum": 0, "maximum": 1}
    assert kinds(closed(p=bounded), closed(score=bounded)) == [("renamed", "/p")]
    assert ("renamed", "/score") not in kinds(closed(score=NUMBER), closed(scores=STRING))


def test_a_move_out_of_an_array_is_none() -> None:
    older = closed(rows={"type": "array", "items": closed(score=NUMBER)})
    newer = closed(rows={"type": "array", "items": closed()}, score=NUMBER)
    assert not any(change.guess for change in diff(older, newer).changes)


def test_a_member_that_was_nested_into_a_new_object_is_a_move_and_the_object_is_told_as_new() -> None:
    older, newer = closed(score=NUMBER, label=STRING), closed(result=closed(score=NUMBER), label=STRING)
    assert kinds(older, newer) == [("moved", "/score"), ("prop-added/closed-old", "/result")]
    assert diff(older, newer).repairs == ({"move": {"from": "/result/score", "to": "/score"}}, {"remove": "/result"})


def test_an_object_whose_members_were_all_hoisted_is_not_told_to_be_gone() -> None:
    older = {**closed(result=closed(best=closed(score=NUMBER)), label=STRING), "required": ["result"]}
    newer = closed(score=NUMBER, label=STRING)
    assert kinds(older, newer) == [("moved", "/result/best/score")]
    assert diff(older, newer).repairs == ({"move": {"from": "/score", "to": "/result/best/score"}},)


def test_an_object_that_also_lost_members_is_told_and_no_repair_takes_away_what_was_moved_into_it() -> None:
    older, newer = obj(result=obj(score=NUMBER, extra=STRING)), obj(score=NUMBER)
    assert kinds(older, newer) == [("moved", "/result/score"), ("optional-removed/open-new", "/result")]
    assert diff(older, newer).repairs == ({"move": {"from": "/score", "to": "/result/score"}},)


def test_a_request_that_was_hoisted_leaves_no_empty_object_behind() -> None:
    older, newer = closed(result=closed(score=NUMBER)), closed(score=NUMBER)
    repairs = diff(older, newer, direction="request").repairs
    assert repairs == ({"move": {"from": "/result/score", "to": "/score"}}, {"remove": "/result"})


def test_an_object_is_rather_renamed_as_a_whole_than_moved_in_parts() -> None:
    older, newer = closed(result=closed(score=NUMBER, a=STRING)), closed(results=closed(score=NUMBER, b=INTEGER))
    assert [kind for kind, _ in kinds(older, newer)][:1] == ["renamed"]
    assert not any(kind == "moved" for kind, _ in kinds(older, newer))


def test_each_removed_member_is_paired_once() -> None:
    older, newer = closed(score_a=NUMBER, score_b=NUMBER), closed(score_c=NUMBER)
    assert sorted(kind for kind, _ in kinds(older, newer)) == ["optional-removed/closed-new", "renamed"]


def test_items_are_named_by_what_tells_them_apart() -> None:
    older = {"type": "array", "items": {"oneOf": [tagged("text", body=text(maxLength=5)), tagged("image")]}}
    newer = {"type": "array", "items": {"oneOf": [tagged("image"), tagged("text", body=STRING), tagged("audio")]}}
    found = diff(older, newer)
    assert [(change.kind, change.path) for change in found.changes] == [
        ("bound-loosened", "/[kind=text]/body"),
        ("union-branch-added", "/*"),
    ]
    assert found.changes[1].repair == {"remove": "/[kind=audio]"}


def test_one_of_with_an_overlap_that_nobody_decides_is_major_or_proved() -> None:
    older = {"oneOf": [{"minimum": 2}, {"maximum": 5}]}
    newer = {"oneOf": [{"minimum": 3}, {"maximum": 5}]}
    assert diff(older, newer).compatible is (diff(older, newer).inclusion == "included")


def test_bodies_of_other_statuses_are_compared_in_their_place() -> None:
    def api(error: Any) -> Contract:
        answers = {"200": Answer({"application/json": STRING}), "404": Answer({"application/json": error})}
        return Contract(STRING, "openapi", "api", Envelope(answers))

    (change,) = compare(api(obj(error=STRING)), api(obj(error=NUMBER))).changes
    assert (change.place, change.path, change.kind) == ("404 application/json", "/error", "type-changed")
    assert str(change).startswith("404 application/json /error: ")
    assert change.repair is None


def test_a_definition_that_changed_in_very_many_places_is_cut_off_as_undecided() -> None:
    def wide(kind: str) -> dict[str, Any]:
        names = {f"m{index}": {"$ref": "#/$defs/v"} for index in range(MAX_FOUND + 10)}
        return {"type": "object", "properties": names, "$defs": {"v": {"type": kind}}}

    walk = Walk(wide("string"), wide("number"), Policy(), None)
    walk.compare(wide("string"), wide("number"), ROOT)
    assert (len(walk.found), walk.found[-1].kind) == (MAX_FOUND + 1, "undecided")


def test_a_definition_of_definitions_does_not_explode() -> None:
    def folded(kind: str) -> dict[str, Any]:
        definitions: dict[str, Any] = {"d0": {"type": kind}}
        for index in range(1, 15):
            inner = {"$ref": f"#/$defs/d{index - 1}"}
            definitions[f"d{index}"] = {"anyOf": [obj(a=inner, b=inner), {"type": "array", "items": inner}]}
        return {"$ref": "#/$defs/d14", "$defs": definitions}

    assert kinds(folded("string"), folded("string")) == []
    assert not diff(folded("string"), folded("number")).compatible


def test_a_diff_is_told_in_a_line_in_json_and_in_markdown() -> None:
    found = diff(closed(score=NUMBER | {"maximum": 1}), closed(score=NUMBER, extra=text(title="a_b")))
    assert verdict(found) == "MAJOR: 2 breaking of 2 changes; 2 repairable"
    told = as_json(found)
    assert (told["bump"], told["compatible"], told["inclusion"]) == ("major", False, "excluded")
    assert told["changes"][0]["path"] == "/score"
    assert told["repairs"] == [{"remove": "/extra"}, {"clamp": {"path": "/score", "max": 1}}]
    page = markdown(found, "1.0.0", "2.0.0")
    assert page.startswith("## 1.0.0 to 2.0.0\n\n**MAJOR: 2 breaking")
    assert "- `/extra` was added, and the older contract allows no other members" in page
    assert 'Repair: `{"remove": "/extra"}`' in page


def test_the_verdict_of_little_is_short() -> None:
    assert verdict(diff(STRING, STRING)) == "NONE: nothing changed"
    assert verdict(diff(NUMBER, INTEGER)) == "MINOR: 0 breaking of 1 change"


def test_null_among_alternatives_is_the_null_of_a_nullable_type() -> None:
    boxes = {"type": "array", "items": obj(x=NUMBER)}
    older = {"anyOf": [obj(x=NUMBER), {"type": "null"}], "default": None}
    newer = {"anyOf": [obj(x=NUMBER), boxes, {"type": "null"}], "default": None, "title": "Box"}
    assert kinds(older, newer) == [("annotation-changed", ""), ("wrapped-in-one-of", "")]


def test_alternatives_that_share_no_type_with_the_other_side_are_another_type() -> None:
    older, newer = {"type": "array"}, {"anyOf": [NUMBER, {"enum": ["NaN"]}]}
    (change,) = diff(older, newer).changes
    assert (change.kind, change.before, change.after) == ("type-changed", "array", "number or string")
    assert change.repair == {"wrap": ""}


def test_null_is_shown_as_null() -> None:
    (change,) = diff({"const": None}, {"const": None, "default": 1}).changes
    assert change.sentence == "the default was none and is 1"
    (added,) = diff({"enum": ["a"], "type": ["string", "null"]}, {"enum": ["a", None]}).changes
    assert (added.kind, added.reason) == ("became-nullable", "for example null")


@pytest.mark.parametrize(
    ("older", "newer", "expected"),
    [
        ({"properties": {"a": False}}, {}, [("additional-opened", "/a")]),
        ({}, {"properties": {"a": False}}, [("additional-closed", "/a")]),
        (closed(a=False), closed(), []),
        ({"patternProperties": {"(": {}}}, {"patternProperties": {"(": STRING}},
         [("undecided", ""), ("type-narrowed", "/*")]),
        ({"dependencies": {"a": ["b"]}}, {}, [("undecided", "")]),
        ({**closed(ab=STRING), "patternProperties": {"^a": {"maxLength": 3}}}, closed(ab=STRING),
         [("bound-loosened", "/ab"), ("pattern-prop-removed/closed-new", "/*")]),
        ({"unevaluatedProperties": False, "anyOf": [obj(a=NUMBER), obj(b=NUMBER)]},
         {"unevaluatedProperties": False, "anyOf": [obj(a=NUMBER), obj(b=INTEGER)]},
         [("type-narrowed", "/b"), ("undecided", "")]),
        ({"allOf": [closed(a=STRING), closed(b=STRING), closed(c=STRING)]},
         {"allOf": [closed(a=STRING), closed(b=NUMBER), closed(c=STRING)]}, [("type-changed", "/b")]),
        ({"allOf": [closed(a=STRING), closed(b=STRING), closed(c=STRING)]},
         {"allOf": [closed(a=STRING), closed(b=NUMBER), closed(c=NUMBER)]},
         [("all-of/removed", "")] * 2 + [("all-of/added", "")] * 2),
    ],
    ids=[str(index) for index in range(9)],
)  # fmt: skip
def test_rarer_keywords_are_compared_too(older: Any, newer: Any, expected: list[tuple[str, str]]) -> None:
    assert kinds(older, newer) == expected


def test_a_place_may_be_freed_where_the_whole_holds_it() -> None:
    held = {"not": {"properties": {"a": {"type": "number", "exclusiveMinimum": 1}}, "required": ["a"]}}
    found = diff({**obj(a=NUMBER | {"maximum": 1}), **held}, {**obj(a=NUMBER), **held})
    (change,) = found.changes
    assert (change.kind, change.path, change.compatible) == ("bound-loosened", "/a", True)
    assert (change.reason, found.inclusion) == ("proved to allow nothing new", "included")


def test_alternatives_that_overlap_on_both_sides_are_left_to_the_proof() -> None:
    older = {"oneOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}
    newer = {"oneOf": [{"enum": ["a", "b"]}, {"enum": ["b"]}]}
    walk = Walk(older, newer, Policy(), None)
    walk.compare(older, newer, ROOT)
    assert ("undecided", ROOT) in [(one.kind, one.path) for one in walk.found]
    assert diff(older, newer).compatible
