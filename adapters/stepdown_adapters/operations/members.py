"""Looking into an item of an array, or any lazy value, without changing it."""

from __future__ import annotations

from typing import Any

from stepdown_adapters.codec import Codec
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind
from stepdown_adapters.operations.options import Options
from stepdown_adapters.paths import Member, Path, Where
from stepdown_adapters.runtime import MISSING


def member_path(options: Options, key: str, required: bool = False) -> Path:
    """The path of an option that leads to one member of each item."""
    path = options.path(key, required=required)
    if any(not isinstance(segment, Member) for segment in path.segments):
        options.problem(key, "leads to one member of each item")
    return path


def look(value: Any, path: Path, codec: Codec) -> Any:
    """What is at the path, which has no `*`, as a lazy value; `MISSING` where it leads nowhere."""
    for segment in path.segments:
        value = codec.opened(value)
        if isinstance(segment, Member):
            value = _member(value, segment)
        else:
            assert isinstance(segment, Where)
            found = [item for item in value if _fits(item, segment, codec)] if isinstance(value, list) else []
            if len(found) > 1:
                raise Refusal(f"{segment} fits {len(found)} items, and one is needed")
            value = found[0] if found else MISSING
        if value is MISSING:
            return MISSING
    return value


def need(value: Any, path: Path, codec: Codec, purpose: str) -> Any:
    """The plain value at the path; raises `Refusal` where it leads nowhere, saying what for it is needed."""
    found = look(value, path, codec)
    if found is MISSING:
        raise Refusal(f"{kind(value)} has no {path} {purpose}")
    return codec.plain(found)


def identity(value: Any) -> Any:
    """A hashable stand-in for a plain value: equal for what is equal in JSON, `1` and `1.0` but not `1` and `true`."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("array", *map(identity, value))
    if isinstance(value, dict):
        return ("object", frozenset((name, identity(member)) for name, member in value.items()))
    return value


def _member(value: Any, segment: Member) -> Any:
    if isinstance(value, dict):
        return value.get(segment.name, MISSING)
    if isinstance(value, list) and segment.index is not None and segment.index < len(value):
        return value[segment.index]
    return MISSING


def _fits(item: Any, where: Where, codec: Codec) -> bool:
    opened = codec.opened(item)
    return isinstance(opened, dict) and where.name in opened and where.accepts(codec.plain(opened[where.name]))
