"""Decisions put on record by running workers, and decided again by the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from stepdown.decide.records import Record, read
from tests.kit.client import ask
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.upstream import Upstream

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
workers: 2
drain: {{delay: 0s, grace: 5s}}
log: {{format: json}}
overrides: {{tokens: {{secret: {{env: OVERRIDES}}}}}}
decisions: {{file: decisions.jsonl, sample: 100%}}
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{endpoints: [http://127.0.0.1:{port}]}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{port}]}}
      "3.0.0": {{endpoints: [http://127.0.0.1:{port}]}}
    adapters: [{{from: "2.0.0", to: "1.0.0"}}, {{from: "3.0.0", to: "2.0.0"}}]
routes:
  r:
    match: {{path: /infer}}
    model: m
    key: [{{header: x-user-id}}, {{json: /user}}]
    rules:
      - {{name: beta, when: {{header: {{x-plan: beta}}}}, split: {{"2.0.0": 1}}}}
      - {{name: all, split: {{"1.0.0": {base}, "2.0.0": {new}}}}}
"""
SECRET = "the secret that signs overrides"
USERS = 40


def request(*lines: bytes, body: bytes = b"{}", path: bytes = b"/infer") -> bytes:
    head = (b"POST %b HTTP/1.1" % path, b"Host: a", *lines, b"Content-Length: %d" % len(body), b"", body)
    return b"\r\n".join(head)


def stepdown(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "stepdown", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False)


def test_what_workers_record_is_decided_again(tmp_path: Path) -> None:
    file, records = tmp_path / "stepdown.yaml", tmp_path / "decisions.jsonl"
    environ = {"OVERRIDES": SECRET, "STEPDOWN_OVERRIDE_SECRET": SECRET, "PATH": ""}
    made = stepdown("override-token", "--for", "alice", "--model", "m", "--version", "3.0.0", environ=environ)
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip().encode()
    with LoopThread() as thread, Upstream(thread) as upstream:
        file.write_text(CONFIG.format(port=upstream.port, base=90, new=10))
        with Processes(file, environ=environ) as sidecar:
            sidecar.started()

            def send(*lines: bytes, body: bytes = b"{}", path: bytes = b"/infer") -> int:
                return ask(sidecar.port, request(*lines, body=body, path=path), "POST").status

            for number in range(USERS):
                assert send(b"X-User-Id: u%d" % number) == 200
            assert send(body=b'{"user": "u1"}') == 200
            assert send(b"X-Plan: beta", b"X-User-Id: u2") == 200
            assert send() == 200
            assert send(b"X-Model-Version: 9") == 406
            assert send(path=b"/nowhere") == 404
            assert send(b"X-Stepdown-Serve: 3.0.0", b"X-Stepdown-Override-Token: " + token) == 200
            recorded = USERS + 6

            def in_file() -> int:
                return records.read_bytes().count(b"\n") if records.exists() else 0

            eventually(lambda: in_file() == recorded)
            moved = records.rename(tmp_path / "rotated.jsonl")
            assert send() == 200
            eventually(lambda: in_file() == 1)
            assert token not in moved.read_bytes()
            told = {one.decided.override: one for one in map(read, moved.read_bytes().splitlines())}
            assert (told["honoured"].decided.served, told["honoured"].decided.holder) == ("3.0.0", "alice")
            assert sidecar.metric("stepdown_decisions_dropped_total") == 0

            text = file.read_text()
            file.write_text(text.replace("decisions: {file: decisions.jsonl, sample: 100%}\n", ""))
            sidecar.wait_for("configuration is in force", changed=True)
            assert send() == 200
            assert sidecar.metric("stepdown_decisions_recorded_total") == recorded + 1
            file.write_text(text.replace("decisions.jsonl", "others.jsonl"))
            sidecar.wait_for("configuration is in force", count=2, changed=True)
            assert send() == 200
            eventually((tmp_path / "others.jsonl").exists)
            assert in_file() == 1

    same = stepdown("explain", str(file), "--replay", str(moved), "--json", "--max-moved", "0%", environ=environ)
    assert same.returncode == 0, same.stderr
    report = json.loads(same.stdout)
    assert (report["whole"]["records"], report["whole"]["moved"]["records"]) == (recorded - 1, 0)
    assert (report["overridden"], report["undecided"], report["broken"]["lines"]) == (1, {}, 0)

    file.write_text(CONFIG.format(port=1, base=0, new=100))
    other = stepdown("explain", "--replay", str(moved), "--config", str(file), "--max-moved", "5%", environ=environ)
    assert other.returncode == 1
    before = [one for one in map(read, moved.read_bytes().splitlines()) if _is_moved_by_everything_to_2(one)]
    assert f"{len(before)} of {recorded - 1} recorded requests would move" in other.stdout
    assert "would move, and at most 5.00% may" in other.stderr


def _is_moved_by_everything_to_2(record: Record) -> bool:
    return record.decided.assigned == "1.0.0"
