"""Which framing a `Content-Type` stands for."""

from __future__ import annotations

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
    name = content_type.partition(";")[0].strip().lower()
    if name in SSE:
        return sse.SseReader(limit)
    return ndjson.NdjsonReader(limit) if name in NDJSON else None


def emit(content_type: str, event: Event) -> bytes:
    """An event as bytes of a stream of this type; raises `ValueError` where it is no stream of events."""
    name = content_type.partition(";")[0].strip().lower()
    if name not in SSE | NDJSON:
        raise ValueError(f"{content_type!r} is no type of a stream")
    return sse.emit(event) if name in SSE else ndjson.emit(event)
