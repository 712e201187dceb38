"""A flag provider that hangs, lies, raises, dies, or is not there: traffic goes on, and a gauge or the log says so."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.kit.load import Load
from tests.kit.processes import eventually
from tests.kit.provided import Provided, provided


def ok(here: Provided) -> float:
    return here.sidecar.metric("stepdown_flag_provider_ok")


def asked(here: Provided, result: str) -> float:
    return here.counted("stepdown_flag_questions_total", result=result)


def test_with_a_provider_that_hangs_every_request_gets_the_default(tmp_path: Path) -> None:
    with provided(tmp_path, "timeout: 100ms\n  first_wait: 5ms", command="hang") as here:
        with Load(here.sidecar.port, threads=2) as load:
            for number in range(100):
                assert here.served(f"u{number}") == "old"
            load.more(20)
        assert load.failures == {}
        eventually(lambda: ok(here) == 0)
        eventually(lambda: asked(here, "late") >= 8)
        eventually(
            lambda: here.served("x") == "old" and here.counted("stepdown_flag_questions_total", result="refused") > 0
        )
        assert here.counted("stepdown_flag_evaluations_total", variant="none") >= 100
        threads = len(os.listdir(f"/proc/{here.sidecar.controller()}/task"))
        for number in range(100, 200):
            here.served(f"u{number}")
        found = len(os.listdir(f"/proc/{here.sidecar.controller()}/task"))
        assert found < threads + 10, "hung threads do not pile up"  # the event loop may have started some for itself
        assert len(here.sidecar.seen("flag provider fails")) == 1
        here.command("variant new")
        eventually(
            lambda: here.served(f"later-{here.counted('stepdown_flag_questions_total')}") == "new" or ok(here) == 1
        )
        eventually(lambda: here.served("back") == "new")
        assert ok(here) == 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("raise", "the flag service is down"), ("exit", "GENERAL: "), ("lie", "TYPE_MISMATCH"),
        ("not found", "FLAG_NOT_FOUND: which flag?"),
    ],
)  # fmt: skip
def test_a_provider_that_only_fails_is_counted_shown_and_said_once(tmp_path: Path, command: str, said: str) -> None:
    with provided(tmp_path, command=command) as here:
        for number in range(30):
            assert here.served(f"u{number}") == "old"
        eventually(lambda: ok(here) == 0)
        assert said in here.sidecar.wait_for("flag provider fails")["event"]
        eventually(lambda: asked(here, "failed") == 30)
        assert here.served("u0") == "old"
        assert here.counted("stepdown_flag_evaluations_total", reason="ERROR") >= 1
        assert len(here.sidecar.seen("flag provider fails")) == 1
        here.command("variant new")
        eventually(lambda: here.served("fresh") == "new")
        assert ok(here) == 1
        here.sidecar.wait_for("flag provider answers again")


def test_a_variant_that_the_configuration_does_not_name_takes_the_default(tmp_path: Path) -> None:
    with provided(tmp_path, command="variant invented") as here:
        here.served("ann")
        eventually(
            lambda: here.counted("stepdown_flag_evaluations_total", variant="other") + (here.served() == "new") > 0
        )
        assert here.served("ann") == "old"
        assert ok(here) == 1


def test_an_answer_outlives_a_provider_that_fails_for_a_while(tmp_path: Path) -> None:
    with provided(tmp_path, "ttl: 1s") as here:
        eventually(lambda: here.served("ann") == "new")
        here.command("raise")
        eventually(lambda: asked(here, "failed") + (here.served() == "old") >= 1)
        assert here.served("ann") == "new"
        assert here.counted("stepdown_flag_evaluations_total", reason="STALE", variant="new") >= 1


def test_a_provider_that_does_not_start_is_tried_again(tmp_path: Path) -> None:
    with provided(tmp_path, start="raise", ready=False, workers=2) as here:
        event = here.sidecar.wait_for("the flag provider does not start")
        assert "RuntimeError: no connection to the flag service" in event["event"]
        assert ok(here) == 0
        assert [here.served(f"u{number}") for number in range(20)] == ["old"] * 20
        assert here.sidecar.get("status", "/readyz")[0] == 200
        here.start.unlink()
        here.sidecar.wait_for("flag provider is ready")
        eventually(lambda: here.served("ann") == "new")


def test_a_provider_whose_start_hangs_harms_nobody(tmp_path: Path) -> None:
    with provided(tmp_path, "first_wait: 10ms", start="hang", ready=False) as here:
        assert [here.served(f"u{number}") for number in range(20)] == ["old"] * 20
        assert ok(here) == 0
        here.write("ttl: 9s")
        here.sidecar.signal(signal.SIGHUP)
        here.sidecar.wait_for("configuration is in force", changed=True)
        here.start.unlink()
        here.sidecar.wait_for("flag provider is ready")
        eventually(lambda: here.served("ann") == "new")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise SystemExit(3)\ndef make(**o): ...", "SystemExit: 3"),
        ("def make(**o): return 5", "gave a int, which is no OpenFeature provider"),
        ("def make(): ...", "unexpected keyword argument 'commands'"),
        ("def make(**o):\n syntax error", "SyntaxError"),
    ],
)
def test_a_module_that_is_no_provider_is_said_and_harms_nobody(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "broken_flags.py").write_text(source)
    with provided(tmp_path, provider="broken_flags:make", ready=False) as here:
        assert said in here.sidecar.wait_for("the flag provider does not start")["event"]
        assert ok(here) == 0
        assert here.served("ann") == "old"


def test_a_reload_to_a_provider_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with provided(tmp_path) as here:
        eventually(lambda: here.served("ann") == "new")
        here.write(provider="tests.kit.commanded_provider:mke")
        here.sidecar.signal(signal.SIGHUP)
        event = here.sidecar.wait_for("has no mke")
        assert 'did you mean "make"?' in event["event"]
        assert here.sidecar.metric("stepdown_config_reload_ok") == 0
        assert here.served("ann") == "new"
        assert ok(here) == 1


def test_a_provider_that_ends_its_process_takes_the_controller_only(tmp_path: Path) -> None:
    with provided(tmp_path, "ttl: 1h") as here, Load(here.sidecar.port, threads=2) as load:
        eventually(lambda: here.served("ann") == "new")
        here.command("die")
        here.served("bob")
        here.sidecar.wait_for("died", child="controller")
        here.command("variant new")
        assert {here.served("ann") for _ in range(20)} == {"new"}
        here.sidecar.wait_for("flag provider is ready", count=2)
        load.more(20)
        eventually(lambda: here.served("carl") == "new")
    assert load.failures == {}


def test_a_controller_that_hangs_costs_nobody_more_than_the_first_wait(tmp_path: Path) -> None:
    with provided(tmp_path, "ttl: 1h\n  first_wait: 5ms") as here:
        assert here.served("ann") in {"old", "new"}
        eventually(lambda: here.served("ann") == "new")
        os.kill(here.sidecar.controller(), signal.SIGSTOP)
        try:
            assert [here.served(f"u{number}") for number in range(50)] == ["old"] * 50
            assert here.served("ann") == "new"
        finally:
            os.kill(here.sidecar.controller(), signal.SIGCONT)
        eventually(lambda: here.served("u1") == "new")
