from typing import Any

from stepdown_adapters.diff.prune import pruning
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse


def pruned(contract: Any, document: Any) -> Any:
    return run(parse(pruning(contract)), document)


def test_everything_that_is_not_declared_is_removed_at_every_depth() -> None:
    contract = {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
        },
        "$defs": {"row": {"type": "object", "properties": {"x": {}, "y": {"type": "object", "properties": {"z": {}}}}}},
    }
    document = {"a": 1, "b": 2, "rows": [{"x": 1, "q": 2, "y": {"z": 1, "q": 2}}, {"q": 3}]}
    assert pruned(contract, document) == {"a": 1, "rows": [{"x": 1, "y": {"z": 1}}, {}]}


def test_what_is_absent_is_no_failure() -> None:
    contract = {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}}
    assert pruned(contract, {"z": 1}) == {}


def test_members_of_all_alternatives_stay() -> None:
    contract = {
        "type": "array",
        "items": {
            "anyOf": [
                {"type": "object", "properties": {"a": {}}},
                {"allOf": [{"type": "object", "properties": {"b": {}}}, {"type": "object", "properties": {"c": {}}}]},
            ]
        },
    }
    assert pruned(contract, [{"a": 1, "b": 2, "c": 3, "d": 4}]) == [{"a": 1, "b": 2, "c": 3}]


def test_free_form_parts_stay_as_they_are() -> None:
    for part in (
        {"type": "object"},
        {"type": "object", "properties": {"x": {}}, "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"x": {}}, "patternProperties": {"^a": {}}},
        {"type": ["object", "null"], "properties": {"x": {}}},
        {"anyOf": [{"const": "x"}, {"type": "object", "properties": {"x": {}}}]},
        {"anyOf": [True, {"type": "object", "properties": {"x": {}}}]},
        {"type": "array", "prefixItems": [{"type": "object", "properties": {"x": {}}}]},
        True,
    ):
        contract = {"type": "object", "properties": {"p": part}}
        assert pruned(contract, {"p": {"anything": 1}}) == {"p": {"anything": 1}}


def test_a_recursive_contract_is_pruned_down_to_where_it_repeats() -> None:
    contract = {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    }
    assert pruned(contract, {"next": {"next": {}, "q": 1}, "q": 1}) == {"next": {"next": {}, "q": 1}}
    assert pruning({"$ref": "#/$defs/c", "$defs": {"c": {"$ref": "#/$defs/c"}}}) == ()
