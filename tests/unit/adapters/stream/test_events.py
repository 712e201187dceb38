"""What events say, and dialects recognised by content."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown_adapters.stream import Dialect, Event, Kind, Recogniser, read, reader
from stepdown_adapters.stream.events import dialect_of
from tests.kit.streams import NAMES, body, content_type, sse, whole

DIALECTS = {
    "anthropic-messages.sse": Dialect.ANTHROPIC,
    "azure-chat.sse": Dialect.CHAT,
    "llama-chat.sse": Dialect.CHAT,
    "llama-completions.sse": Dialect.COMPLETIONS,
    "llama-given-up.sse": Dialect.CHAT,
    "llama-tool-call.sse": Dialect.CHAT,
    "ollama.ndjson": Dialect.OLLAMA,
    "openai-chat.sse": Dialect.CHAT,
    "openai-responses.sse": Dialect.RESPONSES,
    "rows.ndjson": Dialect.DOCUMENTS,
    "triton.sse": Dialect.DOCUMENTS,
    "vllm-reasoning.sse": Dialect.CHAT,
    "vllm-tool-call.sse": Dialect.CHAT,
}


def heard(name: str, stream: bytes) -> Dialect:
    framing = reader(content_type(name))
    assert framing is not None
    recogniser = Recogniser()
    for event in whole(framing, stream):
        recogniser.hear(read(event))
    return recogniser.dialect


@pytest.mark.parametrize("name", NAMES)
def test_each_dialect_is_recognised_by_what_it_says(name: str) -> None:
    assert heard(name, body(name)) == DIALECTS[name]


@pytest.mark.parametrize(
    ("document", "dialect"),
    [
        ({"choices": [{"delta": {}}]}, Dialect.CHAT),
        ({"choices": [{"text": ""}], "object": "unheard of"}, Dialect.COMPLETIONS),
        ({"choices": [{"message": {}}]}, Dialect.DOCUMENTS),
        ({"choices": [1]}, Dialect.DOCUMENTS),
        ({"choices": [], "usage": {}}, None),
        ({"choices": [], "object": "chat.completion.chunk"}, Dialect.CHAT),
        ({"choices": [], "object": ["chat.completion.chunk"]}, None),
        ({"choices": {"a": 1}}, Dialect.DOCUMENTS),
        ({"type": "response.output_item.done", "item": {}}, Dialect.RESPONSES),
        ({"type": "error", "sequence_number": 3, "message": "no"}, Dialect.RESPONSES),
        ({"type": "error", "error": {"type": "overloaded_error"}}, None),
        ({"type": "ping"}, None),
        ({"error": {"message": "no"}}, None),
        ({"type": "content_block_stop", "index": 0}, Dialect.ANTHROPIC),
        ({"type": 7}, Dialect.DOCUMENTS),
        ({"response": "a", "done": False}, Dialect.OLLAMA),
        ({"done": False}, Dialect.DOCUMENTS),
        ({"predictions": []}, Dialect.DOCUMENTS),
        ([1, 2], Dialect.DOCUMENTS),
        (None, Dialect.DOCUMENTS),
    ],
    ids=str,
)
def test_a_document_tells_its_dialect_or_leaves_it_open(document: Any, dialect: Dialect | None) -> None:
    assert dialect_of(document) == dialect


def test_what_a_gateway_says_first_does_not_hide_the_dialect() -> None:
    stream = sse({"conversation": 7}, b"hello") + body("openai-chat.sse")
    assert heard("a.sse", stream) is Dialect.CHAT


def test_a_stream_of_documents_does_not_become_a_chat_in_the_end() -> None:
    stream = sse(*[{"row": number} for number in range(8)]) + body("openai-chat.sse")
    assert heard("a.sse", stream) is Dialect.DOCUMENTS


def test_a_dialect_stays_whatever_else_is_said() -> None:
    recogniser = Recogniser()
    for payload in (b'{"choices":[{"delta":{}}]}', b'{"type":"message_start"}', b'{"row":1}', b"no JSON"):
        recogniser.hear(read(Event(data=payload)))
    assert recogniser.dialect is Dialect.CHAT


@pytest.mark.parametrize(
    ("data", "kind", "document"),
    [
        (None, Kind.NOTHING, None),
        (b"[DONE]", Kind.DONE, None),
        (b" [DONE]", Kind.TEXT, None),
        (b"", Kind.TEXT, None),
        (b'{"a":1.5}', Kind.JSON, {"a": 1.5}),
        (b" null ", Kind.JSON, None),
        (b"{", Kind.TEXT, None),
        (b"NaN", Kind.TEXT, None),
        (b'"\xff"', Kind.TEXT, None),
        (b"[" * 300 + b"]" * 300, Kind.TEXT, None),
        (b"[" * 100_000, Kind.TEXT, None),
        (rb'{"a":"\ud83d\ude00"}', Kind.JSON, {"a": "😀"}),
        (rb'{"a":"\ud83d"}', Kind.JSON, {"a": "�"}),
        (rb'["\\ud83d","\ude00x"]', Kind.JSON, ["\\ud83d", "�x"]),
        (rb'["\ud83d"', Kind.TEXT, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_payload_is_json_or_text_and_never_an_exception(data: bytes | None, kind: Kind, document: Any) -> None:
    said = read(Event(data=data))
    assert (said.kind, said.document) == (kind, document)
