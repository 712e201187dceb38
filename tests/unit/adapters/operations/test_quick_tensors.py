"""Rows made of a tensor's text are those of its numbers, and a tensor of rows' text is that of theirs, as written."""

import json
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.context import Context
from stepdown_adapters.operations.shapes import reshaped
from tests.kit.adapters import REFUSED, adapted, both, compiled, refusal

SEPARATORS = [(",", ":"), (", ", ":"), (" ,\n", ":")]
LOOKING = [
    [],
    [{"in": "/outputs/*", "where": {"path": "/parameters/k", "exists": True}, "do": [{"refuse": {"reason": "k"}}]}],
    [{"refuse": {"reason": "m", "when": {"path": "/outputs/0/name", "equals": "other"}}}],
]
"""Operations before it that open the document, but not the data."""


def body(shape: list[int], data: str) -> bytes:
    return f'{{"outputs":[{{"name":"x","shape":{shape},"datatype":"FP64","data":{data}}}]}}'.encode()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_of_text_are_the_rows_of_its_numbers(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.sampled_from([1, 1, 2, 3, 5, 16, 31, 32, 40]), min_size=1, max_size=3))
    while prod(shape) > 1000:
        shape.pop()
    some = data.draw(st.lists(st.floats(-1, 1) | st.integers() | st.sampled_from([True, None, 1.5e10]), min_size=1))
    items = (some * prod(shape))[: prod(shape)]
    text = json.dumps(items, separators=data.draw(st.sampled_from(SEPARATORS)))
    squeeze = data.draw(st.booleans())
    sizes = [shape[0], *(size for size in shape[1:] if size != 1 or not squeeze)]
    operations = [*data.draw(st.sampled_from(LOOKING)), {"tensor_to_rows": {"squeeze": squeeze}}]
    found = adapted(operations, body(shape, text))
    assert json.loads(found) == {"predictions": reshaped(items, sizes)}
    assert _bare(found) == _bare(b'{"predictions":%b}' % text.encode())
    for wrong in ([shape[0] + 1, *shape[1:]], [max(shape[0] - 1, 0), *shape[1:]]):
        assert refusal(operations, body(wrong, text))


def _bare(text: bytes) -> list[bytes]:
    """Its numbers as they are written."""
    return [item.strip(b" \n[]{}") for item in text.partition(b":")[2].split(b",")]


@pytest.mark.parametrize("shape", [[4], [1, 4], [4, 1], [2, 2], [2, 1, 2], [1, 2, 2]])
def test_numbers_keep_their_text(shape: list[int]) -> None:
    for before in LOOKING:
        found = adapted([*before, {"tensor_to_rows": {}}], body(shape, "[1.10,-0,1E5,18446744073709551617]"))
        assert found.decode().replace("[", "").replace("]", "") == '{"predictions":1.10,-0,1E5,18446744073709551617}'


@pytest.mark.parametrize("number", ["1e999", "-1E+400", "1e", "01", "NaN", "--1", "1.", "+1", ""])
@pytest.mark.parametrize("shape", [[2], [1, 2], [2, 1], [1, 1, 2]])
def test_what_is_no_number_is_no_row(number: str, shape: list[int]) -> None:
    for squeeze in (False, True):
        assert refusal([{"tensor_to_rows": {"squeeze": squeeze}}], body(shape, f"[0.5,{number}]"))


def test_long_rows_of_numbers_of_very_different_lengths_end_where_they_end() -> None:
    items: list[Any] = [0] * 64 + [1 / 3] * 64 + [1] * 63 + [1e-300 / 3] * 65
    found = json.loads(adapted([{"tensor_to_rows": {}}], body([4, 64], json.dumps(items))))
    assert found == {"predictions": [items[start : start + 64] for start in range(0, 256, 64)]}


@pytest.mark.parametrize("rows", [4, 7, 8, 16, 63, 64, 65, 129])
@pytest.mark.parametrize("size", [2, 3, 17, 31])
def test_short_rows_are_found_whatever_is_left_of_them_after_so_many_at_a_time(rows: int, size: int) -> None:
    items = [10 ** (index % 7) for index in range(rows * size)]
    found = json.loads(adapted([{"tensor_to_rows": {}}], body([rows, size], json.dumps(items))))
    assert found == {"predictions": reshaped(items, [rows, size])}
    for more in (items[:-1], [*items, 1], items[: -2 * size], items + items):
        assert refusal([{"tensor_to_rows": {}}], body([rows, size], json.dumps(more)))


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ('[{"name":1,"shape":[1],"data":[1.0]}]', None),
        ('[{"name":"y","shape":[1.0],"data":[1.0]}]', None),
        ('[{"name":"y","shape":[true],"data":[1.0]}]', None),
        ('[{"name":"y","shape":[1]}]', None),
        ('[{"name":"y","shape":[1],"data":1.0}]', None),
        ('[{"name":"y","shape":[1],"data":105}]', None),
        ('[{"name":"y","shape":[1],"data":true}]', None),
        ('[{"name":"y","data":[1.0]}]', None),
        ("[1]", None),
        ('{"a":1}', None),
        ("1", None),
        ('[{"name":"z","shape":[1],"data":[2.0]},{"name":"y","shape":[2],"data":[1.00,1e1]}]', b"[1.00,1e1]"),
        ('[{"name":"y","shape":[2],"data":[1.00,"a"]}]', b'[1.0,"a"]'),
    ],
)
@pytest.mark.parametrize("before", LOOKING[:1] + LOOKING[2:])
def test_an_unusual_tensor_is_left_to_the_general_way(outputs: str, expected: bytes | None, before: list[Any]) -> None:
    operations = [*before, {"tensor_to_rows": {"tensor": "y", "keep": ["id", "n"]}}]
    text = b'{"id":1.0,"outputs":%b}' % outputs.encode()
    if expected is None:
        assert both(operations, json.loads(text)) == REFUSED
    else:
        assert adapted(operations, text) == b'{"id":1.0,"predictions":%b}' % expected


NUMBERS = st.integers(-(2**63), 2**63) | st.floats(-10, 10) | st.floats(allow_nan=False, allow_infinity=False)
ODD = st.sampled_from([True, False, None, "a", "[", {}, [], {"x": 1}])


@st.composite
def instances(draw: st.DrawFn) -> Any:
    """Mostly regular arrays of one kind of items."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    value = draw(st.sampled_from([NUMBERS, st.integers(), st.booleans(), st.text(max_size=3), NUMBERS | ODD]))
    rows: Any = None
    for size in reversed(shape):
        inner = rows
        rows = st.lists(value if inner is None else inner, min_size=size, max_size=size)
    found = draw(rows)
    if draw(st.integers(0, 3)) == 0:
        found.append(draw(ODD | st.lists(NUMBERS, max_size=3) | NUMBERS))
    return found


@settings(max_examples=150, deadline=None)
@given(instances(), st.sampled_from(["FP32", "FP64", "INT64", "UINT8", "BOOL", "BYTES"]), st.booleans(), st.data())
def test_a_tensor_of_rows_of_text_is_that_of_their_values(
    rows: list[Any], datatype: str, opened: bool, data: st.DataObject
) -> None:
    declared = {"name": "x", "datatype": datatype}
    if data.draw(st.booleans()):
        declared |= {"shape": data.draw(st.sampled_from([[], [1], [2], [2, 2], [3, 1]]))}
    before = [{"refuse": {"reason": "p", "when": {"path": "/parameters", "exists": True}}}] if opened else []
    both([*before, {"rows_to_tensor": {"tensors": [declared]}}], {"instances": rows})


@pytest.mark.parametrize(
    ("rows", "tensor"),
    [
        ("[[1.0, 1e5],\n [-0, 0.10]]", '"shape":[2,2],"datatype":"FP64","data":[1.0,1e5,-0,0.10]'),
        ("[1.0,1E-7]", '"shape":[2],"datatype":"FP64","data":[1.0,1E-7]'),
        (
            "[ [ [ 1 ] ] , [ [ 18446744073709551617 ] ] ]",
            '"shape":[2,1,1],"datatype":"FP64","data":[1,18446744073709551617]',
        ),
    ],
)
def test_a_number_of_a_row_keeps_its_text_in_the_tensor(rows: str, tensor: str) -> None:
    operation = {"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"}]}}
    for before in ([], [{"refuse": {"reason": "p", "when": {"path": "/parameters", "exists": True}}}]):
        found = compiled(*before, operation).response(b'{"instances":%b}' % rows.encode(), Context())
        assert found == b'{"inputs":[{"name":"x",%b}]}' % tensor.encode()


@pytest.mark.parametrize(
    "rows", ["[1e999]", "[[1],[]]", "[[],[1]]", "[[ ]]", "[]", "[[1],1]", "[1,[1]]", "[[[1]],[1]]", "1"]
)
def test_rows_that_are_no_regular_numbers_are_refused(rows: str) -> None:
    operation = {"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"}]}}
    for before in ([], [{"refuse": {"reason": "p", "when": {"path": "/parameters", "exists": True}}}]):
        assert refusal([*before, operation], b'{"instances":%b}' % rows.encode())
