"""Writes the items of a stream: those that nobody changed to the byte as they came."""

from __future__ import annotations

from stepdown_adapters.stream import sse
from stepdown_adapters.stream.adapting.running import Item
from stepdown_adapters.stream.framing import Event
from stepdown_adapters.stream.media import SSE, media_type, writer


class Framing:
    """How one stream is written."""

    __slots__ = ("_emit", "_is_sse", "separator")

    def __init__(self, content_type: str) -> None:
        """Raises `ValueError` for what is no type of a stream."""
        emit = writer(content_type)
        if emit is None:
            raise ValueError(f"{content_type!r} is no type of a stream of events")
        self._emit = emit
        self._is_sse = media_type(content_type) in SSE
        self.separator = b"\n\n" if self._is_sse else b"\n"
        """Ends an event that came without its end."""

    def write(self, item: Item | Event) -> bytes:
        """The bytes of an item, or of an event that passed all steps; what is encoded has no line break in it."""
        if isinstance(item, Event):
            return item.raw
        event, data = item.event, item.data
        if data is None:
            return event.raw or self._emit(event)
        if not self._is_sse:
            return data + b"\n"
        if event.id is not None or event.retry is not None or event.comments:
            return sse.emit(event.with_data(data))
        return b"event: %s\ndata: %s\n\n" % (event.event.encode(), data) if event.event else b"data: %s\n\n" % data
