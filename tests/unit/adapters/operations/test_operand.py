"""Values that an operation takes from the document or the request instead of the adapter."""

from typing import Any

import pytest

from stepdown_adapters.context import Context
from stepdown_adapters.errors import OperationError, Refusal
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import check, parse
from tests.kit.adapters import REFUSED, adapted, both, compiled, refusal

BODY = b'{"parameters": {"k": 2, "size": [640, 480]}, "inputs": [{"name": "image", "width": 640}], "text": "hi"}'


def asked() -> Context:
    """A request with something in every source."""
    context = Context("POST", "/v2/models/churn/infer", {"model": "churn"}, BODY, {"x-unit": "ms"})
    context.carried["limit"] = {"top": 1}
    return context


def run_refused(operations: Any) -> str:
    """The sentence of the interpreter, which knows no chain that could be refused before."""
    with pytest.raises(Refusal) as error:
        run(parse(operations), {}, asked())
    return str(error.value)


def added(value: Any) -> Any:
    return {"add": {"path": "/new", "value": value}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"request": "/parameters/k"}, 2),
        ({"request": "/inputs/[name=image]/width"}, 640),
        ({"request": "/inputs/0"}, {"name": "image", "width": 640}),
        ({"request": "/absent", "default": [7]}, [7]),
        ({"request": "/absent", "default": None}, None),
        ({"request": "/absent"}, REFUSED),
        ({"param": "model"}, "churn"),
        ({"param": "version"}, REFUSED),
        ({"param": "version", "default": "1"}, "1"),
        ({"header": "X-Unit"}, "ms"),
        ({"header": "x-absent"}, REFUSED),
        ({"carried": "limit"}, {"top": 1}),
        ({"carried": "absent", "default": 0}, 0),
        ({"field": "/a/b"}, [1]),
        ({"field": "/a/c"}, REFUSED),
        ({"field": "/a/c", "default": {"d": 1}}, {"d": 1}),
        ({"document": "/a"}, {"b": [1]}),
        ({"literal": {"field": "/a"}}, {"field": "/a"}),
        ({"literal": {"literal": 1}}, {"literal": 1}),
        ({"field": "/a", "more": 1}, {"field": "/a", "more": 1}),
        ({"field": "/a", "document": "/a"}, {"field": "/a", "document": "/a"}),
        ({"default": 1}, {"default": 1}),
    ],
    ids=str,
)
def test_a_value_is_a_constant_or_comes_from_its_source(value: Any, expected: Any) -> None:
    document = {"a": {"b": [1]}}
    wanted = REFUSED if expected is REFUSED else {**document, "new": expected}
    assert both([added(value)], document, asked) == wanted


def test_a_field_is_looked_up_in_the_place_of_in_and_a_document_path_from_the_root() -> None:
    document = {"size": 5, "items": [{"size": 1}, {"size": 2}]}
    operations = [
        {
            "in": "/items/*",
            "do": [
                {"add": {"path": "/mine", "value": {"field": "/size"}}},
                {"add": {"path": "/all", "value": {"document": "/size"}}},
            ],
        }
    ]
    assert both(operations, document)["items"] == [
        {"size": 1, "mine": 1, "all": 5},
        {"size": 2, "mine": 2, "all": 5},
    ]


@pytest.mark.parametrize(("document", "passes"), [({"k": 2.0, "m": 2}, True), ({"k": 3, "m": 3}, False)], ids=str)
def test_a_document_is_tested_against_a_field_and_the_request(document: Any, passes: bool) -> None:
    operations = [
        {"test": {"path": "/k", "value": {"field": "/m"}}},
        {"test": {"path": "/k", "value": {"request": "/parameters/k"}}},
    ]
    assert both(operations, document, asked) == (document if passes else REFUSED)


@pytest.mark.parametrize("value", [{"field": "/from"}, {"request": "/box"}], ids=str)
def test_what_is_put_in_two_places_is_not_the_same_object(value: Any) -> None:
    operations = [
        {"add": {"path": "/from/y", "value": 2}},  # what is opened would be shared if it were not copied
        {"replace": {"path": "/to/*", "value": value}},
        {"add": {"path": "/to/0/x", "value": 9}},
    ]
    found = both(operations, {"from": {"x": 1}, "to": [0, 0]}, lambda: Context(body=b'{"box": {"x": 1, "y": 2}}'))
    assert found == {"from": {"x": 1, "y": 2}, "to": [{"x": 9, "y": 2}, {"x": 1, "y": 2}]}


def test_one_adapter_serves_requests_with_different_values() -> None:
    adapter = compiled({"top_k": {"path": "/x", "k": {"request": "/k"}}})
    answers = [adapter.response(b'{"x":[1,2,3]}', Context(body=b'{"k": %d}' % k)) for k in (1, 2, 1, 0)]
    assert answers == [b'{"x":[3]}', b'{"x":[3,2]}', b'{"x":[3]}', b'{"x":[]}']
    for k in range(200):  # more values than are kept
        assert adapter.response(b'{"x":[1]}', Context(body=b'{"k": %d}' % k)) == (b'{"x":[1]}' if k else b'{"x":[]}')


def test_a_value_that_is_only_carried_from_field_to_field_keeps_its_text() -> None:
    body = b'{"a":{"n":[1.10,1E5]},"b":0}'
    assert adapted([{"replace": {"path": "/b", "value": {"field": "/a/n"}}}], body) == (
        b'{"a":{"n":[1.10,1E5]},"b":[1.10,1E5]}'
    )


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"linear": {"path": "/x/*", "scale": {"request": "/parameters/k"}}}, [2, 4, 6.5]),
        ({"linear": {"path": "/x/*", "scale": {"field": "/k"}, "offset": {"literal": 1}}}, [4, 7, 10.75]),
        ({"linear": {"path": "/x/*", "scale": {"header": "x-unit"}}}, REFUSED),
        ({"linear": {"path": "/x/*", "scale": {"header": "x-absent", "default": 10}}}, [10, 20, 32.5]),
        ({"clamp": {"path": "/x/*", "min": 1.5, "max": {"field": "/k"}}}, [1.5, 2, 3]),
        ({"clamp": {"path": "/x/*", "min": 4, "max": {"field": "/k"}}}, REFUSED),
        ({"threshold": {"path": "/x/*", "at": {"request": "/parameters/k"}}}, [False, True, True]),
        ({"threshold": {"path": "/x/0", "at": {"field": "/k"}, "above": 1, "below": {"field": "/k"}}}, [3, 2, 3.25]),
        ({"slice": {"path": "/x", "end": {"carried": "limit"}}}, REFUSED),
        ({"slice": {"path": "/x", "end": {"request": "/parameters/k"}}}, [1, 2]),
        ({"top_k": {"path": "/x", "k": {"request": "/parameters/k"}}}, [3.25, 2]),
        ({"top_k": {"path": "/x", "k": {"request": "/text"}}}, REFUSED),
    ],
    ids=str,
)
def test_options_of_conversions_may_be_references(operation: Any, expected: Any) -> None:
    found = both([operation], {"x": [1, 2, 3.25], "k": 3}, asked)
    assert found == (REFUSED if expected is REFUSED else {"x": expected, "k": 3})


def test_the_sentence_names_what_is_missing_or_wrong() -> None:
    assert refusal([added({"request": "/a"})], b"{}", asked).sentence == "the request's /a is needed, and is not there"
    assert "the request's header field 'x-a'" in refusal([added({"header": "x-a"})], b"{}", asked).sentence
    assert "the part 'a' of the request's path" in refusal([added({"param": "a"})], b"{}", asked).sentence
    carried = run_refused([added({"carried": "a"})])
    assert carried == "what is carried as 'a' is needed, and is not there"
    assert "the field /a is needed" in refusal([added({"field": "/a"})], b"{}", asked).sentence
    scaled = {"linear": {"path": "/x", "scale": {"request": "/text"}}}
    assert refusal([scaled], b'{"x": 1}', asked).sentence == (
        "linear: scale is a number, not 'hi' (scale is the request's /text)"
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (None, "it has none or it was not kept"),
        (b"{", "is no JSON"),
        (b"", "is no JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 300 + b"]" * 300, "nested deeper"),
    ],
    ids=["none", "half", "empty", "latin", "deep"],
)
def test_a_request_without_a_document_refuses_the_answer(body: bytes | None, sentence: str) -> None:
    error = refusal([added({"request": "/a", "default": 1})], b"{}", lambda: Context(body=body))
    assert "the request's body is needed" in error.sentence
    assert sentence in error.sentence


def test_the_request_is_decoded_once_and_its_values_are_not_shared_with_the_document() -> None:
    context = Context(body=b'{"a": {"b": 1}}')
    assert context.request() is context.request()
    operations = [added({"request": "/a"}), {"add": {"path": "/new/b", "value": 2}}]
    assert adapted(operations, b"{}", context=lambda: context) == b'{"new":{"b":2}}'
    assert context.request() == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"field": "a"}, "field: a path starts with /"),
        ({"field": 5}, "field: a path is a string"),
        ({"request": "/a/*"}, "request leads to one place"),
        ({"header": ""}, "header is a name"),
        ({"param": 5}, "param is a name, not a number"),
    ],
    ids=str,
)
def test_a_reference_that_is_none_is_a_mistake_with_the_way_out(value: Any, sentence: str) -> None:
    for operation in (added(value), {"linear": {"path": "/x", "scale": value}}):
        with pytest.raises(OperationError) as error:
            parse([operation])
        assert sentence in str(error.value)
        assert "is written {literal: ...}" in str(error.value)


def test_what_an_operation_needs_of_the_request_is_known() -> None:
    (inner,) = parse(
        [
            {
                "in": "/a",
                "do": [
                    added({"request": "/k"}),
                    {"clamp": {"path": "/x", "min": {"header": "x-a"}, "max": {"field": "/b"}}},
                    added({"carried": "c", "default": 1}),
                ],
            }
        ]
    )
    assert inner.needs == {"body", "headers", "carried"}
    assert parse([added({"document": "/k"}), added(1)])[0].needs == frozenset()


def test_references_into_the_document_are_held_against_its_contract() -> None:
    item = {"type": "object", "properties": {"width": {}}, "additionalProperties": False}
    newer: Any = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": item}, "height": {}},
        "additionalProperties": False,
    }
    operations = parse(
        [
            {
                "in": "/items/*",
                "do": [
                    {"replace": {"path": "/width", "value": {"field": "/widht"}}},
                    {"replace": {"path": "/width", "value": {"document": "/height"}}},
                    {"replace": {"path": "/width", "value": {"document": "/heigth"}}},
                ],
            }
        ]
    )
    found = check(operations, newer, None)
    assert [problem.where for problem in found] == ["[0]/do/0/replace", "[0]/do/2/replace"]
    assert [problem.nearest for problem in found] == ["width", "height"]
