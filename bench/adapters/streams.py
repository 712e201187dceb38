"""The work of the third table: an event of a chat stream whose `reasoning` an old client calls `reasoning_content`.

An event arrives as its server flushes it, one in a chunk, and goes out as soon. The events are in the two shapes that
such a stream has: with what is renamed, and without, so that it passes as it is. A chain of two steps renames what the
first has renamed. `responses` is a larger piece of work: an event of another dialect, made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import orjson

from stepdown_adapters.step import Step
from stepdown_adapters.stream.adapting.chain import StreamChain
from stepdown_adapters.stream.adapting.compiling import compile_stream

TYPE = "text/event-stream"
TOUCHED, PASSED, TWICE = "an event renamed", "an event passed", "an event renamed twice"
RESPONSES = "an event of Responses to a chunk"
BY_HAND = "by hand: orjson, nothing checked or judged"
BOUND = 10
"""Microseconds that an adapted event may take."""


def _event(**delta: str) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    chunk = {
        "id": "chatcmpl-0f2c6a585a0e4b1c9a54",
        "object": "chat.completion.chunk",
        "created": 1764000000,
        "model": "qwen3-8b-fp8",
        "choices": [choice],
    }
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


RENAMED = _event(reasoning=" then")
"""Of 214 bytes."""
KEPT = _event(content=" within")
"""Of 214 bytes."""
DELTA = (
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","sequence_number":9,"item_id":"msg_1","output_index":1,'
    b'"content_index":0,"delta":" there"}\n\n'
)
CREATED = (
    b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","created_at":1764000000}}\n\n'
)


def _rename(newer: str, older: str, source: str, target: str) -> Step:
    move = {"move": {"from": f"/{source}", "to": f"/{target}", "on_missing": "skip"}}
    inside = {"in": "/choices/*/delta", "where": {"path": f"/{target}", "exists": False}, "do": [move]}
    return Step(newer, older, stream={"on": {f"/choices/*/delta/{source}": [inside]}})


RENAME = _rename("2.0.0", "1.0.0", "reasoning", "reasoning_content")
AGAIN = _rename("1.0.0", "0.9.0", "reasoning_content", "thinking")
CHAT = Step(
    "2.0.0",
    "1.0.0",
    stream={
        "fold": {"id": {"on": "response.created", "last": "/response/id"}},
        "envelope": {"id": {"carried": "id"}, "object": "chat.completion.chunk"},
        "on": {
            "response.output_text.delta": {
                "emit": {"data": {"choices": [{"index": 0, "delta": {"content": {"field": "/delta"}}}]}}
            },
            "*": "drop",
        },
        "end": [{"emit": "[DONE]"}],
    },
)


def ways() -> dict[str, Callable[[], bytes]]:
    """The ways, each of which gives the bytes of its event; raises `ValueError` where one gives others."""
    chat = _way([CHAT], DELTA, CREATED)
    found: dict[str, Callable[[], bytes]] = {
        TOUCHED: _way([RENAME], RENAMED),
        PASSED: _way([RENAME], KEPT),
        TWICE: _way([RENAME, AGAIN], RENAMED),
        RESPONSES: chat,
        BY_HAND: partial(by_hand, RENAMED),
    }
    expected = {
        TOUCHED: by_hand(RENAMED),
        PASSED: KEPT,
        TWICE: RENAMED.replace(b'"reasoning"', b'"thinking"'),
        RESPONSES: b'data: {"id":"resp_1","object":"chat.completion.chunk",'
        b'"choices":[{"index":0,"delta":{"content":" there"}}]}\n\n',
    }
    for name, wanted in expected.items():
        if (made := found[name]()) != wanted:
            raise ValueError(f"{name}: {made!r}, but {wanted!r} is expected")
    return found


def by_hand(event: bytes) -> bytes:
    """The same, written for this one event."""
    chunk = orjson.loads(event[6:-2])
    for choice in chunk["choices"]:
        delta = choice["delta"]
        if "reasoning" in delta and "reasoning_content" not in delta:
            delta["reasoning_content"] = delta.pop("reasoning")
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def _way(steps: list[Step], event: bytes, before: bytes = b"") -> Callable[[], bytes]:
    """Feeding one event after the other into a stream that has begun."""
    chain = StreamChain(compile_stream(steps), TYPE)
    chain.feed(before or event)
    return partial(chain.feed, event)
