"""Quantised embeddings to floats and back: int8 and uint8 by scale and zero point, and packed bits.

The formulas are ONNX's (QuantizeLinear, DequantizeLinear): `x = (q - zero_point) * scale` and
`q = round_half_even(x / scale) + zero_point`, held within the type's bounds. In `ubinary`, each byte is eight
dimensions, the first of them the highest bit (as numpy.packbits packs them), a bit says that the dimension is over 0;
`binary` is the same with 128 taken off each byte, as Sentence Transformers and Cohere's embed API write it.
"""

from __future__ import annotations

from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Structural
from stepdown_adapters.operations.innermost import Vector, floats, innermost, innermost_effect, resized
from stepdown_adapters.operations.intervals import within
from stepdown_adapters.operations.options import Options, is_count, is_number
from stepdown_adapters.operations.scalars import finite

BOUNDS = {"int8": (-128, 127), "uint8": (0, 255), "binary": (-128, 127), "ubinary": (0, 255)}
_SHIFT = {"binary": 128, "ubinary": 0}


def _dequantize(options: Options) -> Structural:
    source = options.choice("from", tuple(BOUNDS))
    if source in _SHIFT:
        return _unpacked(options, source)
    steps = _Steps(options)
    low, high = BOUNDS[source]

    def floated(array: list[Any]) -> list[float]:
        pairs = zip(integers(array, low, high, source), *steps.of(len(array)), strict=True)
        return [finite(float((q - zero) * scale)) for q, scale, zero in pairs]

    ends = [(q - zero) * scale for q in (low, high) for scale in steps.scales for zero in steps.zeros]
    leaf = within(float(min(ends)), float(max(ends)))
    return _each(floated, lambda array: resized(array, leaf))


def _unpacked(options: Options, source: str) -> Structural:
    values = options.get("values", "the numbers for bits 0 and 1, such as [-1, 1]", _is_pair, [-1, 1])
    dims = options.get("dims", "a whole number from 1 on", lambda v: is_count(v) and v > 0, None)
    shift, (low, high) = _SHIFT[source], BOUNDS[source]

    def unpack(array: list[Any]) -> list[int | float]:
        packed = bytes(q + shift for q in integers(array, low, high, source))
        if dims is not None and not dims <= 8 * len(packed) < dims + 8:
            raise Refusal(f"{len(packed)} bytes do not hold {dims} dimensions")
        bits = format(int.from_bytes(packed), f"0{8 * len(packed)}b") if packed else ""
        return [values[bit == "1"] for bit in bits[:dims]]

    def effect(array: dict[str, Any]) -> Schema:
        if dims is None:
            return resized(array, {"enum": values}, lambda size: 8 * size)
        return {"type": "array", "items": {"enum": values}, "minItems": dims, "maxItems": dims}

    return _each(unpack, effect)


def _quantize(options: Options) -> Structural:
    target = options.choice("to", tuple(BOUNDS))
    low, high = BOUNDS[target]
    leaf = within(low, high, "integer")
    if target in _SHIFT:
        return _each(lambda array: packed(array, _SHIFT[target]), lambda array: resized(array, leaf, _bytes))
    steps = _Steps(options)

    def rounded(array: list[Any]) -> list[int]:
        pairs = zip(floats(array), *steps.of(len(array)), strict=True)
        # Held within bounds first: a quotient may be infinite, and that has no nearest integer.
        return [round(min(max(x / scale, low - zero), high - zero)) + zero for x, scale, zero in pairs]

    return _each(rounded, lambda array: resized(array, leaf))


def packed(array: list[Any], shift: int) -> list[int]:
    """One byte, less `shift`, for each eight numbers; the last is filled up with zeros."""
    bits = "".join("1" if x > 0.0 else "0" for x in floats(array))
    count = _bytes(len(bits))
    return [byte - shift for byte in int(bits.ljust(8 * count, "0") or "0", 2).to_bytes(count)]


def _bytes(size: int) -> int:
    return -(-size // 8)


class _Steps:
    """Scale and zero point: one for all dimensions, or a list with one for each."""

    def __init__(self, options: Options) -> None:
        scale = options.need("scale", "a number over 0, or a list with one for each dimension", _is_scale, 1)
        zero = options.get("zero_point", "an integer, or a list with one for each dimension", _is_zero, 0)
        self.scales: list[int | float] = scale if isinstance(scale, list) else [scale]
        self.zeros: list[int] = zero if isinstance(zero, list) else [zero]
        sizes = {len(value) for value in (scale, zero) if isinstance(value, list)}
        if len(sizes) > 1:
            options.problem("zero_point", "scale and zero_point have different numbers of dimensions")
        self._size = max(sizes, default=None)

    def of(self, size: int) -> tuple[list[int | float], list[int]]:
        """Scales and zero points of an array; raises `Refusal` where they are declared for another size."""
        if self._size is not None and size != self._size:
            raise Refusal(f"the embedding has {size} dimensions, and {self._size} are declared")
        repeat = [size if len(values) != size else 1 for values in (self.scales, self.zeros)]
        return self.scales * repeat[0], self.zeros * repeat[1]


def integers(array: list[Any], low: int, high: int, datatype: str) -> list[int]:
    """The integers of an array; raises `Refusal` on anything else, and on those out of bounds."""
    if set(map(type, array)) <= {int} and (not array or (low <= min(array) and max(array) <= high)):
        return array
    for item in array:
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise Refusal(f"{kind(item)} is no {datatype}")
        if not low <= item <= high or item != int(item):
            raise Refusal(f"{item!r} is no {datatype}")
    return [int(item) for item in array]


def _each(function: Vector, effect: Any) -> Structural:
    return Structural(
        lambda value, codec: innermost(codec.plain(value), function), lambda schema: innermost_effect(schema, effect)
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


def _is_scale(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(is_number(item) and 0 < item <= 1e300 for item in values)


def _is_zero(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(is_number(item) and isinstance(item, int) and abs(item) <= 255 for item in values)


ROWS = (
    Row("dequantize", _dequantize, Loss.LOSSLESS, "quantize gives the same integers back", whole=True),
    Row("quantize", _quantize, Loss.LOSSY, "what is between two steps or out of bounds is lost", whole=True),
)
