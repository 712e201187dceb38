"""What a connection's last head looked like, so that the next one need not be read from scratch.

A client on a kept-alive connection sends the same head again and again, but for a line or two: an id, a length.
`recall` splits a new head into lines, reads only the lines that are known to vary, and compares all others with the
remembered ones, to the byte. If they are equal they have passed the guard and mean what they meant, and the remembered
`RequestHead` is brought up to date and used again: its exchange has ended, since a connection has one at a time.

Rules:

1. Only ordinary heads are remembered (`RequestHead.ordinary`).
2. A line may vary if it is plain or Content-Length and its name stays the same to the byte. Its value is held to the
   grammar again; all else (request line, Host, number and order of lines) has to be equal.
3. What does not fit is forgotten and parsed as if nothing had been remembered: `recall` refuses nothing.
4. A connection on which remembering does not help (one that a load balancer fills with many clients' requests) stops
   trying after `_PATIENCE` heads in a row.
"""

from __future__ import annotations

import re

from stepdown.wire import grammar
from stepdown.wire.fields import LENGTH
from stepdown.wire.lines import PLAIN, read_line, remembered
from stepdown.wire.request import RequestHead

_VARYING = 6
"""Lines that may vary; a client with more of them is read in full each time."""
_PATIENCE = 8
_LONGEST = 4096
_value = re.compile(grammar.VALUE + rb"*+").fullmatch


class HeadMemory:
    """The last ordinary head of one connection."""

    __slots__ = ("_head", "_lines", "_patience", "_varying", "names")

    def __init__(self) -> None:
        self._head: RequestHead | None = None
        self._lines: list[bytes] = []
        """All lines of the head, the request line first."""
        self._varying: list[tuple[int, bytes, int, bytes]] = []
        """Of each line that varies: place, name with the colon, place in `head.lines` (-1: the length), lower name."""
        self._patience = _PATIENCE
        self.names: frozenset[bytes] = frozenset()
        """Lower-case names of the fields that vary."""

    def recall(self, raw: bytes) -> RequestHead | None:
        """The remembered head, brought up to date, if `raw` is the same but for lines that vary; else `None`."""
        head = self._head
        if head is None:
            return None
        lines = raw[:-4].split(b"\r\n")
        known = self._lines
        if len(lines) != len(known):
            return None
        for place, name, kept, lower in self._varying:
            line = lines[place]
            if not line.startswith(name):
                return None
            if kept >= 0:
                if _value(line, len(name)) is None:
                    return None
                head.lines[kept] = line
                head.values[lower] = line[len(name) :].strip(b" \t")
            else:
                meaning = remembered(line)
                if meaning is None:
                    return None  # a length that was never seen is read, or refused, by `parse_request`
                head.length = meaning[1]
                head.values.pop(lower, None)
            lines[place] = known[place]
        if lines != known:
            return None
        head.raw = raw
        head.lower = None
        self._patience = _PATIENCE
        return head

    def holds(self, head: RequestHead) -> bool:
        """Whether this is the head that the next one will be compared with."""
        return self._head is head

    def learn(self, head: RequestHead) -> None:
        """Remember a head that `parse_request` has read, and which of its lines differ from the last one's."""
        self._head = None
        if self._patience == 0:
            return
        self._patience -= 1
        before, places = self._lines, [place for place, _, _, _ in self._varying]
        self._varying = []
        if not head.ordinary or len(head.raw) > _LONGEST:
            return
        lines = self._lines = head.raw[:-4].split(b"\r\n")
        for place in _varying(before, lines, places):
            line = lines[place]
            name = line[: line.index(b":") + 1]
            lower = name[:-1].lower()
            if len(head.get_all(lower)) > 1:  # which of them is which could not be told
                return
            kept = head.lines.index(line) if line in head.lines else -1
            self._varying.append((place, name, kept, lower))
        self.names = frozenset(lower for _, _, _, lower in self._varying)
        self._head = head


def _varying(before: list[bytes], lines: list[bytes], known: list[int]) -> list[int]:
    """Places that differ now or did before, in order; none where a line differs that may not."""
    if len(before) != len(lines):
        return []
    differing = [place for place, (old, new) in enumerate(zip(before, lines, strict=True)) if old != new]
    places = sorted({*known, *differing})
    if len(places) > _VARYING or not all(_may_vary(before[place], lines[place]) for place in places):
        return []
    return places


def _may_vary(old: bytes, new: bytes) -> bool:
    name, colon, _ = new.partition(b":")
    if not colon or b" " in name or old.partition(b":")[0] != name:
        return False
    meaning = read_line(new)
    return meaning is PLAIN or meaning[0] == LENGTH
