"""How the sidecar stops: readiness first, then no new connections, then when everything in flight is answered."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.kit.client import Client, ask
from tests.kit.load import REQUEST, Load
from tests.kit.looping import Gate
from tests.kit.processes import Processes, config, eventually, is_running, running
from tests.kit.upstream import Peer, Script, silent


def held(gate: Gate) -> Script:
    """Answers only when the gate is open."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await gate
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")

    return script


def is_refused(port: int) -> bool:
    """Whether a new client is told at once to go elsewhere, instead of waiting for nobody."""
    try:
        with socket.create_connection(("127.0.0.1", port)):
            return False
    except ConnectionRefusedError:
        return True


def write(directory: Path, text: str) -> Path:
    file = directory / "stepdown.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_is_answered_and_the_exit_code_is_0(tmp_path: Path, number: signal.Signals) -> None:
    gate = Gate()
    with running(tmp_path, held(gate)) as (sidecar, upstream), Client(sidecar.port) as client:
        client.send(REQUEST)
        eventually(lambda: bool(upstream.requests))
        sidecar.signal(number)
        sidecar.wait_for("leaving")
        eventually(lambda: is_refused(sidecar.port))
        gate.open()
        answer = client.response("POST")
        assert (answer.status, answer.body) == (200, b"late")
        assert client.until_close() == (b"", "fin")
        assert sidecar.exit_code() == 0


def test_readiness_goes_before_anything_else(tmp_path: Path) -> None:
    with running(tmp_path, delay=300) as (sidecar, _upstream):
        eventually(lambda: sidecar.get("status", "/readyz")[0] == 200)
        sidecar.signal(signal.SIGTERM)
        eventually(lambda: sidecar.get("status", "/readyz") == (503, b"the sidecar is being drained\n"))
        assert ask(sidecar.port, REQUEST, "POST").status == 200
        assert sidecar.get("status", "/healthz")[0] == 200


def test_a_stop_under_load_fails_no_request(tmp_path: Path) -> None:
    with (
        running(tmp_path, workers=2, delay=300) as (sidecar, _upstream),
        Load(sidecar.port, keep_alive=True) as load,
    ):
        sidecar.signal(signal.SIGTERM)
        sidecar.wait_for("leaving")
        load.more(50)
        assert load.failures == {}


def test_who_waits_to_be_accepted_is_answered_before_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as (sidecar, _upstream):
        os.kill(sidecar.worker(), signal.SIGSTOP)  # what arrives now stays in the kernel's queue
        waiting = [Client(sidecar.port) for _ in range(20)]
        for client in waiting:
            client.send(REQUEST)
        sidecar.signal(signal.SIGTERM)
        sidecar.wait_for("leaving")
        os.kill(sidecar.worker(), signal.SIGCONT)
        assert {client.response("POST").status for client in waiting} == {200}
        for client in waiting:
            client.close()
        assert sidecar.exit_code() == 0


def test_a_second_signal_stops_at_once_with_exit_code_1(tmp_path: Path) -> None:
    with running(tmp_path, silent(), workers=2, grace=300) as (sidecar, upstream):
        children = [sidecar.worker(0), sidecar.worker(1), sidecar.controller()]
        with Client(sidecar.port) as client:
            client.send(REQUEST)
            eventually(lambda: bool(upstream.peers))
            sidecar.signal(signal.SIGTERM)
            sidecar.wait_for("leaving")
            sidecar.signal(signal.SIGTERM)
            assert sidecar.exit_code() == 1
        eventually(lambda: not any(map(is_running, children)))


def test_what_is_not_answered_within_the_grace_is_cut(tmp_path: Path) -> None:
    with running(tmp_path, silent(), grace=0.2) as (sidecar, upstream), Client(sidecar.port) as client:
        client.send(REQUEST)
        eventually(lambda: bool(upstream.peers))
        sidecar.signal(signal.SIGTERM)
        assert sidecar.exit_code() == 0
        assert b"200 OK" not in client.until_close()[0]


def test_a_worker_that_does_not_stop_by_itself_is_ended_and_the_exit_code_is_1(tmp_path: Path) -> None:
    with running(tmp_path, grace=0.1) as (sidecar, _upstream):
        os.kill(sidecar.worker(), signal.SIGSTOP)
        sidecar.signal(signal.SIGTERM)
        assert sidecar.exit_code() == 1
        eventually(lambda: not is_running(sidecar.worker()))


def test_the_admin_api_stops_it_too(tmp_path: Path) -> None:
    with Processes(write(tmp_path, config(1))) as sidecar:
        sidecar.started()
        assert sidecar.post("/v1/drain")[0] == 202
        assert sidecar.exit_code() == 0


def test_signals_for_the_whole_group_are_the_parents_business(tmp_path: Path) -> None:
    with running(tmp_path) as (sidecar, _upstream):
        for pid in (sidecar.worker(), sidecar.controller()):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.kill(pid, number)
        assert ask(sidecar.port, REQUEST, "POST").status == 200
        assert not sidecar.seen("died")
