"""Conversions of vectors: normalize, to a sum or length of 1, and slice_dims, to an embedding's first dimensions."""

from __future__ import annotations

from math import fsum, hypot, inf
from typing import Any

from stepdown_adapters.codec import Codec
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Structural
from stepdown_adapters.operations.innermost import (
    floats,
    innermost,
    innermost_effect,
    items_of,
    numbers,
    resized,
)
from stepdown_adapters.operations.intervals import interval, within
from stepdown_adapters.operations.options import Options, is_count
from stepdown_adapters.paths import Member, Path
from stepdown_adapters.runtime import keys_of

_NORMS = ("l1", "l2")


def normalized(array: list[Any], norm: str) -> list[float]:
    """The numbers divided by the sum of their absolute values (`l1`) or by the root of their squares' sum (`l2`)."""
    values = floats(array)
    if not values:
        raise Refusal("an empty array has no norm")
    highest = max(map(abs, values))
    try:
        # Neither the exact sum nor `hypot` overflows on the way. Rounding must not make a quotient over 1.
        total = max(highest, fsum(map(abs, values)) if norm == "l1" else hypot(*values))
    except OverflowError:
        total = inf
    if total == inf:
        raise Refusal("the norm is too large for floating point")
    if total == 0.0:
        raise Refusal("the numbers are all 0 and have no direction or share to keep")
    return [value / total for value in values]


def _normalize(options: Options) -> Structural:
    norm = options.choice("norm", _NORMS)
    by = options.path("by", required=False)
    if any(not isinstance(segment, Member) for segment in by.segments):
        options.problem("by", "leads to one member of each item")

    def convert(value: Any, codec: Codec) -> Any:
        if by.segments:
            container = codec.items(value)
            spots = [_spot(container, key, by, codec) for key in keys_of(container)]
            shares = normalized([codec.plain(holder[name]) for holder, name in spots], norm)
            for (holder, name), share in zip(spots, shares, strict=True):
                holder[name] = share
            return container
        read = codec.plain(value)
        if isinstance(read, dict):
            return dict(zip(read, normalized(list(read.values()), norm), strict=True))
        return innermost(read, lambda array: normalized(array, norm))

    def effect(schema: Schema) -> Schema:
        return _member_effect(schema, by) if by.segments else _normalized_effect(schema)

    return Structural(convert, effect)


def _spot(container: Any, key: Any, by: Path, codec: Codec) -> tuple[Any, str]:
    """The object and the name in it that `by` leads to in one item; what is on the way is opened."""
    name: Any = key
    for segment in by.segments:
        assert isinstance(segment, Member)
        opened = container[name] = codec.opened(container[name])
        if not isinstance(opened, dict) or segment.name not in opened:
            raise Refusal(f"{kind(opened)} has no member {segment.name!r} to normalise by")
        container, name = opened, segment.name
    return container, name


def _share(schema: Schema) -> dict[str, Any]:
    low, high = interval(schema)
    return within(0.0 if low >= 0.0 else -1.0, 0.0 if high <= 0.0 else 1.0)


def _normalized_effect(schema: Schema) -> Schema:
    kinds = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(schema, dict) and kinds == "object":
        return {"type": "object", "required": schema.get("required", []), "additionalProperties": within(-1.0, 1.0)}
    if kinds != "array":
        return {"type": ["array", "object"]}
    return innermost_effect(schema, lambda array: resized(array, _share(items_of(array)), lambda size: max(1, size)))


def _member_effect(schema: Schema, by: Path) -> Schema:
    if not isinstance(schema, dict) or schema.get("type") != "array" or "prefixItems" in schema:
        return {"type": ["array", "object"]}
    items = schema.get("items", True)
    return resized(schema, _with_share(items if not isinstance(items, list) else True, by))


def _with_share(schema: Schema, by: Path) -> Schema:
    """An item's schema with a share where `by` leads; of what it said otherwise, only what is sure to hold stays."""
    if not by.segments:
        return _share(schema)
    assert isinstance(by.segments[0], Member)
    name = by.segments[0].name
    known: dict[str, Any] = schema if isinstance(schema, dict) else {}
    properties = known.get("properties", {})
    inner = _with_share(properties.get(name, True), Path(by.segments[1:]))
    result: dict[str, Any] = {
        "type": "object",
        "properties": {**properties, name: inner},
        "required": sorted({*known.get("required", []), name}),
    }
    if "additionalProperties" in known and "patternProperties" not in known:
        result["additionalProperties"] = known["additionalProperties"]
    return result


def _slice_dims(options: Options) -> Structural:
    dims = options.need("dims", "a whole number from 1 on", lambda v: is_count(v) and v > 0, 1)
    renormalize = options.get("renormalize", "true or false", lambda v: isinstance(v, bool), False)

    def sliced(array: list[Any]) -> list[Any]:
        if len(array) < dims:
            raise Refusal(f"the embedding has {len(array)} dimensions, and {dims} are needed")
        first = numbers(array[:dims])
        return normalized(first, "l2") if renormalize else first

    def effect(schema: Schema) -> Schema:
        def cut(array: dict[str, Any]) -> Schema:
            items = _share(items_of(array)) if renormalize else items_of(array)
            return {"type": "array", "items": items, "minItems": dims, "maxItems": dims}

        return innermost_effect(schema, cut)

    return Structural(lambda value, codec: innermost(codec.plain(value), sliced), effect)


ROWS = (
    Row("normalize", _normalize, Loss.LOSSY, "the sum or length is lost", whole=True),
    Row("slice_dims", _slice_dims, Loss.LOSSY, "the other dimensions are lost", whole=True),
)
