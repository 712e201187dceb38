"""openai-python as the client that knows thoughts by another name, or not at all, of vLLM through a sidecar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.kit.openai_python import accumulated, at_once, chat
from tests.kit.processes import eventually
from tests.kit.stepped_down import before, begun, document, events, sent, sliced, stepped_down, together
from tests.kit.streams import body, sse
from tests.kit.streams import document as recorded

DOWN, UP, MERGED = (
    "vllm/reasoning-to-reasoning-content",
    "vllm/reasoning-content-to-reasoning",
    "vllm/reasoning-into-content",
)
ALL = [DOWN, UP, MERGED]
MESSAGES = [{"role": "user", "content": "Hello"}]
STREAM, CALLS = body("vllm-reasoning.sse"), body("vllm-tool-call.sse")
CALLED: dict[str, Any] = recorded("vllm-tool-call.sse")
THOUGHT = "The weather, ☂."


def said(name: str, found: bytes) -> bytes:
    """What a server of that entry says: one that is older has another name for thoughts."""
    return found.replace(b'"reasoning"', b'"reasoning_content"') if name == UP else found


def read_by(name: str, thoughts: str, content: str) -> dict[str, str]:
    """What a client of that entry reads: thoughts under its name for them, or content that has them too."""
    if name == MERGED:
        return {"content": f"<think>{thoughts}</think>{content}"}
    return {"content": content, "reasoning_content" if name == DOWN else "reasoning": thoughts}


def spoken(message: dict[str, Any]) -> dict[str, Any]:
    return {key: message[key] for key in ("content", "reasoning", "reasoning_content") if key in message}


@pytest.mark.parametrize("name", ALL)
def test_it_reads_thoughts_calls_and_usage_of_a_document(name: str, tmp_path: Path) -> None:
    answer = json.loads(said(name, json.dumps(CALLED).encode()))
    with stepped_down(tmp_path, name, by=document(answer)) as (_, url):
        found = chat(url, strict=True, model="qwen3", messages=MESSAGES)
        assert found["error"] == ""
        [choice] = found["document"]["choices"]
        assert spoken(choice["message"]) == read_by(name, THOUGHT, "Let me look.")
        assert choice["message"]["tool_calls"] == CALLED["choices"][0]["message"]["tool_calls"]
        assert choice["finish_reason"] == "tool_calls"
        assert found["document"]["usage"]["total_tokens"] == 231


@pytest.mark.parametrize("name", ALL)
def test_it_puts_a_stream_together_as_the_document(name: str, tmp_path: Path) -> None:
    with stepped_down(tmp_path, name, by=sliced(events(said(name, CALLS)), 11)) as (here, url):
        found = accumulated(url, model="qwen3", messages=MESSAGES, stream_options={"include_usage": True})
        assert found["error"] == ""
        assert len(found["chunks"]) == CALLS.count(b"chat.completion.chunk")
        [choice] = found["document"]["choices"]
        assert spoken(choice["message"]) == read_by(name, THOUGHT, "Let me look.")
        calls = [(call["id"], call["function"]["arguments"]) for call in choice["message"]["tool_calls"]]
        assert calls == [("chatcmpl-tool-51b0", '{"city": "Oslo"}'), ("chatcmpl-tool-51b1", "{}")]
        assert choice["finish_reason"] == "tool_calls"
        assert found["document"]["usage"]["total_tokens"] == 231
        assert sent(here)["stream_options"] == {"include_usage": True}


def test_it_reads_thoughts_of_a_stream_as_they_come(tmp_path: Path) -> None:
    with stepped_down(tmp_path, DOWN, by=events(STREAM)) as (_, url):
        found = chat(url, strict=True, model="qwen3", messages=MESSAGES, stream=True)
        assert (found["error"], found["reasoning"], found["content"]) == ("", "The user greets.", "Hello!")
        assert [chunk["usage"]["total_tokens"] for chunk in found["chunks"] if chunk.get("usage")] == [12]


@pytest.mark.parametrize("name", ALL)
def test_several_answers_keep_their_thoughts_apart_or_are_refused(name: str, tmp_path: Path) -> None:
    def choice(index: int, inner: str) -> dict[str, Any]:
        one = {"role": "assistant", "content": f"c{index}", "reasoning": f"r{index}"}
        return {"index": index, inner: one, "logprobs": None, "finish_reason": "stop"}

    head = {"id": "c", "created": 1, "model": "m"}
    whole = {**head, "object": "chat.completion", "choices": [choice(0, "message"), choice(1, "message")]}
    with stepped_down(tmp_path / "document", name, by=document(json.loads(said(name, json.dumps(whole).encode())))) as (
        _,
        url,
    ):
        found = chat(url, model="m", messages=MESSAGES, n=2)["document"]["choices"]
        assert [spoken(one["message"]) for one in found] == [read_by(name, f"r{n}", f"c{n}") for n in (0, 1)]
    chunks = [{**head, "object": "chat.completion.chunk", "choices": [choice(n, "delta")]} for n in (1, 0)]
    with stepped_down(tmp_path / "stream", name, by=events(said(name, sse(*chunks, b"[DONE]")))) as (here, url):
        found = chat(url, model="m", messages=MESSAGES, n=2, stream=True)
        if name == MERGED:
            assert found["error"] == "UnprocessableEntityError"
            assert "cannot be told apart" in found["raised"]["message"]
            assert not here.upstream.requests
        else:
            told = {one["choices"][0]["index"]: spoken(one["choices"][0]["delta"]) for one in found["chunks"]}
            assert told == {n: read_by(name, f"r{n}", f"c{n}") for n in (0, 1)}


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        (DOWN, {"reasoning_content": "2+2"}, {"reasoning": "2+2"}),
        (UP, {"reasoning": "2+2"}, {"reasoning_content": "2+2"}),
        (MERGED, {"reasoning_content": "2+2", "reasoning": "2+2"}, {}),
    ],
)
def test_the_server_hears_of_earlier_thoughts_what_it_has_a_name_for(
    name: str, given: dict[str, str], expected: dict[str, str], tmp_path: Path
) -> None:
    turn = {"role": "assistant", "content": "4"}
    with stepped_down(tmp_path, name, by=document(CALLED)) as (here, url):
        messages = [*MESSAGES, {**turn, **given}, *MESSAGES]
        assert chat(url, model="m", messages=messages, extra_body={"top_k": 5})["error"] == ""
        assert sent(here) == {"model": "m", "messages": [*MESSAGES, {**turn, **expected}, *MESSAGES], "top_k": 5}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_is_raised_in_the_servers_own_words(name: str, stream: bool, tmp_path: Path) -> None:
    told = {"message": "The model `m` does not exist.", "type": "NotFoundError", "param": None, "code": 404}
    answer = {"error": told} if stream else {"object": "error", **told}  # as older servers say it
    with stepped_down(tmp_path, name, by=document(answer, b"404 Not Found")) as (_, url):
        found = chat(url, model="m", messages=MESSAGES, stream=stream)
        assert (found["error"], found["raised"]["status_code"]) == ("NotFoundError", 404)
        assert (found["raised"]["code"], found["raised"]["type"]) == ("404", "NotFoundError")
        assert told["message"] in found["raised"]["message"]


@pytest.mark.parametrize("name", ALL)
def test_a_stream_that_fails_or_breaks_off_raises_behind_what_was_said(name: str, tmp_path: Path) -> None:
    part = said(name, STREAM[: STREAM.index(b'"Hello"')].rpartition(b"data: ")[0])
    opened = "<think>" if name == MERGED else ""
    failed = part + sse({"error": {"message": "no memory", "type": "InternalServerError", "param": None, "code": 500}})
    with stepped_down(tmp_path / "fails", name, by=events(failed + b"data: [DONE]\n\n")) as (_, url):
        found = chat(url, model="m", messages=MESSAGES, stream=True)
        assert (found["error"], found["raised"]["message"], found["raised"]["code"]) == ("APIError", "no memory", "500")
    with stepped_down(tmp_path / "breaks", name, by=begun(part, breaks=True)) as (_, url):
        found = chat(url, model="m", messages=MESSAGES, stream=True)
        assert found["error"] == "APIConnectionError"
        assert len(found["chunks"]) == 5
        assert found["content"] == (f"{opened}The user greets." if name == MERGED else "")


@pytest.mark.parametrize("name", ALL)
def test_a_client_that_leaves_ends_the_stream_at_the_server(name: str, tmp_path: Path) -> None:
    part = said(name, STREAM[: STREAM.index(b'"Hello"')].rpartition(b"data: ")[0])
    with stepped_down(tmp_path, name, by=begun(part, breaks=False)) as (here, url):
        found = chat(url, leave=2, model="m", messages=MESSAGES, stream=True)
        assert (found["error"], len(found["chunks"])) == ("", 2)
        eventually(lambda: all(peer.ended.is_open for peer in here.upstream.peers))
        assert {peer.how for peer in here.upstream.peers} <= {"fin", "reset"}


@pytest.mark.parametrize("name", [DOWN, MERGED])
def test_streams_that_are_read_at_once_do_not_mix(name: str, tmp_path: Path) -> None:
    def told(asked: Any) -> list[bytes]:
        word = asked["messages"][0]["content"]
        head = {"id": word, "object": "chat.completion.chunk", "created": 1, "model": "m"}
        deltas = [{"reasoning": word}] * 5 + [{"content": word}] * 5
        ends = [None] * 9 + ["stop"]
        listed = zip(deltas, ends, strict=True)
        chunks = [{**head, "choices": [{"index": 0, "delta": one, "finish_reason": end}]} for one, end in listed]
        return [*map(sse, chunks), sse(b"[DONE]")]

    with stepped_down(tmp_path, name, by=together(20, told)) as (_, url):
        words = [f"w{number}." for number in range(20)]
        asked = [
            {"model": "m", "messages": [{"role": "user", "content": word}], "stream": True, "timeout": 50}
            for word in words
        ]
        for word, found in zip(words, at_once(url, *asked), strict=True):
            assert found["error"] == ""
            read = {"content": found["content"]} | ({"reasoning_content": found["reasoning"]} if name == DOWN else {})
            assert read == read_by(name, word * 5, word * 5)
            assert {chunk["id"] for chunk in found["chunks"]} == {word}


# --- a real server of chats, which has no thoughts ----------


@pytest.mark.real
@pytest.mark.xdist_group("llama")
@pytest.mark.parametrize("name", ALL)
def test_a_real_server_without_thoughts_is_read_as_without_the_entry(name: str, llama: str, tmp_path: Path) -> None:
    asked = {"model": "tiny-0", "messages": MESSAGES, "temperature": 0, "max_tokens": 20}
    with before(llama, tmp_path, name) as url:
        direct, found = (chat(one, **asked)["document"]["choices"] for one in (llama, url))
        assert found == direct
        direct, found = (chat(one, stream=True, **asked) for one in (llama, url))
        assert found["error"] == ""
        assert found["content"] == direct["content"] != ""
        assert [one["choices"] for one in found["chunks"]] == [one["choices"] for one in direct["chunks"]]
