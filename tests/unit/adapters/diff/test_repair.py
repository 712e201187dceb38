"""The operations that a diff proposes: each is valid, and together they make documents of the older contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.contract.json_schema import load_schema
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.diff import compare
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse
from tests.unit.adapters.diff.test_catalogue import CASES, closed, contract, obj

CONTRACTS = Path(__file__).parents[4] / "config" / "churn" / "contracts"
PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1, "x-semantic": {"kind": "probability"}}
LOGIT = {"type": "number", "x-semantic": {"kind": "logit"}}

ROWS: list[tuple[Any, Any, list[dict[str, Any]]]] = [
    (closed(a={}), closed(a={}, b={}), [{"remove": "/b"}]),
    (closed(a={}), obj(a={}), [{"project": {"path": "", "keep": ["a"], "on_missing": "skip"}}]),
    ({**obj(a={"default": "x"}), "required": ["a"]}, obj(), [{"add": {"path": "/a", "value": "x"}}]),
    ({**obj(a={}), "required": ["a"]}, obj(), []),
    (
        {**obj(a={"type": "string", "default": "x"}), "required": ["a"]},
        obj(a={"type": "string", "default": "x"}),
        [{"cast": {"path": "/a", "to": "string", "default": "x"}}],
    ),
    (obj(score={"type": "number"}), obj(p=LOGIT), [{"remove": "/score"}]),
    ({"type": "integer"}, {"type": "number"}, [{"round": ""}]),
    ({"type": "string"}, {"type": "integer"}, [{"cast": {"path": "", "to": "string"}}]),
    ({"type": "string"}, {"type": "array"}, [{"head": ""}]),
    ({"type": "array"}, {"type": "string"}, [{"wrap": ""}]),
    ({"const": "v1"}, {"const": "v2"}, [{"replace": {"path": "", "value": "v1"}}]),
    (
        {"enum": ["a", "other"]},
        {"enum": ["a", "b", "other"]},
        [{"map_values": {"path": "", "table": {"a": "a", "other": "other"}, "default": "other"}}],
    ),
    (
        {"enum": [1, None]},
        {"enum": [1, 2, None]},
        [{"map_values": {"path": "", "table": {"1": 1, "null": None}, "on_unmapped": "fail"}}],
    ),
    (
        {"type": "boolean", "default": False},
        {"type": ["boolean", "null"], "default": False},
        [{"map_values": {"path": "", "table": {"true": True, "false": False, "null": False}}}],
    ),
    (
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "number", "minimum": 0, "maximum": 100},
        [{"clamp": {"path": "", "min": 0, "max": 1}}],
    ),
    ({"type": "number", "exclusiveMinimum": 0}, {"type": "number"}, []),
    (
        {"type": "array", "maxItems": 5},
        {"type": "array", "maxItems": 9},
        [{"slice": {"path": "", "start": 0, "end": 5}}],
    ),
    ({"type": "array", "minItems": 5}, {"type": "array", "minItems": 2}, []),
    ({"type": "array", "uniqueItems": True}, {"type": "array"}, [{"unique": ""}]),
    ({"type": "number", "multipleOf": 1}, {"type": "number", "multipleOf": 0.5}, [{"round": ""}]),
    (
        {"type": "number", "multipleOf": 0.25},
        {"type": "number"},
        [{"round_to": {"path": "", "multiple": 0.25}}],
    ),
    ({"type": "string", "maxLength": 5}, {"type": "string"}, []),
    (PROBABILITY, LOGIT, [{"sigmoid": ""}]),
    (LOGIT, PROBABILITY, [{"logit": ""}]),
    (
        {"type": "array", "items": {"type": "number"}, "x-semantic": {"kind": "probability"}},
        {"type": "array", "items": {"type": "number"}, "x-semantic": {"kind": "logit"}},
        [{"softmax": ""}],
    ),
    (
        {"type": "number", "x-semantic": {"kind": "probability", "scale": [0, 1]}},
        {"type": "number", "x-semantic": {"kind": "probability", "scale": "percent"}},
        [{"linear": {"path": "", "scale": 0.01}}],
    ),
    (
        {"type": "number", "x-semantic": {"kind": "duration", "time_unit": "ms"}},
        {"type": "number", "x-semantic": {"kind": "duration", "time_unit": "s"}},
        [{"linear": {"path": "", "scale": 1000}}],
    ),
    (
        {"type": "array", "x-semantic": {"kind": "box", "box_format": "xywh"}},
        {"type": "array", "x-semantic": {"kind": "box", "box_format": "cxcywh"}},
        [{"box_convert": {"path": "", "from": "cxcywh", "to": "xywh", "from_unit": "pixel", "to_unit": "pixel"}}],
    ),
    (
        {"type": "array", "x-semantic": {"kind": "embedding", "embedding_space": "a"}},
        {"type": "array", "x-semantic": {"kind": "embedding", "embedding_space": "b"}},
        [],
    ),
]


def repairs(older: Any, newer: Any, direction: Any = "response") -> list[dict[str, Any]]:
    return [dict(repair) for repair in compare(contract(older), contract(newer), direction=direction).repairs]


@pytest.mark.parametrize("direction", ["response", "request"])
def test_every_repair_in_the_catalogue_is_a_valid_operation(direction: Any) -> None:
    seen = set()
    for _, _, older, newer in CASES:
        proposed = repairs(older, newer, direction)
        assert len(parse(proposed)) == len(proposed)
        seen |= {next(iter(repair)) for repair in proposed}
    assert len(seen) >= 8, seen


@pytest.mark.parametrize(("older", "newer", "expected"), ROWS, ids=[str(index) for index in range(len(ROWS))])
def test_a_repair_is(older: Any, newer: Any, expected: list[dict[str, Any]]) -> None:
    assert repairs(older, newer) == expected


def test_a_request_is_repaired_towards_the_newer_contract() -> None:
    older, newer = obj(x={"type": "number"}), closed(x={"type": "number", "minimum": 0})
    assert repairs(older, newer, "request") == [
        {"project": {"path": "", "keep": ["x"], "on_missing": "skip"}},
        {"clamp": {"path": "/x", "min": 0}},
    ]
    assert repairs(closed(score=LOGIT), closed(score_raw=LOGIT), "request") == [
        {"move": {"from": "/score", "to": "/score_raw"}}
    ]


def test_the_repairs_of_a_large_change_work_together_in_their_order() -> None:
    older = {
        **closed(
            label={"enum": ["churn", "stay"], "default": "stay"},
            score=PROBABILITY,
            box={"type": "array", "items": {"type": "number"}, "x-semantic": {"kind": "box", "box_format": "xywh"}},
            meta=obj(latency={"type": "number", "x-semantic": {"kind": "duration", "time_unit": "ms"}}),
        ),
        "required": ["label", "score"],
    }
    newer = {
        **obj(
            label={"enum": ["churn", "stay", "unsure"]},
            churn_score=LOGIT,
            box={"type": "array", "items": {"type": "number"}, "x-semantic": {"kind": "box", "box_format": "xyxy"}},
            latency={"type": "number", "x-semantic": {"kind": "duration", "time_unit": "s"}},
            meta={"type": "object"},
            extra={"type": ["integer", "null"]},
        ),
        "required": ["label", "churn_score"],
    }
    document = {"label": "unsure", "churn_score": 0.0, "box": [1, 2, 4, 8], "latency": 0.5, "extra": None, "stray": 1}
    assert jsonschema_rs.is_valid(newer, document)
    result = run(parse(repairs(older, newer)), document)
    assert result == {"label": "stay", "score": 0.5, "box": [1, 2, 3, 6], "meta": {"latency": 500.0}}
    assert jsonschema_rs.is_valid(older, result)


def test_the_repairs_of_the_example_make_an_answer_of_the_older_version() -> None:
    older, newer = (
        Contract(load_schema(CONTRACTS / name), "json-schema", name) for name in ("1.1.0.json", "2.0.0.json")
    )
    tensor = {"name": "score", "shape": [2, 1], "datatype": "FP64", "data": [2.5, -1.0]}
    explanation = {**tensor, "name": "explanation"}
    answer = {"model_name": "churn", "model_version": "v2", "id": "7", "outputs": [tensor, explanation]}
    assert jsonschema_rs.is_valid(newer.schema, answer)
    operations = [dict(repair) for repair in compare(older, newer).repairs]
    assert jsonschema_rs.is_valid(older.schema, run(parse(operations), answer))
