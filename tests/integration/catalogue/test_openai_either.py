"""openai-python before servers of chats that only stream, or that cannot: it gets what it asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stepdown.decide.spec import SnapshotSpec
from tests.kit.catalogue import configuration
from tests.kit.configuration import Folder
from tests.kit.openai_python import accumulated, chat, complete
from tests.kit.stepped_down import (
    CHATS,
    RESPONSES,
    TEXTS,
    before,
    begun,
    document,
    events,
    sent,
    sliced,
    stepped_down,
)
from tests.kit.streams import body, sse
from tests.kit.streams import document as recorded
from tests.kit.upstream import serve
from tests.kit.world import world

STREAMS, DOCUMENTS = "openai/chat-streams-to-chat", "openai/chat-documents-to-chat"
MESSAGES = [{"role": "user", "content": "Hello"}]
INCLUDED = {"stream_options": {"include_usage": True}}
STREAM = body("vllm-tool-call.sse")
ANSWER: dict[str, Any] = recorded("vllm-tool-call.sse")


def message(found: dict[str, Any]) -> dict[str, Any]:
    """What matters of the only answer."""
    [one] = found["document"]["choices"]
    calls = [(call["id"], call["function"]["arguments"]) for call in one["message"]["tool_calls"]]
    return {"content": one["message"]["content"], "calls": calls, "finish": one["finish_reason"]}


EXPECTED = message({"document": ANSWER})


@pytest.mark.parametrize("size", [0, 19])
def test_it_reads_a_document_of_a_server_that_only_streams(size: int, tmp_path: Path) -> None:
    with stepped_down(tmp_path, STREAMS, by=sliced(events(STREAM), size)) as (here, url):
        found = chat(url, strict=True, model="m", messages=MESSAGES)
        assert found["error"] == ""
        assert message(found) == EXPECTED
        assert found["document"]["object"] == "chat.completion"
        assert found["document"]["usage"]["total_tokens"] == 231
        assert sent(here) == {"model": "m", "messages": MESSAGES, "stream": True, **INCLUDED}


def test_it_reads_the_stream_of_such_a_server_as_it_is(tmp_path: Path) -> None:
    with stepped_down(tmp_path, STREAMS, by=events(STREAM)) as (here, url):
        found = accumulated(url, model="m", messages=MESSAGES)
        assert (found["error"], message(found)) == ("", EXPECTED)
        assert len(found["chunks"]) == STREAM.count(b"chat.completion.chunk")
        assert "stream_options" not in sent(here)


def test_it_is_told_where_no_document_comes_of_a_stream(tmp_path: Path) -> None:
    part = STREAM[: STREAM.index(b'"finish_reason":"tool_calls"')].rpartition(b"data: ")[0]
    failed = part + sse({"error": {"message": "no memory", "type": "server_error", "param": None, "code": None}})
    with stepped_down(tmp_path / "breaks", STREAMS, by=begun(part, breaks=True)) as (_, url):
        found = chat(url, model="m", messages=MESSAGES)
        assert (found["error"], found["raised"]["status_code"]) == ("InternalServerError", 502)
    with stepped_down(tmp_path / "fails", STREAMS, by=events(failed)) as (_, url):
        found = chat(url, model="m", messages=MESSAGES)
        assert (found["error"], found["raised"]["status_code"]) == ("InternalServerError", 502)
        assert "not complete: error" in found["raised"]["message"]
    refused = {"error": {"message": "No such model.", "type": "invalid_request_error", "param": None, "code": None}}
    with stepped_down(tmp_path / "refuses", STREAMS, by=document(refused, b"404 Not Found")) as (_, url):
        found = chat(url, model="m", messages=MESSAGES)
        assert found["error"] == "NotFoundError"
        assert "No such model." in found["raised"]["message"]


def test_a_stream_of_responses_becomes_the_document_of_a_chat(tmp_path: Path) -> None:
    chain = ("openai/responses-to-chat", STREAMS)
    with stepped_down(tmp_path, *chain, by=events(body("openai-responses.sse")), sends=RESPONSES) as (here, url):
        found = chat(url, strict=True, model="m", messages=MESSAGES)
        assert message(found) == {
            "content": "Hi there!",
            "calls": [("call_1", '{"city":"Rome"}')],
            "finish": "tool_calls",
        }
        assert found["document"]["usage"]["total_tokens"] == 48
        assert sent(here)["stream"] is True


def test_texts_of_a_server_that_only_streams_are_collected_by_the_last_step(tmp_path: Path) -> None:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = [({"role": "assistant", "content": "Hel"}, None), ({"content": "lo"}, "length")]
    listed = [{**chunk, "choices": [{"index": 0, "delta": one, "finish_reason": why}]} for one, why in deltas]
    older = '"1.0.0": {schema: {catalogue: openai/chat}, input: {catalogue: openai/chat}}'

    def spec(port: int) -> SnapshotSpec:
        """The entry between two versions of text completions, behind the one that makes texts of chats."""
        text = configuration(("openai/chat-to-completions", STREAMS), port, TEXTS, CHATS)
        assert older in text
        return Folder(tmp_path).load(text.replace(older, older.replace("/chat}", "/completions}"))).spec

    with world(serve(events(sse(*listed, b"[DONE]"))), spec=spec) as here:
        found = complete(f"http://127.0.0.1:{here.sidecar.port}/v1", strict=True, model="m", prompt="Hello")
        assert found["error"] == ""
        [one] = found["document"]["choices"]
        assert (found["document"]["object"], one["text"], one["finish_reason"]) == (
            "text_completion",
            "Hello",
            "length",
        )


@pytest.mark.parametrize("usage", [True, False])
def test_it_reads_a_stream_of_a_server_that_cannot(usage: bool, tmp_path: Path) -> None:
    with stepped_down(tmp_path, DOCUMENTS, by=document(ANSWER)) as (here, url):
        found = accumulated(url, model="m", messages=MESSAGES, **(INCLUDED if usage else {}))
        assert (found["error"], message(found)) == ("", EXPECTED)
        assert [chunk["usage"]["total_tokens"] for chunk in found["chunks"] if chunk.get("usage")] == [231] * usage
        assert all(chunk["choices"] for chunk in found["chunks"]) is not usage
        assert sent(here) == {"model": "m", "messages": MESSAGES}
        assert message(chat(url, strict=True, model="m", messages=MESSAGES)) == EXPECTED


@pytest.mark.parametrize("stream", [True, False])
def test_texts_of_a_server_that_cannot_stream_are_streamed(stream: bool, tmp_path: Path) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    chain = (DOCUMENTS, "openai/chat-to-completions")
    with stepped_down(tmp_path, *chain, by=document(answer), asks=TEXTS, sends=CHATS) as (_, url):
        found = complete(url, model="m", prompt="Hello", stream=stream)
        assert found["error"] == ""
        assert (found["content"] if stream else found["document"]["choices"][0]["text"]) == "Hi."


def test_a_message_becomes_the_stream_of_a_chat(tmp_path: Path) -> None:
    text, call = {"type": "text", "text": "Hi."}, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    usage = {"input_tokens": 3, "output_tokens": 4}
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [text, call], "usage": usage}
    answer = document({**whole, "stop_reason": "tool_use"})
    chain = ("anthropic/messages-to-chat", DOCUMENTS)
    with stepped_down(tmp_path, *chain, by=answer, sends="/v1/messages") as (here, url):
        found = accumulated(url, model="c", messages=MESSAGES, **INCLUDED)
        assert (found["error"], message(found)) == (
            "",
            {"content": "Hi.", "calls": [("t", '{"a":1}')], "finish": "tool_calls"},
        )
        assert found["document"]["usage"]["total_tokens"] == 7
        assert "stream" not in sent(here)


def test_an_error_of_a_server_that_cannot_stream_is_raised_as_itself(tmp_path: Path) -> None:
    told = {"error": {"message": "Too long.", "type": "invalid_request_error", "param": "messages", "code": "too_long"}}
    with stepped_down(tmp_path, DOCUMENTS, by=document(told, b"400 Bad Request")) as (_, url):
        found = chat(url, model="m", messages=MESSAGES, stream=True)
        assert (found["error"], found["raised"]["code"], found["raised"]["param"]) == (
            "BadRequestError",
            "too_long",
            "messages",
        )


# --- a real server ----------


@pytest.mark.real
@pytest.mark.xdist_group("llama")
@pytest.mark.parametrize("name", [STREAMS, DOCUMENTS])
def test_a_real_server_says_in_either_way_what_it_says_itself(name: str, llama: str, tmp_path: Path) -> None:
    asked = {"model": "tiny-0", "messages": MESSAGES, "temperature": 0, "max_tokens": 20}
    direct = chat(llama, **asked)["document"]["choices"][0]
    with before(llama, tmp_path, name) as url:
        whole = chat(url, strict=True, **asked)
        assert whole["error"] == ""
        [one] = whole["document"]["choices"]
        assert (one["message"]["content"], one["finish_reason"]) == (
            direct["message"]["content"],
            direct["finish_reason"],
        )
        streamed = chat(url, stream=True, **asked)
        assert (streamed["error"], streamed["content"]) == ("", direct["message"]["content"])
        assert len(streamed["chunks"]) == 2 if name == DOCUMENTS else len(streamed["chunks"]) > 2
