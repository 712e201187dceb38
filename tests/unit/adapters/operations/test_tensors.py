"""Open Inference tensors to KServe rows and back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown_adapters.operations import parse
from tests.kit.adapters import REFUSED, adapted, both, refusal


def tensor(name: str, shape: Any, data: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP64", "data": data, **more}


def rows(*outputs: Any, **options: Any) -> Any:
    result = both([{"tensor_to_rows": options}], {"model_name": "m", "id": "1", "outputs": list(outputs)})
    return result if result == REFUSED else result["predictions"]


@pytest.mark.parametrize(
    ("output", "options", "expected"),
    [
        (tensor("x", [2], [1, 2.5]), {}, [1, 2.5]),
        (tensor("x", [2, 1], [1, 2]), {}, [[1], [2]]),
        (tensor("x", [2, 1], [1, 2]), {"squeeze": True}, [1, 2]),
        (tensor("x", [2, 1, 1, 2], [1, 2, 3, 4]), {"squeeze": True}, [[1, 2], [3, 4]]),
        (tensor("x", [1, 2, 2], [1, 2, 3, 4]), {}, [[[1, 2], [3, 4]]]),
        (tensor("x", [2, 2], [[1, 2], [3, 4]]), {}, [[1, 2], [3, 4]]),
        (tensor("x", [2], [True, False]), {}, [True, False]),
        (tensor("x", [2], ["a", "b,[]"]), {}, ["a", "b,[]"]),
        (tensor("x", [0, 3], []), {}, []),
        (tensor("x", [1, 100], list(range(100))), {}, [list(range(100))]),
        (tensor("x", [2], [1, 2]), {"tensor": "x"}, [1, 2]),
        (tensor("x", [2], [1, 2]), {"tensor": "y"}, REFUSED),
        (tensor("x", [3], [1, 2]), {}, REFUSED),
        (tensor("x", [3], [1, 2]), {"squeeze": True}, REFUSED),
        (tensor("x", [2, 0], []), {}, REFUSED),
        (tensor("x", [-1, -2], [1, 2]), {}, REFUSED),
        (tensor("x", [True, 2], [1, 2]), {}, REFUSED),
        (tensor("x", [2.0], [1, 2]), {}, REFUSED),
        (tensor("x", [], [1]), {}, REFUSED),
        (tensor("x", [1] * 33, [1]), {}, REFUSED),
        (tensor("x", "2", [1, 2]), {}, REFUSED),
        (tensor("x", [2], "ab"), {}, REFUSED),
        (tensor(5, [2], [1, 2]), {}, REFUSED),  # type: ignore[arg-type]
        ({"name": "x", "shape": [2], "datatype": "FP16", "parameters": {"binary_data_size": 4}}, {}, REFUSED),
        ("x", {}, REFUSED),
    ],
    ids=str,
)  # fmt: skip
def test_one_tensor_gives_rows_that_are_its_values(output: Any, options: dict[str, Any], expected: Any) -> None:
    assert rows(output, **options) == expected


def test_a_large_tensor_takes_another_way_to_the_same_rows() -> None:
    data = [index / 7 for index in range(1200)]
    assert rows(tensor("x", [4, 300], data)) == [data[start : start + 300] for start in range(0, 1200, 300)]
    assert rows(tensor("x", [4, 300], [*data[:-1], [5]])) == [
        *(data[s : s + 300] for s in (0, 300, 600)),
        [*data[900:-1], 5],
    ]
    assert rows(tensor("x", [4, 301], data)) == REFUSED
    assert rows(tensor("x", [4.0, 300], data)) == REFUSED
    assert rows(tensor("x", [1200], data), tensor("y", [1200], data), tensor="y") == data


def test_several_tensors_give_rows_that_are_objects() -> None:
    outputs = tensor("label", [2], ["a", "b"]), tensor("score", [2, 2], [1, 2, 3, 4])
    assert rows(*outputs) == [{"label": "a", "score": [1, 2]}, {"label": "b", "score": [3, 4]}]
    assert rows(*outputs, tensor="score") == [[1, 2], [3, 4]]


def test_tensors_that_do_not_fit_together_are_refused() -> None:
    assert rows() == REFUSED
    assert rows(tensor("x", [2], [1, 2]), tensor("y", [1], [1])) == REFUSED
    assert rows(tensor("x", [1], [1]), tensor("x", [1], [1])) == REFUSED
    assert rows(tensor("x", [1], [1]), tensor("x", [1], [1]), tensor="x") == REFUSED


@pytest.mark.parametrize("document", [{}, [], {"outputs": 5}, {"outputs": None}])
def test_what_is_no_open_inference_answer_is_refused(document: Any) -> None:
    assert both([{"tensor_to_rows": {}}], document) == REFUSED


def test_members_may_be_kept_and_named() -> None:
    document = {"id": 1, "results": [tensor("x", [1], [1])], "gone": 2}
    operation = {"tensor_to_rows": {"from": "results", "to": "rows", "keep": ["id", "absent"]}}
    assert both([operation], document) == {"id": 1, "rows": [1]}
    odd = {"tensor_to_rows": {"from": 'a"\\', "keep": ['a"\\', "é\n"], "to": "rows"}}
    assert both([odd], {'a"\\': [tensor("x", [1], [1])], "é\n": 2}) == {
        "rows": [1],
        "é\n": 2,
        'a"\\': [tensor("x", [1], [1])],
    }


def test_what_is_kept_is_kept_byte_for_byte() -> None:
    body = b'{"big": 18446744073709551617, "outputs": [{"name": "x", "shape": [1], "data": [1.10]}], "n": -0}'
    operation = {"tensor_to_rows": {"keep": ["big", "n"], "squeeze": True}}
    assert adapted([operation], body) == b'{"big":18446744073709551617,"n":-0,"predictions":[1.10]}'


@pytest.mark.parametrize("squeeze", [False, True])
@pytest.mark.parametrize("padding", [0, 3000])
def test_an_integer_over_64_bits_is_never_changed(squeeze: bool, padding: int) -> None:
    body = b'{"pad":"%s","outputs":[{"name":"x","shape":[1,2],"data":[18446744073709551617,1]}]}' % (b" " * padding)
    operation = {"tensor_to_rows": {"squeeze": squeeze}}
    assert adapted([operation], body) == b'{"predictions":[[18446744073709551617,1]]}'
    assert b"18446744073709551617" in adapted([operation], body.replace(b"[1,2]", b"[2,1]"))


def test_the_error_says_which_tensor_and_why() -> None:
    body = b'{"outputs":[{"name":"x","shape":[2,2],"datatype":"FP64","data":[1,2,3]}]}'
    assert refusal([{"tensor_to_rows": {}}], body).sentence == "tensor 'x' has 3 items, and its shape [2, 2] needs 4"


def inputs(instances: Any, *tensors: dict[str, Any], **options: Any) -> Any:
    declared = list(tensors) or [{"name": "x", "datatype": "FP64"}]
    result = both([{"rows_to_tensor": {"tensors": declared, **options}}], {"instances": instances, "signature": "s"})
    return result if result == REFUSED else result["inputs"]


@pytest.mark.parametrize(
    ("instances", "shape", "data"),
    [
        ([1, 2.5], [2], [1, 2.5]),
        ([[1, 2], [3, 4]], [2, 2], [1, 2, 3, 4]),
        ([[[1], [2]]], [1, 2, 1], [1, 2]),
        ([{"x": [1]}, {"x": [2]}], [2, 1], [1, 2]),
    ],
)
def test_rows_become_one_tensor(instances: Any, shape: list[int], data: list[Any]) -> None:
    assert inputs(instances) == [{"name": "x", "shape": shape, "datatype": "FP64", "data": data}]


@pytest.mark.parametrize(
    "instances",
    [[], [[]], [[1, 2], [3]], [[1], 2], [1, [2]], [[[1], [2]], [[3], 4]], ["a"], [True], [None], [{"y": 1}],
     [{"x": 1, "y": 2}],
     [{"x": 1}, 2], 5, "abc", None],
    ids=str,
)  # fmt: skip
def test_rows_that_are_no_tensor_are_refused(instances: Any) -> None:
    assert inputs(instances) == REFUSED


@pytest.mark.parametrize(
    ("datatype", "good", "bad"),
    [
        ("INT64", [1, 2], [1, 2.5]),
        ("BOOL", [True], [1]),
        ("BYTES", ["a"], [1]),
        ("FP32", [1, 2.5], [True]),
        ("UINT8", [1], [True]),
    ],
)
def test_items_must_fit_the_datatype(datatype: str, good: list[Any], bad: list[Any]) -> None:
    declared = {"name": "x", "datatype": datatype}
    assert inputs(good, declared)[0]["data"] == good
    assert inputs(bad, declared) == REFUSED


def test_rows_that_are_objects_become_a_tensor_each() -> None:
    declared = {"name": "a", "datatype": "FP64"}, {"name": "b", "datatype": "BYTES", "shape": []}
    found = inputs([{"a": [1, 2], "b": "x"}, {"b": "y", "a": [3, 4]}], *declared)
    assert [(item["name"], item["shape"], item["data"]) for item in found] == [
        ("a", [2, 2], [1, 2, 3, 4]),
        ("b", [2], ["x", "y"]),
    ]
    assert inputs([[1, 2]], *declared) == REFUSED


def test_a_declared_shape_is_held() -> None:
    declared = {"name": "x", "datatype": "FP64", "shape": [2]}
    assert inputs([[1, 2]], declared)[0]["shape"] == [1, 2]
    assert inputs([], declared)[0] == {"name": "x", "shape": [0, 2], "datatype": "FP64", "data": []}
    assert inputs([[1, 2, 3]], declared) == REFUSED


def test_the_error_names_the_row() -> None:
    operation = {"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"}]}}
    assert (
        refusal([operation], b'{"instances":[[1,2],[3,4],[5]]}').sentence
        == "row 2 does not have the shape [2] of the first"
    )
    deep = b'{"instances":[[[1],[2]],[[3],[4]],[[5],[6,7]]]}'
    assert refusal([operation], deep).sentence == "row 2 does not have the shape [2, 1] of the first"
    missing = refusal([operation], b'{"instances":[{"x":1},{"z":1}]}').sentence
    assert missing == "row 1 has the members ['z'], not ['x']"


def test_deeply_nested_rows_are_refused() -> None:
    nested: Any = 1
    for _ in range(40):
        nested = [nested]
    assert inputs([nested]) == REFUSED


@given(st.data())
def test_rows_and_tensors_undo_each_other(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    count = 1
    for size in shape:
        count *= size
    flat = data.draw(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=count, max_size=count))
    document = {"inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": flat}]}
    operations = [
        {"tensor_to_rows": {"from": "inputs", "to": "instances"}},
        {"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"}]}},
    ]
    assert json.loads(adapted(operations, json.dumps(document).encode())) == document


def likely(operation: Any, document: Any) -> Any:
    (parsed,) = parse([operation])
    return parsed.likely(document)


OUTPUTS = [
    {"name": "y", "shape": [900, 5, 7], "datatype": "FP64", "data": [[1.5], [2.5]], "k": 1},
    {"name": "y", "shape": [1], "datatype": "INT8", "data": [1, 2, 3]},
]


@pytest.mark.parametrize("options", [{}, {"squeeze": True}, {"tensor": "z"}])
def test_a_document_that_rows_are_rather_made_of_fills_the_shapes_of_its_tensors(options: dict[str, Any]) -> None:
    operation = {"tensor_to_rows": options}
    for document in ({"outputs": OUTPUTS, "id": 1}, {"outputs": [OUTPUTS[0] | {"data": []}]}):
        before = json.dumps(document)
        assert both([operation], document) == REFUSED
        better = likely(operation, document)
        assert both([operation], better) != REFUSED
        assert json.dumps(document) == before
        assert {name: better[name] for name in better if name != "outputs"} == {
            name: document[name] for name in document if name != "outputs"
        }


@pytest.mark.parametrize(
    ("tensor", "rows"),
    [
        ({}, [[1, 2.5], [3], [[4]], "a", {}, None, True]),
        ({}, [1, [2]]),
        ({"shape": [2, 2]}, [[1, 2.5], [3]]),
        ({"shape": []}, [[1]]),
        ({"datatype": "BYTES"}, ["a", ["b"]]),
        ({"datatype": "BOOL"}, [True, 1]),
        ({"datatype": "INT8"}, [1.5, 1, True]),
    ],
)
def test_a_document_that_a_tensor_is_rather_made_of_has_regular_rows_of_its_type(
    tensor: dict[str, Any], rows: list[Any]
) -> None:
    operation = {"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"} | tensor]}}
    assert both([operation], {"instances": rows}) == REFUSED
    assert both([operation], likely(operation, {"instances": rows})) != REFUSED


@pytest.mark.parametrize(
    ("operation", "document"),
    [
        ({"tensor_to_rows": {}}, {"outputs": [{"name": "y", "shape": [True], "data": []}]}),
        ({"tensor_to_rows": {}}, {"outputs": [1]}),
        ({"tensor_to_rows": {}}, []),
        ({"tensor_to_rows": {"path": "/a"}}, {"a": {"outputs": OUTPUTS}, "outputs": OUTPUTS}),
        ({"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"}]}}, {"instances": ["a", []]}),
        ({"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"}]}}, 1),
        ({"rows_to_tensor": {"tensors": [{"name": n, "datatype": "FP64"} for n in "xy"]}}, {"instances": [1, [2]]}),
        ({"remove": "/a"}, {"a": 1}),
    ],
)
def test_a_document_in_which_an_operation_finds_nothing_to_put_right_stays(operation: Any, document: Any) -> None:
    assert likely(operation, document) is document
