"""A colour gets copies before it takes requests, and takes none where the copies go wrong or somebody interferes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.kit.load import Load
from tests.kit.looping import PATIENCE
from tests.kit.processes import TOKEN, eventually
from tests.kit.switching import GREEN, PLACES, Stage, staged
from tests.kit.upstream import Peer, Script, serve

BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
SHORT = {"duration": 0.3, "percent": 50, "min_copies": 20, "timeout": PATIENCE}
LONG = {"duration": 600}


def mostly(answer: bytes) -> Script:
    """Three good answers, then always this one."""
    left = [GREEN] * 3

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(left.pop() if left else answer)

    return script


class Asked:
    """A switch that somebody waits for in a thread."""

    def __init__(self, stage: Stage, colour: str = "green", **members: Any) -> None:
        self.answer: tuple[int, dict[str, Any]] | str = ""
        self._thread = threading.Thread(target=self._ask, args=(stage, colour, members), daemon=True)
        self._thread.start()

    def _ask(self, stage: Stage, colour: str, members: dict[str, Any]) -> None:
        try:
            self.answer = stage.switch(colour, **members)
        except OSError as error:
            self.answer = type(error).__name__

    def ended(self) -> Any:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.answer


def warming(stage: Stage) -> bool:
    """Whether a warm-up is under way, and has had copies answered."""
    way = stage.shown()["under_way"]
    return way is not None and way["phase"] == "warming" and way["warm_up"]["answered"] > 0


def copies(stage: Stage) -> list[Any]:
    return [request for request in stage.green.requests if request.get(b"x-stepdown-shadow")]


def is_as_before(stage: Stage) -> bool:
    """Blue serves, no shadow is in force and no comparer is wanted."""
    config = json.loads(stage.sidecar.get("admin", "/v1/config")[1])["config"]
    status = json.loads(stage.sidecar.get("admin", "/v1/status")[1])
    shadows = [shadow for route in config["routes"] for shadow in route.get("shadows", [])]
    ended = stage.shown()["under_way"] is None and not status["switches_under_way"]
    return ended and not shadows and status["comparer"] is None and stage.served() == {b"blue"}


@pytest.mark.parametrize("place", PLACES)
def test_the_colour_gets_copies_first_and_then_the_requests_and_clients_notice_nothing(
    tmp_path: Path, place: str
) -> None:
    with staged(tmp_path, place, workers=2) as stage, Load(stage.sidecar.port, threads=1) as load:
        asked = Asked(stage, warm_up=SHORT | {"min_copies": 100})
        eventually(lambda: bool(copies(stage)))
        assert stage.served() == {b"blue"}
        status, report = asked.ended()
        assert (status, report["changed"], report["forced"], report["failed"]) == (200, True, False, 0), report
        assert stage.served() == {b"green"}
        warmth = report["warm_up"]
        assert warmth["answered"] >= 100
        assert (warmth["failed"], warmth["client_errors"], warmth["why_not"]) == (0, 0, [])
        assert len(copies(stage)) >= 100
        assert {request.get(b"x-stepdown-shadow") for request in copies(stage)} == {b"warm-up"}
        metrics = stage.sidecar.get("status", "/metrics")[1]
        assert b'stepdown_shadow_copies_total{outcome="answered",route="r",shadow="warm-up"}' in metrics
        load.more(5)
        assert load.failures == {}
        stage.sidecar.wait_for("comparer stopped")
        began = len(copies(stage))
        status, report = stage.switch("back")
        assert (status, report["colour"], report["warm_up"]) == (200, "blue", None)
        load.more(10)
        assert len(copies(stage)) == began
        assert is_as_before(stage)


def test_a_share_of_the_requests_is_copied_as_the_file_says_unless_the_caller_wants_none(tmp_path: Path) -> None:
    with staged(tmp_path, switch="warm_up: {duration: 200ms, percent: 20, min_copies: 10}") as stage:
        asked = Asked(stage)
        stage.sidecar.wait_for("warm-up began")
        with Load(stage.sidecar.port, threads=1):
            assert asked.ended()[0] == 200
        assert 10 <= len(copies(stage)) <= 0.3 * len(stage.blue.requests)
        assert stage.switch("blue", warm_up=False)[1]["warm_up"] is None


def test_a_colour_that_fails_under_copies_is_refused_with_numbers_and_can_be_forced(tmp_path: Path) -> None:
    with staged(tmp_path) as stage, Load(stage.sidecar.port, threads=1) as load:
        stage.green.script = mostly(BAD)
        status, problem = stage.switch("green", warm_up=SHORT)
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:colour-not-warm")
        assert "green is not warm, and blue stays active: " in problem["detail"]
        assert "copies failed, which is " in problem["detail"]
        assert problem["warm_up"]["failures"]["error"] >= 17
        assert is_as_before(stage)
        assert load.failures == {}
        status, report = stage.switch("green", warm_up=SHORT, force=True)
        assert (status, report["changed"], report["forced"]) == (200, True, True)
        assert "copies failed" in report["warnings"][0]


def test_a_colour_that_answers_none_of_its_copies_is_refused(tmp_path: Path) -> None:
    """It accepts connections, and that is all."""
    with staged(tmp_path) as stage, Load(stage.sidecar.port, threads=1):

        async def silent(peer: Peer) -> None:
            while True:
                await peer.request()

        stage.green.script = silent
        plan = SHORT | {"deadline": 0.3, "min_copies": 5}
        status, problem = stage.switch("green", warm_up=plan)
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:colour-not-warm")
        assert "timeout" in problem["warm_up"]["failures"]
        assert is_as_before(stage)


def test_without_copies_nothing_can_be_said_and_nothing_is_switched(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        status, problem = stage.switch("green", warm_up={"duration": 0.2, "timeout": 0.2})
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:colour-not-warm")
        assert "0 copies were answered or failed within 0." in problem["detail"]
        assert " s, and 200 are needed" in problem["detail"]
        assert is_as_before(stage)


def test_answers_that_say_4xx_are_no_failures_and_are_told(tmp_path: Path) -> None:
    with staged(tmp_path) as stage, Load(stage.sidecar.port, threads=1):
        stage.green.script = serve(FORBIDDEN)
        status, report = stage.switch("green", warm_up=SHORT)
        warmth = report["warm_up"]
        assert (status, warmth["failed"]) == (200, 0)
        assert warmth["client_errors"] == warmth["answered"] >= 20


@pytest.mark.parametrize("readable", [True, False])
def test_a_successor_of_a_killed_controller_takes_the_shadow_out(tmp_path: Path, readable: bool) -> None:
    with staged(tmp_path) as stage, Load(stage.sidecar.port, threads=1) as load:
        asked = Asked(stage, warm_up=LONG)
        eventually(lambda: warming(stage))
        if not readable:
            stage.sidecar.file.write_text("routes: [")
            stage.sidecar.wait_for("configuration refused")
            assert warming(stage)
        os.kill(stage.sidecar.controller(), signal.SIGKILL)
        assert isinstance(asked.ended(), str)
        stage.sidecar.wait_for("configuration refused" if not readable else "configuration is in force", count=2)
        eventually(lambda: is_as_before(stage))
        load.more(10)
        assert load.failures == {}


def test_a_reload_ends_a_warm_up(tmp_path: Path) -> None:
    with staged(tmp_path) as stage, Load(stage.sidecar.port, threads=1):
        asked = Asked(stage, warm_up=LONG)
        eventually(lambda: warming(stage))
        assert stage.sidecar.post("/v1/reload")[0] == 200
        status, problem = asked.ended()
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:warm-up-interrupted")
        assert "put in force again" in problem["detail"]
        assert is_as_before(stage)


def test_another_switch_of_the_place_ends_a_warm_up_and_what_cannot_be_ends_none(tmp_path: Path) -> None:
    with staged(tmp_path) as stage, Load(stage.sidecar.port, threads=1):
        asked = Asked(stage, warm_up=LONG)
        eventually(lambda: warming(stage))
        assert stage.switch("red")[0] == 400
        status, problem = stage.switch("green", dry_run=True)
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:switch-under-way")
        assert warming(stage)
        status, report = stage.switch("green")
        assert (status, report["changed"], report["warm_up"]) == (200, True, None)
        status, problem = asked.ended()
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:warm-up-interrupted")
        assert "test asked for another switch of r." in problem["detail"]
        assert stage.served() == {b"green"}


def test_the_command_shows_how_far_it_is_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with staged(tmp_path) as stage, Load(stage.sidecar.port, threads=1):
        command = [sys.executable, "-P", "-m", "stepdown", "switch", "r", "green", "--admin", stage.admin]
        environ = os.environ | {"STEPDOWN_ADMIN_TOKEN": TOKEN}
        with subprocess.Popen(
            [*command, "--warm-up", "600s", "--percent", "50"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        ) as running:
            eventually(lambda: warming(stage))
            assert "Under way, by test: r -> green: warming up, " in stage.command("--status").stdout
            assert running.stderr is not None
            assert running.stderr.readline().startswith("r -> green: warming up, ")
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=PATIENCE)
        assert (running.returncode, out) == (130, "")
        assert err.endswith("Interrupted: the switch is over; blue is active.\n")
        assert is_as_before(stage)
        done = stage.command("r", "green", "--warm-up", "300ms", "--percent", "50", "--min-copies", "20")
        assert done.exit_code == 0, done.output
        assert "  Warmed up for " in done.stdout
        assert "copies were answered and 0 failed." in done.stdout
        for arguments, said in (
            (("--warm-up", "soon"), "--warm-up soon: found no duration such as 60s"),
            (("--no-warm-up", "--percent", "5"), "does not go together"),
            (("--warm-up", "2h"), "Refused with 400 (bad-request)"),
            (("--warm-up", "1s", "--dry-run"), "so it sends no copies either"),
        ):
            refused = stage.command("r", "blue", *arguments)
            assert refused.exit_code in {1, 2}
            assert said in refused.stderr
