"""A list of ids in the running sidecar: one table for all workers, whoever is started again, whatever the file does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.client import ask
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.upstream import Upstream

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
workers: 2
drain: {{delay: 0s, grace: 1s}}
log: {{format: json}}
models:
  m:
    default_version: "1.0.0"
    versions: {{"1.0.0": {{endpoints: ["{url}"]}}, "1.1.0": {{endpoints: ["{url}"]}}}}
    adapters: [{{from: "1.1.0", to: "1.0.0"}}]
routes:
  r:
    match: {{path_prefix: /}}
    model: m
    key: [{{header: x-user-id}}]
    rules: [{{when: {{segment: beta}}, split: {{"1.1.0": 1}}}}, {{split: {{"1.0.0": 1}}}}]
segments:
  beta: {{key_in: ids.txt}}
"""


def served(sidecar: Processes, user: str) -> set[str]:
    """The versions that serve a user, by whichever workers get the requests."""
    request = f"GET / HTTP/1.1\r\nHost: a\r\nX-User-Id: {user}\r\nConnection: close\r\n\r\n".encode()
    answers = [ask(sidecar.port, request) for _ in range(8)]
    return {dict(answer.headers)[b"x-model-served"].decode() for answer in answers}


def replace(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.rename(file)


def tables_of(pid: int) -> set[str]:
    """Memory of lists that a process has mapped, by device and inode."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {" ".join(line.split()[3:5]) for line in lines if "memfd:stepdown-ids" in line}


def play(folder: Path, script: Callable[[Processes, Path], None]) -> None:
    ids = folder / "ids.txt"
    ids.write_bytes(b"".join(b"user-%d\n" % number for number in range(1000)))
    with LoopThread() as thread, Upstream(thread) as upstream:
        file = folder / "stepdown.yaml"
        file.write_text(CONFIG.format(url=f"http://127.0.0.1:{upstream.port}"))
        with Processes(file) as sidecar:
            script(sidecar.started(), ids)


def test_all_workers_share_one_table_and_follow_its_file(tmp_path: Path) -> None:
    def script(sidecar: Processes, ids: Path) -> None:
        assert served(sidecar, "user-7") == {"1.1.0"}
        assert served(sidecar, "user-1000") == {"1.0.0"}
        before = [tables_of(sidecar.worker(index)) for index in (0, 1)]
        assert before[0] == before[1]
        assert len(before[0]) == 1
        replace(ids, b"user-1000\r\n# user-7 left\r\n")
        sidecar.wait_for("configuration is in force", changed=True)
        assert served(sidecar, "user-7") == {"1.0.0"}
        assert served(sidecar, "user-1000") == {"1.1.0"}
        eventually(lambda: all(tables_of(sidecar.worker(index)) != before[0] for index in (0, 1)))

    play(tmp_path, script)


def test_a_list_that_breaks_stays_in_force_and_is_spoken_of(tmp_path: Path) -> None:
    def script(sidecar: Processes, ids: Path) -> None:
        replace(ids, b"\xff\xfe")
        told = sidecar.wait_for("stays in force")
        assert "is not UTF-8 in line 1" in told["event"]
        assert sidecar.metric("stepdown_config_reload_ok") == 1
        assert served(sidecar, "user-7") == {"1.1.0"}
        replace(ids, b"user-8\n")
        sidecar.wait_for("configuration is in force", changed=True)
        assert served(sidecar, "user-7") == {"1.0.0"}
        assert served(sidecar, "user-8") == {"1.1.0"}

    play(tmp_path, script)


@pytest.mark.parametrize("who", ["worker", "both"])
def test_who_is_started_again_has_the_list_that_is_in_force(who: str, tmp_path: Path) -> None:
    def script(sidecar: Processes, ids: Path) -> None:
        replace(ids, b"user-1000\n")
        sidecar.wait_for("configuration is in force", changed=True)
        ids.unlink()  # whoever starts now cannot read it any more
        sidecar.wait_for("stays in force")
        if who != "worker":
            os.kill(sidecar.controller(), signal.SIGKILL)
            sidecar.wait_for("configuration refused")
        before = sidecar.worker(1)
        os.kill(before, signal.SIGKILL)
        eventually(lambda: sidecar.worker(1) != before)
        assert served(sidecar, "user-1000") == {"1.1.0"}
        assert served(sidecar, "user-7") == {"1.0.0"}

    play(tmp_path, script)


def test_a_list_that_nobody_names_any_more_is_let_go(tmp_path: Path) -> None:
    def script(sidecar: Processes, ids: Path) -> None:
        file = sidecar.file
        replace(file, file.read_text().replace("key_in: ids.txt", "header: {x-plan: beta}").encode())
        sidecar.wait_for("configuration is in force", changed=True)
        assert served(sidecar, "user-7") == {"1.0.0"}
        held = Path(f"/proc/{sidecar.process.pid}/fd")
        eventually(lambda: not any("stepdown-ids" in os.readlink(fd) for fd in held.iterdir()))
        eventually(lambda: not any(tables_of(sidecar.worker(index)) for index in (0, 1)))

    play(tmp_path, script)
