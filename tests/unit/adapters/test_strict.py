"""`fidelity: strict`: number text and equal names survive in parts that operations open."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from stepdown_adapters.strict import STRICT, Doubled
from tests.kit.adapters import adapted


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ({"clamp": {"path": "/a/*", "max": 1}}, b'{"a":[0.50,1E0,-0,2.0,1e-7]}', b'{"a":[0.50,1E0,-0,1,1e-7]}'),
        ({"sort_by": "/a"}, b'{"a":[1.10,1e0,18446744073709551617]}', b'{"a":[1e0,1.10,18446744073709551617]}'),
        ({"flatten": "/a"}, b'{"a":[[1.10],[2E0]]}', b'{"a":[1.10,2E0]}'),
        ({"cast": {"path": "/a", "to": "string"}}, b'{"a":1.10}', b'{"a":"1.10"}'),
        ({"round": "/a"}, b'{"a":18446744073709551617}', b'{"a":18446744073709551617}'),
        ({"tensor_to_rows": {}}, b'{"outputs":[{"name":"x","shape":[2,1],"data":[1.10,-0]}]}',
         b'{"predictions":[[1.10],[-0]]}'),
        (
            {"rows_to_tensor": {"tensors": [{"name": "x", "datatype": "FP64"}]}},
            b'{"instances":[[1.10],[1E5]]}',
            b'{"inputs":[{"name":"x","shape":[2,1],"datatype":"FP64","data":[1.10,1E5]}]}',
        ),
        ({"linear": {"path": "/a/*", "offset": 1}}, b'{"a":[1.50,2E0]}', b'{"a":[2.5,3.0]}'),
        ({"sigmoid": "/a/*"}, b'{"a":[0.00]}', b'{"a":[0.5]}'),
        ({"replace": {"path": "/a", "value": 2}}, b'{ "a" : 1 , "b" : { "x" : 1.10 } }', b'{"a":2,"b":{ "x" : 1.10 }}'),
    ],
    ids=str,
)  # fmt: skip
def test_numbers_that_an_operation_carries_keep_their_text(operation: Any, body: bytes, expected: bytes) -> None:
    assert adapted([operation], body, "strict") == expected


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ({"replace": {"path": "/b", "value": 2}}, b'{"a":1,"b":1,"a":[2]}', b'{"a":1,"b":2,"a":[2]}'),
        ({"replace": {"path": "/a", "value": 3}}, b'{"a":1,"b":1,"a":2}', b'{"b":1,"a":3}'),
        ({"move": {"from": "/a", "to": "/c"}}, b'{"a":1,"b":1,"a":2}', b'{"b":1,"c":2}'),
        ({"remove": "/a"}, b'{"a":1,"b":1,"a":2}', b'{"b":1}'),
        ({"remove": "/b"}, b'{"a":1,"b":1,"a":2}', b'{"a":1,"a":2}'),
        ({"add": {"path": "/c", "value": 3}}, b'{"a":1,"a":1}', b'{"a":1,"a":1,"c":3}'),
        ({"project": {"keep": ["a"]}}, b'{"a":1,"b":1,"a":2}', b'{"a":1,"a":2}'),
        ({"replace": {"path": "/a/x", "value": 3}}, b'{"a":{"x":1},"a":{"x":2}}', b'{"a":{"x":3}}'),
        ({"in": "/r/*", "do": [{"replace": {"path": "/b", "value": 2}}]}, b'{"r":[{"a":1,"a":2,"b":1}]}',
         b'{"r":[{"a":1,"a":2,"b":2}]}'),
        ({"sort_by": {"path": "/r", "by": "/k"}}, b'{"r":[{"k":2,"k":3},{"k":1}]}', b'{"r":[{"k":1},{"k":2,"k":3}]}'),
        ({"flatten": "/r"}, b'{"r":[[{"k":2,"k":3.0}]]}', b'{"r":[{"k":2,"k":3.0}]}'),
    ],
    ids=str,
)  # fmt: skip
def test_equal_names_stay_until_they_are_touched(operation: Any, body: bytes, expected: bytes) -> None:
    assert adapted([operation], body, "strict") == expected


def test_normal_fidelity_keeps_the_last_of_equal_names() -> None:
    assert adapted([{"replace": {"path": "/b", "value": 2}}], b'{"a":1,"b":1,"a":[2]}') == b'{"a":[2],"b":2}'


def test_a_whole_value_with_equal_names_is_decoded_and_written_as_it_was() -> None:
    text = b'{"a":1,"b":{"c":1.0,"c":[2]},"a":-0}'
    value = STRICT.plain(Raw(text))
    assert isinstance(value, Doubled)
    assert value["a"] == 0
    assert STRICT.encode(value) == text
    assert STRICT.encode(STRICT.plain(value)) == text


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(documents, st.sampled_from([None, 1]), st.booleans())
def test_every_document_survives_opening_and_decoding(document: Any, indent: int | None, ascii_only: bool) -> None:
    raw = Raw(json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode())
    assert json.loads(STRICT.encode(STRICT.opened(raw))) == document
    assert json.loads(STRICT.encode(STRICT.plain(raw))) == document
    assert json.loads(STRICT.encode(STRICT.plain(STRICT.opened(raw)))) == document
