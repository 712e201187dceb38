"""Flags of an OpenFeature provider in a running sidecar: asked off the way of requests, known to the next ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from stepdown.decide.records import read
from tests.kit.load import Load
from tests.kit.processes import eventually
from tests.kit.provided import Provided, provided

SHOP = """
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

def by_plan(flag, context):
    variant = "new" if context.attributes.get("plan") == "beta" else "old"
    return FlagResolutionDetails(flag.variants[variant], variant=variant, reason=Reason.TARGETING_MATCH)

def make(**options):
    assert options == {"deep": {"a": [1, True]}}, options
    return InMemoryProvider({
        "churn": InMemoryFlag("old", {"old": "o", "new": "n"}, context_evaluator=by_plan),
        "testers": InMemoryFlag("on", {"on": True, "off": False}),
    })
"""
BETA = b"X-Plan: beta"


def test_the_first_request_takes_the_default_and_later_ones_the_variant(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    options = {"provider": "shop:make", "options": "{deep: {a: [1, true]}}", "workers": 2}
    with provided(tmp_path, "ttl: 1h", **options) as here:
        assert here.served("ann", BETA) == "old"
        eventually(lambda: here.served("ann", BETA) == "new")
        eventually(lambda: {here.served("ann", BETA) for _ in range(8)} == {"new"})  # on both workers
        eventually(lambda: here.served("ann", b"X-Tester: yes") == "new")
        assert here.served("bob") == "old"
        assert here.sidecar.metric("stepdown_flag_provider_ok") == 1
        assert here.counted("stepdown_flag_evaluations_total", flag="churn", variant="new", reason="TARGETING_MATCH")
        assert here.counted("stepdown_flag_evaluations_total", flag="testers", variant="on", reason="STATIC")
        answered = here.counted("stepdown_flag_questions_total", result="answered")
        assert {here.served("ann", BETA) for _ in range(20)} == {"new"}
        assert here.counted("stepdown_flag_questions_total", result="answered") == answered


def test_first_wait_makes_the_first_request_right(tmp_path: Path) -> None:
    with provided(tmp_path, "first_wait: 1s", command="user") as here:
        assert [here.served(user) for user in ("new", "old", "new", "other")] == ["new", "old", "new", "old"]
        assert here.counted("stepdown_flag_waits_total", result="answered") == 3
        assert here.counted("stepdown_flag_evaluations_total", reason="CACHE_MISS") == 0


def test_what_a_flag_said_is_told_and_recorded_and_can_be_replayed(tmp_path: Path) -> None:
    records = tmp_path / "decisions.jsonl"
    with provided(tmp_path, "first_wait: 1s", command="user") as here:
        told = json.loads(here.send("new", b"X-Stepdown-Explain: 1").get(b"x-stepdown-explain") or b"")
        assert told["flags"] == [
            {"flag": "churn", "variant": "new", "reason": "TARGETING_MATCH", "error": None, "message": ""}
        ]
        assert (told["rule"], told["reason"], told["key_source"]) == ("all", "flag", "header:x-user-id")
        here.served("old")
        eventually(lambda: records.exists() and records.read_bytes().count(b"\n") == 2)
    recorded = [read(line) for line in records.read_bytes().splitlines()]
    assert [one.flags["churn"].variant for one in recorded] == ["new", "old"]
    assert all("x-plan" not in one.headers for one in recorded), "what was said is on record, not what was told"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-P", "-m", "stepdown", "explain", str(here.file), "--replay", str(records), "--json"]
    replayed = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert json.loads(replayed.stdout)["whole"]["moved"]["records"] == 0


def test_a_change_that_the_provider_announces_reaches_who_has_an_answer(tmp_path: Path) -> None:
    with provided(tmp_path, "ttl: 1h", command="variant new") as here:
        here.served("ann")
        eventually(lambda: here.served("ann") == "new")
        here.command("variant old")
        assert here.served("ann") == "new"
        here.served("bob")  # at whose question the provider finds out
        eventually(lambda: here.served("ann") == "old")


def test_a_reload_keeps_the_provider_and_other_settings_replace_it_under_load(tmp_path: Path) -> None:
    with provided(tmp_path, "ttl: 1s", workers=2) as here, Load(here.sidecar.port, threads=2) as load:
        eventually(lambda: all(here.served("ann") == "new" for _ in range(20)))  # each worker has to ask for itself
        here.write("ttl: 2s", workers=2)
        here.sidecar.signal(signal.SIGHUP)
        here.sidecar.wait_for("configuration is in force", changed=True)
        assert here.served("ann") == "new", "a reload forgets no answer"
        assert here.log().count("start") == 1
        other = tmp_path / "other"
        other.write_text("variant old")
        here.write("ttl: 2s", options=f"{{commands: {other}, log: {tmp_path / 'log'}}}", workers=2)
        here.sidecar.signal(signal.SIGHUP)
        here.sidecar.wait_for("flag provider is ready", count=2)
        eventually(lambda: "shutdown" in here.log())
        assert [line for line in here.log() if line in {"start", "shutdown"}] == ["start", "start", "shutdown"]
        eventually(lambda: {here.served("ann") for _ in range(4)} == {"old"})
        load.more(20)
    assert load.failures == {}


def test_a_controller_that_dies_leaves_answers_in_force_and_its_successor_asks_on(tmp_path: Path) -> None:
    with provided(tmp_path, "ttl: 1h", command="user") as here:
        here.served("new")
        eventually(lambda: here.served("new") == "new")
        os.kill(here.sidecar.controller(), signal.SIGKILL)
        assert here.served("new") == "new"
        here.sidecar.wait_for("flag provider is ready", count=2)
        eventually(lambda: here.served("new-too") == "old")
        eventually(lambda: here.counted("stepdown_flag_questions_total", result="answered") >= 1)


def test_a_successor_knows_the_provider_also_where_the_file_is_broken(tmp_path: Path) -> None:
    with provided(tmp_path, "ttl: 1s") as here:
        here.file.write_text("listen: [")
        os.kill(here.sidecar.controller(), signal.SIGKILL)
        here.sidecar.wait_for("flag provider is ready", count=2)
        eventually(lambda: here.served("ann") == "new")


def test_check_and_explain_ask_nobody_and_say_so(tmp_path: Path) -> None:
    here = Provided(tmp_path, 1, 2)
    here.command("hang")
    here.start.write_text("hang")
    (tmp_path / "loud.py").write_text("raise SystemExit('imported')\ndef make(): ...\n")
    here.write(provider="loud:make")
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}"}
    run = [sys.executable, "-P", "-m", "stepdown"]
    checked = subprocess.run([*run, "check", str(here.file)], env=environ, capture_output=True, text=True, check=True)
    assert "churn    string   targetingKey, plan (header x-plan)  r/all" in checked.stdout
    asked = [*run, "explain", str(here.file), "--path", "/x", "-H", "x-user-id: ann", "-H", "x-plan: beta"]
    told = subprocess.run(asked, env=environ, capture_output=True, text=True, check=True)
    assert 'loud:make would be asked, with {"targetingKey": "ann", "plan": "beta"}' in told.stdout
    assert "Served by 1.0.0, because the flag gave it the request." in told.stdout


def test_a_known_answer_costs_a_request_no_question(tmp_path: Path) -> None:
    with provided(tmp_path, "ttl: 1h") as here:
        eventually(lambda: here.served("ann") == "new")
        asked = len(here.log())
        assert [here.served("ann") for _ in range(50)] == ["new"] * 50
        assert len(here.log()) == asked
