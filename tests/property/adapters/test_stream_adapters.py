"""Stream adapters: cut at any byte the same comes out, what no rule is for keeps its bytes, and memory is bounded."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stepdown_adapters import OperationError, Step
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse
from stepdown_adapters.stream import Ending, SseReader
from stepdown_adapters.stream.adapting.chain import Limits, StreamChain
from stepdown_adapters.stream.adapting.compiling import CompiledStream, compile_stream
from stepdown_adapters.stream.adapting.failures import BrokenStreamError
from tests.kit.stream_adapters import CHAT, MERGED, REASONING, step
from tests.kit.streams import NAMES, NDJSON, SSE, body, bytewise, content_type, sse, two_way_splits, whole

names = st.sampled_from(["a", "b", "type", "text", "é", "x/y"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["a", "ping", "北", "\\", ""]))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
payloads = st.one_of(
    st.dictionaries(names, values, max_size=4).map(lambda value: json.dumps(value, ensure_ascii=False)),
    values.map(json.dumps),
    st.sampled_from(["[DONE]", "hello", '{"a":', '{"error": {"message": "m"}}', '{"a": 1E2, "b": 1.10}', ""]),
)
ends = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])


@st.composite
def events(draw: st.DrawFn) -> str:
    end = draw(ends)
    lines = draw(st.lists(st.sampled_from([": c", "id: 1", "retry: 2", "event: ping", "event: b"]), max_size=2))
    return "".join(line + end for line in [*lines, f"data: {draw(payloads)}"]) + end


streams = st.lists(events(), max_size=6).map("".join).map(str.encode)
lines = st.lists(st.tuples(payloads, ends).map("".join), max_size=6).map("".join).map(str.encode)
selectors = st.sampled_from(["*", "/a", "/b/*", "/type", "ping", "event=b", "type=a", "[DONE]", "/x~1y", "/é"])
folds = st.fixed_dictionaries(
    {"on": selectors.filter(lambda name: name != "[DONE]")},
    optional={"where": st.just({"path": "/a", "exists": True})},
)
hows = st.sampled_from(
    [{"last": "/a"}, {"count": ""}, {"list": "/b"}, {"number": "/a"}, {"sum": "/a"}, {"join": "/text"}]
)
folded = {"carried": "f", "default": None}
operations = st.sampled_from(
    [
        {"remove": "/a"},
        {"move": {"from": "/a", "to": "/c", "on_missing": "skip"}},
        {"add": {"path": "/n", "value": folded}},
        {"in": "/b/*", "where": {"path": "/a", "exists": False}, "do": [{"remove": "/b"}], "on_missing": "skip"},
        {"linear": {"path": "/a", "scale": 2}},
    ]
)
emits = st.fixed_dictionaries(
    {},
    optional={
        "data": st.sampled_from([1, {"a": {"field": "/a", "default": 0}}, {"f": folded}, {"d": {"document": ""}}]),
        "event": st.just("b"),
        "each": st.sampled_from(["/b/*", "/a"]),
        "when": st.just({"path": "/a", "exists": True}),
    },
)
emissions = emits.map(lambda emit: {"emit": emit}) | st.just({"emit": "[DONE]"})
rules = st.one_of(
    st.sampled_from(["drop", "pass"]),
    st.lists(operations, max_size=2),
    st.builds(
        lambda before, after: [*before, *after], st.lists(operations, max_size=1), st.lists(emissions, max_size=2)
    ),
)


@st.composite
def sections(draw: st.DrawFn) -> dict[str, Any]:
    chosen = sorted(draw(st.lists(selectors, max_size=4, unique=True)), key="*".__eq__)
    section = {
        "on": {name: draw(rules) for name in chosen},
        "fold": {"f": {**draw(folds), **draw(hows)}},
        "end": draw(st.lists(emissions, max_size=1)),
    }
    return {key: section[key] for key in draw(st.sets(st.sampled_from(sorted(section)), min_size=1))}


@st.composite
def chains(draw: st.DrawFn) -> CompiledStream:
    count = draw(st.integers(1, 3))
    ends = [f"{count - index}.0.0" for index in range(count + 1)]
    steps = [Step(newer, older, stream=draw(sections())) for newer, older in pairwise(ends)]
    try:
        return compile_stream(steps)
    except OperationError:
        assume(False)
        raise


TIGHT = Limits(event=200, state=400, emitted=8)


def outcome(
    stream: CompiledStream, chunks: list[bytes], kind: str, ending: Ending, limits: Limits = TIGHT
) -> tuple[bytes, str]:
    """All that came out, and what went wrong if anything did."""
    chain = StreamChain(stream, kind, limits=limits)
    out = b""
    try:
        for chunk in chunks:
            out += chain.feed(chunk)
        return out + chain.close(ending), ""
    except BrokenStreamError as error:
        return out + error.before, str(error)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(bounds)]


@settings(max_examples=150, deadline=None)
@given(chains(), streams, st.lists(st.integers(0), max_size=5), st.sampled_from(Ending))
def test_events_cut_anywhere_come_out_alike(
    stream: CompiledStream, given: bytes, places: list[int], ending: Ending
) -> None:
    expected = outcome(stream, [given], SSE, ending)
    assert outcome(stream, cut(given, places), SSE, ending) == expected
    assert outcome(stream, bytewise(given), SSE, ending) == expected


@settings(max_examples=60, deadline=None)
@given(chains(), lines, st.lists(st.integers(0), max_size=5), st.sampled_from(Ending))
def test_lines_cut_anywhere_come_out_alike(
    stream: CompiledStream, given: bytes, places: list[int], ending: Ending
) -> None:
    expected = outcome(stream, [given], NDJSON, ending)
    assert outcome(stream, cut(given, places), NDJSON, ending) == expected
    assert outcome(stream, bytewise(given), NDJSON, ending) == expected


@pytest.mark.parametrize("text", [REASONING, MERGED, CHAT], ids=["renamed", "merged", "chat"])
@pytest.mark.parametrize("name", NAMES)
def test_recorded_streams_are_the_same_wherever_they_are_cut(name: str, text: str) -> None:
    stream, given = compile_stream([step(text)]), body(name)[:3000]
    expected = outcome(stream, [given], content_type(name), Ending.ORDERLY, Limits())
    assert outcome(stream, bytewise(given), content_type(name), Ending.ORDERLY, Limits()) == expected
    for parts in list(two_way_splits(given))[:: max(1, len(given) // 150)]:
        assert outcome(stream, list(parts), content_type(name), Ending.ORDERLY, Limits()) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(operations, min_size=1, max_size=3), st.dictionaries(names, values, max_size=4))
def test_operations_on_an_event_mean_what_they_mean_on_a_document(listed: list[Any], document: Any) -> None:
    listed = [one for one in listed if "add" not in one]
    assume("error" not in document)
    chain = StreamChain(compile_stream([Step("2.0.0", "1.0.0", stream={"on": {"*": listed}})]), SSE)
    try:
        expected = run(parse(listed), document)
    except Exception:
        with pytest.raises(BrokenStreamError):
            chain.feed(sse(document))
        return
    [event] = whole(SseReader(), chain.feed(sse(document)))
    assert json.loads(event.data or b"") == expected
