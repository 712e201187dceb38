"""The operation box_convert: bounding boxes from one format to another, in pixels or relative to the image's size.

Formats are four numbers: `xyxy` two corners (x1, y1, x2, y2), `xywh` the corner with the smallest coordinates and the
size (COCO), `cxcywh` the centre and the size (YOLO). All of them change units by the same factors: what lies along x by
the image's width, what lies along y by its height. Sizes that need no arithmetic stay exactly as they are.

A box is an array of four numbers, in arrays of any depth, or an object with four members of given names, perhaps among
others, which stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from stepdown_adapters.codec import Codec
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import require_array, require_object
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Structural
from stepdown_adapters.operations.innermost import innermost, innermost_effect, resized
from stepdown_adapters.operations.options import Options, is_count, is_names, is_number
from stepdown_adapters.operations.scalars import in_range, number

FORMULAS: dict[tuple[str, str], Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]] = {
    ("xyxy", "xyxy"): lambda a, b, c, d: (a, b, c, d),
    ("xyxy", "xywh"): lambda a, b, c, d: (a, b, c - a, d - b),
    ("xyxy", "cxcywh"): lambda a, b, c, d: ((a + c) / 2, (b + d) / 2, c - a, d - b),
    ("xywh", "xyxy"): lambda x, y, w, h: (x, y, x + w, y + h),
    ("xywh", "xywh"): lambda x, y, w, h: (x, y, w, h),
    ("xywh", "cxcywh"): lambda x, y, w, h: (x + w / 2, y + h / 2, w, h),
    ("cxcywh", "xyxy"): lambda x, y, w, h: (x - w / 2, y - h / 2, x + w / 2, y + h / 2),
    ("cxcywh", "xywh"): lambda x, y, w, h: (x - w / 2, y - h / 2, w, h),
    ("cxcywh", "cxcywh"): lambda x, y, w, h: (x, y, w, h),
}
FORMATS = ("xyxy", "xywh", "cxcywh")
_UNITS = ("pixel", "relative")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def _box_convert(options: Options) -> Structural:
    source, target = options.choice("from", FORMATS), options.choice("to", FORMATS)
    old, new = options.choice("from_unit", _UNITS, "pixel"), options.choice("to_unit", _UNITS, "pixel")
    digits = options.get("digits", "a whole number from 0 to 15", lambda v: is_count(v) and v <= 15, None)
    size = _size(options)
    if old != new and size is None:
        options.problem(None, f"needs size, or width and height, to get from {old} to {new}")
    if old == new and size is not None:
        options.problem(None, f"needs no size to get from {old} to {new}")
    formula, factors = FORMULAS[source, target], (*(size or (1.0, 1.0)), *(size or (1.0, 1.0)))

    def converted(numbers: list[Any]) -> list[int | float]:
        if len(numbers) != 4:
            raise Refusal(f"a box has 4 numbers, not {len(numbers)}")
        a, b, c, d = map(number, numbers)
        if (c < a or d < b) if source == "xyxy" else (c < 0 or d < 0):
            raise Refusal(f"the box {numbers} ends before it starts")
        try:
            box = list(formula(a, b, c, d))
            if new != old:
                pairs = zip(box, factors, strict=True)
                box = [x * size if new == "pixel" else x / size for x, size in pairs]
            if not all(map(isfinite, box)):
                raise OverflowError
        except OverflowError:
            raise Refusal("the box is too large for floating point") from None
        return box if digits is None else [_rounded(x, digits) for x in box]

    return _Form(options).structural(converted, target, digits == 0)


def _rounded(value: int | float, digits: int) -> int | float:
    if isinstance(value, int):
        return value
    return round(value, digits) if digits else in_range(round(value))


def _size(options: Options) -> tuple[float, float] | None:
    """Width and height; each may be a reference to the request, whose headers and path hold them as text."""
    size = options.get("size", "the image's [width, height]", _is_size, None)
    width = options.get("width", "the image's width, over 0", _is_side, None)
    height = options.get("height", "the image's height, over 0", _is_side, None)
    if size is not None and (width is not None or height is not None):
        options.problem("size", "give either size, or width and height")
    if size is None and (width is None) != (height is None):
        options.problem(None, f"needs {'width' if width is None else 'height'} as well")
    sides = size if size is not None else (width, height)
    return None if None in sides else (float(sides[0]), float(sides[1]))


def _is_side(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_NUMBER.fullmatch(value)) and float(value) > 0
    return is_number(value) and 1e-9 <= value <= 1e9


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_side, value))


class _Form:
    """Whether a box is an array or an object, before and after."""

    def __init__(self, options: Options) -> None:
        self._old: list[str] | None = options.get("from_members", "the four names of a box's members", _are_four, None)
        self._new: list[str] | None = options.get("to_members", "the four names of a box's members", _are_four, None)

    def structural(self, converted: Callable[[list[Any]], list[Any]], target: str, whole: bool) -> Structural:
        """The conversion, where `converted` is the arithmetic."""

        def box(numbers: list[Any]) -> Any:
            new = converted(numbers)
            return new if self._new is None else dict(zip(self._new, new, strict=True))

        def of_array(value: Any, codec: Codec) -> Any:
            read = require_array(codec.plain(value))
            return innermost(read, box) if read else []  # an image without a detection

        def of_object(value: Any, codec: Codec) -> Any:
            opened = codec.items(value)
            if isinstance(opened, list):
                return [of_object(item, codec) for item in opened]
            return self._replaced(require_object(opened), box, codec)

        if self._old is None:
            return Structural(of_array, lambda schema: self._array_effect(schema, target, whole))
        return Structural(of_object, lambda schema: self._object_effect(schema, target, whole))

    def _replaced(self, members: dict[str, Any], box: Callable[[list[Any]], Any], codec: Codec) -> Any:
        """An object with the new members instead of the old; the box itself where that has no members."""
        assert self._old is not None
        for name in self._old:
            if name not in members:
                raise Refusal(f"the box has no member {name!r}")
        new = box([codec.plain(members[name]) for name in self._old])
        if self._new is None:
            return new
        for name in self._old:
            if name not in self._new:
                del members[name]
        for name in self._new:
            if name in members and name not in self._old:
                raise Refusal(f"the box already has a member {name!r}")
        members.update(new)
        return members

    def _array_effect(self, schema: Schema, target: str, whole: bool) -> Schema:
        new = self._box_effect(target, whole)
        none = {"anyOf": [new, {"type": "array", "maxItems": 0}]}
        unknown: Schema = {"type": "array" if new["type"] == "array" else ["array", "object"]}
        return innermost_effect(schema, lambda array: new if array.get("minItems", 0) > 0 else none, unknown)

    def _object_effect(self, schema: Schema, target: str, whole: bool) -> Schema:
        if not isinstance(schema, dict) or schema.get("type") not in ("object", "array"):
            return {"type": ["array", "object"]}
        if schema["type"] == "array":
            items = schema.get("items", True)
            if not isinstance(items, dict) or "prefixItems" in schema:
                return {"type": "array"}
            return resized(schema, self._object_effect(items, target, whole))
        new = self._box_effect(target, whole)
        if self._new is None or self._old is None:
            return new
        properties = {name: kept for name, kept in schema.get("properties", {}).items() if name not in self._old}
        effect: dict[str, Any] = {
            "type": "object",
            "properties": {**properties, **new["properties"]},
            "required": sorted({*schema.get("required", []), *self._new} - ({*self._old} - {*self._new})),
        }
        if schema.get("additionalProperties") is False and "patternProperties" not in schema:
            effect["additionalProperties"] = False
        return effect

    def _box_effect(self, target: str, whole: bool) -> dict[str, Any]:
        place = {"type": "integer" if whole else "number"}
        extent = place if target == "xyxy" else {**place, "minimum": 0}
        four = [place, place, extent, extent]
        if self._new is None:
            return {"type": "array", "prefixItems": four, "items": place, "minItems": 4, "maxItems": 4}
        return {
            "type": "object",
            "properties": dict(zip(self._new, four, strict=True)),
            "required": self._new,
            "additionalProperties": False,
        }


def _are_four(value: Any) -> bool:
    return is_names(value) and len(value) == 4


ROWS = (
    Row(
        "box_convert",
        _box_convert,
        Loss.LOSSY,
        "what rounding takes is lost",
        whole=True,
        operands={"size": [1, 1], "width": 1, "height": 1},
        late_effect=None,
    ),
)
