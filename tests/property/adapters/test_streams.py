"""Streams: cut at any byte they give the same, and nobody's bytes are lost or changed."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.stream import (
    Event,
    EventTooLongError,
    NdjsonReader,
    Outcome,
    Reader,
    SseReader,
    read,
    reader,
    summary,
)
from stepdown_adapters.stream import ndjson as lines
from stepdown_adapters.stream import sse as events
from tests.kit.streams import NAMES, SSE, body, bytewise, content_type, sse, two_way_splits, whole

ends = st.sampled_from(["\n", "\r\n", "\r"])
texts = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
fields = st.sampled_from(["data", "data", "data", "event", "id", "retry", "", "unknown", "\ufeffdata"])
values = st.one_of(
    texts, texts.map(" ".__add__), st.integers(0, 10**6).map(str), st.sampled_from(["[DONE]", '{"a":1}'])
)
written = st.one_of(st.tuples(fields, st.just(":"), values).map("".join), st.sampled_from(["data", "", "", ":", "id"]))
streams = st.lists(st.tuples(written, ends).map("".join), max_size=12).map("".join)
raw = st.binary(max_size=60) | st.lists(st.sampled_from([b"\r", b"\n", b"data:", b"x", b"\xef\xbb\xbf", b": "])).map(
    b"".join
)


def standard(text: str) -> list[tuple[str, str, str | None]]:
    """The events that the algorithm of the standard dispatches, for a whole stream: data, type, id where it is said."""
    found: list[tuple[str, str, str | None]] = []
    data: list[str] = []
    name, identity = "", None
    for line in re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff"))[:-1]:
        if not line:
            if data:
                found.append(("\n".join(data), name, identity))
            data, name, identity = [], "", None
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            identity = value
    return found


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(bounds)]


@given(streams, st.lists(st.integers(0), max_size=5))
def test_events_are_those_of_the_standard_wherever_the_stream_is_cut(text: str, places: list[int]) -> None:
    stream = text.encode()
    made = whole(SseReader(), *cut(stream, places))
    complete = [event for event in made if event.data is not None and not event.cut]
    assert [((event.data or b"").decode(), event.event, event.id) for event in complete] == standard(text)


@given(raw, st.lists(st.integers(0), max_size=5), st.sampled_from([SseReader, NdjsonReader]), st.integers(1, 40))
def test_any_bytes_give_the_same_events_or_the_same_refusal(
    stream: bytes, places: list[int], kind: type[Reader], limit: int
) -> None:
    assert read_all(kind(limit), cut(stream, places)) == read_all(kind(limit), [stream])


def read_all(framing: Reader, chunks: list[bytes]) -> tuple[list[Event], bool]:
    """All events, and whether one was too long."""
    made: list[Event] = []
    for chunk in chunks:
        try:
            made += framing.feed(chunk)
        except EventTooLongError as error:
            return [*made, *error.before], True
    last = framing.close()
    return made + ([last] if last else []), False


@given(raw, st.sampled_from([SseReader, NdjsonReader]))
def test_events_in_a_row_are_the_stream_to_the_byte(stream: bytes, kind: type[Reader]) -> None:
    emit = events.emit if kind is SseReader else lines.emit
    assert b"".join(map(emit, whole(kind(), *bytewise(stream)))) == stream


one_line = texts.filter(lambda text: "\0" not in text)


@given(
    st.builds(
        Event,
        data=st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")).map(str.encode),
        event=one_line,
        id=st.none() | one_line,
        retry=st.none() | st.integers(0, 10**9),
        comments=st.lists(one_line.map(str.encode), max_size=2).map(tuple),
    )
)
def test_what_is_written_is_read_as_it_was_meant(event: Event) -> None:
    made = whole(SseReader(), b"data: first\n\n" + events.emit(event))[1:]
    assert [msgspec.structs.replace(each, raw=b"") for each in made] == ([] if event == Event() else [event])


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_stream_cut_in_two_anywhere_is_read_alike(name: str, ending: bytes) -> None:
    stream = body(name).replace(b"\r\n", b"\n").replace(b"\n", ending)
    framing = reader(content_type(name))
    assert framing is not None
    expected = whole(framing, stream)
    assert len(expected) > 1 or ending == b"\r"
    for parts in two_way_splits(stream):
        assert whole(type(framing)(), *parts) == expected
    assert whole(type(framing)(), *bytewise(stream)) == expected


documents = [
    event.data
    for name in NAMES
    for event in whole(reader(content_type(name)) or NdjsonReader(), body(name))
    if event.data is not None
]
anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "a", "error", "response.completed", "stop", "ping"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["index", "type", "error", "delta", "content", "text", "message", "x"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@st.composite
def disturbed(draw: st.DrawFn) -> bytes:
    """A document of a server with some member replaced by anything."""
    data = draw(st.sampled_from(documents))
    if data == b"[DONE]":
        return data
    document = json.loads(data)
    value = document
    while isinstance(value, dict | list) and value:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw(st.sampled_from(keys))
        if draw(st.booleans()) or not isinstance(value[key], dict | list):
            value[key] = draw(anything)
            break
        value = value[key]
    return json.dumps(document).encode()


@settings(max_examples=300)
@given(st.lists(disturbed(), max_size=8), st.sampled_from([50, 1000, 1 << 20]))
def test_no_stream_makes_the_summary_fail(payloads: list[bytes], limit: int) -> None:
    found = summary(sse(*payloads), SSE, limit)
    assert found is not None
    assert len(json.dumps(found.document)) <= 2 * limit + 3000
    assert found.verdict.result in ("complete", "failed")


named = st.sampled_from(["", "", "error", "message_stop"])


@settings(max_examples=400)
@given(st.sampled_from(NAMES), st.lists(st.tuples(disturbed(), named), max_size=6), st.integers(0, 4))
def test_a_glance_at_an_event_never_tells_what_a_look_would_not(
    name: str, events: list[tuple[bytes, str]], begun: int
) -> None:
    quick, whole_look = Outcome(), Outcome()
    stream = whole(reader(content_type(name)) or NdjsonReader(), body(name))
    for event in [*stream[:begun], *(Event(data=data, event=type_) for data, type_ in events)]:
        assert quick.follow(event) is whole_look.hear(read(event))
        assert quick.state is whole_look.state
        assert quick.verdict() == whole_look.verdict()
