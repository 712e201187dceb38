"""Binary tensors as they are packed come out as what was packed; of anything else, a refusal or JSON."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from math import prod
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.binary_tensors import inlined
from stepdown_adapters.errors import Refusal

CODES = {
    "BOOL": "?",
    **{
        f"{sign}INT{8 << place}": code
        for sign, codes in (("", "bhiq"), ("U", "BHIQ"))
        for place, code in enumerate(codes)
    },
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}


def items(code: str) -> st.SearchStrategy[Any]:
    if code == "?":
        return st.booleans()
    if code in "efd":
        return st.floats(allow_nan=False, allow_infinity=False, width=8 * struct.calcsize(code))  # type: ignore[arg-type]
    bits, signed = 8 * struct.calcsize(f"={code}"), code.islower()
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


@st.composite
def tensors(draw: st.DrawFn) -> tuple[dict[str, Any], bytes, list[Any]]:
    """A tensor, its bytes if they are binary, and its items."""
    shape = draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
    datatype = draw(st.sampled_from([*CODES, "BYTES"]))
    kind = st.text(max_size=5) if datatype == "BYTES" else items(CODES[datatype])
    found = draw(st.lists(kind, min_size=prod(shape), max_size=prod(shape)))
    tensor = {"name": draw(st.text(max_size=3)), "shape": shape, "datatype": datatype}
    if draw(st.booleans()):
        return {**tensor, "data": found}, b"", found
    if datatype == "BYTES":
        raw = b"".join(struct.pack("<I", len(text)) + text for text in map(str.encode, found))
    else:
        raw = struct.pack(f"<{len(found)}{CODES[datatype]}", *found)
    more = draw(st.sampled_from([{}, {"k": 1.5}]))
    return {**tensor, "parameters": {"binary_data_size": len(raw), **more}}, raw, found


def body(drawn: list[tuple[dict[str, Any], bytes, list[Any]]]) -> tuple[bytes, bytes]:
    text = json.dumps({"outputs": [tensor for tensor, _, _ in drawn]}, ensure_ascii=False).encode()
    return text + b"".join(raw for _, raw, _ in drawn), b"%d" % len(text)


@given(st.lists(tensors(), max_size=4))
def test_what_was_packed_comes_out(drawn: list[tuple[dict[str, Any], bytes, list[Any]]]) -> None:
    found = json.loads(inlined(*body(drawn), 1 << 20))["outputs"]
    assert [one["data"] for one in found] == [wanted for _, _, wanted in drawn]
    for one, (tensor, _, _) in zip(found, drawn, strict=True):
        assert {name: one[name] for name in ("name", "shape", "datatype")} == {
            name: tensor[name] for name in ("name", "shape", "datatype")
        }
        assert "binary_data_size" not in one.get("parameters", {})
        assert one.get("parameters", {}).get("k") == tensor.get("parameters", {}).get("k")


@settings(max_examples=300)
@given(st.lists(tensors(), min_size=1, max_size=3), st.data())
def test_of_anything_else_comes_json_or_a_refusal(drawn: list[Any], data: st.DataObject) -> None:
    raw, header = body(drawn)
    spoilt = bytearray(raw)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(spoilt)))
        spoilt[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    header = data.draw(st.sampled_from([header, b"%d" % len(spoilt), b"0"]) | st.binary(max_size=4))
    with suppress(Refusal):
        json.loads(inlined(bytes(spoilt), header, 2000))


@given(st.binary(max_size=60), st.binary(max_size=3))
def test_of_bytes_that_are_nothing_comes_a_refusal(raw: bytes, header: bytes) -> None:
    with suppress(Refusal):
        inlined(raw, header, 2000)
