"""An interpreter as one writes it in an afternoon: a loop over declared operations, on plain dicts.

It knows only the operations of `chain` and trusts the document. It stands in the table for what many services do today,
and shows what compiling is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import orjson

from bench.adapters.chain import sigmoid


def convert(body: bytes, operations: Sequence[dict[str, Any]]) -> bytes:
    """The body after all operations."""
    document = orjson.loads(body)
    _run(operations, document)
    return orjson.dumps(document)


def _run(operations: Sequence[dict[str, Any]], document: Any) -> None:
    for operation in operations:
        if "in" in operation:
            for holder, key in _found(document, operation["in"]):
                _run(operation["do"], holder[key])
        else:
            ((name, argument),) = operation.items()
            _EDITS[name](document, argument)


def _found(document: Any, path: str) -> Iterator[tuple[Any, Any]]:
    """Where the path leads: each place as the object or array that holds it, and its key there."""
    *way, last = _segments(path)
    holders = [document]
    for segment in way:
        holders = [child for holder in holders for child in (holder if segment == "*" else [holder[segment]])]
    for holder in holders:
        for key in range(len(holder)) if last == "*" else [last]:
            yield holder, key


@cache
def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _move(document: Any, argument: Any) -> None:
    ((source, name),) = _found(document, argument["from"])
    ((target, renamed),) = _found(document, argument["to"])
    target[renamed] = source.pop(name)


def _remove(document: Any, path: Any) -> None:
    for holder, key in _found(document, path):
        holder.pop(key, None)


def _sigmoid(document: Any, path: Any) -> None:
    for holder, key in _found(document, path):
        holder[key] = sigmoid(holder[key])


def _linear(document: Any, argument: Any) -> None:
    for holder, key in _found(document, argument["path"]):
        holder[key] = holder[key] * argument["scale"]


def _map_values(document: Any, argument: Any) -> None:
    for holder, key in _found(document, argument["path"]):
        holder[key] = argument["table"][holder[key]]


def _replace(document: Any, argument: Any) -> None:
    for holder, key in _found(document, argument["path"]):
        holder[key] = argument["value"]


_EDITS: dict[str, Callable[[Any, Any], None]] = {
    "move": _move,
    "remove": _remove,
    "sigmoid": _sigmoid,
    "linear": _linear,
    "map_values": _map_values,
    "replace": _replace,
}
