"""A candidate whose answers are all 200 and break what old clients rely on is taken back by itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, eventually
from tests.kit.rolled_out import FILE, Model, Stage
from tests.kit.upstream import Upstream
from tests.kit.validation import NEW, OLD

QUICK = "steps: [50, 100], for: {lasts}, window: 1s, sustained: 1, min_requests: 20, guards: [contract_violations]"
WITH_CONTRACTS = (
    ('"1.0.0": {{', '"1.0.0": {{schema: old.json, '),
    ('"2.0.0": {{endpoints', '"2.0.0": {{schema: new.json, endpoints'),
    ("[{{remove: /explanation}}]", "[{{move: {{from: /score, to: /probability}}}}]"),
)


@contextmanager
def rolled_out(directory: Path, score: float, lasts: str = "1s") -> Iterator[Stage]:
    """A walk to a version that says `score` where clients of the old one read a probability."""
    text = FILE
    for written, instead in WITH_CONTRACTS:
        assert written in text
        text = text.replace(written, instead)
    for name, schema in (("old", OLD), ("new", NEW)):
        (directory / f"{name}.json").write_text(json.dumps(schema))
    old, new = Model(b'{"probability": 0.5}'), Model(json.dumps({"score": score}).encode())
    file = directory / "stepdown.yaml"
    with LoopThread() as thread, Upstream(thread, old.script) as first, Upstream(thread, new.script) as second:
        ports = {"stable": first.port, "candidate": second.port}
        rollout = QUICK.format(lasts=lasts)
        file.write_text(text.format(state="{rollouts: rollouts.db}", rollout=rollout, workers=1, routes="", **ports))
        with Processes(file) as sidecar:
            eventually(lambda: sidecar.started().get("status", "/readyz")[0] == 200)
            yield Stage(sidecar, first, second, new)


def test_answers_of_200_that_break_the_contract_of_old_clients_take_their_version_back(tmp_path: Path) -> None:
    with rolled_out(tmp_path, 7.0, lasts="1h") as stage:
        assert not stage.sidecar.seen("started", child="comparer")  # nothing is looked at for a rollout that rests
        assert stage.act("start")[1]["moved"]
        stage.sidecar.wait_for("comparer works")
        stage.keeps_asking("rolled back")
        assert "contract_violations: E = " in stage.history()[-1]
        assert stage.served(0, 20) == (20, 0)


@pytest.mark.slow
def test_answers_that_keep_it_let_their_version_go_on(tmp_path: Path) -> None:
    with rolled_out(tmp_path, 0.5) as stage:
        stage.act("start")
        stage.keeps_asking("promoted")
        assert stage.served(0, 20) == (0, 20)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["comparer", "controller"])
def test_it_is_found_though_who_finds_it_or_who_judges_is_killed(tmp_path: Path, who: str) -> None:
    with rolled_out(tmp_path, 7.0, lasts="1h") as stage:
        stage.act("start")
        stage.sidecar.wait_for("comparer works")
        stage.ask(0, 40)
        os.kill(stage.sidecar.seen("started", child=who)[-1]["pid"], signal.SIGKILL)
        stage.ask(40, 40)
        stage.sidecar.wait_for(
            {"comparer": "comparer works", "controller": "this replica leads rollouts"}[who], count=2
        )
        stage.keeps_asking("rolled back")
        assert "contract_violations: E = " in stage.history()[-1]
