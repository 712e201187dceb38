"""The numeric operations and error_map on small documents: what they give, what they refuse, and in which words."""

import base64
import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.errors import OperationError
from stepdown_adapters.operations import parse
from tests.kit.adapters import REFUSED, both, refusal

SCALARS: list[Any] = [
    ({"exp": "/a/*"}, [0, 0.0, -1000, -1000.0], [1.0, 1.0, 0.0, 0.0]),
    ({"exp": "/a/*"}, [1000.0], REFUSED),
    ({"exp": "/a/*"}, [1000], REFUSED),
    ({"exp": "/a/*"}, [True], REFUSED),
    ({"exp": "/a/*"}, ["x"], REFUSED),
    ({"exp": {"path": "/a/*", "base": 2}}, [-1, 10.0], [0.5, 1024.0]),
    ({"exp": {"path": "/a/*", "base": 10}}, [-2.0, 400.0], REFUSED),
    ({"exp": "/a/*"}, [], []),
    ({"log": "/a/*"}, [1, 1.0, math.e], [0.0, 0.0, 1.0]),
    ({"log": "/a/*"}, [0], REFUSED),
    ({"log": "/a/*"}, [0.0], REFUSED),
    ({"log": "/a/*"}, [-0.5], REFUSED),
    ({"log": {"path": "/a/*", "base": 10}}, [0.001, 1000], [-3.0, 3.0]),
    ({"log": {"path": "/a/*", "base": 2, "epsilon": 0.25}}, [0, 0.1, 0.5], [-2.0, -2.0, -1.0]),
    ({"log": {"path": "/a/*", "epsilon": 0.25}}, [-1.0], REFUSED),
    ({"round_to": {"path": "/a/*", "multiple": 0.05}}, [0.123, 0.12, 0.15, -0.02, 7], [0.1, 0.1, 0.15, 0.0, 7.0]),
    ({"round_to": {"path": "/a/*", "multiple": 0.1}}, [0.25, 0.35, 0.15, 0.3], [0.2, 0.4, 0.2, 0.3]),
    ({"round_to": {"path": "/a/*", "multiple": 5}}, [12, 12.5, 13.0, -7.6], [10, 10, 15, -10]),
    ({"round_to": {"path": "/a/*", "multiple": 5}}, [1e300], REFUSED),
    ({"round_to": {"path": "/a/*", "multiple": 0.3}}, [1e300], REFUSED),
    ({"round_to": {"path": "/a/*", "multiple": 0.3}}, [1500680166892990.0], REFUSED),
    ({"round_to": {"path": "/a/*", "multiple": 0.123456789}}, [9e8], REFUSED),
    ({"round_to": {"path": "/a/*", "multiple": 0.3}}, [None], REFUSED),
]  # fmt: skip

VECTORS: list[Any] = [
    ({"normalize": {"path": "/a", "norm": "l1"}}, [1, 3], [0.25, 0.75]),
    ({"normalize": {"path": "/a", "norm": "l1"}}, [-1, 3], [-0.25, 0.75]),
    ({"normalize": {"path": "/a", "norm": "l2"}}, [[3, 4], [1e200, 0]], [[0.6, 0.8], [1.0, 0.0]]),
    ({"normalize": {"path": "/a", "norm": "l1"}}, {"x": 1, "y": 1}, {"x": 0.5, "y": 0.5}),
    ({"normalize": {"path": "/a", "norm": "l1", "by": "/s/v"}}, [{"s": {"v": 1}, "n": 1}, {"s": {"v": 1}}],
     [{"s": {"v": 0.5}, "n": 1}, {"s": {"v": 0.5}}]),
    ({"normalize": {"path": "/a", "norm": "l1", "by": "/s"}}, [{"s": 1}, {}], REFUSED),
    ({"normalize": {"path": "/a", "norm": "l1"}}, [0, 0.0], REFUSED),
    ({"normalize": {"path": "/a", "norm": "l1"}}, [], REFUSED),
    ({"normalize": {"path": "/a", "norm": "l1"}}, [[1], []], REFUSED),
    ({"normalize": {"path": "/a", "norm": "l1"}}, [1.7e308, 1.7e308], REFUSED),
    ({"normalize": {"path": "/a", "norm": "l2"}}, [1, "x"], REFUSED),
    ({"normalize": {"path": "/a", "norm": "l2"}}, 5, REFUSED),
    ({"slice_dims": {"path": "/a", "dims": 2}}, [3, 4, 5], [3, 4]),
    ({"slice_dims": {"path": "/a", "dims": 2, "renormalize": True}}, [[3, 4, 5]], [[0.6, 0.8]]),
    ({"slice_dims": {"path": "/a", "dims": 4}}, [3, 4, 5], REFUSED),
    ({"slice_dims": {"path": "/a", "dims": 2}}, [3, None, 5], REFUSED),
    ({"slice_dims": {"path": "/a", "dims": 2, "renormalize": True}}, [0, 0, 5], REFUSED),
    ({"dequantize": {"path": "/a", "from": "int8", "scale": 0.5}}, [-128, 0, 127], [-64.0, 0.0, 63.5]),
    ({"dequantize": {"path": "/a", "from": "uint8", "scale": 0.5, "zero_point": 128}}, [[0], [255]], [[-64.0], [63.5]]),
    ({"dequantize": {"path": "/a", "from": "int8", "scale": [1, 2], "zero_point": [0, 1]}}, [3, 3.0], [3.0, 4.0]),
    ({"dequantize": {"path": "/a", "from": "int8", "scale": [1, 2]}}, [3], REFUSED),
    ({"dequantize": {"path": "/a", "from": "int8", "scale": 1}}, [128], REFUSED),
    ({"dequantize": {"path": "/a", "from": "uint8", "scale": 1}}, [-1], REFUSED),
    ({"dequantize": {"path": "/a", "from": "int8", "scale": 1}}, [1.5], REFUSED),
    ({"dequantize": {"path": "/a", "from": "int8", "scale": 1}}, [True], REFUSED),
    ({"dequantize": {"path": "/a", "from": "int8", "scale": 1}}, [], []),
    ({"dequantize": {"path": "/a", "from": "ubinary"}}, [0b10100000], [1, -1, 1, -1, -1, -1, -1, -1]),
    ({"dequantize": {"path": "/a", "from": "binary", "values": [0, 1], "dims": 3}}, [0b10100000 - 128], [1, 0, 1]),
    ({"dequantize": {"path": "/a", "from": "ubinary", "dims": 9}}, [1], REFUSED),
    ({"dequantize": {"path": "/a", "from": "ubinary", "dims": 8}}, [1, 1], REFUSED),
    ({"dequantize": {"path": "/a", "from": "ubinary"}}, [256], REFUSED),
    ({"quantize": {"path": "/a", "to": "int8", "scale": 0.5}}, [0.25, 0.75, -1e308, 1e308], [0, 2, -128, 127]),
    ({"quantize": {"path": "/a", "to": "uint8", "scale": 1e-300, "zero_point": 5}}, [1e300, -1e300, 0], [255, 0, 5]),
    ({"quantize": {"path": "/a", "to": "ubinary"}}, [0.1, -1, 1, 0, 0, 0, 0, 0, 2], [0b10100000, 0b10000000]),
    ({"quantize": {"path": "/a", "to": "binary"}}, [[0.1], []], [[0], []]),
    ({"quantize": {"path": "/a", "to": "binary"}}, ["x"], REFUSED),
]  # fmt: skip

BOXES: list[Any] = [
    ({"from": "xyxy", "to": "xywh"}, [10, 20, 30, 60], [10, 20, 20, 40]),
    ({"from": "xyxy", "to": "cxcywh"}, [[10, 20, 30, 60]], [[20.0, 40.0, 20, 40]]),
    ({"from": "cxcywh", "to": "xyxy"}, [20, 40, 20, 40], [10.0, 20.0, 30.0, 60.0]),
    ({"from": "xywh", "to": "xyxy"}, [], []),
    ({"from": "xyxy", "to": "xywh"}, [30, 20, 10, 60], REFUSED),
    ({"from": "xywh", "to": "xyxy"}, [30, 20, -1, 60], REFUSED),
    ({"from": "xywh", "to": "xyxy"}, [30, 20, 1], REFUSED),
    ({"from": "xywh", "to": "xyxy"}, [[30, 20, 1, 2], []], REFUSED),
    ({"from": "xywh", "to": "xyxy"}, [30, 20, 1, "2"], REFUSED),
    ({"from": "xywh", "to": "xyxy"}, [1e308, 20, 1e308, 2], REFUSED),
    ({"from": "xywh", "to": "xyxy"}, "box", REFUSED),
    ({"from": "xywh", "to": "xywh", "from_unit": "relative", "size": [200, 100], "digits": 0},
     [0.5, 0.5, 0.1, 0.333], [100, 50, 20, 33]),
    ({"from": "xywh", "to": "xywh", "to_unit": "relative", "size": [200, 100], "digits": 3}, [100, 50, 20, 33],
     [0.5, 0.5, 0.1, 0.33]),
    ({"from": "xyxy", "to": "xywh", "to_members": ["x", "y", "w", "h"]}, [[1, 2, 3, 5]],
     [{"x": 1, "y": 2, "w": 2, "h": 3}]),
    ({"from": "xyxy", "to": "xywh", "from_members": ["l", "t", "r", "b"]}, [{"l": 1, "t": 2, "r": 3, "b": 5}],
     [[1, 2, 2, 3]]),
    ({"from": "xyxy", "to": "xywh", "from_members": ["x", "y", "r", "b"], "to_members": ["x", "y", "w", "h"]},
     {"x": 1, "y": 2, "r": 3, "b": 5, "id": 7}, {"x": 1, "y": 2, "w": 2, "h": 3, "id": 7}),
    ({"from": "xyxy", "to": "xywh", "from_members": ["x", "y", "r", "b"], "to_members": ["x", "y", "w", "h"]},
     {"x": 1, "y": 2, "r": 3, "b": 5, "w": 7}, REFUSED),
    ({"from": "xyxy", "to": "xywh", "from_members": ["x", "y", "r", "b"]}, {"x": 1, "y": 2, "r": 3}, REFUSED),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "value", "expected"), SCALARS + VECTORS, ids=str)
def test_the_operation_does_what_its_name_says(operation: Any, value: Any, expected: Any) -> None:
    assert both([operation], {"a": value}) == (REFUSED if expected == REFUSED else {"a": expected})


@pytest.mark.parametrize(("options", "value", "expected"), BOXES, ids=str)
def test_boxes_change_their_format_and_unit(options: Any, value: Any, expected: Any) -> None:
    result = both([{"box_convert": {"path": "/a", **options}}], {"a": value})
    assert result == (REFUSED if expected == REFUSED else {"a": expected})


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("datatype", "code", "values"),
    [
        ("FP32", "f", [1.5, -0.25, 3.4028234663852886e38]),
        ("FP64", "d", [0.1, -1e300]),
        ("FP16", "e", [1.5, 65504.0]),
        ("INT8", "b", [-128, 127]),
        ("INT16", "h", [-32768, 5]),
        ("INT32", "i", [-(2**31), 7]),
        ("INT64", "q", [-(2**63), 2**63 - 1]),
        ("UINT8", "B", [0, 255]),
        ("UINT16", "H", [65535]),
        ("UINT32", "I", [2**32 - 1]),
        ("UINT64", "Q", [2**64 - 1]),
        ("BOOL", "?", [True, False]),
    ],
)
@pytest.mark.parametrize(("order", "sign"), [("little", "<"), ("big", ">")])
def test_raw_bytes_become_numbers_and_raw_bytes_again(
    datatype: str, code: str, values: list[Any], order: str, sign: str
) -> None:
    text = encoded(struct.pack(f"{sign}{len(values)}{code}", *values))
    options = {"path": "/a", "datatype": datatype, "order": order}
    assert both([{"tensor_decode": options}], {"a": text}) == {"a": values}
    assert both([{"tensor_encode": options}], {"a": values}) == {"a": text}


def test_bfloat16_is_the_upper_half_of_a_float() -> None:
    options = {"path": "/a", "datatype": "BF16"}
    assert both([{"tensor_decode": options}], {"a": encoded(b"\x80\x3f\xc0\xbf")}) == {"a": [1.0, -1.5]}
    # 1 + 1/256 lies between two neighbours, and half goes to even.
    assert both([{"tensor_encode": options}], {"a": [1 + 1 / 256, 1 + 3 / 256]}) == {"a": encoded(b"\x80\x3f\x82\x3f")}
    assert both([{"tensor_encode": options}], {"a": [3.4e38]}) == REFUSED


def test_a_raw_tensor_takes_its_shape() -> None:
    options = {"path": "/a", "datatype": "UINT8", "shape": [-1, 2]}
    assert both([{"tensor_decode": options}], {"a": encoded(b"\1\2\3\4")}) == {"a": [[1, 2], [3, 4]]}
    assert both([{"tensor_decode": options}], {"a": encoded(b"\1\2\3")}) == REFUSED
    assert both([{"tensor_encode": options}], {"a": [[1, 2], [3, 4]]}) == {"a": encoded(b"\1\2\3\4")}
    assert both([{"tensor_encode": options}], {"a": [1, 2]}) == REFUSED
    assert both([{"tensor_encode": options}], {"a": [[1, 2], [3]]}) == REFUSED
    assert both([{"tensor_encode": options}], {"a": []}) == {"a": ""}


@pytest.mark.parametrize(
    ("operation", "value", "sentence"),
    [
        ({"tensor_decode": {"datatype": "FP32"}}, "AAAA", "3 bytes are not a whole number of FP32 items"),
        ({"tensor_decode": {"datatype": "FP32"}}, encoded(struct.pack("<f", math.nan)),
         "the tensor holds NaN or an infinity, which have no JSON form"),
        ({"tensor_decode": {"datatype": "BF16"}}, encoded(b"\x80\x7f"),
         "the tensor holds NaN or an infinity, which have no JSON form"),
        ({"tensor_decode": {"datatype": "BOOL"}}, "Ag==", "a byte is neither 0 nor 1, so it is no BOOL"),
        ({"tensor_decode": {"datatype": "INT8"}}, "A", "the string is not base64: "),
        ({"tensor_decode": {"datatype": "INT8"}}, "A\u00e9==", "the string is not base64: "),
        ({"tensor_decode": {"datatype": "INT8"}}, 5, "a number is no base64 text"),
        ({"tensor_encode": {"datatype": "FP32"}}, [1e300], "a number is out of the range of FP32"),
        ({"tensor_encode": {"datatype": "FP16"}}, [65520.0], "a number is out of the range of FP16"),
        ({"tensor_encode": {"datatype": "INT8"}}, [128], "a number is out of the range of INT8"),
        ({"tensor_encode": {"datatype": "INT8"}}, [1.5], "1.5 is no INT8"),
        ({"tensor_encode": {"datatype": "INT8"}}, [True], "a boolean is no INT8"),
        ({"tensor_encode": {"datatype": "BOOL"}}, [1], "a number is no BOOL"),
        ({"tensor_encode": {"datatype": "INT8"}}, "x", "a string is not an array"),
        ({"exp": {}}, 1000.0, "the power of 1000.0 is too large for floating point"),
        ({"log": {}}, 0.0, "the logarithm of 0 is infinite; give an epsilon"),
        ({"log": {}}, -1.0, "a number below 0 has no logarithm"),
        ({"normalize": {"norm": "l1"}}, [], "an empty array has no norm"),
        ({"normalize": {"norm": "l1"}}, [0], "the numbers are all 0 and have no direction or share to keep"),
        ({"slice_dims": {"dims": 4}}, [1], "the embedding has 1 dimensions, and 4 are needed"),
        ({"dequantize": {"from": "int8", "scale": 1}}, [300], "300 is no int8"),
        ({"box_convert": {"from": "xyxy", "to": "xywh"}}, [3, 0, 1, 1], "the box [3, 0, 1, 1] ends before it starts"),
        ({"error_map": {"from": "v2", "to": "openai"}}, {"errors": []},
         "an object with the members ['errors'] is no error of the form v2; give a fallback"),
    ],
    ids=lambda part: str(part)[:40].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_a_refusal_says_why(operation: Any, value: Any, sentence: str) -> None:
    ((name, options),) = operation.items()
    found = refusal([{name: {"path": "/a", **options}}], json.dumps({"a": value}).encode()).sentence
    assert found.startswith(sentence)


PROBLEM = {"type": "https://example.org/errors/out-of-quota", "title": "Out of quota", "status": 429, "detail": "wait"}
NOT_FOUND = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no model x", "instance": "/1"}
OPENAI = {"error": {"message": "bad", "type": "invalid_request_error", "param": "messages", "code": "too_long"}}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
VALIDATION = {"detail": [{"loc": ["body", "x", 0], "msg": "Field required", "type": "missing"},
                         {"loc": ["query", "k"], "msg": "too large"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target", "options", "body", "expected"),
    [
        ("problem", "openai", {}, PROBLEM,
         {"error": {"message": "wait", "type": "rate_limit_error", "param": None, "code": "out-of-quota"}}),
        ("problem", "v2", {}, NOT_FOUND, {"error": "no model x"}),
        ("problem", "tfserving", {}, {"title": "Not Found"}, {"error": "Not Found"}),
        ("problem", "fastapi", {}, NOT_FOUND, {"detail": "no model x"}),
        ("problem", "mlflow", {}, NOT_FOUND, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no model x"}),
        ("problem", "v2", {}, {"status": 404}, REFUSED),
        ("problem", "v2", {"fallback": "failed"}, {"status": 404}, {"error": "failed"}),
        ("v2", "problem", {}, {"error": "bad"}, {"type": "about:blank", "detail": "bad"}),
        ("v2", "problem", {"status": 400}, {"error": "bad"},
         {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "bad"}),
        ("v2", "openai", {"status": 503}, {"error": "busy"},
         {"error": {"message": "busy", "type": "server_error", "param": None, "code": None}}),
        ("openai", "v2", {}, OPENAI, {"error": "bad"}),
        ("openai", "openai", {}, OPENAI, OPENAI),
        ("openai", "problem", {}, {"error": {"message": "bad", "type": "BadRequestError", "param": None, "code": 400}},
         {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "bad"}),
        ("openai", "problem", {}, OPENAI,
         {"type": "about:blank", "detail": "bad", "code": "too_long", "param": "messages"}),
        ("openai", "v2", {}, {"error": "bad"}, REFUSED),
        ("fastapi", "v2", {}, VALIDATION, {"error": "body.x.0: Field required; query.k: too large"}),
        ("fastapi", "openai", {}, VALIDATION, {"error": {"message": "body.x.0: Field required; query.k: too large",
         "type": "invalid_request_error", "param": "body.x.0", "code": None}}),
        ("fastapi", "v2", {}, {"detail": []}, REFUSED),
        ("fastapi", "v2", {}, {"detail": [{"msg": 5}]}, REFUSED),
        ("fastapi", "v2", {}, {"detail": {"why": "x"}}, REFUSED),
        ("mlflow", "v2", {}, {"error_code": "BAD_REQUEST", "message": "bad"}, {"error": "bad"}),
        ("mlflow", "mlflow", {}, {"error_code": "RESOURCE_CONFLICT", "message": "bad", "stack_trace": "..."},
         {"error_code": "RESOURCE_CONFLICT", "message": "bad"}),
        ("tfserving", "mlflow", {}, {"error": "bad"}, {"error_code": "INTERNAL_ERROR", "message": "bad"}),
        ("tfserving", "mlflow", {"status": 418}, {"error": "bad"}, {"error_code": "BAD_REQUEST", "message": "bad"}),
        ("anthropic", "openai", {}, OVERLOADED,
         {"error": {"message": "Overloaded", "type": "overloaded_error", "param": None, "code": None}}),
        ("anthropic", "problem", {}, OVERLOADED, {"type": "about:blank", "status": 529, "detail": "Overloaded"}),
        ("anthropic", "anthropic", {}, {**OVERLOADED, "request_id": "req_1"}, OVERLOADED),
        ("anthropic", "v2", {}, {"type": "error", "error": {"type": "new_error", "message": "why"}}, {"error": "why"}),
        ("anthropic", "v2", {}, {"type": "error", "error": "bad"}, REFUSED),
        ("anthropic", "v2", {}, {"error": {"type": "api_error", "message": "bad"}}, REFUSED),
        ("openai", "anthropic", {}, OPENAI,
         {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}),
        ("v2", "anthropic", {}, {"error": "bad"}, {"type": "error", "error": {"type": "api_error", "message": "bad"}}),
        ("v2", "anthropic", {"status": 429}, {"error": "bad"},
         {"type": "error", "error": {"type": "rate_limit_error", "message": "bad"}}),
        ("v2", "anthropic", {"status": 418}, {"error": "bad"},
         {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}),
        ("v2", "fastapi", {"fallback": "failed"}, ["not", "an", "object"], {"detail": "failed"}),
    ],
    ids=str,
)  # fmt: skip
def test_an_error_is_told_in_another_envelope(source: str, target: str, options: Any, body: Any, expected: Any) -> None:
    assert both([{"error_map": {"from": source, "to": target, **options}}], body) == expected


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        ({"exp": {"path": "/a", "base": 1}}, "base is e or a number over 1"),
        ({"log": {"path": "/a", "epsilon": 0}}, "epsilon is a number over 0"),
        ({"round_to": {"path": "/a"}}, "needs multiple"),
        ({"round_to": {"path": "/a", "multiple": 1e10}}, "multiple is a number from 1e-15 to 1e9"),
        ({"normalize": "/a"}, "needs norm"),
        ({"normalize": {"path": "/a", "norm": "l1", "by": "/*"}}, "by"),
        ({"slice_dims": {"path": "/a", "dims": 0}}, "dims is a whole number from 1 on"),
        ({"dequantize": {"path": "/a", "from": "int8"}}, "needs scale"),
        ({"dequantize": {"path": "/a", "from": "binary", "scale": 1}}, "has no option 'scale'"),
        ({"quantize": {"path": "/a", "to": "int8", "scale": [1, 1], "zero_point": [1]}}, "different numbers"),
        ({"quantize": {"path": "/a", "to": "int4", "scale": 1}}, "to is one of int8, uint8, binary, ubinary"),
        ({"tensor_decode": {"path": "/a", "datatype": "BYTES"}}, "datatype is one of"),
        ({"tensor_decode": {"path": "/a", "datatype": "FP32", "shape": [-1, -1]}}, "shape is a list"),
        ({"box_convert": {"path": "/a", "from": "xyxy", "to": "yolo"}}, "to is one of xyxy, xywh, cxcywh"),
        ({"box_convert": {"path": "/a", "from": "xyxy", "to": "xywh", "to_unit": "relative"}}, "needs size"),
        ({"box_convert": {"path": "/a", "from": "xyxy", "to": "xywh", "size": [1, 1]}}, "needs no size"),
        ({"box_convert": {"path": "/a", "from": "xyxy", "to": "xywh", "to_unit": "relative", "width": 1}},
         "needs height as well"),
        ({"box_convert": {"path": "/a", "from": "xyxy", "to": "xywh", "to_unit": "relative", "size": [0, 1]}},
         "size is the image's [width, height]"),
        ({"box_convert": {"path": "/a", "from": "xyxy", "to": "xywh", "from_members": ["a", "a", "b", "c"]}},
         "from_members is the four names"),
        ({"error_map": {"from": "v2", "to": "v3"}}, "to is one of"),
        ({"error_map": {"from": "v2", "to": "openai", "status": 200}}, "status is a status from 400 to 599"),
    ],
    ids=str,
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(operation: Any, sentence: str) -> None:
    with pytest.raises(OperationError) as caught:
        parse([operation])
    assert sentence in str(caught.value)


@settings(max_examples=50)
@given(st.lists(st.integers(-128, 127), max_size=9), st.sampled_from([0.01, 0.3, 1.0, 7.5]), st.integers(-128, 127))
def test_quantize_gives_the_same_integers_back(values: list[int], scale: float, zero: int) -> None:
    options = {"path": "/a", "scale": scale, "zero_point": zero}
    operations = [{"dequantize": {**options, "from": "int8"}}, {"quantize": {**options, "to": "int8"}}]
    assert both(operations, {"a": values}) == {"a": values}


@settings(max_examples=50)
@given(st.lists(st.integers(0, 255), max_size=5), st.sampled_from([[-1, 1], [0, 1]]))
def test_bits_that_are_unpacked_and_packed_are_the_same(values: list[int], bits: list[int]) -> None:
    operations = [
        {"dequantize": {"path": "/a", "from": "ubinary", "values": bits}},
        {"quantize": {"path": "/a", "to": "ubinary"}},
    ]
    assert both(operations, {"a": values}) == {"a": values}


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), st.sampled_from(["l1", "l2"]))
def test_what_is_normalised_has_a_norm_of_1(values: list[float], norm: str) -> None:
    found = both([{"normalize": {"path": "/a", "norm": norm}}], {"a": values})
    if found != REFUSED:
        total = math.fsum(map(abs, found["a"])) if norm == "l1" else math.hypot(*found["a"])
        assert math.isclose(total, 1.0)
