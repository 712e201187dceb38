"""Traffic moves between blue and green without a failed request, and stays where it is when it cannot."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from tests.kit.client import Client, ask
from tests.kit.colours import VIEW_TOKEN
from tests.kit.load import REQUEST, Load
from tests.kit.looping import PATIENCE, Gate
from tests.kit.processes import TOKEN, Processes, eventually
from tests.kit.switching import BLUE, PLACES, staged
from tests.kit.upstream import Peer, Script


def slow_on_request(gate: Gate) -> Script:
    """Answers as blue does, and `/slow` only once the gate is open."""

    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            if request.target == b"/slow":
                await gate
            await peer.send(BLUE)

    return script


@pytest.mark.parametrize("place", PLACES)
def test_twenty_switches_under_load_fail_no_request_and_what_runs_finishes_where_it_began(
    tmp_path: Path, place: str
) -> None:
    with staged(tmp_path, place, workers=2) as stage, Client(stage.sidecar.port) as slow:
        gate = stage.thread.run(Gate)
        stage.blue.script = slow_on_request(gate)
        slow.send(REQUEST.replace(b"/predict", b"/slow"))
        eventually(lambda: any(request.target == b"/slow" for request in stage.blue.requests))
        port = stage.sidecar.port
        finishing: list[int] = []
        with Load(port, threads=1) as one_each, Load(port, threads=2, keep_alive=True) as kept:
            for turn in range(20):
                colour, before = ("green", "blue") if turn % 2 == 0 else ("blue", "green")
                status, report = stage.switch(colour)
                assert status == 200, report
                assert (report["before"], report["colour"], report["changed"]) == (before, colour, True)
                assert (report["workers"], report["failed"]) == (2, 0)
                assert 0 < report["switch_seconds"] < PATIENCE
                finishing.append(report["finishing"])
                assert stage.served(2) == {colour.encode()}
                one_each.more(3)
                kept.more(3)
        assert one_each.failures == kept.failures == {}
        assert max(finishing) >= 1
        stage.switch("green")
        stage.thread.run(gate.open)
        assert b"blue" in slow.response("POST").body
        _status, metrics = stage.sidecar.get("status", "/metrics")
        assert f'stepdown_switches_total{{place="{place}",result="done"}} 21.0'.encode() in metrics
        assert f'stepdown_colour_active{{colour="green",place="{place}"}} 1.0'.encode() in metrics
        assert f'stepdown_switched_by_hand{{place="{place}"}} 1.0'.encode() in metrics


def test_a_colour_that_is_not_ready_is_refused_with_the_reason_and_can_be_forced(tmp_path: Path) -> None:
    with staged(tmp_path, probed=True, switch="ready: 2, timeout: 1s") as stage:
        stage.green.stop()
        status, problem = stage.switch("green")
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:colour-not-ready")
        assert "green is not ready, and blue stays active: m/2.0.0/http://127.0.0.1" in problem["detail"]
        assert stage.served() == {b"blue"}
        assert stage.switch("green", dry_run=True)[0] == 409
        status, report = stage.switch("green", force=True)
        assert (status, report["forced"], report["changed"]) == (200, True, True)
        assert any("passed 0 of 2" in warning for warning in report["warnings"])
        assert stage.served() == {b"blue"}  # its endpoints are all down, so the other version stands in
        stage.green.start()
        eventually(lambda: stage.served(1) == {b"green"})
        status, report = stage.switch("back")
        assert (status, report["colour"], report["forced"]) == (200, "blue", False)


def test_controllers_may_be_killed_while_they_check_and_after_a_switch(tmp_path: Path) -> None:
    with staged(tmp_path, probed=True, workers=2) as stage:
        stage.green.stop()
        ended: list[object] = []

        def ask_for_green() -> None:
            try:
                ended.append(stage.switch("green"))
            except OSError as error:
                ended.append(type(error).__name__)

        caller = threading.Thread(target=ask_for_green)
        with Load(stage.sidecar.port) as load:
            caller.start()
            stage.sidecar.wait_for("admin call: switch")
            os.kill(stage.sidecar.controller(), signal.SIGKILL)
            caller.join(20)
            assert isinstance(ended[0], str), ended
            stage.sidecar.wait_for("configuration is in force", count=2)
            assert stage.served() == {b"blue"}
            stage.green.start()
            assert stage.switch("green")[0] == 200
            os.kill(stage.sidecar.controller(), signal.SIGKILL)
            stage.sidecar.wait_for("configuration is in force", count=3, changed=False)
            load.more(20)
        assert load.failures == {}
        os.kill(stage.sidecar.worker(), signal.SIGKILL)
        stage.sidecar.wait_for("worker listens", index=0, count=2)
        assert stage.served() == {b"green"}
        assert stage.shown()["switched"]["by"] == "test"


def test_with_a_place_on_disk_a_new_start_serves_what_was_switched_from_its_first_request(tmp_path: Path) -> None:
    with staged(tmp_path, more="state: {overlay: switched.json}") as stage:
        stage.switch("green")
        sidecar = stage.sidecar
        assert json.loads((tmp_path / "switched.json").read_bytes())["switched"]["r"]["colour"] == "green"
        sidecar.signal(signal.SIGTERM)
        assert sidecar.exit_code() == 0
        environ = {"STEPDOWN_TEST_VIEW_TOKEN": VIEW_TOKEN}
        with Processes(sidecar.file, environ=environ) as again:
            again.wait_for("serving")
            assert b"green" in ask(again.port, REQUEST, "POST").body
            assert again.wait_for("configuration is in force")["changed"] is False
            assert again.metric("stepdown_overlay_saved") == 1


def test_the_command_switches_tells_what_it_did_and_why_it_did_not(tmp_path: Path) -> None:
    with staged(tmp_path, workers=2) as stage:
        for arguments, token, code, said in (
            (("r", "red"), TOKEN, 1, "has no colour red; it has blue and green"),
            (("nobody", "green"), TOKEN, 1, "There is no nobody; what can be switched: r"),
            (("m/1.0.0", "green"), TOKEN, 1, "The version m/1.0.0 has no colours"),
            (("r", "green"), VIEW_TOKEN, 2, "This needs the role operate"),
            (("r", "green"), "wrong", 2, "The token is not valid"),
            (("r", "green"), "", 2, "STEPDOWN_ADMIN_TOKEN holds no token"),
            (("r",), TOKEN, 2, "Say what to switch to which colour"),
            (("r", "green", "--status"), TOKEN, 2, "Say what to switch to which colour"),
            (("nobody", "--status"), TOKEN, 1, "There is no nobody with colours"),
        ):
            refused = stage.command(*arguments, token=token)
            assert (refused.exit_code, refused.stdout) == (code, ""), refused.output
            assert said in refused.stderr
        problem = json.loads(stage.command("r", "red", "--json").stdout)
        assert problem["type"] == "urn:stepdown:problem:unknown-colour"
        dry = stage.command("r", "green", "--dry-run")
        assert dry.exit_code == 0
        assert "r: green is ready; a dry run, so blue stays active." in dry.stdout
        assert stage.served() == {b"blue"}
        done = stage.command("r", "green")
        assert done.exit_code == 0
        assert done.stdout.startswith("r: blue -> green, on 2 workers in ")
        assert "0 failed" in done.stdout
        assert stage.served() == {b"green"}
        assert "r: green is active already; nothing was changed." in stage.command("r", "green").stdout
        status = stage.command("--status", token=VIEW_TOKEN)
        rows = [" ".join(line.split()) for line in status.stdout.splitlines()]
        assert "r blue 1.0.0 1 of 1 active" in rows
        assert any(row.startswith("r green active 2.0.0 1 of 1 by test at 20") for row in rows)
        back = json.loads(stage.command("r", "back", "--json").stdout)
        assert (back["colour"], back["failed"]) == ("blue", 0)
