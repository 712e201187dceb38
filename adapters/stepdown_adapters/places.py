"""How the reference interpreter finds places in plain values; what emitted code does is compared with this."""

from __future__ import annotations

from typing import Any

from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind
from stepdown_adapters.paths import LAST, Every, Member, Path, Segment, Where

Spot = tuple[Any, Any]
"""A container and a key or index in it."""


def select(container: Any, key: Any, path: Path, *, fails: bool) -> list[Spot]:
    """All places that `path` leads to from `container[key]`.

    A place that a member or a `[member=value]` should lead to, and does not, raises `Refusal` if `fails`, and is left
    out otherwise. `*` over nothing is no failure.
    """
    spots: list[Spot] = [(container, key)]
    for segment in path.segments:
        spots = [found for spot in spots for found in _step(spot[0][spot[1]], segment, fails)]
    return spots


def only(container: Any, key: Any, path: Path, *, fails: bool) -> Spot | None:
    """The one place that `path`, which has no `*`, leads to; `None` if there is none and it does not fail."""
    spot: Spot = (container, key)
    for segment in path.segments:
        found = _step(spot[0][spot[1]], segment, fails)
        if len(found) > 1:
            raise Refusal(f"{segment} fits {len(found)} items, and one is needed")
        if not found:
            return None
        spot = found[0]
    return spot


def _step(value: Any, segment: Segment, fails: bool) -> list[Spot]:
    if isinstance(segment, Member):
        if isinstance(value, dict) and segment.name in value:
            return [(value, segment.name)]
        if isinstance(value, list) and segment.index is not None and segment.index < len(value):
            return [(value, segment.index)]
        return _absent(f"{kind(value)} has no member {segment.name!r}", fails)
    if isinstance(segment, Every):
        if isinstance(value, dict | list):
            return [(value, key) for key in (list(value) if isinstance(value, dict) else range(len(value)))]
        return _absent(f"{kind(value)} has neither items nor members", fails)
    if not isinstance(value, list):
        return _absent(f"{kind(value)} has no items", fails)
    fitting = [(value, index) for index, item in enumerate(value) if _fits(item, segment)]
    return fitting or _absent(f"no item fits {segment}", fails)


def _fits(item: Any, where: Where) -> bool:
    return isinstance(item, dict) and where.name in item and where.accepts(item[where.name])


def _absent(sentence: str, fails: bool) -> list[Spot]:
    if fails:
        raise Refusal(sentence)
    return []


def put(value: Any, segment: Segment, new: Any) -> None:
    """Adds `new` to the container `value` at `segment` (RFC 6902 section 4.1): set a member, or insert an item."""
    assert isinstance(segment, Member)
    if isinstance(value, dict):
        value[segment.name] = new
    elif isinstance(value, list) and segment.name == LAST:
        value.append(new)
    elif isinstance(value, list) and segment.index is not None and segment.index <= len(value):
        value.insert(segment.index, new)
    else:
        raise Refusal(f"{kind(value)} cannot hold {segment.name!r}")


def made(container: Any, key: Any, path: Path) -> Spot:
    """The place that `path` leads to; members that are missing on the way are made, as empty objects."""
    spot: Spot = (container, key)
    for segment in path.segments:
        value = spot[0][spot[1]]
        if isinstance(segment, Member) and isinstance(value, dict):
            value.setdefault(segment.name, {})
        found = only(*spot, Path((segment,)), fails=True)
        assert found is not None
        spot = found
    return spot
