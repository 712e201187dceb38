"""Field lines and what they mean, read once for each different line.

Most lines of a client's heads are the same in every request: what they mean is a look-up by the whole line. A line that
is new is classified and read by `read_line`, which raises for what no message may contain. The memory is bounded and
emptied when it is full, so lines that differ each time (an id, a date) cost it only room.
"""

from __future__ import annotations

from typing import Any

from stepdown.wire import fields, grammar
from stepdown.wire.coding import parse_length

Meaning = tuple[int, Any]
"""Kind (`fields`) and value.

An int for LENGTH, `ConnectionOptions` for CONNECTION; for HOST the host or `None` where it is none; for EXPECT whether
it is one that can be met; stripped bytes for the others.
"""

PLAIN: Meaning = (fields.PLAIN, b"")
"""The one meaning of every line that is forwarded as it is."""

_BOUND = 4096
_LONGEST = 512
_plain: set[bytes] = set()
_meanings: dict[bytes, Meaning] = {}

is_plain = _plain.__contains__
"""Whether a line is known to be forwarded as it is."""

remembered = _meanings.get
"""Meaning of another line that was read before, else `None`."""


def read_line(line: bytes) -> Meaning:
    """Meaning of a line that passed the guard; raises `BadRequestError` where its field may not be sent like that."""
    name, _, value = line.partition(b":")
    kind = fields.known(name)
    if kind is None:
        kind = fields.kind_of(name)
    if kind == fields.PLAIN:
        if len(line) <= _LONGEST:
            if len(_plain) >= _BOUND:
                _plain.clear()
            _plain.add(line)
        return PLAIN
    meaning = (kind, _value(kind, value.strip(b" \t")))
    if len(line) <= _LONGEST:
        if len(_meanings) >= _BOUND:
            _meanings.clear()
        _meanings[line] = meaning
    return meaning


def _value(kind: int, value: bytes) -> Any:
    if kind == fields.LENGTH:
        return parse_length(value)
    if kind == fields.CONNECTION:
        return fields.ConnectionOptions(value)
    if kind == fields.HOST:
        return value if grammar.HOST.fullmatch(value) is not None else None
    if kind == fields.EXPECT:
        return value.lower() == b"100-continue"
    return value
