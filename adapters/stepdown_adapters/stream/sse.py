"""Server-sent events, read and written (WHATWG HTML, section 9.2 "Server-sent events").

A line ends with LF, CR LF or CR, and an empty line ends an event. A CR whose next byte has not come yet is the one case
that bytes alone leave open. After a line that ended with CR, the empty line is taken as a CR of its own: a server that
writes `\\r\\r` does not write LF, and its clients should not wait for the byte that follows. Everywhere else the reader
waits for that byte, which is a LF and already on its way. An LF that comes after `\\r\\r` all the same is an empty line
between events, never another event.

Bytes are looked at as bytes: all that has a meaning here is ASCII, so no character is ever broken, whatever was split.
"""

from __future__ import annotations

import re

from stepdown_adapters.stream.framing import LIMIT, Event, Reader

_BOM = b"\xef\xbb\xbf"
_END = re.compile(rb"\n(?:\n|\r\n|\r(?=[^\n]))|\r\r")
_LINE = re.compile(r"\r\n|\r|\n")
_BYTES_LINE = re.compile(rb"\r\n|\r|\n")
_LF, _CR = 0x0A, 0x0D
_MOST_DIGITS = 18
"""Of a `retry`: some thousand years, and no number that takes long to read."""


class SseReader(Reader):
    """Reads a stream of server-sent events; see `Reader`."""

    __slots__ = ("_carriage", "_fresh")

    def __init__(self, limit: int = LIMIT) -> None:
        super().__init__(limit)
        self._fresh = True
        self._carriage = False  # a CR has been seen: until then, a search for two LF is enough, and much faster

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete; raises `EventTooLongError`, and nothing else."""
        if not self._carriage and _CR in chunk:
            self._carriage = True
        # Servers flush by the event, so most chunks are one: a line of data, and nothing that has to be searched.
        size = len(chunk)
        if (
            chunk.find(b"\n") == size - 2
            and chunk.endswith(b"\n\n")
            and chunk.startswith(b"data: ")
            and not (self._partial or self._fresh or self._carriage or self._refused)
            and size <= self._limit
        ):
            raw = bytes(chunk)
            return [Event(raw, raw[6:-2])]
        return super().feed(chunk)

    def _end(self, buffer: bytes | bytearray, start: int, searched: int) -> int:
        first = buffer[start]
        if first == _LF:
            return start + 1
        if not self._carriage:
            found = buffer.find(b"\n\n", searched - 1 if searched > start else start)
            return found + 2 if found >= 0 else -1
        if first == _CR:
            if len(buffer) == start + 1:
                return -1
            return start + 2 if buffer[start + 1] == _LF else start + 1
        match = _END.search(buffer, max(start, searched - 2))
        return match.end() if match else -1

    def _event(self, raw: bytes, cut: bool = False) -> Event:
        text = raw
        if self._fresh:
            self._fresh = False
            text = raw.removeprefix(_BOM)
        # One line of data is nearly all that there is, so it is not taken apart line by line.
        if not cut and not self._carriage:
            first = text.find(b"\n")
            if text.startswith(b"data: ") and first == len(text) - 2:
                return Event(raw, text[6:-2])
            # Nor is a type with a line of data behind it, which is what all the others are.
            is_typed = text.startswith(b"data: ", first + 1) and text.startswith(b"event: ")
            if is_typed and text.find(b"\n", first + 1) == len(text) - 2:
                return Event(raw, text[first + 7 : -2], text[7:first].decode(errors="replace"))
        return _parsed(raw, text, cut)


def _parsed(raw: bytes, text: bytes, cut: bool) -> Event:
    """An event by its lines; what a field means is in the standard's "process the field"."""
    data: list[bytes] = []
    name, identity, retry = "", None, None
    comments: list[bytes] = []
    for line in text.splitlines():  # of bytes: at LF, CR LF and CR, and nowhere else
        field, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
        elif field == b"id":
            if b"\0" not in value:
                identity = value.decode(errors="replace")
        elif field == b"retry":
            if value.isdigit() and len(value) <= _MOST_DIGITS:
                retry = int(value)
        elif not field and line:
            comments.append(value)
    # What waited for the byte behind the CR of its empty line was whole all the same.
    cut = cut and not raw.endswith(b"\n\r")
    return Event(raw, b"\n".join(data) if data else None, name, identity, retry, tuple(comments), cut)


def emit(event: Event) -> bytes:
    """An event as bytes: those that it arrived as where nobody touched it, else its fields, each on a line, if any.

    Raises `ValueError` where the type or the id has a line break, or the id a NUL: no bytes could say that.
    """
    if event.raw:
        return event.raw
    lines = [b": " + line for comment in event.comments for line in _BYTES_LINE.split(comment)]
    if event.event:
        lines.append(b"event: " + _one_line("type", event.event))
    if event.id is not None:
        lines.append(b"id: " + _one_line("id", event.id))
    if event.retry is not None:
        lines.append(b"retry: %d" % event.retry)
    if event.data is not None:
        lines += [b"data: " + line for line in _BYTES_LINE.split(event.data)]
    return b"\n".join(lines) + b"\n\n" if lines else b""


def _one_line(what: str, text: str) -> bytes:
    if _LINE.search(text) or "\0" in text:
        raise ValueError(f"the {what} of an event has a line break or a NUL in it, which its stream cannot say")
    return text.encode()
