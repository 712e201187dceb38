"""Newline-delimited JSON: a document on each line, and lines that nobody touches pass to the byte."""

from __future__ import annotations

import pytest

from stepdown_adapters.stream import Event, EventTooLongError, NdjsonReader
from stepdown_adapters.stream.ndjson import emit
from tests.kit.streams import body, bytewise, two_way_splits, whole


def test_each_line_is_an_event_and_empty_ones_say_nothing() -> None:
    stream = body("rows.ndjson")
    events = whole(NdjsonReader(), stream)
    assert [event.data for event in events if event.data is not None] == [
        b'{"predictions":[[0.1,0.9]]}',
        b'{"predictions":[[0.8,0.2]]}',
        b"[1,2]",
        b'{"predictions":[]}',
    ]
    assert b"".join(map(emit, events)) == stream
    for parts in [*two_way_splits(stream), bytewise(stream)]:
        assert whole(NdjsonReader(), *parts) == events


def test_a_last_line_without_a_line_break_is_flushed() -> None:
    reader = NdjsonReader()
    assert reader.feed(b'{"a":1}\n{"b"') == [Event(b'{"a":1}\n', b'{"a":1}')]
    assert reader.close() == Event(b'{"b"', b'{"b"', cut=True)
    assert reader.close() is None


def test_a_cr_alone_ends_no_line() -> None:
    assert [event.data for event in whole(NdjsonReader(), b'{"a":\r1}\n')] == [b'{"a":\r1}']


def test_a_byte_order_mark_is_no_part_of_the_first_document() -> None:
    assert [event.data for event in whole(NdjsonReader(), b"\xef\xbb\xbf1\n2\n")] == [b"1", b"2"]


def test_a_line_over_the_limit_is_a_named_error() -> None:
    for parts in two_way_splits(b"1\n" + b"2" * 10 + b"\n"):
        with pytest.raises(EventTooLongError):
            whole(NdjsonReader(limit=10), *parts)
    assert len(whole(NdjsonReader(limit=11), b"1\n" + b"2" * 10 + b"\n")) == 2


def test_a_document_with_line_breaks_is_written_on_one_line() -> None:
    assert emit(Event(data=b'{\r\n"a": 1\n}')) == b'{  "a": 1 }\n'
    assert emit(Event()) == b""
