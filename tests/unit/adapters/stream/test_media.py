"""Content types, and the framing that they stand for."""

from __future__ import annotations

import pytest

from stepdown_adapters.stream import NdjsonReader, SseReader, ndjson, reader, sse, writer


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("text/event-stream", SseReader),
        ("Text/Event-Stream ; charset=utf-8", SseReader),
        ("application/x-ndjson", NdjsonReader),
        ("application/jsonl;charset=utf-8", NdjsonReader),
    ],
)
def test_a_stream_is_read_by_its_type(content_type: str, kind: type) -> None:
    assert type(reader(content_type)) is kind


@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain; a=text/event-stream"])
def test_what_is_no_stream_has_no_reader(content_type: str) -> None:
    assert reader(content_type) is None
    assert writer(content_type) is None


def test_an_event_is_written_in_the_framing_of_the_type() -> None:
    assert writer("text/event-stream") is sse.emit
    assert writer("application/x-ndjson; a=b") is ndjson.emit
