"""Rows made of a tensor's text are the rows of its numbers, and keep their text."""

import json
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.operations.shapes import reshaped
from tests.kit.adapters import adapted, refusal

SEPARATORS = [(",", ":"), (", ", ":"), (" ,\n", ":")]


def body(shape: list[int], data: str) -> bytes:
    return f'{{"outputs":[{{"name":"x","shape":{shape},"datatype":"FP64","data":{data}}}]}}'.encode()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_of_text_are_the_rows_of_its_numbers(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.sampled_from([1, 1, 2, 3, 5, 31, 32, 40]), min_size=1, max_size=3))
    while prod(shape) > 1000:
        shape.pop()
    some = data.draw(st.lists(st.floats(-1, 1) | st.integers() | st.sampled_from([True, None, 1.5e10]), min_size=1))
    items = (some * prod(shape))[: prod(shape)]
    text = json.dumps(items, separators=data.draw(st.sampled_from(SEPARATORS)))
    squeeze = data.draw(st.booleans())
    sizes = [shape[0], *(size for size in shape[1:] if size != 1 or not squeeze)]
    found = adapted([{"tensor_to_rows": {"squeeze": squeeze}}], body(shape, text))
    assert json.loads(found) == {"predictions": reshaped(items, sizes)}
    wrong = [shape[0] + 1, *shape[1:]]
    assert refusal([{"tensor_to_rows": {"squeeze": squeeze}}], body(wrong, text))


@pytest.mark.parametrize("shape", [[4], [1, 4], [4, 1], [2, 2], [2, 1, 2], [1, 2, 2]])
def test_numbers_keep_their_text(shape: list[int]) -> None:
    found = adapted([{"tensor_to_rows": {}}], body(shape, "[1.10,-0,1E5,18446744073709551617]"))
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
