"""Streams of model servers, without any I/O: events in bytes, what they say, and what a stream was worth as a whole.

    framing, emit = reader(content_type), writer(content_type)
    for event in framing.feed(chunk):
        send(emit(event))      # to the byte what arrived, unless the event was replaced

`framing` has what `sse` and `ndjson` share, `events` decodes payloads and recognises dialects, `outcome` judges a
stream, `gathered` makes one document of it.
"""

from stepdown_adapters.stream.events import Dialect, Kind, Recogniser, Said, read
from stepdown_adapters.stream.framing import Event, EventTooLongError, Reader
from stepdown_adapters.stream.gathered import Gathering, Summary, summary
from stepdown_adapters.stream.media import reader, writer
from stepdown_adapters.stream.ndjson import NdjsonReader
from stepdown_adapters.stream.outcome import Ending, Outcome, Result, State, Verdict
from stepdown_adapters.stream.sse import SseReader

__all__ = [
    "Dialect",
    "Ending",
    "Event",
    "EventTooLongError",
    "Gathering",
    "Kind",
    "NdjsonReader",
    "Outcome",
    "Reader",
    "Recogniser",
    "Result",
    "Said",
    "SseReader",
    "State",
    "Summary",
    "Verdict",
    "read",
    "reader",
    "summary",
    "writer",
]
