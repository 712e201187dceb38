"""vLLM calls `reasoning_content` `reasoning` now: a rule undoes it, and nothing else of the stream changes."""

from __future__ import annotations

import json

import pytest

from stepdown_adapters import Adapter
from stepdown_adapters.stream import SseReader
from tests.kit.stream_adapters import MERGED, REASONING, step
from tests.kit.streams import SSE, body, bytewise, sse, whole

STREAM = body("vllm-reasoning.sse")
RENAMED = Adapter.of([step(REASONING)])


def adapted(adapter: Adapter, *chunks: bytes) -> bytes:
    chain = adapter.stream(SSE)
    return b"".join([*map(chain.feed, chunks), chain.close()])


@pytest.mark.parametrize("chunks", [[STREAM], bytewise(STREAM)], ids=len)
def test_m2_every_delta_with_reasoning_is_renamed_and_every_other_event_keeps_its_bytes(chunks: list[bytes]) -> None:
    before = whole(SseReader(), STREAM)
    after = whole(SseReader(), adapted(RENAMED, *chunks))
    assert len(after) == len(before)
    touched = [event for event in before if b'"reasoning"' in event.raw]
    assert len(touched) == 4
    for old, new in zip(before, after, strict=True):
        if old in touched:
            assert json.loads(new.data or b"") == json.loads(
                old.raw[6:].replace(b'"reasoning"', b'"reasoning_content"')
            )
        else:
            assert new.raw == old.raw


def test_m3_what_an_old_client_would_read_already_is_not_overwritten() -> None:
    both = {"choices": [{"index": 0, "delta": {"reasoning": "new", "reasoning_content": "old"}}]}
    [event] = whole(SseReader(), adapted(RENAMED, sse(both)))
    assert json.loads(event.data or b"") == both


def test_m3_is_decided_for_each_choice() -> None:
    deltas = [{"reasoning": "a"}, {"reasoning": "b", "reasoning_content": "c"}, {"content": "d"}]
    chunk = {"choices": [{"index": index, "delta": delta} for index, delta in enumerate(deltas)]}
    [event] = whole(SseReader(), adapted(RENAMED, sse(chunk)))
    found = [choice["delta"] for choice in json.loads(event.data or b"")["choices"]]
    assert found == [{"reasoning_content": "a"}, deltas[1], deltas[2]]


def test_m4_reasoning_may_become_content_instead() -> None:
    events = whole(SseReader(), adapted(Adapter.of([step(MERGED)]), STREAM))
    chunks = [json.loads(event.data) for event in events if event.data and event.data != b"[DONE]"]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "The user greets.Hello!"
    assert not any("reasoning" in delta for delta in deltas)


def test_a_name_that_is_written_with_escapes_is_found() -> None:
    escaped = b'data: {"choices":[{"delta":{"re\\u0061soning":"x"}}]}\n\n'
    assert adapted(RENAMED, escaped) == b'data: {"choices":[{"delta":{"reasoning_content":"x"}}]}\n\n'


def test_numbers_and_texts_beside_what_is_renamed_keep_their_bytes() -> None:
    chunk = b'data: {"n":1.10,"big":18446744073709551617,"choices":[{"e":1E5,"delta":{"reasoning":"\\u00e9"}}]}\n\n'
    assert adapted(RENAMED, chunk) == chunk.replace(b"reasoning", b"reasoning_content")


def test_half_a_character_in_what_is_renamed_does_not_end_the_stream() -> None:
    chunk = b'data: {"choices":[{"delta":{"reasoning":"\\ud83d"}}]}\n\n'
    assert adapted(RENAMED, chunk) == b'data: {"choices":[{"delta":{"reasoning_content":"\\ufffd"}}]}\n\n'
