"""Says how a document differs from a recorded one: in shape (names and types), or in values as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepdown_adapters.json_values import equal, kind
from stepdown_adapters.paths import Member

MOST = 20


def differences(recorded: Any, document: Any, *, values: bool = False, path: str = "") -> Iterator[str]:
    """A line for each difference: `/outputs/0/name is a number, recorded as a string`.

    Of shapes, arrays may have any length: each of their items has to be like one that was recorded, where any was.
    """
    where = path or "the document"
    if kind(recorded) != kind(document):
        yield f"{where} is {kind(document)}, recorded as {kind(recorded)}"
    elif isinstance(recorded, dict):
        for name in recorded:
            here = f"{path}/{Member(name)}"
            if name not in document:
                yield f"{here} is not there, and was recorded"
            else:
                yield from differences(recorded[name], document[name], values=values, path=here)
        for name in document:
            if name not in recorded:
                yield f"{path}/{Member(name)} is there, and was not recorded"
    elif isinstance(recorded, list):
        yield from _items(recorded, document, values, path)
    elif values and not equal(recorded, document):
        yield f"{where} is {document!r:.80}, recorded as {recorded!r:.80}"


def _items(recorded: list[Any], document: list[Any], values: bool, path: str) -> Iterator[str]:
    if values:
        if len(recorded) != len(document):
            yield f"{path or 'the document'} has {len(document)} items, recorded with {len(recorded)}"
        for index, (old, new) in enumerate(zip(recorded, document, strict=False)):
            yield from differences(old, new, values=True, path=f"{path}/{index}")
        return
    for index, item in enumerate(document if recorded else ()):
        if not any(next(differences(old, item), None) is None for old in recorded):
            nearest = recorded[min(index, len(recorded) - 1)]
            yield from differences(nearest, item, path=f"{path}/{index}")
