"""Values at paths of a JSON body replaced by keyed digests: a recording says which are equal, and not what they are.

The digest is keyed because many values have few possibilities: whoever knew how it is made could try all birthdays, or
both booleans, and see which one fits. The key is drawn at random, is written nowhere, and is gone with the process.

What is promised: within what one process recorded, values have the same digest where they are equal (written the same
way, but for space and the order of members), and nobody can work out from a digest what its value was. What is not: how
often each value occurs stays visible, and a value is hidden at the paths that are named, not where else it occurs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from stepdown_adapters.codec import LAZY, read
from stepdown_adapters.errors import Refusal
from stepdown_adapters.paths import Every, Member, Path, Segment, parse


class NotRedactableError(ValueError):
    """A body in which nobody can find the paths, because it is no JSON document."""


class Redacted(msgspec.Struct, frozen=True):
    """Stands where a value was."""

    redacted: str
    """16 hexadecimal digits."""


Spot = tuple[Any, Any]
"""An opened container and a key or index in it."""


class Redactor:
    """Hides what is at certain paths."""

    def __init__(self, paths: Sequence[str], key: bytes) -> None:
        """`key` has 16 to 64 bytes; raises `PathError` for what is no path."""
        self._paths = tuple(map(parse, paths))
        self._key = key

    def hide(self, body: bytes) -> tuple[bytes, tuple[str, ...]]:
        """The document without what is to be hidden, and the paths at which there was any of it.

        What no path leads through keeps its text. Raises `NotRedactableError`.
        """
        if not body.strip():
            raise NotRedactableError("the body is empty")
        try:
            holder = [read(LAZY, body)]
            # All places are found before any is hidden: what is hidden may be what a `[member=value]` looks at.
            found = [(path, _spots(holder, path)) for path in self._paths]
            for container, key in (spot for _, spots in found for spot in spots):
                if not isinstance(container[key], Redacted):
                    container[key] = Redacted(self._digest(container[key]))
            return LAZY.encode(holder[0]), tuple(str(path) for path, spots in found if spots)
        except (msgspec.DecodeError, Refusal, RecursionError) as error:
            raise NotRedactableError(str(error)) from None

    def _digest(self, value: Any) -> str:
        try:
            text = msgspec.json.encode(LAZY.plain(value), order="sorted")
        except msgspec.DecodeError:  # a number beyond all bounds
            text = LAZY.encode(value)
        return hashlib.blake2b(text, digest_size=8, key=self._key).hexdigest()


def _spots(holder: list[Any], path: Path) -> list[Spot]:
    spots: list[Spot] = [(holder, 0)]
    for segment in path.segments:
        spots = [inner for spot in spots for inner in _below(*spot, segment)]
    return spots


def _below(container: Any, key: Any, segment: Segment) -> Iterator[Spot]:
    """Where a segment leads from a value, which is opened where it is."""
    value = container[key] = LAZY.opened(container[key])
    if isinstance(value, dict):
        names = value if isinstance(segment, Every) else [segment.name] if isinstance(segment, Member) else []
        yield from ((value, name) for name in names if name in value)
    elif isinstance(value, list):
        yield from ((value, index) for index in _indices(value, segment))


def _indices(items: list[Any], segment: Segment) -> Iterator[int]:
    if isinstance(segment, Member):
        if segment.index is not None and segment.index < len(items):
            yield segment.index
        return
    for index, item in enumerate(items):
        if isinstance(segment, Every):
            yield index
            continue
        opened = items[index] = LAZY.opened(item)
        if isinstance(opened, dict) and segment.name in opened and segment.accepts(LAZY.plain(opened[segment.name])):
            yield index
