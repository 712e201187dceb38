"""Which framing a `Content-Type` stands for."""

from __future__ import annotations

from collections.abc import Callable

from stepdown_adapters.stream import ndjson, sse
from stepdown_adapters.stream.framing import LIMIT, Event, Reader

SSE = frozenset({"text/event-stream"})
NDJSON = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/stream+json",
    }
)


def reader(content_type: str, limit: int = LIMIT) -> Reader | None:
    """A reader for a stream of this type, parameters ignored; `None` where it is no stream of events."""
    name = media_type(content_type)
    if name in SSE:
        return sse.SseReader(limit)
    return ndjson.NdjsonReader(limit) if name in NDJSON else None


def writer(content_type: str) -> Callable[[Event], bytes] | None:
    """What writes events of a stream of this type, `sse.emit` or `ndjson.emit`; `None` where it is no stream."""
    name = media_type(content_type)
    if name in SSE:
        return sse.emit
    return ndjson.emit if name in NDJSON else None


def media_type(content_type: str) -> str:
    """The type alone, in lower case."""
    return content_type.partition(";")[0].strip().lower()
