"""Server-sent events: framing to the letter, and events that nobody touches pass to the byte."""

from __future__ import annotations

import time

import pytest

from stepdown_adapters.stream import Event, EventTooLongError, SseReader
from stepdown_adapters.stream.sse import emit
from tests.kit.streams import bytewise, two_way_splits, whole


def payloads(stream: bytes) -> list[bytes]:
    """What a client is told: the data of all events that have any."""
    return [event.data for event in whole(SseReader(), stream) if event.data is not None]


def test_n1_a_character_is_never_broken_wherever_it_is_split() -> None:
    stream = 'data: {"text":"北"}\n\n'.encode()
    place = stream.index("北".encode())
    for first in (place + 1, place + 2):
        [event] = whole(SseReader(), stream[:first], stream[first:])
        assert event.data == '{"text":"北"}'.encode()
        assert emit(event) == stream
    assert [e.data for e in whole(SseReader(), *bytewise(stream))] == ['{"text":"北"}'.encode()]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_n2_each_kind_of_line_end_ends_an_event(end: bytes) -> None:
    stream = b"data: a" + end + end + b"event: x" + end + b"data: b" + end + end
    assert payloads(stream) == [b"a", b"b"]
    for parts in two_way_splits(stream):
        assert [event.data for event in whole(SseReader(), *parts)] == [b"a", b"b"]


@pytest.mark.parametrize("ends", [b"\n\r\n", b"\r\n\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r"])
def test_n2_line_ends_may_be_mixed(ends: bytes) -> None:
    assert payloads(b"data: a" + ends + b"data: b" + ends) == [b"a", b"b"]


@pytest.mark.parametrize("ends", [b"\r\n\r\n", b"\r\r\n", b"\n\r\n"])
def test_n2_cr_and_lf_in_two_chunks_are_no_event_more(ends: bytes) -> None:
    stream = b"data: a" + ends + b"data: b" + ends
    expected = whole(SseReader(), stream)
    assert [event.data for event in expected if event.data is not None] == [b"a", b"b"]
    for parts in two_way_splits(stream):
        assert whole(SseReader(), *parts) == expected


def test_an_event_that_ends_with_two_cr_is_there_at_once() -> None:
    assert [event.data for event in SseReader().feed(b"data: a\r\r")] == [b"a"]


def test_an_event_that_ends_with_crlf_is_there_with_its_last_byte() -> None:
    reader = SseReader()
    assert reader.feed(b"data: a\r\n\r") == []
    assert [event.raw for event in reader.feed(b"\n")] == [b"data: a\r\n\r\n"]


@pytest.mark.parametrize(
    ("line", "data"),
    [
        (b"data:x", b"x"),
        (b"data: x", b"x"),
        (b"data:  x", b" x"),
        (b"data:\tx", b"\tx"),
        (b"data:", b""),
        (b"data", b""),
        (b"data:x: y", b"x: y"),
        (b"Data: x", None),
        (b" data: x", None),
        (b"datax", None),
    ],
)
def test_n3_one_space_behind_the_colon_is_no_part_of_the_value(line: bytes, data: bytes | None) -> None:
    [event] = whole(SseReader(), line + b"\n\n")
    assert event.data == data


def test_n4_lines_of_data_are_joined() -> None:
    assert payloads(b"data: a\ndata\ndata:b\n\n") == [b"a\n\nb"]


def test_n5_comments_type_id_and_retry_are_kept() -> None:
    stream = b": ping\n:pong\nevent: delta\nid: 7\nretry: 3000\ndata: x\n\n"
    [event] = whole(SseReader(), stream)
    assert (event.comments, event.event, event.id, event.retry) == ((b"ping", b"pong"), "delta", "7", 3000)
    assert emit(event) == stream


def test_n5_they_are_kept_where_the_data_is_replaced() -> None:
    [event] = whole(SseReader(), b":pong\nretry:3000\nid:7\ndata: x\nevent:delta\nunknown: field\n\n")
    changed = emit(event.with_data(b"one\r\ntwo\rthree"))
    assert changed == b": pong\nevent: delta\nid: 7\nretry: 3000\ndata: one\ndata: two\ndata: three\n\n"


def test_n5_a_comment_alone_is_passed_on_and_is_no_event_to_a_client() -> None:
    [event] = whole(SseReader(), b": keep-alive\n\n")
    assert event.data is None
    assert event.raw == b": keep-alive\n\n"


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (b"retry: 12x", (None, None)),
        (b"retry: -1", (None, None)),
        (b"retry:", (None, None)),
        (b"retry: " + b"9" * 5000, (None, None)),
        ("retry: ٣".encode(), (None, None)),
        (b"id: a\0b", (None, None)),
        (b"id", ("", None)),
        (b"id: a\nid: b", ("b", None)),
        (b"id: \xff", ("�", None)),
    ],
)
def test_what_the_standard_ignores_is_ignored(lines: bytes, kept: tuple[str | None, int | None]) -> None:
    [event] = whole(SseReader(), lines + b"\ndata: x\n\n")
    assert (event.id, event.retry) == kept


@pytest.mark.parametrize("tail", [b"data: b", b"data: b\n", b"data: b\r\n", b"id: 1\ndata: b", b"data: b\r"])
def test_n6_what_is_left_at_the_end_is_flushed_and_said_to_be_cut(tail: bytes) -> None:
    reader = SseReader()
    assert [event.data for event in reader.feed(b"data: a\n\n" + tail)] == [b"a"]
    last = reader.close()
    assert last is not None
    assert (last.data, last.raw, last.cut) == (b"b", tail, True)
    assert reader.close() is None
    assert emit(last.with_data(b"c")).endswith(b"data: c\n\n")


def test_n6_an_event_that_waited_for_a_last_lf_was_whole() -> None:
    reader = SseReader()
    reader.feed(b"data: a\n\r")
    last = reader.close()
    assert last is not None
    assert (last.data, last.cut) == (b"a", False)


def test_n7_an_event_over_the_limit_is_a_named_error_and_what_came_before_it_is_not_lost() -> None:
    reader = SseReader(limit=20)
    with pytest.raises(EventTooLongError, match="longer than 20 bytes") as caught:
        reader.feed(b"data: a\n\ndata: " + b"b" * 30)
    assert [event.data for event in caught.value.before] == [b"a"]
    assert reader.pending == 0
    with pytest.raises(EventTooLongError) as again:
        reader.feed(b"data: c\n\n")
    assert again.value.before == ()
    assert reader.close() is None


@pytest.mark.parametrize(("size", "fits"), [(20, True), (21, False)])
def test_n7_the_limit_is_the_same_however_the_event_arrives(size: int, fits: bool) -> None:
    stream = b"data: " + b"x" * (size - 8) + b"\n\n"
    for parts in [(stream,), bytewise(stream), *two_way_splits(stream)]:
        reader = SseReader(limit=20)
        if fits:
            assert [event.raw for event in whole(reader, *parts)] == [stream]
        else:
            with pytest.raises(EventTooLongError):
                whole(reader, *parts)


def test_n7_what_is_held_is_never_more_than_the_limit() -> None:
    reader = SseReader(limit=1000)
    most = 0
    for chunk in [b"data: " + b"x" * 900 + b"\n\ndata: y"] * 50 + [b"\n\n"]:
        reader.feed(chunk)
        most = max(most, reader.pending)
    assert 0 < most <= 1000


def test_a_byte_order_mark_is_no_part_of_the_first_line_and_is_passed_on() -> None:
    stream = b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n"
    for parts in two_way_splits(stream):
        events = whole(SseReader(), *parts)
        assert [event.data for event in events] == [b"a", None]
        assert b"".join(event.raw for event in events) == stream


def test_empty_lines_between_events_are_bytes_and_no_events() -> None:
    stream = b"\n\ndata: a\n\n\n\ndata: b\n\n\r\n\r\n\r"
    events = whole(SseReader(), stream)
    assert b"".join(map(emit, events)) == stream
    assert [event.data for event in events if event.data is not None] == [b"a", b"b"]


def test_a_chunk_of_nothing_changes_nothing() -> None:
    reader = SseReader()
    assert reader.feed(b"") == []
    assert reader.feed(b"data: a\n") == []
    assert reader.feed(b"") == []
    assert [event.data for event in reader.feed(b"\n")] == [b"a"]


@pytest.mark.parametrize(
    "event", [Event(event="a\nb"), Event(event="a\rb"), Event(id="a\nb"), Event(id="a\0b")], ids=repr
)
def test_what_no_bytes_can_say_is_not_written(event: Event) -> None:
    with pytest.raises(ValueError, match="has a line break or a NUL"):
        emit(event)


def test_a_comment_of_two_lines_stays_a_comment() -> None:
    assert emit(Event(comments=(b"a\ndata: b",), data=b"")) == b": a\n: data: b\ndata: \n\n"


def cpu_seconds(size: int) -> float:
    """What an event of this size costs that arrives byte by byte."""
    stream = b"data: " + b"x" * size + b"\n\n"
    reader = SseReader(limit=size + 8)
    start = time.process_time()
    events = [event for chunk in bytewise(stream) for event in reader.feed(chunk)]
    assert [len(event.raw) for event in events] == [size + 8]
    return time.process_time() - start


def test_time_is_linear_in_the_size_of_an_event_that_arrives_byte_by_byte() -> None:
    """Eight times the size takes 64 times as long where each byte is copied or searched again."""
    assert min(cpu_seconds(400_000) for _ in range(2)) < 24 * min(cpu_seconds(50_000) for _ in range(3))


def test_time_is_linear_in_the_lines_of_an_event() -> None:
    """A million bytes of empty lines of data; joined one by one they would take minutes."""
    reader = SseReader()
    [event] = reader.feed(b"data\n" * 200_000 + b"\n")
    assert event.data == b"\n" * 199_999
