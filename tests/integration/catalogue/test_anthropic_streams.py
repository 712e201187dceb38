"""openai-python as the old application, of streams of Anthropic's Messages behind a sidecar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kit.openai_python import accumulated, at_once, chat
from tests.kit.processes import eventually
from tests.kit.stepped_down import begun, document, events, sent, sliced, stepped_down, together
from tests.kit.streams import body, sse
from tests.kit.upstream import Script
from tests.kit.world import World

NAME = "anthropic/messages-to-chat"
MESSAGES = [{"role": "user", "content": "Hello"}]
RECORDED = body("anthropic-messages.sse")
INCLUDED = {"stream_options": {"include_usage": True}}
COUNTS = {"input_tokens": 3, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 5, "output_tokens": 1}


@contextmanager
def messages(folder: Path, by: bytes | Script) -> Iterator[tuple[World, str]]:
    """A server of Messages before which the entry stands."""
    with stepped_down(folder, NAME, by=by, sends="/v1/messages") as found:
        yield found


def said(*blocks: tuple[dict[str, Any], list[dict[str, Any]]], reason: str = "end_turn", word: str = "m") -> list[Any]:
    """The events of a message of these blocks and their deltas."""
    start = {"id": word, "type": "message", "role": "assistant", "content": [], "model": "claude", "usage": COUNTS}
    found: list[Any] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, (block, parts) in enumerate(blocks):
        found.append({"type": "content_block_start", "index": index, "content_block": block})
        found += [{"type": "content_block_delta", "index": index, "delta": part} for part in parts]
        found.append({"type": "content_block_stop", "index": index})
    found.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}})
    return [*found, {"type": "message_stop"}]


def text(*parts: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": part} for part in parts]


def call(name: str, *parts: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    block = {"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": {}}
    return block, [{"type": "input_json_delta", "partial_json": part} for part in parts]


def test_its_library_puts_texts_calls_and_usage_of_a_stream_together(tmp_path: Path) -> None:
    stream = sse(
        *said(text("Let me", " see ☂."), call("weather", '{"city"', ': "Oslo"}'), call("now"), reason="tool_use")
    )
    with messages(tmp_path, sliced(events(stream), 17)) as (_, url):
        found = accumulated(url, model="claude", messages=MESSAGES, **INCLUDED)
        assert found["error"] == ""
        [choice] = found["document"]["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("Let me see ☂.", "tool_calls")
        told = [(one["id"], one["type"], one["function"]["arguments"]) for one in choice["message"]["tool_calls"]]
        assert told == [("toolu_weather", "function", '{"city": "Oslo"}'), ("toolu_now", "function", "{}")]
        usage = found["document"]["usage"]
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (10, 7, 17)
        assert usage["prompt_tokens_details"] == {"cached_tokens": 5}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("refusal", "content_filter")],
)
def test_it_reads_why_an_answer_ended_of_a_stream_as_of_a_document(reason: str, finish: str, tmp_path: Path) -> None:
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": reason}
    answer = {**whole, "content": [{"type": "text", "text": "Hi"}], "usage": COUNTS}
    with messages(tmp_path / "document", document(answer)) as (_, url):
        found = chat(url, strict=True, model="claude", messages=MESSAGES)
        assert (found["error"], found["document"]["choices"][0]["finish_reason"]) == ("", finish)
    with messages(tmp_path / "stream", events(sse(*said(text("Hi"), reason=reason)))) as (_, url):
        found = chat(url, strict=True, model="claude", messages=MESSAGES, stream=True)
        assert (found["error"], found["content"]) == ("", "Hi")
        assert found["chunks"][-1]["choices"][0]["finish_reason"] == finish


def test_an_answer_that_waits_to_be_continued_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    with messages(tmp_path, events(sse(*said(text("Hi"), reason="pause_turn")))) as (_, url):
        found = chat(url, model="claude", messages=MESSAGES, stream=True)
        assert (found["error"], found["content"]) == ("APIConnectionError", "Hi")


def test_an_error_in_the_middle_is_raised_behind_what_was_said(tmp_path: Path) -> None:
    failed = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with messages(tmp_path, events(sse(*said(text("Hi"))[:-3], failed))) as (_, url):
        found = chat(url, model="claude", messages=MESSAGES, stream=True)
        assert (found["error"], found["content"]) == ("APIError", "Hi")
        assert (found["raised"]["message"], found["raised"]["type"]) == ("Overloaded", "overloaded_error")


def test_a_stream_that_breaks_off_is_no_whole_answer(tmp_path: Path) -> None:
    with messages(tmp_path, begun(sse(*said(text("Hi"))[:-1]), breaks=True)) as (_, url):
        found = chat(url, model="claude", messages=MESSAGES, stream=True)
        assert (found["error"], found["content"]) == ("APIConnectionError", "Hi")


def test_a_client_that_leaves_ends_the_stream_at_the_server(tmp_path: Path) -> None:
    with messages(tmp_path, begun(sse(*said(text("Hi", " there"))[:-3]), breaks=False)) as (here, url):
        found = chat(url, leave=2, model="claude", messages=MESSAGES, stream=True)
        assert (found["error"], found["content"]) == ("", "Hi")
        eventually(lambda: all(peer.ended.is_open for peer in here.upstream.peers))
        assert {peer.how for peer in here.upstream.peers} <= {"fin", "reset"}


def test_what_it_has_read_of_a_stream_can_be_told_in_the_next_turn(tmp_path: Path) -> None:
    with messages(tmp_path, events(RECORDED)) as (here, url):
        message = accumulated(url, model="claude", messages=MESSAGES)["document"]["choices"][0]["message"]
        assert message["reasoning_content"] == "Paris, then the weather."
        result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "rain"}
        turns = [*MESSAGES, message, result]
        assert chat(url, model="claude", messages=turns, stream=True, max_completion_tokens=5)["error"] == ""
        asked = sent(here)
        assert asked["max_tokens"] == 5
        assert asked["messages"][1:] == [
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Okay, let me look ☂."},
                    {"type": "tool_use", "id": "toolu_01", "name": "get_weather", "input": {"location": "Paris"}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01", "content": "rain"}]},
        ]


def test_streams_that_are_read_at_once_do_not_mix(tmp_path: Path) -> None:
    def told(asked: Any) -> list[bytes]:
        word = asked["messages"][0]["content"]
        return list(map(sse, said(text(*[word] * 10), word=word)))

    with messages(tmp_path, together(20, told)) as (_, url):
        words = [f"w{number}." for number in range(20)]
        requests = [
            {"model": "m", "messages": [{"role": "user", "content": word}], "stream": True, "timeout": 50, **INCLUDED}
            for word in words
        ]
        for word, found in zip(words, at_once(url, *requests), strict=True):
            assert (found["error"], found["content"]) == ("", word * 10)
            assert {chunk["id"] for chunk in found["chunks"]} == {word}
            assert found["chunks"][-1]["usage"]["total_tokens"] == 17
