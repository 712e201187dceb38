"""A rollout in a real sidecar: started, walked by what its requests come to, promoted, and taken back by itself."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

from tests.kit.processes import eventually
from tests.kit.rolled_out import QUICK, rolled_out

BETA = "x-plan: beta"


def test_a_healthy_candidate_is_started_by_a_person_and_walks_to_its_promotion(tmp_path: Path) -> None:
    with rolled_out(tmp_path, workers=2) as stage:
        assert stage.rollout()["phase"] == "pending"
        assert stage.served(0, 30) == (30, 0)
        status, done = stage.act("start")
        assert (status, done["moved"], done["sentence"]) == (200, True, "started with step 1 of 2 (50 %): by ann")
        assert stage.served(1000, 200)[1] > 50, "it is in force when the answer comes"
        stage.keeps_asking("promoted")
        first, second, third = stage.history()
        assert first == done["sentence"]
        assert second.startswith("step 1 of 2 (50 %) passed, on to step 2 of 2 (100 %): ")
        assert third.startswith("promoted at step 2 of 2 (100 %): ")
        assert stage.served(0, 30) == (0, 30)
        assert stage.rollout()["differs"]


def test_a_candidate_that_fails_outright_is_taken_back_everywhere_and_stays_out(tmp_path: Path) -> None:
    with rolled_out(tmp_path, rollout=QUICK.replace("for: 1s, window: 1s", "for: 1h, window: 1h")) as stage:
        stage.act("start")
        stage.model.fails_every = 1
        stage.keeps_asking("rolled back")
        last = stage.history()[-1]
        broken = r"rolled back at step 1 of 2 \(50 %\): breaker: (\d+) of the candidate's last \1 requests failed"
        assert re.match(broken, last)
        assert stage.rollout()["candidate"]["version"] == "2.0.0"
        stage.model.fails_every = 0
        assert stage.served(0, 20) == (20, 0)
        assert stage.served(0, 20, BETA) == (20, 0), "another rule sent everything to the candidate"
        assert stage.act("resume")[1]["moved"] is False
        assert stage.act("start")[1]["moved"] is True
        assert stage.served(0, 20, BETA) == (0, 20)


def test_a_worse_candidate_is_taken_back_by_its_guards(tmp_path: Path) -> None:
    with rolled_out(tmp_path, rollout=QUICK.replace("for: 1s", "for: 1h")) as stage:
        stage.act("start")
        stage.model.fails_every = 3
        stage.keeps_asking("rolled back")
        assert "errors" in stage.history()[-1]


def test_what_is_driven_outlives_reloads_the_controller_and_the_whole_sidecar(tmp_path: Path) -> None:
    held = QUICK.replace("for: 1s", "for: 1h")
    with rolled_out(tmp_path, rollout=held) as stage:
        stage.act("start")
        share = stage.served(0, 200)
        assert min(share) > 50
        file = stage.sidecar.file
        file.write_text(file.read_text() + "# the same\n")
        assert json.loads(stage.sidecar.post("/v1/reload")[1])["ok"]
        assert stage.served(0, 200) == share
        before = stage.sidecar.controller()
        os.kill(before, signal.SIGKILL)
        stage.sidecar.wait_for("this replica leads rollouts", 2)
        assert stage.sidecar.controller() != before
        assert stage.served(0, 200) == share
        assert (stage.rollout()["phase"], stage.rollout()["run"]) == ("stepping", 1)
        os.kill(stage.sidecar.worker(), signal.SIGKILL)
        stage.sidecar.wait_for("worker listens", 2)
        assert stage.served(0, 200) == share
        assert stage.act("abort")[1]["moved"]
        assert stage.served(0, 40) == (40, 0)
    with rolled_out(tmp_path, rollout=held) as again:
        eventually(lambda: again.sidecar.get("status", "/readyz")[0] == 200)
        assert again.rollout()["phase"] == "aborted"


def test_a_promotion_is_undone_at_once(tmp_path: Path) -> None:
    with rolled_out(tmp_path) as stage:
        stage.act("start")
        stage.act("promote")
        assert stage.served(0, 20) == (0, 20)
        assert stage.act("undo")[1]["moved"]
        assert stage.served(0, 20) == (20, 0)
        assert stage.rollout()["phase"] == "aborted"


def test_another_build_of_the_candidate_ends_the_run_with_the_reload_that_brings_it(tmp_path: Path) -> None:
    with rolled_out(tmp_path, rollout=QUICK.replace("for: 1s", "for: 1h")) as stage:
        stage.act("start")
        file = stage.sidecar.file
        file.write_text(file.read_text().replace(f":{stage.candidate.port}", f":{stage.stable.port}"))
        answer = json.loads(stage.sidecar.post("/v1/reload")[1])
        assert answer["ok"], answer
        stage.reaches("pending")
        assert "endpoints of 2.0.0 are others" in stage.history()[-1]
        before = len(stage.candidate.requests)
        assert set(stage.ask(0, 40)) == {200}
        assert len(stage.candidate.requests) == before


def test_without_a_place_for_its_state_nothing_is_started(tmp_path: Path) -> None:
    with rolled_out(tmp_path, state="{overlay: switched.json}") as stage:
        status, problem = stage.act("start")
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:no-state")
        assert "state: {rollouts: FILE}" in problem["detail"]


def test_another_place_for_the_state_counts_from_the_next_start(tmp_path: Path) -> None:
    with rolled_out(tmp_path) as stage:
        stage.act("start")
        file = stage.sidecar.file
        file.write_text(file.read_text().replace("rollouts.db", "other.db"))
        answer = json.loads(stage.sidecar.post("/v1/reload")[1])
        assert answer["findings"] == [
            "state.rollouts was changed, which takes effect when the sidecar is started again"
        ]
        assert stage.rollout()["run"] == 1
        os.kill(stage.sidecar.controller(), signal.SIGKILL)
        stage.sidecar.wait_for("this replica leads rollouts", 2)
        eventually(lambda: stage.rollout()["run"] == 1)
    assert not (tmp_path / "other.db").exists()


OTHER = """\
  o:
    match: {path: /other}
    model: m
    key: [{header: x-user-id}]
    rules: [{name: all, rollout: other}]
"""
SECOND = '  other: {stable: "1.0.0", candidate: "2.0.0", steps: [25, 100], for: 1h, window: 1s, guards: [errors]}\n'


def test_two_rollouts_on_rules_of_their_own_run_at_once(tmp_path: Path) -> None:
    with rolled_out(tmp_path, routes=OTHER, rollouts=SECOND) as stage:
        stage.act("start")
        stage.act("start", name="other")
        stage.keeps_asking("promoted")
        other = stage.rollout("other")
        assert (other["phase"], other["weight"]) == ("stepping", 25)
        stage.act("undo")
        assert stage.rollout("other")["phase"] == "stepping"
        assert stage.act("abort", name="other")[1]["moved"]
