"""vLLM calls `reasoning_content` `reasoning` now: undone event by event, what is not touched stays as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepdown_adapters.stream import Event, SseReader, Summary, read, summary
from stepdown_adapters.stream.sse import emit
from tests.kit.streams import SSE, body, bytewise, sse, whole


def renamed(event: Event) -> Event:
    """The event for an old client: `reasoning` is called `reasoning_content`, unless there is one (M3)."""
    document = read(event).document
    changed = False
    for choice in document.get("choices", ()) if isinstance(document, dict) else ():
        delta: dict[str, Any] = choice["delta"]
        if "reasoning" in delta and "reasoning_content" not in delta:
            delta["reasoning_content"] = delta.pop("reasoning")
            changed = True
    return event.with_data(json.dumps(document).encode()) if changed else event


def gathered(stream: bytes) -> Summary:
    found = summary(stream, SSE)
    assert found is not None
    return found


@pytest.mark.parametrize("chunks", [[body("vllm-reasoning.sse")], bytewise(body("vllm-reasoning.sse"))], ids=len)
def test_m2_every_delta_with_reasoning_is_renamed_and_no_other_event_changes(chunks: list[bytes]) -> None:
    before = whole(SseReader(), *chunks)
    after = [renamed(event) for event in before]
    touched = [event for event in after if not event.raw]
    assert len(touched) == 4
    assert all(b'"reasoning_content": ' in emit(event) for event in touched)
    assert [emit(event) for event in after if event.raw] == [event.raw for event in before if event in after]
    stream = b"".join(map(emit, after))
    [choice] = gathered(stream).document["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Hello!", "reasoning_content": "The user greets."}
    assert gathered(stream).events == gathered(body("vllm-reasoning.sse")).events


def test_m2_a_chunk_of_reasoning_alone_counts_as_content() -> None:
    """LiteLLM dropped those as empty."""
    found = gathered(sse({"choices": [{"index": 0, "delta": {"reasoning": "The"}}]}))
    assert found.contentful == 1


def test_m2_chunks_of_a_role_or_of_usage_alone_are_no_content_and_are_there() -> None:
    role = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
    found = gathered(sse(role, {"choices": [], "usage": {"total_tokens": 1}}, b"[DONE]"))
    assert found.contentful == 0
    assert sum(found.events.values()) == 3


def test_m3_what_an_old_client_would_read_already_is_not_overwritten() -> None:
    stream = sse({"choices": [{"index": 0, "delta": {"reasoning": "new", "reasoning_content": "old"}}]})
    [event] = whole(SseReader(), stream)
    assert renamed(event) is event
