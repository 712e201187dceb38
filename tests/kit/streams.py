"""Streams of model servers, as they answer: some recorded, some in the shapes that their makers document.

`streamed/` has the bodies. Those of `llama-*` were recorded from llama-cpp-python 0.3.36 with a tiny model of random
weights, the `.json` beside each being its answer to the same request without `stream`; `llama-given-up` is what it
sends when another request takes the model away. The others are written by hand.

`streamed/recorded/` has what LiteLLM 1.108.7 answered as a gateway before that server, at temperature 0: to Responses
and to Messages, a text that ends at its eighth token and a call of a tool that had to be called, the `.json` without
`stream`. Its Responses stream of the call ends with an error of its own, and its Messages stream says each piece of the
call as a call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stepdown_adapters.stream import Event, Reader

FOLDER = Path(__file__).parent / "streamed"
SSE, NDJSON = "text/event-stream; charset=utf-8", "application/x-ndjson"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".sse", ".ndjson"))


def body(name: str) -> bytes:
    """A body by the name of its file."""
    return (FOLDER / name).read_bytes()


def recorded(name: str) -> bytes:
    """What the gateway answered."""
    return (FOLDER / "recorded" / name).read_bytes()


def content_type(name: str) -> str:
    """The type that it is sent with."""
    return SSE if name.endswith(".sse") else NDJSON


def document(name: str) -> Any:
    """What the same server answered without a stream."""
    return json.loads((FOLDER / name).with_suffix(".json").read_bytes())


def sse(*payloads: object) -> bytes:
    """Events with these payloads: bytes as they are, all else as JSON."""
    texts = (each if isinstance(each, bytes) else json.dumps(each, ensure_ascii=False).encode() for each in payloads)
    return b"".join(b"data: " + text + b"\n\n" for text in texts)


def whole(reader: Reader, *chunks: bytes) -> list[Event]:
    """All events of a stream that arrives in these chunks."""
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    last = reader.close()
    return events if last is None else [*events, last]


def two_way_splits(stream: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every way to cut a stream into two chunks."""
    return ((stream[:place], stream[place:]) for place in range(len(stream) + 1))


def bytewise(stream: bytes) -> list[bytes]:
    """A stream in chunks of one byte."""
    return [stream[place : place + 1] for place in range(len(stream))]
