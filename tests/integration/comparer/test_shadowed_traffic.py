"""What other proxies' mirrors are known to get wrong, each in a whole sidecar: who waits for whom, who sees what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.client import Client
from tests.kit.isolation import CASES, HEALTHY, KIB, MIB, isolated, never_reads, post, sized, whole
from tests.kit.looping import Gate
from tests.kit.processes import eventually
from tests.kit.upstream import Peer, Script, serve, stepwise

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
REFUSES = serve(whole(b'{"error": "I cannot"}', b"400 Bad Request"))


# --- who waits for whom ---------------------------------------------------------------------------------------------


def test_a_request_completes_while_the_mirrors_buffers_are_full(tmp_path: Path) -> None:
    with isolated(tmp_path, never_reads, deadline="60s", concurrent=1) as scene:
        # It takes the connection and not the megabyte, which fills every buffer on the way to it.
        assert scene.see("1 MiB").body == sized(MIB)
        eventually(lambda: bool(scene.new.peers))
        request = post(b"/whole", sized(1033))
        with Client(scene.sidecar.port) as client:
            for _ in range(20):
                client.send(request)
                assert client.response("POST").status == 200
        eventually(lambda: scene.metric("stepdown_shadow_skipped_total", reason="concurrent") == 20)
        assert scene.metric("stepdown_shadow_copies_total") == 0  # the first one still has not got through
        assert len(scene.new.peers) == 1


def test_a_long_body_to_a_slow_mirror_completes_and_its_copy_is_given_up_and_never_sent_again(tmp_path: Path) -> None:
    with isolated(tmp_path, never_reads) as scene, Client(scene.sidecar.port) as client:
        for size in (65 * KIB, MIB):
            client.send(post(b"/whole", sized(size)))
            assert client.response("POST").status == 200
        scene.counted(2, "copies", outcome="timeout")
        assert len(scene.new.peers) == 2
        assert scene.metric("stepdown_requests_total", served="1.0.0") == 2


@pytest.mark.parametrize("shadow", [never_reads, HEALTHY], ids=["never reads", "healthy"])
def test_each_event_of_a_stream_arrives_before_the_next_is_sent(shadow: Script, tmp_path: Path) -> None:
    gates = [Gate() for _ in range(4)]
    events = [b"9\r\ndata: %d\n\n\r\n" % number for number in range(4)]
    served = stepwise(STREAM, *events[:-1], events[-1] + b"0\r\n\r\n", gates=gates)
    with isolated(tmp_path, shadow, deadline="60s", served=served) as scene, Client(scene.sidecar.port) as client:
        client.send(CASES["stream of events"])
        client.receive(b"\r\n\r\n")
        # The copy is sent when the request is whole, not when the stream has ended.
        eventually(lambda: bool(scene.new.peers))
        for number, gate in enumerate(gates):
            gate.open()
            client.receive(b"data: %d" % number)
        assert client.response("POST").body == b"".join(b"data: %d\n\n" % number for number in range(4))


def test_a_slow_mirror_does_not_delay_another_one(tmp_path: Path) -> None:
    two = (
        ', shadow: [{{name: stuck, version: "3.0.0", headers: {{set: {{x-stuck: "1"}}}}, deadline: 60s}}, '
        '{{name: good, version: "3.0.0", deadline: {deadline}, concurrent: {concurrent}}}]'
    )

    async def script(peer: Peer) -> None:
        while (await peer.request()).get(b"x-stuck") is None:
            await peer.send(whole(b'{"points": 0.5}'))
        await peer.ended

    with isolated(tmp_path, script, shadow=two) as scene:
        for _ in range(3):
            scene.see("whole")
        scene.counted(3, "copies", shadow="good", outcome="answered")
        assert scene.metric("stepdown_shadow_copies_total", shadow="stuck") == 0


def test_ten_mirrors_and_the_served_version_each_read_the_whole_body(tmp_path: Path) -> None:
    ten = ", ".join(f'{{{{name: s{number}, version: "3.0.0"}}}}' for number in range(10))
    with isolated(tmp_path, shadow=f", shadow: [{ten}]") as scene:
        scene.see("64 KiB")
        scene.counted(10, "copies", outcome="answered")
        changed = b'{"inputs":' + sized(64 * KIB)[6:]
        assert [request.body for request in scene.new.requests] == [changed] * 10
        assert [request.body for request in scene.old.requests] == [sized(64 * KIB)]


def test_a_client_that_leaves_takes_no_copy_back(tmp_path: Path) -> None:
    gate = Gate()

    async def waits(peer: Peer) -> None:
        await peer.request()
        await gate

    with isolated(tmp_path, deadline="60s", served=waits) as scene:
        client = Client(scene.sidecar.port)
        client.send(CASES["whole"])
        eventually(lambda: bool(scene.old.requests))
        client.reset()
        scene.counted(1, "copies", outcome="answered")
        gate.open()


# --- who sees what --------------------------------------------------------------------------------------------------


def test_what_a_mirror_answers_is_not_what_the_client_gets_nor_the_other_way_round(tmp_path: Path) -> None:
    with isolated(tmp_path, REFUSES) as scene:
        assert (scene.see("whole").status, scene.see("refused by the server").status) == (200, 422)
        scene.counted(2, "copies", outcome="answered")
        assert scene.metric("stepdown_requests_total", status="400") == 0


def test_what_is_refused_here_has_no_copy(tmp_path: Path) -> None:
    with isolated(tmp_path) as scene:
        assert scene.see("refused here").status == 406
        for line in (b"CONNECT model.example:80 HTTP/1.1", b"TRACE / HTTP/1.1"):
            with Client(scene.sidecar.port) as client:
                client.send(line + b"\r\nHost: model.example:80\r\n\r\n")
                assert client.response("TRACE").status >= 400
        scene.see("whole")
        scene.counted(1, "copies")
        assert scene.counted_copies() == 1
        assert len(scene.new.requests) == 1


def test_what_is_changed_for_one_side_is_not_changed_for_the_other(tmp_path: Path) -> None:
    old = ", set_headers: {x-side: served}"
    new = ", set_headers: {x-side: copied}"
    with isolated(tmp_path, old_more=old, new_more=new) as scene:
        scene.see("whole")
        scene.counted(1, "copies", outcome="answered")
        (served,), (copied,) = scene.old.requests, scene.new.requests
    assert (served.body, served.get(b"content-length"), served.get(b"x-side")) == (b'{"x": 1}', b"8", b"served")
    assert (copied.body, copied.get(b"content-length"), copied.get(b"x-side")) == (b'{"inputs":1}', b"12", b"copied")
    assert served.get(b"x-stepdown-shadow") is None


def test_copies_stand_in_no_access_log(tmp_path: Path) -> None:
    with isolated(tmp_path, access="true") as scene:
        methods = []
        for number, case in enumerate(("whole", "head", "whole"), 1):
            scene.see(case)
            scene.counted(number, "copies", outcome="answered")
            methods.append(scene.sidecar.access_line()["method"])  # the copy before has ended and left no line
    assert methods == ["POST", "HEAD", "POST"]


def test_a_shadow_that_leads_back_to_its_sidecar_copies_no_copies(tmp_path: Path) -> None:
    with isolated(tmp_path) as scene:
        text = scene.sidecar.file.read_text()
        turned = tmp_path / "turned.yaml"
        turned.write_text(text.replace(f":{scene.new.port}}}", f":{scene.sidecar.port}}}"))
        turned.rename(scene.sidecar.file)
        scene.sidecar.wait_for("configuration is in force", count=2)
        for _ in range(5):
            assert scene.see("whole").status == 200
        scene.counted(5, "copies", outcome="answered")
        eventually(lambda: scene.metric("stepdown_shadow_skipped_total", reason="marked") == 5)
        assert scene.metric("stepdown_requests_total") == 10
        status = json.loads(scene.sidecar.get("admin", "/v1/status")[1])
        assert status["comparer"]["alive"]
    assert scene.new.requests == []
