"""Rollouts when their controller is killed at any time, and when their state cannot be kept."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from tests.kit.processes import eventually
from tests.kit.rolled_out import QUICK, Stage, rolled_out

HELD = QUICK.replace("for: 1s", "for: 1h")
SLOW = HELD.replace("window: 1s", "window: 1h")
KILLS = 6


def units(stage: Stage) -> int:
    """Of both arms that were judged at the first step."""
    found = stage.rollout()["ladder"][0]["units"]
    return int(found["candidate"] + found["stable"])


class Users:
    """New ones all the time, in a thread; a context manager."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.statuses: list[int] = []

    def __enter__(self) -> Users:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            self.statuses += self._stage.ask(len(self.statuses), 5)


def test_a_controller_that_is_killed_at_any_time_loses_no_evidence_and_counts_none_twice(tmp_path: Path) -> None:
    dice = random.Random(7)
    with rolled_out(tmp_path, rollout=HELD, workers=2) as stage:
        stage.act("start")
        with Users(stage) as users:
            for number in range(KILLS):
                seen = len(users.statuses) + dice.randrange(1, 200)
                eventually(lambda seen=seen: len(users.statuses) >= seen)  # type: ignore[misc]
                os.kill(stage.sidecar.controller(), signal.SIGKILL)
                stage.sidecar.wait_for("this replica leads rollouts", number + 2)
        assert set(users.statuses) == {200}
        eventually(lambda: units(stage) == len(users.statuses))
        stage.ask(10**6, 3)
        eventually(lambda: units(stage) == len(users.statuses) + 3)
        assert stage.history() == ["started with step 1 of 2 (50 %): by ann"]


def test_what_was_answered_to_a_person_outlives_a_kill_at_once(tmp_path: Path) -> None:
    with rolled_out(tmp_path, rollout=HELD) as stage:
        said = []
        for number, action in enumerate(("start", "pause", "resume", "abort", "start", "promote")):
            said.append(stage.act(action)[1]["sentence"])
            os.kill(stage.sidecar.controller(), signal.SIGKILL)
            stage.sidecar.wait_for("this replica leads rollouts", number + 2)
            eventually(lambda: stage.sidecar.get("status", "/readyz")[0] == 200)
        assert stage.history() == said
        assert (stage.rollout()["phase"], stage.rollout()["run"]) == ("promoted", 2)
        assert stage.served(0, 10) == (0, 10)


class Kept:
    """A folder for the state, which can be taken away and put back."""

    def __init__(self, directory: Path) -> None:
        self.path, self._elsewhere = directory / "state", directory / "elsewhere"
        self.path.mkdir()

    def take_away(self, stage: Stage) -> None:
        """It is missed when this returns."""
        self.path.rename(self._elsewhere)
        stage.ask(0, 5)
        eventually(lambda: stage.rollout()["phase"] == "blind")

    def put_back(self) -> None:
        """As it was."""
        self._elsewhere.rename(self.path)


IN_FOLDER = "{rollouts: state/rollouts.db}"


def test_a_state_that_is_lost_stops_no_request_and_nothing_advances_until_it_is_found(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with rolled_out(tmp_path, rollout=QUICK, state=IN_FOLDER) as stage:
        stage.act("start")
        kept.take_away(stage)
        for number in range(20):
            assert set(stage.ask(number * 10, 10)) == {200}
        found = stage.rollout()
        assert (found["phase"], found["step"], found["applied"], found["store"]["state"]) == ("blind", 1, 50, "lost")
        status, metrics = stage.sidecar.get("status", "/metrics")
        assert status == 200
        assert b'stepdown_rollout_state{rollout="m-2",state="lost"} 1.0' in metrics
        assert stage.act("promote")[0] == 503
        kept.put_back()
        stage.keeps_asking("promoted")
        assert stage.history()[0].startswith("started with step 1")


def test_a_controller_that_is_started_while_the_state_is_lost_leaves_weights_as_they_are(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with rolled_out(tmp_path, rollout=HELD, state=IN_FOLDER) as stage:
        stage.act("start")
        share = stage.served(0, 200)
        assert min(share) > 50
        kept.take_away(stage)
        os.kill(stage.sidecar.controller(), signal.SIGKILL)
        stage.sidecar.wait_for("rollouts stay where they are", 2)
        assert stage.served(0, 200) == share
        assert stage.sidecar.post("/v1/reload")[0] == 422, "its folder is not there"
        assert stage.served(0, 200) == share
        kept.put_back()
        stage.sidecar.wait_for("this replica leads rollouts", 2)
        eventually(lambda: stage.rollout()["phase"] == "stepping")
        assert stage.served(0, 200) == share


def test_a_sidecar_whose_state_is_of_no_use_is_ready_and_gives_the_candidate_nothing(tmp_path: Path) -> None:
    (tmp_path / "rollouts.db").write_text("this is no database, whatever it is\n" * 100)
    with rolled_out(tmp_path, rollout=HELD) as stage:
        assert stage.served(0, 20) == (20, 0)
        found = stage.rollout()
        assert (found["phase"], found["store"]["state"]) == ("pending", "lost")
        status, problem = stage.act("start")
        assert (status, problem["type"]) == (503, "urn:stepdown:problem:state-unavailable")
        assert "is no SQLite database" in problem["detail"]


def test_the_breaker_takes_back_without_the_state_and_that_is_written_when_it_is_found(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with rolled_out(tmp_path, rollout=SLOW, state=IN_FOLDER) as stage:
        stage.act("start")
        kept.take_away(stage)
        stage.model.fails_every = 1
        stage.keeps_asking("rolled back")
        assert stage.served(0, 20) == (20, 0)
        assert stage.rollout()["store"]["state"] == "lost"
        kept.put_back()
        eventually(lambda: stage.rollout()["store"]["state"] == "ok")
        assert stage.rollout()["phase"] == "rolled back"
        started, taken_back = stage.history()
        assert taken_back.startswith("rolled back at step 1 of 2 (50 %): breaker: ")
        os.kill(stage.sidecar.controller(), signal.SIGKILL)
        stage.sidecar.wait_for("this replica leads rollouts", 2)
        assert stage.rollout()["phase"] == "rolled back"
        assert started.startswith("started")


def test_a_person_can_abort_without_the_state(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with rolled_out(tmp_path, rollout=SLOW, state=IN_FOLDER) as stage:
        stage.act("start")
        kept.take_away(stage)
        status, answer = stage.act("abort")
        assert (status, answer["moved"]) == (200, True)
        assert "in this replica only, until it can be stored" in answer["sentence"]
        assert stage.served(0, 20) == (20, 0)
        kept.put_back()
        eventually(lambda: stage.rollout()["store"]["state"] == "ok")
        assert stage.history()[-1] == "aborted at step 1 of 2 (50 %): by ann; 1.0.0 has all traffic"


def test_a_state_that_is_gone_for_good_gives_the_candidate_nothing_until_a_person_starts_it(tmp_path: Path) -> None:
    file = tmp_path / "rollouts.db"
    with rolled_out(tmp_path, rollout=HELD) as stage:
        stage.act("start")
        for one in file.parent.glob(f"{file.name}*"):
            one.unlink()
        stage.ask(0, 5)
        eventually(lambda: stage.rollout()["store"]["state"] == "missing")
        eventually(lambda: stage.served(0, 20) == (20, 0))
        assert stage.served(0, 20, "x-plan: beta") == (20, 0)
        assert stage.rollout()["phase"] == "pending"
        eventually(lambda: stage.act("start")[0] == 200)  # its lease was in the file that is gone
        assert min(stage.served(0, 200)) > 50


def test_a_state_of_another_form_is_refused_and_gives_the_candidate_nothing(tmp_path: Path) -> None:
    with rolled_out(tmp_path, rollout=HELD) as stage:
        stage.act("start")
    newer = "UPDATE states SET document = CAST(replace(CAST(document AS TEXT), '\"form\":1', '\"form\":7') AS BLOB)"
    with closing(sqlite3.connect(tmp_path / "rollouts.db")) as connection, connection:
        connection.execute(newer)
    with rolled_out(tmp_path, rollout=HELD) as stage:
        found = stage.rollout()
        assert (found["store"]["state"], found["phase"], found["applied"]) == ("missing", "pending", 0)
        assert found["said"] == "the state of m-2 has the form 7, and this version knows 1 only"
        status, problem = stage.act("start")
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:state-refused")
        stage.sidecar.wait_for("knows 1 only, so the candidate gets nothing, and nobody can start it")
        assert stage.served(0, 20) == (20, 0)
