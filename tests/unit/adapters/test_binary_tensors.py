"""Answers with binary tensors behind their JSON, made JSON alone: exactly what they say, or a refusal that says why."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from stepdown_adapters import Adapter, AdaptError, Step
from stepdown_adapters.binary_tensors import ExcessError, inlined
from stepdown_adapters.errors import Refusal

PLENTY = 1 << 20
FP64 = struct.pack("<2d", 0.1, 1e300)


def tensor(datatype: str, shape: list[int], size: int | None, **more: Any) -> dict[str, Any]:
    parameters = {} if size is None else {"parameters": {"binary_data_size": size}}
    return {"name": "y", "shape": shape, "datatype": datatype, **parameters, **more}


def body(*tensors: dict[str, Any], tail: bytes = b"", **more: Any) -> tuple[bytes, bytes]:
    """A body, and what its header says."""
    text = json.dumps({"model_name": "m", "outputs": list(tensors), **more}).encode()
    return text + tail, b"%d" % len(text)


def data(datatype: str, shape: list[int], raw: bytes) -> Any:
    return json.loads(inlined(*body(tensor(datatype, shape, len(raw)), tail=raw), PLENTY))["outputs"][0]["data"]


@pytest.mark.parametrize(
    ("datatype", "code", "values"),
    [
        ("INT8", "b", [-128, 127]),
        ("INT16", "h", [-32768, 32767]),
        ("INT32", "i", [-(2**31), 2**31 - 1]),
        ("INT64", "q", [-(2**63), 2**63 - 1]),
        ("UINT8", "B", [0, 255]),
        ("UINT16", "H", [0, 65535]),
        ("UINT32", "I", [0, 2**32 - 1]),
        ("UINT64", "Q", [0, 2**64 - 1]),
        ("FP16", "e", [0.5, -65504.0]),
        ("FP32", "f", [struct.unpack("<f", struct.pack("<f", 0.1))[0], -2.0]),
        ("FP64", "d", [0.1, -1e-320]),
    ],
)
def test_numbers_of_every_type_are_read(datatype: str, code: str, values: list[float]) -> None:
    assert data(datatype, [2], struct.pack(f"<2{code}", *values)) == values
    assert data(datatype, [2, 1], struct.pack(f"<2{code}", *values)) == values


def test_bf16_booleans_and_texts_are_read() -> None:
    assert data("BF16", [2], bytes([0x80, 0x3F, 0xC0, 0xBF])) == [1.0, -1.5]
    assert data("BOOL", [3], b"\x01\x00\x01") == [True, False, True]
    assert data(
        "BYTES", [2, 2], b"".join(struct.pack("<I", len(s)) + s for s in (b"", b'a"', "né".encode(), b"z"))
    ) == [
        "",
        'a"',
        "né",
        "z",
    ]
    assert data("BYTES", [0], b"") == data("FP32", [0, 4], b"") == []


def test_a_long_tensor_is_read_in_pieces_that_make_one_array() -> None:
    many = list(range(40_000))
    assert data("INT32", [200, 200], struct.pack("<40000i", *many)) == many
    texts = [str(index) for index in many]
    assert data("BYTES", [40_000], b"".join(struct.pack("<I", len(t)) + t.encode() for t in texts)) == texts


def test_tensors_are_taken_in_order_and_those_with_data_stay_as_they_are_written() -> None:
    first = tensor("UINT8", [2], 2, name="a")
    text = (
        b'{"id": 1.0, "outputs": [%b, {"name": "b", "shape": [1], "datatype": "FP32", "data": [1.50]}, %b], "n": 1e2}'
        % (
            json.dumps(first).encode(),
            b'{"parameters": {"binary_data_size": 1, "k": 0.10}, "name": "c", "datatype": "BOOL", "shape": [1]}',
        )
    )
    assert inlined(text + b"\x07\x08\x01", b"%d" % len(text), PLENTY) == (
        b'{"id":1.0,"outputs":[{"name":"a","shape":[2],"datatype":"UINT8","data":[7,8]},'
        b'{"name":"b","shape":[1],"datatype":"FP32","data":[1.50]},'
        b'{"parameters":{"k":0.10},"name":"c","datatype":"BOOL","shape":[1],"data":[true]}],"n":1e2}'
    )


def test_an_answer_that_is_json_to_its_end_needs_no_tensors() -> None:
    error = b' {"error": "no such model"} '
    assert inlined(error, b"%d" % len(error), PLENTY) is error
    plain = tensor("FP64", [1], None, data=[1.5])
    assert json.loads(inlined(*body(plain), PLENTY))["outputs"] == [plain]
    nulled = plain | {"parameters": None}
    assert json.loads(inlined(*body(nulled), PLENTY))["outputs"] == [nulled]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ((b"{}", b"3"), "Inference-Header-Content-Length is '3', and the body has 2 bytes"),
        ((b"{}", b"-1"), "Inference-Header-Content-Length is '-1'"),
        ((b"{}", b"+2"), "Inference-Header-Content-Length is '+2'"),
        ((b"{}", b""), "Inference-Header-Content-Length is ''"),
        ((b"{}", b"9" * 5000), "Inference-Header-Content-Length is '9999"),
        ((b"{}x", b"2"), "the JSON before the tensors cannot be read: Expected `array`, got `null`"),
        ((b"[]x", b"2"), "the JSON before the tensors cannot be read: Expected `object`, got `array`"),
        ((b"xx", b"0"), "the JSON before the tensors cannot be read: Input data was truncated"),
        ((b'{"outputs": [1]}', b"16"), "the JSON before the tensors cannot be read: Expected `object`, got `int`"),
        ((b'{"outputs": ' + b"[" * 100_000, b"100012"), "the body is nested deeper than"),
        ((b'{"\xff": 1}x', b"8"), "the body is not UTF-8 at byte 2"),
        (body(tensor("FP64", [2], 16), tail=FP64 + b"x"), "1 bytes follow the last tensor"),
        (body(tail=b"x"), "1 bytes follow the last tensor"),
        (body(tensor("FP64", [2], 16), tail=FP64[1:]), "tensor 'y' has 16 bytes, and 15 are left"),
        (body(tensor("FP64", [2], 2**62), tail=FP64), "tensor 'y' has 4611686018427387904 bytes, and 16 are left"),
        (body(tensor("FP64", [3], 16), tail=FP64), "tensor 'y' has 16 bytes, and its shape [3] needs 24"),
        (body(tensor("FP64", [2**62] * 32, 16), tail=FP64), "tensor 'y' has 16 bytes, and its shape [46116"),
        (body(tensor("FP64", [10**4000] * 32, 16), tail=FP64), "Expected `int` <= 9223372036854775807"),
        (body(tensor("FP64", [2], 2**63), tail=FP64), "Expected `int` <= 9223372036854775807"),
        (body(tensor("FP64", [2], -16), tail=FP64), "Expected `int` >= 0"),
        (body(tensor("FP64", [2], True), tail=FP64), "Expected `int`, got `bool`"),
        (body(tensor("FP64", [-2], 16), tail=FP64), "Expected `int` >= 0 - at `$.shape["),
        (body(tensor("FP64", [1] * 33, 8), tail=FP64[:8]), "Expected `array` of length <= 32"),
        (body(tensor("FP64", [], 8), tail=FP64[:8]), "Expected `array` of length >= 1"),
        (body(tensor("FP64", [2], 16, name=1), tail=FP64), "Expected `str`, got `int` - at `$.name`"),
        (body({"parameters": {"binary_data_size": 1}}, tail=b"x"), "missing required field `name`"),
        (body(tensor("FP8", [1], 1), tail=b"x"), "the datatype 'FP8', which Open Inference does not have"),
        (body(tensor("FP64", [2], 16, data=[1, 2]), tail=FP64), "a tensor has both binary_data_size and data"),
        (body(tensor("BOOL", [1], 1), tail=b"\x02"), "a byte is neither 0 nor 1, so it is no BOOL"),
        (body(tensor("BYTES", [1], 3), tail=b"\0\0\0"), "item 0 of tensor 'y' is cut"),
        (body(tensor("BYTES", [1], 5), tail=b"\xff\xff\xff\xffa"), "item 0 of tensor 'y' is cut"),
        (body(tensor("BYTES", [2], 5), tail=b"\1\0\0\0a"), "tensor 'y' has 1 items, and its shape [2] needs 2"),
        (body(tensor("BYTES", [0], 4), tail=b"\0\0\0\0"), "tensor 'y' has 1 items, and its shape [0] needs 0"),
        (body(tensor("BYTES", [1], 5), tail=b"\1\0\0\0\xff"), "item 0 of tensor 'y' is no text in UTF-8"),
    ],
)
def test_what_does_not_add_up_is_refused(found: tuple[bytes, bytes], reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        inlined(*found, PLENTY)
    assert reason in str(refused.value)


def test_no_more_text_is_made_than_is_wanted() -> None:
    raw = b"\xff" * 100_000  # each of them three digits and a comma
    found = body(tensor("UINT8", [100_000], len(raw)), tail=raw)
    assert len(inlined(*found, 400_200)) < 400_200
    with pytest.raises(ExcessError):
        inlined(*found, 400_000)
    two = body(tensor("UINT8", [4], 4, name="a"), tensor("UINT8", [4], 4, name="b"), tail=b"\xff" * 8)
    assert inlined(*two, int(two[1]) + 40)
    with pytest.raises(ExcessError):
        inlined(*two, int(two[1]) + 20)


@pytest.mark.parametrize(("datatype", "code"), [("FP16", "e"), ("FP32", "f"), ("FP64", "d")])
def test_what_is_not_finite_is_refused_or_nulled_as_where_a_server_writes_it(datatype: str, code: str) -> None:
    raw = struct.pack(f"<4{code}", 0.5, float("nan"), float("inf"), float("-inf"))
    made = inlined(*body(tensor(datatype, [4], len(raw)), tail=raw), PLENTY)
    rows = [{"tensor_to_rows": {}}]
    with pytest.raises(AdaptError, match="JSON is malformed"):
        Adapter.of([Step("2.0.0", "1.0.0", rows)]).bytes(made)
    nullifying = Adapter.of([Step("2.0.0", "1.0.0", rows, non_finite="nullify")])
    assert json.loads(nullifying.bytes(made)) == {"predictions": [0.5, None, None, None]}
