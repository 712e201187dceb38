"""What is sampled of answers that pass through, and that nothing of it stays behind, however an answer ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from stepdown.decide import spec
from stepdown.decide.checks import Sample, Watched, parse
from stepdown.decide.feedback import Units
from stepdown.decide.rollout_spec import Share
from stepdown.decide.spec import SnapshotSpec
from stepdown.plane.handoff import Handoff
from stepdown.rollout.counts import CONTRACT_VIOLATIONS
from stepdown.telemetry.ring import DEFAULT_SIZE, RingReader, RingWriter
from tests.kit import specs
from tests.kit.client import Client, EndedError
from tests.kit.driven import BY_USER, CANDIDATE, NAME, STABLE, driven, get, run_of
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

    def samples(self) -> list[Sample]:
        found = []
        while (record := self._reader.take()) is not None:
            found.append(parse(record))
        return found

    def bodies(self) -> list[bytes]:
        return [sample.body for sample in self.samples()]


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


# --- rollouts -------------------------------------------------------------------------------------------------------


def rolling(port: int, *, candidate: int = 0, **options: Any) -> SnapshotSpec:
    """Half of the users at a candidate, on the same port or another one, and everything is held against contracts."""
    guards = (Share(name="contracts", kind=CONTRACT_VIOLATIONS),)
    made = driven(port, candidate or port, key=BY_USER, rollout={"guards": guards}, **options)
    (model,) = made.models
    versions = tuple(msgspec.structs.replace(version, contract={}, validate=1.0) for version in model.versions)
    return msgspec.structs.replace(made, models=(msgspec.structs.replace(model, versions=versions),))


def test_a_sample_of_a_rollout_says_which_unit_and_which_arm_it_is_evidence_of() -> None:
    units = Units(run_of())
    with checked(serve(HEAD + BODY), rolling) as scene, scene.client() as client:
        arms = set()
        for number in range(20):
            client.send(get(f"user {number}"))
            client.response("GET")
            of_one = scene.samples()
            expected = int.from_bytes(units.hash(b"header:x-user-id\0user %d" % number), "big")
            assert {sample.unit for sample in of_one} == {expected}
            (watched,) = {sample.watched for sample in of_one}
            assert watched is not None
            arms.add(watched.arm)
            assert watched == Watched(NAME, 1, 1, watched.arm)
            served = {"stable": [STABLE], "candidate": [CANDIDATE, CANDIDATE]}[watched.arm]
            assert [sample.subject.served for sample in of_one] == served
        assert arms == {"stable", "candidate"}


def test_it_is_evidence_of_the_version_that_was_assigned_whichever_served() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = closed.getsockname()[1]

        def without_candidate(port: int) -> SnapshotSpec:
            return rolling(port, candidate=nobody, weight=100.0)

        with checked(serve(HEAD + BODY), without_candidate) as scene, scene.client() as client:
            client.send(get("somebody"))
            assert client.response("GET").status == 200
            (sample,) = scene.samples()
            assert (sample.subject.served, sample.watched) == (STABLE, Watched(NAME, 1, 1, "candidate"))


def test_what_is_no_evidence_is_looked_at_and_says_nothing() -> None:
    with checked(serve(HEAD + BODY), rolling) as scene, scene.client() as client:
        client.send(get("somebody", X_Model_Version=CANDIDATE))  # stable cannot give it
        assert client.response("GET").status == 200
        assert [(sample.watched, sample.unit) for sample in scene.samples()] == [(None, 0)]
