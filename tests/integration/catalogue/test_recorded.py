"""openai-python as the old application, of answers that a real gateway gave in the newer APIs."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters import Adapter, Step
from stepdown_adapters.catalogue.entries import entry
from tests.kit.openai_python import chat
from tests.kit.stepped_down import RESPONSES, document, events, sliced, stepped_down
from tests.kit.streams import SSE, bytewise, recorded, two_way_splits

APIS = {
    "litellm-responses": ("openai/responses-to-chat", RESPONSES),
    "litellm-messages": ("anthropic/messages-to-chat", "/v1/messages"),
}
PARTS = 4
"""Of all cuts of a stream: there are thousands, and each takes the whole stream."""
TEXT = ". one two4[n leavej"
ASKED: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
CALLED = "litellm.APIError: Error building chunks for logging/streaming usage calculation"


def answered(folder: Path, api: str, file: str) -> Any:
    """A sidecar before a server that gives the recorded answer, a stream in pieces of 700 bytes."""
    name, path = APIS[api]
    body = recorded(file)
    by = sliced(events(body), 700) if file.endswith(".sse") else document(json.loads(body))
    return stepped_down(folder, name, by=by, sends=path)


@pytest.mark.parametrize("api", APIS)
def test_it_reads_a_recorded_text_in_one_piece(api: str, tmp_path: Path) -> None:
    with answered(tmp_path, api, f"{api}.json") as (_, url):
        found = chat(url, strict=True, **ASKED)
        assert found["error"] == ""
        [choice] = found["document"]["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (TEXT, "length")
        usage = found["document"]["usage"]
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (23, 8, 31)


@pytest.mark.parametrize("api", APIS)
def test_it_reads_the_same_text_of_a_recorded_stream(api: str, tmp_path: Path) -> None:
    with answered(tmp_path, api, f"{api}.sse") as (_, url):
        found = chat(url, stream=True, **ASKED)
        assert (found["error"], found["content"]) == ("", TEXT)
        said = [choice["finish_reason"] for chunk in found["chunks"] for choice in chunk["choices"]]
        assert [reason for reason in said if reason] == ["length"]
        assert len(said) > 8


@pytest.mark.parametrize("api", APIS)
def test_it_reads_a_recorded_call_in_one_piece(api: str, tmp_path: Path) -> None:
    with answered(tmp_path, api, f"{api}-tool-call.json") as (_, url):
        found = chat(url, strict=True, tools=[WEATHER], **ASKED)
        assert found["error"] == ""
        [choice] = found["document"]["choices"]
        [call] = choice["message"]["tool_calls"]
        assert (call["function"]["name"], call["function"]["arguments"]) == ("get_weather", '{"city":"Rome"}')
        assert (choice["message"]["content"], choice["finish_reason"]) == (None, "tool_calls")


def test_an_error_in_a_recorded_stream_is_raised_after_what_was_said_before_it(tmp_path: Path) -> None:
    with answered(tmp_path, "litellm-responses", "litellm-responses-tool-call.sse") as (_, url):
        found = chat(url, stream=True, tools=[WEATHER], **ASKED)
        assert (found["error"], found["raised"]["message"]) == ("APIError", CALLED)
        calls = [call for chunk in found["chunks"] for choice in chunk["choices"] for call in calls_of(choice)]
        assert "".join(call["function"]["arguments"] for call in calls) == '{"city":"Rome"}'
        assert {call["index"] for call in calls} == {0}


def test_each_call_of_a_recorded_stream_is_a_call(tmp_path: Path) -> None:
    with answered(tmp_path, "litellm-messages", "litellm-messages-tool-call.sse") as (_, url):
        found = chat(url, stream=True, tools=[WEATHER], **ASKED)
        assert found["error"] == ""
        calls = [call for chunk in found["chunks"] for choice in chunk["choices"] for call in calls_of(choice)]
        pieces = [call["function"].get("arguments", "") for call in sorted(calls, key=lambda call: call["index"])]
        assert "".join(pieces) == '{"city":"Rome"}{}'  # the last one has nothing in it
        assert (
            len({call["index"] for call in calls})
            == recorded("litellm-messages-tool-call.sse").count(b"_start\ndata") - 1
        )


def calls_of(choice: dict[str, Any]) -> list[dict[str, Any]]:
    return choice["delta"].get("tool_calls") or []


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("kind", ["", "-tool-call"])
@pytest.mark.parametrize("part", range(PARTS))
def test_a_recorded_stream_is_the_same_wherever_it_is_cut(api: str, kind: str, part: int) -> None:
    adapter = Adapter.of([Step("2.0.0", "1.0.0", **entry(APIS[api][0]).brings)])
    stream = recorded(f"{api}{kind}.sse")

    def adapted(*pieces: bytes) -> bytes:
        chain = adapter.stream(SSE)
        return b"".join([*map(chain.feed, pieces), chain.close()])

    expected = adapted(stream)
    assert adapted(*bytewise(stream)) == expected
    cuts = islice(two_way_splits(stream), part, None, PARTS)
    assert all(adapted(*pieces) == expected for pieces in cuts)
