"""`stepdown run`: from the command line to the first answer, and every reason not to start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.kit.client import ask
from tests.kit.load import REQUEST
from tests.kit.looping import PATIENCE
from tests.kit.processes import RUN, TOKEN, Processes, config, eventually, running


def write(directory: Path, text: str) -> Path:
    file = directory / "stepdown.yaml"
    file.write_text(text)
    return file


def test_the_sidecar_starts_and_answers(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as (sidecar, _upstream):
        for _ in range(8):
            answer = ask(sidecar.port, REQUEST, "POST")
            assert (answer.status, answer.body) == (200, b"ok")
            assert answer.get(b"x-model-served") == b"1.0.0"
        assert sidecar.get("status", "/readyz") == (200, b"ready\n")
        assert sidecar.get("status", "/healthz")[0] == 200


def test_status_shows_every_worker_with_what_it_serves(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as (sidecar, _upstream):
        eventually(lambda: sidecar.get("status", "/readyz")[0] == 200)
        _status, body = sidecar.get("admin", "/v1/status")
        shown = json.loads(body)
        assert [worker["pid"] for worker in shown["workers"]] == [sidecar.worker(0), sidecar.worker(1)]
        assert {worker["digest"] for worker in shown["workers"]} == {shown["digest"]}
        assert all(worker["alive"] and worker["report"] is not None for worker in shown["workers"])


def test_the_command_line_may_ask_for_another_number_of_workers(tmp_path: Path) -> None:
    with Processes(write(tmp_path, config(1, workers=1)), "--workers", "3") as sidecar:
        sidecar.started()
        assert sidecar.wait_for("serving")["workers"] == 3
        assert not sidecar.seen("workers was changed")


def test_probes_reach_the_workers(tmp_path: Path) -> None:
    version = ", health: {path: /ready, interval: 50ms, timeout: 5s, rise: 1, fall: 1}"
    with running(tmp_path, version=version) as (sidecar, upstream):
        sidecar.wait_for("is up")
        assert ask(sidecar.port, REQUEST, "POST").status == 200
        upstream.stop()
        sidecar.wait_for("is down")
        eventually(lambda: ask(sidecar.port, REQUEST, "POST").status == 503)
        assert ask(sidecar.port, REQUEST, "POST").get(b"retry-after") is not None
        upstream.start()
        sidecar.wait_for("is up", count=2)
        eventually(lambda: ask(sidecar.port, REQUEST, "POST").status == 200)


def test_without_uvloop_the_sidecar_serves_on_asyncio_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "uvloop.py").write_text("raise ImportError('not here')")
    with running(tmp_path, environ={"PYTHONPATH": str(tmp_path)}) as (sidecar, _upstream):
        assert ask(sidecar.port, REQUEST, "POST").status == 200
        sidecar.wait_for("uvloop is not installed")
        sidecar.signal(signal.SIGTERM)
        assert sidecar.exit_code() == 0


# --- reasons not to start -------------------------------------------------------------------------------------------


def run(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "STEPDOWN_TEST_TOKEN": TOKEN}
    return subprocess.run(
        [*RUN, str(file), *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False, env=environ
    )


def test_closed_standard_streams_keep_nothing_from_starting(tmp_path: Path) -> None:
    command = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *RUN, str(write(tmp_path, config(1)))]
    environ = {**os.environ, "STEPDOWN_TEST_TOKEN": TOKEN}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environ, text=True) as process:
        assert process.stderr is not None
        assert any('"serving"' in line for line in process.stderr)
        process.terminate()
        process.stderr.read()
        assert process.wait(PATIENCE) == 0


def test_a_wrong_file_is_refused_with_all_findings(tmp_path: Path) -> None:
    text = config(1).replace("model: m", "model: n").replace("workers: 1", "workers: many")
    done = run(write(tmp_path, text))
    assert done.returncode == 2
    assert "stepdown.yaml:5:" in done.stderr
    assert "workers" in done.stderr
    assert "routes.r.model" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path / "none.yaml")
    assert done.returncode == 2
    assert "none.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_only_starts_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = config(1).replace("listen: 127.0.0.1:0", f"listen: 127.0.0.1:{taken.getsockname()[1]}", 1)
        done = run(write(tmp_path, text), "--check-only")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_taken_port_is_named_with_its_owner(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = config(1).replace("status: 127.0.0.1:0", f"status: 127.0.0.1:{port}")
        done = run(write(tmp_path, text))
    assert done.returncode == 3
    event = json.loads(done.stderr.splitlines()[-1])["event"]
    assert event.startswith(f"status: port {port} on 127.0.0.1 is taken by process {os.getpid()} (")
