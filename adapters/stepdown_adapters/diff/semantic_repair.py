"""The operation that repairs a change of meaning, where both meanings are declared and one follows from the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepdown_adapters.diff.found import Flat, Found
from stepdown_adapters.diff.policy import Direction
from stepdown_adapters.diff.values import types_of

_KINDS = {
    ("logit", "probability"): "sigmoid",
    ("probability", "logit"): "logit",
    ("log-prob", "probability"): "exp",
    ("probability", "log-prob"): "log",
}
_OF_VECTORS = {"sigmoid": "softmax"}
"""Where the meaning is declared of an array, its numbers are normalised together."""
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_FORMATS = ("xyxy", "xywh", "cxcywh")
_UNITS = ("pixel", "relative")


def semantic(found: Found, direction: Direction) -> Mapping[str, Any] | None:
    """The operation for one changed facet of `x-semantic`, or `None`."""
    response = direction == "response"
    sent, accepted = (found.after, found.before) if response else (found.before, found.after)
    facet, path = found.keyword.rpartition(".")[2], str(found.path)
    vector = types_of(found.newer) == {"array"}
    if facet == "kind" and isinstance(sent, str) and isinstance(accepted, str):
        name = _KINDS.get((sent, accepted))
        if name is None:
            return None
        if not vector:
            return {name: path}
        return {_OF_VECTORS[name]: path} if name in _OF_VECTORS else {name: f"{path}/*"}
    if facet in ("time_unit", "unit") and sent in _SECONDS and accepted in _SECONDS:
        return {"linear": {"path": f"{path}/*" if vector else path, "scale": _ratio(sent, accepted)}}
    if facet == "scale":
        return _scaled(sent, accepted, f"{path}/*" if vector else path)
    if facet == "box_format" and sent in _FORMATS and accepted in _FORMATS:
        return _box(found.newer, found.older, path, sent, accepted)
    return None


def _ratio(sent: str, accepted: str) -> float | int:
    ratio = round(_SECONDS[sent] / _SECONDS[accepted], 12)
    return int(ratio) if ratio == int(ratio) else ratio


def _scaled(sent: Any, accepted: Any, path: str) -> Mapping[str, Any] | None:
    ends = [[0, 100] if end == "percent" else end for end in (sent, accepted)]
    if not all(isinstance(end, list) and len(end) == 2 for end in ends):
        return None
    (low, high), (to_low, to_high) = ends
    if high == low or to_high == to_low:
        return None
    scale = (to_high - to_low) / (high - low)
    offset = to_low - low * scale
    return {"linear": {"path": path, "scale": scale, **({"offset": offset} if offset else {})}}


def _box(newer: Flat, older: Flat, path: str, sent: str, accepted: str) -> Mapping[str, Any] | None:
    """Only where the units agree; to change them takes the image's size."""
    units = {flat.get("x-semantic", {}).get("coordinate_system", "pixel") for flat in (newer, older)}
    if len(units) != 1 or not units <= set(_UNITS):
        return None
    (unit,) = units
    return {"box_convert": {"path": path, "from": sent, "to": accepted, "from_unit": unit, "to_unit": unit}}
