"""What a contract leaves open that will break somebody later."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown_adapters.diff import lint
from tests.unit.adapters.diff.test_catalogue import contract, obj

NUMBER = {"type": "number"}
MEANT = {"x-semantic": {"kind": "probability"}}
BOUNDED = {"type": "number", "minimum": 0, "maximum": 1}


def rules(schema: Any) -> list[tuple[str, str]]:
    return [(warning.rule, warning.path) for warning in lint(contract(schema))]


@pytest.mark.parametrize("name", ["score", "scores", "churn_score", "prob", "probability", "Confidence", "prob_leave"])
def test_a_score_without_bounds_is_warned_of(name: str) -> None:
    assert ("unbounded-score", f"/{name}") in rules(obj(**{name: NUMBER | MEANT}))
    assert ("unbounded-score", f"/{name}") in rules(obj(**{name: NUMBER | MEANT | {"minimum": 0}}))
    assert rules(obj(**{name: BOUNDED | MEANT})) == []


@pytest.mark.parametrize("name", ["scored_at", "problem", "underscore", "id"])
def test_other_names_are_left_alone(name: str) -> None:
    assert rules(obj(**{name: NUMBER})) == []


def test_a_score_that_is_declared_to_be_a_logit_has_no_bounds() -> None:
    assert rules(obj(score={"type": "number", "x-semantic": {"kind": "logit"}})) == []


def test_a_score_that_says_nothing_of_its_meaning_is_warned_of() -> None:
    assert rules(obj(score=BOUNDED)) == [("no-semantic", "/score")]


def test_scores_are_found_in_arrays_alternatives_and_behind_references() -> None:
    assert ("unbounded-score", "/scores/*") in rules(obj(scores={"type": "array", "items": NUMBER}))
    assert ("unbounded-score", "/r/score") in rules(obj(r={"anyOf": [obj(score=NUMBER), {"type": "null"}]}))
    recursive = {**obj(score=NUMBER, next={"$ref": "#"})}
    assert ("unbounded-score", "/score") in rules(recursive)


def test_what_an_array_means_its_items_mean() -> None:
    assert rules(obj(box={"type": "array", "items": NUMBER, "x-semantic": {"kind": "box"}})) == []


def test_an_open_enum_needs_a_default() -> None:
    known = {"enum": ["a", "b"], "x-extensible-enum": True}
    assert rules(obj(label=known)) == [("no-default", "/label")]
    assert rules(obj(label={**known, "default": "a"})) == []


def test_an_embedding_needs_a_length() -> None:
    embedding = {"type": "array", "items": NUMBER, "x-semantic": {"kind": "embedding"}}
    assert rules(obj(vector=embedding)) == [("unbounded-embedding", "/vector")]
    assert rules(obj(vector={**embedding, "maxItems": 3})) == []


def test_a_warning_names_place_and_rule() -> None:
    assert str(lint(contract(obj(score=BOUNDED)))[0]) == (
        "/score: says nothing of its meaning: declare x-semantic (kind, unit, scale) (no-semantic)"
    )
