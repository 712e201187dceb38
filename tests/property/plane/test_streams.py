"""However a stream is put into chunks, and however these are cut on their way, its client gets the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepdown_adapters.stream.adapting.chain import StreamChain
from stepdown_adapters.stream.adapting.compiling import compile_stream
from tests.kit import specs, streams
from tests.kit.stream_adapters import REASONING, section, step
from tests.kit.upstream import Peer
from tests.kit.world import World, world

BODIES = [streams.body(name) for name in ("vllm-reasoning.sse", "llama-chat.sse", "anthropic-messages.sse")]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
places = st.sets(st.integers(1, 4000), max_size=12).map(sorted)


class Served:
    """What the server sends next, and in which writes."""

    writes: tuple[bytes, ...] = ()


async def _play(peer: Peer) -> None:
    while True:
        await peer.request()
        for piece in Served.writes:
            await peer.send(piece)


@pytest.fixture(scope="module")
def adapted() -> Iterator[World]:
    with world(_play, spec=lambda port: specs.adapted(port, (), stream=section(REASONING))) as here:
        yield here


@pytest.fixture(scope="module")
def passed() -> Iterator[World]:
    with world(_play) as here:
        yield here


def pieces(body: bytes, at: list[int]) -> list[bytes]:
    """The body cut at these places."""
    ends = [*(place for place in at if place < len(body)), len(body)]
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.sampled_from(BODIES), chunks=places, writes=places)
def test_the_client_gets_what_the_chain_makes_of_the_whole(
    adapted: World, passed: World, body: bytes, chunks: list[int], writes: list[int]
) -> None:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces(body, chunks)) + b"0\r\n\r\n"
    Served.writes = tuple(pieces(HEAD + framed, writes))
    chain = StreamChain(compile_stream([step(REASONING)]), streams.SSE)
    expected = chain.feed(body) + chain.close()
    assert adapted.ask(POST, "POST").body == expected
    assert passed.ask(POST, "POST").body == body
    assert not adapted.sidecar.metric("stepdown_stream_failures_total")
    assert not passed.sidecar.metric("stepdown_stream_failures_total")
