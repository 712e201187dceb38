"""What is sampled of answers that pass through, and that nothing of it stays behind, however an answer ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from stepdown.decide import spec
from stepdown.decide.checks import parse
from stepdown.decide.spec import SnapshotSpec
from stepdown.plane.handoff import Handoff
from stepdown.telemetry.ring import DEFAULT_SIZE, RingReader, RingWriter
from tests.kit import specs
from tests.kit.client import Client, EndedError
from tests.kit.load import REQUEST
from tests.kit.looping import Gate, LoopThread, eventually
from tests.kit.sidecar import Sidecar
from tests.kit.upstream import Script, Upstream, serve, stepwise, then_fin

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
BODY = b'{"score": 0.5}'


class Scene:
    """A plane that samples everything, and what it has handed over."""

    def __init__(self, sidecar: Sidecar, reader: RingReader, handoff: Handoff) -> None:
        self.sidecar = sidecar
        self.handoff = handoff
        self._reader = reader

    def client(self) -> Client:
        return Client(self.sidecar.port)

    def bodies(self) -> list[bytes]:
        found = []
        while (record := self._reader.take()) is not None:
            found.append(parse(record).body)
        return found


@contextmanager
def checked(script: Script, chosen: Callable[[int], SnapshotSpec] | None = None) -> Iterator[Scene]:
    ring = os.memfd_create("ring")
    os.ftruncate(ring, DEFAULT_SIZE)
    writer, reader = RingWriter(ring, DEFAULT_SIZE), RingReader(ring, DEFAULT_SIZE)
    handoff = Handoff(writer, -1)
    try:
        with (
            LoopThread() as thread,
            Upstream(thread, script) as upstream,
            Sidecar(thread, (chosen or plain)(upstream.port), handoff=handoff) as sidecar,
        ):
            yield Scene(sidecar, reader, handoff)
    finally:
        writer.close()
        reader.close()
        os.close(ring)


def plain(port: int) -> SnapshotSpec:
    """All answers are in the pinned shape."""
    version = specs.version("1.0.0", port, contract={}, validate=1.0)
    return specs.snapshot(specs.route({"1.0.0": 100}), models=[specs.model(version)])


def streaming(port: int) -> SnapshotSpec:
    """Streams are stepped down."""
    rename = '{"on":{"/score":[{"move":{"from":"/score","to":"/probability"}}]}}'
    steps = (spec.Step(source="2.0.0", target="1.0.0", streams=rename),)
    chains = (spec.Chain(served="2.0.0", pinned="1.0.0", steps=steps),)
    new = specs.version("2.0.0", port, contract={}, validate=1.0)
    model = specs.model(specs.version("1.0.0"), new, default="1.0.0", chains=chains)
    return specs.snapshot(specs.route({"2.0.0": 100}), models=[model])


def test_a_stream_that_is_stepped_down_counts_as_skipped() -> None:
    raw = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 19\r\n\r\ndata: {"score":1}\n\n'
    with checked(serve(raw), streaming) as scene, scene.client() as client:
        client.send(REQUEST)
        assert client.response("POST").body == b'data: {"probability":1}\n\n'
        assert scene.bodies() == []
        assert scene.sidecar.metric("stepdown_validations_skipped_total", reason="stream") == 1


def test_answers_in_one_piece_and_in_several_are_both_handed_over() -> None:
    with checked(serve(HEAD + BODY)) as scene, scene.client() as client:
        client.send(REQUEST)
        assert client.response("POST").body == BODY
        assert scene.bodies() == [BODY]
    gate = Gate()
    with checked(stepwise(HEAD + BODY[:5], BODY[5:], gates=[gate])) as scene, scene.client() as client:
        client.send(REQUEST)
        client.receive(BODY[:5])
        assert scene.handoff.gathered == 5
        gate.open()
        assert client.response("POST").body == BODY
        assert eventually(lambda: scene.bodies() == [BODY])
        assert scene.handoff.gathered == 0


def test_a_pipeline_is_handed_over_in_order() -> None:
    answers = [HEAD + b'{"score": 0.%d}' % number for number in range(5)]
    with checked(serve(*answers)) as scene, scene.client() as client:
        client.send(REQUEST * 5)
        bodies = [client.response("POST").body for _ in range(5)]
        assert scene.bodies() == bodies


def test_an_answer_that_its_server_cuts_leaves_nothing_behind() -> None:
    with checked(then_fin(HEAD + BODY[:5])) as scene, scene.client() as client:
        client.send(REQUEST)
        with suppress(EndedError):
            client.response("POST")
        assert eventually(lambda: scene.handoff.gathered == 0)
        assert scene.bodies() == []


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind() -> None:
    with checked(stepwise(HEAD + BODY[:5], BODY[5:], gates=[Gate()])) as scene:
        with scene.client() as client:
            client.send(REQUEST)
            client.receive(BODY[:5])
            assert scene.handoff.gathered == 5
        assert eventually(lambda: scene.handoff.gathered == 0)
        assert scene.bodies() == []


def test_an_answer_to_head_has_no_body_to_take() -> None:
    with checked(serve(HEAD)) as scene, scene.client() as client:
        client.send(b"HEAD /predict HTTP/1.1\r\nHost: test\r\n\r\n")
        assert client.response("HEAD").status == 200
        assert scene.bodies() == []
