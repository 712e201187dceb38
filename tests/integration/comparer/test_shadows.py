"""A whole sidecar with shadows: a client, the servers that see its requests, those that see copies, and counters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.kit.client import Response, ask
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.upstream import Peer, Script, Upstream, serve, silent, then_fin

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
drain: {{delay: 0s, grace: 20s}}
log: {{format: json, level: debug}}
models:
  m:
    default_version: "1.0.0"
    repeatable: true
    versions:
      "1.0.0": {{endpoints: [http://127.0.0.1:{old}]}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{new}]}}
    adapters:
      - from: "2.0.0"
        to: "1.0.0"
        request: [{{move: {{from: /x, to: /inputs}}}}]
        response: [{{move: {{from: /score, to: /probability}}}}]
routes:
  r:
    match: {{path_prefix: /}}
    model: m
    split: {{"1.0.0": 100}}
    shadow:
      - {{name: new, version: "2.0.0", noise: 100, deadline: {deadline}, concurrent: 8}}
"""

BODY = b'{"x": 1}'
REQUEST = b"\r\n".join(
    [
        b"POST /predict HTTP/1.1",
        b"Host: model.example",
        b"Authorization: Bearer secret",
        b"Content-Type: application/json",
        b"",
    ]
)
WHOLE = REQUEST + b"Content-Length: 8\r\n\r\n" + BODY
CHUNKED = REQUEST + b"Transfer-Encoding: chunked\r\n\r\n3\r\n" + BODY[:3] + b"\r\n5\r\n" + BODY[3:] + b"\r\n0\r\n\r\n"


def answer(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body


OLD = answer(b'{"probability": 0.5}')


@dataclass
class Shadowed:
    """A running sidecar, its served version's server and its shadow's."""

    directory: Path
    sidecar: Processes
    old: Upstream
    new: Upstream

    def ask(self, request: bytes = WHOLE) -> Response:
        """The answer to one request on a connection of its own."""
        return ask(self.sidecar.port, request, "POST")

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples with these labels."""
        text = self.sidecar.get("status", "/metrics")[1].decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def counted(self, count: int, what: str, **labels: str) -> None:
        """Wait until `stepdown_shadow_<what>_total` has counted to `count`."""
        name = f"stepdown_shadow_{what}_total"
        eventually(lambda: self.metric(name, **labels) >= count)
        assert self.metric(name, **labels) == count

    def rewrite(self, **options: str) -> None:
        """Another file in the place of the one in force."""
        before = len(self.sidecar.seen("configuration is in force"))
        write(self.directory, self.old.port, self.new.port, **options)
        self.sidecar.wait_for("configuration is in force", count=before + 1)


def write(directory: Path, old: int, new: int, deadline: str = "10s") -> Path:
    file = directory / "stepdown.yaml"
    (directory / "stepdown.new").write_text(CONFIG.format(old=old, new=new, deadline=deadline))
    (directory / "stepdown.new").rename(file)
    return file


@contextmanager
def shadowed(directory: Path, script: Script, **options: str) -> Iterator[Shadowed]:
    with ExitStack() as stack:
        thread = stack.enter_context(LoopThread())
        old = stack.enter_context(Upstream(thread, serve(OLD)))
        new = stack.enter_context(Upstream(thread, script))
        sidecar = stack.enter_context(Processes(write(directory, old.port, new.port, **options)))
        sidecar.started()
        sidecar.wait_for("comparer works")
        yield Shadowed(directory, sidecar, old, new)
        assert not old.failures + new.failures


def primary(scene: Shadowed) -> list[bytes]:
    """What the served version's server got from clients."""
    return [request.raw for request in scene.old.requests if not request.get(b"x-stepdown-shadow")]


def test_copies_reach_the_shadow_in_its_own_shape_and_both_answers_are_compared(tmp_path: Path) -> None:
    with shadowed(tmp_path, serve(answer(b'{"score": 0.50}'), answer(b'{"score": 0.6}'))) as scene:
        assert scene.ask().body == b'{"probability": 0.5}'
        scene.counted(1, "compared", route="r", shadow="new", result="equal")
        assert scene.ask(CHUNKED).body == b'{"probability": 0.5}'
        scene.counted(1, "compared", route="r", shadow="new", result="different")
        scene.counted(2, "copies", route="r", shadow="new", outcome="answered")
        scene.counted(2, "noise", route="r", shadow="new", outcome="answered")
        assert [request.body for request in scene.new.requests] == [b'{"inputs":1}'] * 2
        for request in scene.new.requests:
            assert request.get(b"x-stepdown-shadow") == b"new"
            assert request.get(b"user-agent") == b"stepdown-shadow"
            assert request.get(b"host") == b"model.example"
            assert b"secret" not in request.raw
        assert [b"secret" in raw for raw in primary(scene)] == [True, True]
        assert len(scene.old.requests) == 4
        assert scene.metric("stepdown_shadow_seconds_count", route="r", shadow="new") == 2
        assert scene.metric("stepdown_endpoint_ready", endpoint=f"m/2.0.0/http://127.0.0.1:{scene.new.port}") == 1
        assert scene.metric("stepdown_requests_total", route="r", served="1.0.0") == 2


async def never_reads(peer: Peer) -> None:
    peer.pause()
    await peer.ended


async def floods(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (silent(), "timeout"),
        (never_reads, "timeout"),
        (then_fin(b""), "reset"),
        (then_fin(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), "cut"),
        (floods, "too-large"),
    ],
    ids=["silent", "never reads", "resets", "half an answer", "floods"],
)
def test_a_shadow_that_misbehaves_is_counted_and_no_client_notices(
    tmp_path: Path, script: Script, outcome: str
) -> None:
    with shadowed(tmp_path, script, deadline="1s") as scene:
        answers = [scene.ask() for _ in range(12)]
        assert {(each.status, each.body) for each in answers} == {(200, b'{"probability": 0.5}')}
        assert len(primary(scene)) == 12
        eventually(lambda: scene.metric("stepdown_shadow_copies_total", outcome=outcome) > 0)
        eventually(
            lambda: (
                scene.metric("stepdown_shadow_copies_total") + scene.metric("stepdown_shadow_skipped_total") == 12
                and scene.metric("stepdown_shadow_compared_total") == scene.metric("stepdown_shadow_copies_total")
            )
        )
        assert scene.metric("stepdown_shadow_copies_total", outcome=outcome) == scene.metric(
            "stepdown_shadow_copies_total"
        )
        assert scene.metric("stepdown_shadow_compared_total", result="incomparable") > 0
        told = scene.sidecar.wait_for("copies fail at a shadow")
        assert (told["process"], told["route"], told["shadow"], told["reason"]) == ("comparer", "r", "new", outcome)


def test_copies_go_on_over_a_reload_and_a_shadow_that_is_gone_gets_none(tmp_path: Path) -> None:
    with shadowed(tmp_path, serve(answer(b'{"score": 0.5}'))) as scene:
        scene.ask()
        scene.counted(1, "compared", result="equal")
        scene.rewrite(deadline="3s")
        scene.ask()
        scene.counted(2, "compared", result="equal")
        assert len(scene.new.peers) <= 2
        status = json.loads(scene.sidecar.get("admin", "/v1/status")[1])
        assert status["comparer"]["alive"]
