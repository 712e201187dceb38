import json
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters.contract.json_schema import contract_of
from stepdown_adapters.contract.mistakes import Mistakes
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.contract.semantic import KINDS, MEMBERS, check, semantics
from stepdown_adapters.errors import ContractError


def loaded(folder: Path, schema: Any) -> Contract:
    (folder / "a.json").write_text(json.dumps(schema))
    return contract_of(folder / "a.json")


@pytest.mark.parametrize(
    "semantic",
    [
        {"kind": "probability", "calibration": "isotonic", "normalised_over": "classes"},
        {"kind": "quantity", "unit": "ms", "scale": [0, 100]},
        {"kind": "tensor", "dtype": "FP32", "shape": [-1, 512]},
        {"kind": "label", "label_set": {"id": "imagenet", "hash": "sha256:1"}},
        {"kind": "box", "box_format": "cxcywh", "coordinate_system": "relative"},
        {"kind": "decision", "threshold": 0.5},
        {"kind": "embedding", "embedding_space": "text-3", "metric": "cosine", "x-own": [1]},
        *({"kind": kind} for kind in KINDS),
    ],
)
def test_what_the_tables_have_is_accepted_without_a_word(tmp_path: Path, semantic: Any) -> None:
    contract = loaded(tmp_path, {"x-semantic": semantic})
    assert contract.warnings == ()
    assert list(semantics(contract.schema)) == [("", semantic)]


@pytest.mark.parametrize(
    ("semantic", "sentence"),
    [
        ({"kind": "probabilty"}, "a.json#/properties/p/x-semantic/kind: there is no kind 'probabilty'; did you mean"),
        ({"kind": "zzzzz"}, "there is no kind 'zzzzz'; there is 'probability', 'logit'"),
        ({"kind": 5}, "/kind: is a text; a number was given"),
        ({"box_format": "xyhw"}, "there is no box_format 'xyhw'; did you mean 'xywh'?"),
        ({"shape": [1, True]}, "/shape: is an array of lengths, -1 for any; an array was given"),
        ({"shape": [-2]}, "/shape: is an array of lengths"),
        ({"scale": [1]}, "/scale: is a text or two numbers; an array was given"),
        ({"label_set": {"hash": "x"}}, "/label_set: is an object with a text 'id'"),
        ({"label_set": {"id": "x", "other": "y"}}, "/label_set: is an object with a text 'id'"),
        ({"threshold": "0.5"}, "/threshold: is a number; a string was given"),
        ({"threshold": True}, "/threshold: is a number; a boolean was given"),
        ("probability", "/x-semantic: is an object such as {'kind': 'probability'}, not a string"),
    ],
)
def test_what_they_have_not_is_refused_with_its_place(tmp_path: Path, semantic: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as error:
        loaded(tmp_path, {"properties": {"p": {"x-semantic": semantic}}})
    assert sentence in str(error.value)


def test_an_unknown_member_is_kept_and_warned_about(tmp_path: Path) -> None:
    contract = loaded(tmp_path, {"x-semantic": {"kind": "logit", "unitt": "ms"}})
    assert list(semantics(contract.schema)) == [("", {"kind": "logit", "unitt": "ms"})]
    (warning,) = contract.warnings
    assert warning.startswith("a.json#/x-semantic/unitt: 'unitt' is no known member of x-semantic")
    assert warning.endswith("kept as it is; did you mean 'unit'?")


def test_an_extensible_enum_is_declared_by_true_or_by_its_values(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"x-extensible-enum": True, "enum": ["a"]}).warnings == ()
    assert loaded(tmp_path, {"x-extensible-enum": ["a", "b"]}).warnings == ()
    assert loaded(tmp_path, {"x-extensible-enum": False}).warnings == ()
    with pytest.raises(ContractError) as error:
        loaded(tmp_path, {"x-extensible-enum": "yes", "enum": ["a"]})
    assert str(error.value).startswith(
        "a.json#/x-extensible-enum: is true beside an 'enum', or lists the values itself"
    )


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"x-extensible-enum": True}, "there is no 'enum' beside it, so it says nothing"),
        (
            {"x-extensible-enum": ["a"], "enum": ["a"]},
            "'enum' beside it lists values too, and is what counts; write true",
        ),
    ],
)
def test_an_extensible_enum_that_says_nothing_is_warned_about(tmp_path: Path, schema: Any, sentence: str) -> None:
    assert loaded(tmp_path, schema).warnings == (f"a.json#/x-extensible-enum: {sentence}",)


def test_meanings_come_with_the_paths_of_their_values(tmp_path: Path) -> None:
    def means(kind: str) -> dict[str, Any]:
        return {"x-semantic": {"kind": kind}}

    schema = {
        "properties": {
            "scores": {"items": {"$ref": "#/$defs/score"}, **means("tensor")},
            "a/*": {"prefixItems": [{}, means("rank")], "items": means("count")},
            "tree": {"$ref": "#/$defs/tree"},
            "map": {"additionalProperties": means("label"), "patternProperties": {"^x": means("text")}},
            "any": {"anyOf": [means("mask"), {"oneOf": [means("mask"), {"allOf": [means("box")]}]}]},
            "*": means("score"),
        },
        "if": means("language"),
        "then": {"properties": {"t": means("duration")}},
        "dependentSchemas": {"d": {"properties": {"d": means("decision")}}},
        "$defs": {
            "score": means("logit"),
            "tree": {"properties": {"size": means("count"), "below": {"items": {"$ref": "#/$defs/tree"}}}},
        },
    }
    found = [(path, semantic["kind"]) for path, semantic in semantics(loaded(tmp_path, schema).schema)]
    assert found == [
        ("/t", "duration"),
        ("/d", "decision"),
        ("/scores", "tensor"),
        ("/scores/*", "logit"),
        ("/a~1*/1", "rank"),
        ("/a~1*/*", "count"),
        ("/tree/size", "count"),
        ("/map/*", "text"),
        ("/map/*", "label"),
        ("/any", "mask"),
        ("/any", "box"),
        ("/~2", "score"),
    ]


def test_each_table_row_says_what_it_means() -> None:
    assert all(sentence for sentence in KINDS.values())
    assert all(meaning.sentence for meaning in MEMBERS.values())
    mistakes = Mistakes()
    check({"x-semantic": {name: {} for name in MEMBERS}}, "p", mistakes)
    with pytest.raises(ContractError) as error:
        mistakes.refuse()
    assert len(str(error.value).splitlines()) == len(MEMBERS)
