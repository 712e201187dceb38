"""Makes a counterexample as small as it can be while it remains one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from stepdown_adapters.proof.questions import Sample

MOST_TRIES = 4000
_MOST_TEXT = 10_000_000
"""Characters of all that is tried: what is large is tried less often."""
_SIMPLEST: tuple[Any, ...] = (0, 1, None, False, "", [], {})


def shrunk(sample: Sample, remains: Callable[[Sample], bool]) -> Sample:
    """The smallest sample found that is still one; `remains` says so. Smaller is: less text."""
    left = _Patience()
    document = _least(sample.document, lambda one: remains(replace(sample, document=one)), left)
    sample = replace(sample, document=document)
    if sample.has_request:
        request = _least(sample.request, lambda one: remains(replace(sample, request=one)), left)
        sample = replace(sample, request=request)
    return sample


class _Patience:
    """How much more is tried."""

    def __init__(self) -> None:
        self._tries, self._text = MOST_TRIES, _MOST_TEXT

    def has_any(self, text: int) -> bool:
        """Whether another candidate of this length may be looked at."""
        self._text -= text
        return self._text > 0

    def takes_one(self) -> bool:
        """Whether one may be tried."""
        self._tries -= 1
        return self._tries >= 0


def _least(value: Any, remains: Callable[[Any], bool], left: _Patience) -> Any:
    """Greedy: the first smaller value that remains is taken, and then its own smaller ones are tried."""
    size = _size(value)
    moved = True
    while moved:
        moved = False
        for smaller in _smaller(value):
            now = _size(smaller)
            if not left.has_any(now[0]):
                break
            if now < size and left.takes_one() and remains(smaller):
                value, size, moved = smaller, now, True
                break
    return value


def _size(value: Any) -> tuple[int, str]:
    text = json.dumps(value, ensure_ascii=False)
    return len(text), text


def _smaller(value: Any) -> Iterator[Any]:
    """Values with something less about them, the boldest first."""
    yield from _SIMPLEST
    if isinstance(value, dict):
        yield from _smaller_object(value)
    elif isinstance(value, list):
        yield from _smaller_array(value)
    elif isinstance(value, str):
        yield from (value[: len(value) // 2], value[:-1], value[1:], "a")
    elif isinstance(value, float):
        yield from (round(value, digits) for digits in (0, 1, 2))
        if abs(value) < 2**53:
            yield int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from (2, -1, value // 2, value // 10, value - 1 if value > 0 else value + 1)


def _smaller_object(value: dict[str, Any]) -> Iterator[Any]:
    names = list(value)
    if len(names) > 3:
        for half in (names[: len(names) // 2], names[len(names) // 2 :]):
            yield {name: value[name] for name in half}
    for name in names:
        yield {other: member for other, member in value.items() if other != name}
    for name, member in value.items():
        yield from ({**value, name: smaller} for smaller in _smaller(member))


def _smaller_array(value: list[Any]) -> Iterator[Any]:
    if len(value) > 3:
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]
    for index in range(len(value)):
        yield [*value[:index], *value[index + 1 :]]
    for index, item in enumerate(value):
        yield from ([*value[:index], smaller, *value[index + 1 :]] for smaller in _smaller(item))
