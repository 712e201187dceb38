"""vLLM's entries: thoughts under the name, or at the place, where a client reads them, in documents and in streams."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from stepdown_adapters import Adapter, AdaptError, BrokenStreamError, Step
from stepdown_adapters.catalogue.entries import entry
from stepdown_adapters.stream import SseReader, summary
from tests.kit.catalogue import gradings
from tests.kit.streams import SSE, body, bytewise, sse, two_way_splits, whole

DOWN, UP, MERGED = (
    "vllm/reasoning-to-reasoning-content",
    "vllm/reasoning-content-to-reasoning",
    "vllm/reasoning-into-content",
)
STREAM = body("vllm-reasoning.sse")
OLDER = STREAM.replace(b'"reasoning"', b'"reasoning_content"')


@cache
def adapter(name: str) -> Adapter:
    return Adapter.of([Step("2.0.0", "1.0.0", **entry(name).brings)])


def streamed(name: str, *chunks: bytes) -> bytes:
    chain = adapter(name).stream(SSE)
    return b"".join([*map(chain.feed, chunks), chain.close()])


def answer(*messages: dict[str, Any]) -> dict[str, Any]:
    choices = [{"index": i, "message": {"role": "assistant", **one}} for i, one in enumerate(messages)]
    return {"id": "a", "choices": choices}


def messages(name: str, *given: dict[str, Any]) -> list[dict[str, Any]]:
    found = adapter(name)(answer(*given))
    return [{key: value for key, value in choice["message"].items() if key != "role"} for choice in found["choices"]]


def asked(name: str, **message: Any) -> dict[str, Any]:
    found: dict[str, Any] = adapter(name).request({"model": "m", "messages": [message]})["messages"][0]
    return found


def chunks(*deltas: dict[str, Any], finish: str | None = "stop") -> bytes:
    """A stream of one choice; its last chunk says why it ends."""
    reasons = [None] * (len(deltas) - 1) + [finish]
    listed = zip(deltas, reasons, strict=True)
    return sse(*({"choices": [{"index": 0, "delta": one, "finish_reason": why}]} for one, why in listed), b"[DONE]")


def deltas(stream: bytes) -> list[dict[str, Any]]:
    found = [json.loads(event.data) for event in whole(SseReader(), stream) if event.data and event.data != b"[DONE]"]
    return [choice["delta"] for chunk in found for choice in chunk["choices"]]


def text(stream: bytes) -> str:
    return "".join(delta.get("content") or "" for delta in deltas(stream))


@pytest.mark.parametrize("name", [DOWN, UP, MERGED])
def test_answers_and_requests_are_proved(name: str) -> None:
    found = gradings(name, documents=200)
    assert {side: grading.grade.value for side, grading in found.items()} == {"answers": "PROVED", "requests": "PROVED"}


@pytest.mark.parametrize(("name", "stream"), [(DOWN, STREAM), (UP, OLDER), (MERGED, STREAM), (MERGED, OLDER)])
def test_where_a_recorded_stream_is_cut_on_the_way_never_shows(name: str, stream: bytes) -> None:
    expected = streamed(name, stream)
    assert streamed(name, *bytewise(stream)) == expected
    assert all(streamed(name, *pieces) == expected for pieces in two_way_splits(stream))


@pytest.mark.parametrize(("name", "older"), [(DOWN, "reasoning_content"), (UP, "reasoning")])
def test_m1_thoughts_of_a_document_have_the_other_name(name: str, older: str) -> None:
    newer = "reasoning" if name == DOWN else "reasoning_content"
    assert messages(name, {"content": "4", newer: "2+2"}, {"content": "5"}) == [
        {"content": "4", older: "2+2"},
        {"content": "5"},
    ]
    assert messages(name, {"content": "4", newer: None}) == [{"content": "4", older: None}]


@pytest.mark.parametrize(("name", "stream", "other"), [(DOWN, STREAM, OLDER), (UP, OLDER, STREAM)])
def test_m2_all_deltas_with_thoughts_are_renamed_and_all_other_events_keep_their_bytes(
    name: str, stream: bytes, other: bytes
) -> None:
    before, after = whole(SseReader(), stream), whole(SseReader(), streamed(name, stream))
    wanted = whole(SseReader(), other)
    assert len(after) == len(before)
    touched = [number for number, event in enumerate(before) if b'"reasoning' in event.raw]
    assert len(touched) == 4
    for number, event in enumerate(after):
        if number in touched:
            assert json.loads(event.data or b"") == json.loads(wanted[number].data or b"")
        else:
            assert event.raw == before[number].raw


def test_m3_what_a_client_would_read_already_is_not_overwritten_but_null_is_nothing_to_keep() -> None:
    both = {"content": "", "reasoning": "new", "reasoning_content": "old"}
    assert messages(DOWN, both) == [{"content": "", "reasoning_content": "old"}]
    assert messages(DOWN, {**both, "reasoning_content": None}) == [{"content": "", "reasoning_content": "new"}]
    assert deltas(streamed(DOWN, chunks(both))) == [{"content": "", "reasoning_content": "old"}]
    assert deltas(streamed(DOWN, chunks({**both, "reasoning_content": None}))) == [
        {"content": "", "reasoning_content": "new"}
    ]
    assert deltas(streamed(UP, chunks(both))) == [{"content": "", "reasoning": "new"}]
    assert deltas(streamed(UP, chunks({**both, "reasoning": None}))) == [{"content": "", "reasoning": "old"}]


def test_m4_thoughts_become_content_between_the_tags_that_a_model_writes() -> None:
    assert messages(
        MERGED,
        {"content": "4", "reasoning": "2+2"},
        {"content": None, "reasoning": "call", "tool_calls": [{"id": "c"}]},
        {"content": "5", "reasoning": None},
        {"content": "6", "reasoning": "", "reasoning_content": "3+3"},
        {"content": None},
    ) == [
        {"content": "<think>2+2</think>4"},
        {"content": "<think>call</think>", "tool_calls": [{"id": "c"}]},
        {"content": "5"},
        {"content": "<think>3+3</think>6"},
        {"content": None},
    ]  # fmt: skip


@pytest.mark.parametrize("stream", [STREAM, OLDER])
def test_m4_a_stream_says_the_same_as_the_document_and_no_event_of_it_is_lost(stream: bytes) -> None:
    after = streamed(MERGED, stream)
    assert text(after) == "<think>The user greets.</think>Hello!"
    assert b"reasoning" not in after
    assert len(whole(SseReader(), after)) == len(whole(SseReader(), stream))
    found = summary(after, SSE)
    assert found is not None
    assert found.verdict.result == "complete"


@pytest.mark.parametrize(
    ("given", "finish", "expected"),
    [
        ([{"content": ""}, {"content": "a"}, {"content": "b"}], "stop", "ab"),
        ([{"reasoning": "r"}, {"reasoning": "s", "content": "a"}, {"content": "b"}], "stop", "<think>rs</think>ab"),
        ([{"reasoning": "r"}, {"content": ""}, {"content": "a"}], "stop", "<think>r</think>a"),
        ([{"reasoning": "r"}, {"reasoning": "s"}], "length", "<think>rs</think>"),
        ([{"reasoning": "r"}, {"tool_calls": [{"index": 0}]}, {"content": ""}], "tool_calls", "<think>r</think>"),
        (
            [{"reasoning": "r"}, {"content": "a"}, {"reasoning": "s"}, {"content": "b"}],
            "stop",
            "<think>r</think>a<think>s</think>b",
        ),
        ([{"reasoning": None}, {"reasoning": ""}, {"content": "a"}], "stop", "a"),
    ],
)
def test_m4_thoughts_end_where_content_a_call_or_the_end_begins(
    given: list[dict[str, Any]], finish: str, expected: str
) -> None:
    after = streamed(MERGED, chunks(*given, finish=finish))
    assert text(after) == expected
    assert len(deltas(after)) == len(given)
    assert all(one.get("tool_calls") == two.get("tool_calls") for one, two in zip(deltas(after), given, strict=True))


def test_m4_thoughts_of_several_answers_in_one_stream_are_refused_and_their_contents_are_not() -> None:
    def chunk(index: int, **delta: str) -> dict[str, Any]:
        return {"choices": [{"index": index, "delta": delta, "finish_reason": None}]}

    assert text(streamed(MERGED, sse(chunk(0, reasoning="r"), chunk(1, content="b"), chunk(0, content="a")))) == (
        "<think>rb</think>a"
    )
    with pytest.raises(BrokenStreamError, match="cannot be told apart in one stream"):
        streamed(MERGED, sse(chunk(0, reasoning="r"), chunk(1, reasoning="s")))
    request = {"model": "m", "messages": [], "n": 2}
    assert adapter(MERGED).request(request) == request
    with pytest.raises(AdaptError, match="cannot be told apart in one stream"):
        adapter(MERGED).request({**request, "stream": True})


def test_m5_requests_of_several_turns_tell_the_server_its_thoughts_by_its_own_name() -> None:
    said = {"role": "assistant", "content": "4"}
    assert asked(DOWN, **said, reasoning_content="2+2") == {**said, "reasoning": "2+2"}
    assert asked(DOWN, **said, reasoning_content="2+2", reasoning=None) == {**said, "reasoning": "2+2"}
    both = {**said, "reasoning": "new", "reasoning_content": "old"}
    assert asked(DOWN, **both) == both
    assert asked(UP, **said, reasoning="2+2") == {**said, "reasoning_content": "2+2"}
    assert asked(MERGED, **said, reasoning="2+2") == said


@pytest.mark.parametrize("name", [DOWN, UP, MERGED])
def test_an_error_inside_a_stream_passes_to_the_byte_and_a_stream_that_breaks_off_gets_no_end(name: str) -> None:
    failed = chunks({"reasoning": "r"}, finish=None)[: -len(b"data: [DONE]\n\n")] + sse({"error": {"message": "x"}})
    assert streamed(name, failed).endswith(sse({"error": {"message": "x"}}))
    assert b"[DONE]" not in streamed(name, STREAM[: STREAM.index(b'"Hello"')])
