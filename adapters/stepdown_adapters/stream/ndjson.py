"""Newline-delimited JSON, read and written: a document on each line, empty lines between them ignored.

A line ends with LF, or CR LF; a CR alone is white space of JSON and ends nothing. What a line holds is not looked at.
"""

from __future__ import annotations

from stepdown_adapters.stream.framing import LIMIT, Event, Reader

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_BREAKS = bytes.maketrans(b"\r\n", b"  ")


class NdjsonReader(Reader):
    """Reads a stream of lines; see `Reader`."""

    __slots__ = ("_fresh",)

    def __init__(self, limit: int = LIMIT) -> None:
        super().__init__(limit)
        self._fresh = True

    def _end(self, buffer: bytes | bytearray, start: int, searched: int) -> int:
        return buffer.find(b"\n", searched) + 1 or -1

    def _event(self, raw: bytes, cut: bool = False) -> Event:
        text = raw
        if self._fresh:
            self._fresh = False
            text = raw.removeprefix(_BOM)
        return Event(raw, text.strip(_SPACE) or None, cut=cut)


def emit(event: Event) -> bytes:
    """A line as bytes: those that it arrived as where nobody touched it, else its data and a line break.

    Line breaks in the data become spaces, which changes no JSON document. What has no data has no bytes either.
    """
    if event.raw:
        return event.raw
    return event.data.translate(_BREAKS) + b"\n" if event.data is not None else b""
