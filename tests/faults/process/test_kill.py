"""kill -9 of each kind of process while requests run, and what must not be noticed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.kit.client import Client, ask
from tests.kit.load import REQUEST, Load
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, config, eventually, is_running, running
from tests.kit.upstream import Upstream, serve

OTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"


def write(directory: Path, text: str) -> Path:
    file = directory / "stepdown.yaml"
    file.write_text(text)
    return file


# --- a worker -------------------------------------------------------------------------------------------------------


def test_connections_that_wait_for_a_killed_worker_are_served_by_its_successor(tmp_path: Path) -> None:
    with running(tmp_path) as (sidecar, _upstream):
        worker = sidecar.worker()
        os.kill(worker, signal.SIGSTOP)  # what arrives now stays in the kernel's queue
        waiting = [Client(sidecar.port) for _ in range(50)]
        for client in waiting:
            client.send(REQUEST)
        os.kill(worker, signal.SIGKILL)
        assert {client.response("POST").status for client in waiting} == {200}
        for client in waiting:
            client.close()
        assert sidecar.worker() != worker
        died = sidecar.wait_for("died", child="worker 0")
        assert (died["pid"], died["exit_code"], died["restart_in_seconds"]) == (worker, -9, 0.0)


def test_under_load_a_killed_worker_costs_only_what_it_was_answering(tmp_path: Path) -> None:
    threads = 3
    with running(tmp_path, workers=2) as (sidecar, _upstream):
        with Load(sidecar.port, threads=threads) as load:
            os.kill(sidecar.worker(0), signal.SIGKILL)
            sidecar.wait_for("worker listens", index=0, count=2)
            load.more(100)
        assert set(load.failures) <= {"reset", "fin", "ConnectionResetError"}
        assert sum(load.failures.values()) <= threads


def test_a_killed_worker_is_shown_and_its_counters_go_on(tmp_path: Path) -> None:
    with running(tmp_path) as (sidecar, _upstream):
        for _ in range(3):
            ask(sidecar.port, REQUEST, "POST")
        os.kill(sidecar.worker(), signal.SIGKILL)
        sidecar.wait_for("worker listens", count=2)
        ask(sidecar.port, REQUEST, "POST")
        eventually(lambda: answered(sidecar) == 4)
        assert sidecar.metric("stepdown_worker_restarts_total") == 1
        eventually(lambda: sidecar.get("status", "/readyz")[0] == 200)


def answered(sidecar: Processes) -> float:
    lines = sidecar.get("status", "/metrics")[1].decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("stepdown_requests_total{"))


def test_a_successor_starts_with_what_was_in_force_even_without_a_controller(tmp_path: Path) -> None:
    with LoopThread() as thread, Upstream(thread) as first, Upstream(thread, serve(OTHER)) as second:
        file = write(tmp_path, config(first.port))
        with Processes(file) as sidecar:
            sidecar.started()
            file.write_text(config(second.port))
            sidecar.signal(signal.SIGHUP)
            digest = sidecar.wait_for("configuration is in force", changed=True)["digest"]
            os.kill(sidecar.controller(), signal.SIGSTOP)
            os.kill(sidecar.worker(), signal.SIGKILL)
            assert sidecar.wait_for("worker listens", count=2)["digest"] == digest
            assert ask(sidecar.port, REQUEST, "POST").body == b"other"


# --- the controller -------------------------------------------------------------------------------------------------


def test_a_killed_controller_costs_nothing_and_its_successor_reloads(tmp_path: Path) -> None:
    with LoopThread() as thread, Upstream(thread) as first, Upstream(thread, serve(OTHER)) as second:
        file = write(tmp_path, config(first.port, workers=2))
        with Processes(file) as sidecar:
            sidecar.started()
            with Load(sidecar.port) as load:
                os.kill(sidecar.controller(), signal.SIGKILL)
                sidecar.wait_for("configuration is in force", count=2)
                load.more(50)
                file.write_text(config(second.port, workers=2))
                sidecar.signal(signal.SIGHUP)
                sidecar.wait_for("configuration is in force", changed=True)
                load.more(20)
            assert load.failures == {}
            assert ask(sidecar.port, REQUEST, "POST").body == b"other"
            eventually(lambda: sidecar.get("status", "/readyz")[0] == 200)
            assert not sidecar.seen("died", child="worker 0")


def test_a_file_that_changed_while_there_was_no_controller_is_put_in_force(tmp_path: Path) -> None:
    with LoopThread() as thread, Upstream(thread) as first, Upstream(thread, serve(OTHER)) as second:
        file = write(tmp_path, config(first.port))
        with Processes(file) as sidecar:
            sidecar.started()
            os.kill(sidecar.controller(), signal.SIGSTOP)
            file.write_text(config(second.port))
            os.kill(sidecar.controller(), signal.SIGKILL)
            sidecar.wait_for("configuration is in force", changed=True)
            assert ask(sidecar.port, REQUEST, "POST").body == b"other"


def test_a_broken_file_found_by_a_new_controller_changes_nothing_until_it_is_repaired(tmp_path: Path) -> None:
    with LoopThread() as thread, Upstream(thread) as upstream:
        file = write(tmp_path, config(upstream.port))
        with Processes(file) as sidecar:
            sidecar.started()
            file.write_text("models: [")
            sidecar.wait_for("configuration refused")
            os.kill(sidecar.controller(), signal.SIGKILL)
            sidecar.wait_for("configuration refused", count=2)
            assert ask(sidecar.port, REQUEST, "POST").status == 200
            assert sidecar.metric("stepdown_config_reload_ok") == 0
            # The tokens of the last good file still open the door.
            status, body = sidecar.get("admin", "/v1/status")
            assert status == 200
            assert json.loads(body)["last_reload"]["ok"] is False
            file.write_text(config(upstream.port))
            sidecar.wait_for("configuration is in force", count=2)


# --- the parent -----------------------------------------------------------------------------------------------------


def test_nobody_outlives_a_killed_parent(tmp_path: Path) -> None:
    with Processes(write(tmp_path, config(1, workers=2))) as sidecar:
        sidecar.started()
        children = [sidecar.worker(0), sidecar.worker(1), sidecar.controller()]
        os.kill(children[0], signal.SIGSTOP)  # not even one that cannot react
        sidecar.process.kill()
        sidecar.exit_code()
        eventually(lambda: not any(map(is_running, children)))
