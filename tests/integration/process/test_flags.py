"""A flag file that changes under load moves requests on every worker, and one that is broken moves none."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from stepdown.decide.records import read
from tests.kit.client import Response, ask
from tests.kit.load import Load
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.upstream import Upstream, serve

OLD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold"
NEW = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew"

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
workers: 2
drain: {{delay: 0s, grace: 5s}}
log: {{format: json}}
explain: {{allow: [127.0.0.1]}}
decisions: {{file: decisions.jsonl, sample: 100%}}
flags: {{file: flags.json}}
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{endpoints: [http://127.0.0.1:{old}]}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{new}]}}
    adapters: [{{from: "2.0.0", to: "1.0.0"}}]
routes:
  r:
    match: {{path_prefix: /}}
    model: m
    key: [{{header: x-user-id}}]
    rules:
      - {{name: testers, when: {{flag: testers}}, split: {{"2.0.0": 1}}}}
      - {{name: all, flag: {{name: churn, versions: {{old: "1.0.0", new: "2.0.0"}}, default: "1.0.0"}}}}
"""


def flags(variant: str | None, targeting: object = None) -> str:
    churn: dict[str, object] = {"state": "ENABLED", "variants": {"old": "o", "new": "n"}, "defaultVariant": variant}
    if targeting is not None:
        churn["targeting"] = targeting
    tester = {"if": [{"==": [{"var": "header.x-tester"}, "yes"]}, "on"]}
    testers = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off", "targeting": tester}
    return json.dumps({"flags": {"churn": churn, "testers": testers}})


def replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


def send(sidecar: Processes, *lines: bytes) -> Response:
    head = b"\r\n".join((b"POST /predict HTTP/1.1", b"Host: test", *lines, b"Content-Length: 2", b"", b"{}"))
    return ask(sidecar.port, head, "POST")


def counted(sidecar: Processes, flag: str, variant: str, reason: str) -> float:
    wanted = f'stepdown_flag_evaluations_total{{flag="{flag}",reason="{reason}",variant="{variant}"}}'
    text = sidecar.get("status", "/metrics")[1].decode()
    found = [line.rpartition(" ")[2] for line in text.splitlines() if sorted_labels(line).startswith(wanted)]
    return float(found[0]) if found else 0.0


def sorted_labels(line: str) -> str:
    name, brace, rest = line.partition("{")
    labels, _, value = rest.rpartition("}")
    return f"{name}{brace}{','.join(sorted(labels.split(',')))}}}{value}" if brace else line


def test_a_changed_flag_file_moves_requests_and_a_broken_one_moves_none(tmp_path: Path) -> None:
    file, flag_file = tmp_path / "stepdown.yaml", tmp_path / "flags.json"
    flag_file.write_text(flags("old"))
    with LoopThread() as thread, Upstream(thread, serve(OLD)) as old, Upstream(thread, serve(NEW)) as new:
        file.write_text(CONFIG.format(old=old.port, new=new.port))
        with Processes(file) as sidecar:
            sidecar.started()
            assert sidecar.metric("stepdown_flags_ok") == 1
            with Load(sidecar.port, threads=2) as one_each, Load(sidecar.port, threads=2, keep_alive=True) as kept:
                assert not new.requests
                replace(flag_file, flags("new"))
                sidecar.wait_for("configuration is in force", changed=True)
                before = len(old.requests)
                one_each.more(20)
                kept.more(20)
                assert len(old.requests) - before <= 4, "those that ran while it changed"
                replace(flag_file, '{"flags": {"churn": ')
                sidecar.wait_for("the flags that were read before stay in force")
                assert sidecar.metric("stepdown_flags_ok") == 0
                assert sidecar.metric("stepdown_config_reload_ok") == 1
                assert {send(sidecar).body for _ in range(8)} == {b"new"}
                flag_file.unlink()
                sidecar.wait_for("the file flags.json does not exist")
                assert send(sidecar).body == b"new"
                replace(flag_file, flags("old"))
                eventually(lambda: sidecar.metric("stepdown_flags_ok") == 1)
                eventually(lambda: {send(sidecar).body for _ in range(4)} == {b"old"})
                kept.more(20)
            assert one_each.failures == kept.failures == {}


def test_a_flag_tells_why_in_answers_on_record_and_in_metrics(tmp_path: Path) -> None:
    file, records = tmp_path / "stepdown.yaml", tmp_path / "decisions.jsonl"
    (tmp_path / "flags.json").write_text(flags("old", {"if": [{"var": "header.x-broken"}, {"/": [1, 0]}, "new"]}))
    with LoopThread() as thread, Upstream(thread, serve(OLD)) as old, Upstream(thread, serve(NEW)) as new:
        file.write_text(CONFIG.format(old=old.port, new=new.port))
        with Processes(file) as sidecar:
            sidecar.started()
            told = send(sidecar, b"X-Stepdown-Explain: 1", b"X-Broken: 1")
            assert (told.status, told.body) == (200, b"old")
            explained = json.loads(dict(told.headers)[b"x-stepdown-explain"])
            said = {one["flag"]: (one["variant"], one["reason"], one["error"]) for one in explained["flags"]}
            assert said == {"testers": ("off", "DEFAULT", None), "churn": (None, "ERROR", "GENERAL")}
            assert (explained["rule"], explained["reason"], explained["evidence"]) == ("all", "flag", False)
            assert send(sidecar).body == b"new"
            assert send(sidecar, b"X-Tester: yes", b"X-Broken: 1").body == b"new"
            eventually(lambda: counted(sidecar, "churn", "none", "ERROR") == 1)
            assert counted(sidecar, "churn", "new", "TARGETING_MATCH") == 1
            assert counted(sidecar, "testers", "on", "TARGETING_MATCH") == 1
            assert counted(sidecar, "testers", "off", "DEFAULT") == 2
            eventually(lambda: records.exists() and records.read_bytes().count(b"\n") == 3)
        recorded = [read(line) for line in records.read_bytes().splitlines()]
        by_rule = {(one.decided.rule, one.decided.assigned, one.decided.reason) for one in recorded}
        assert by_rule == {("all", "1.0.0", "flag"), ("all", "2.0.0", "flag"), ("testers", "2.0.0", "split")}
        broken = next(one for one in recorded if one.decided.assigned == "1.0.0")
        assert msgspec.to_builtins(broken.flags["churn"]) == {"value": None, "reason": "ERROR", "error": "GENERAL"}
