"""Whatever happens to the comparer while copies are on their way, no request notices, and copies go on afterwards."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from stepdown.comparer.breaker import AFTER
from tests.kit.load import Load
from tests.kit.processes import eventually
from tests.kit.shadow_sidecar import GOOD, answer, shadowed
from tests.kit.upstream import serve, silent, then_fin

SERVED = serve(answer(b'{"score": 0.5}'))
CONCURRENT = 8
"""Copies that the shadow takes at a time."""
SKIPPED, COMPARED = "stepdown_shadow_skipped_total", "stepdown_shadow_compared_total"


def test_killed_with_copies_on_their_way_it_is_replaced_and_no_request_fails(tmp_path: Path) -> None:
    with shadowed(tmp_path, silent(), deadline="30s") as scene:
        for _ in range(4):
            assert scene.ask().body == GOOD
        eventually(lambda: len(scene.new.peers) == 4)
        scene.new.script = SERVED
        with Load(scene.sidecar.port, keep_alive=True) as load:
            os.kill(int(scene.sidecar.seen("started", child="comparer")[-1]["pid"]), signal.SIGKILL)
            scene.sidecar.wait_for("comparer works", count=2)
            load.more(50)
        assert load.failures == {}
        assert all(peer.ended.wait() for peer in scene.new.peers[:4])
        before = scene.metric("stepdown_shadow_compared_total", result="equal")
        assert scene.ask().body == GOOD
        eventually(lambda: scene.metric("stepdown_shadow_compared_total", result="equal") > before)


def test_stopped_for_a_while_it_costs_copies_and_nothing_else(tmp_path: Path) -> None:
    with shadowed(tmp_path, SERVED) as scene:
        comparer = int(scene.sidecar.seen("started", child="comparer")[-1]["pid"])
        os.kill(comparer, signal.SIGSTOP)
        answers = [scene.ask().body for _ in range(20)]
        assert set(answers) == {GOOD}
        assert scene.metric("stepdown_shadow_copies_total") == 0
        os.kill(comparer, signal.SIGCONT)
        eventually(
            lambda: scene.metric("stepdown_shadow_compared_total") + scene.metric("stepdown_shadow_skipped_total") == 20
        )
        assert scene.metric("stepdown_shadow_compared_total", result="equal") >= 8


def test_what_a_killed_one_had_taken_is_granted_anew_by_its_successor(tmp_path: Path) -> None:
    with shadowed(tmp_path, silent(), deadline="60s") as scene:
        for _ in range(CONCURRENT + 4):
            assert scene.ask().body == GOOD
        eventually(lambda: len(scene.new.peers) == CONCURRENT)
        eventually(lambda: scene.metric(SKIPPED) == 4)
        scene.new.script = SERVED
        os.kill(int(scene.sidecar.seen("started", child="comparer")[-1]["pid"]), signal.SIGKILL)
        scene.sidecar.wait_for("comparer works", count=2)
        before = scene.metric(SKIPPED)
        for number in range(1, CONCURRENT + 1):
            assert scene.ask().body == GOOD
            scene.counted(number, "copies", outcome="answered")
        assert scene.metric(SKIPPED) == before


def test_a_shadow_that_resets_everything_is_left_alone_and_asked_again_when_it_is_well(tmp_path: Path) -> None:
    with shadowed(tmp_path, then_fin(b"")) as scene:
        eventually(lambda: scene.ask().body == GOOD and scene.metric(SKIPPED, reason="broken") > 0)
        assert scene.metric("stepdown_shadow_copies_total", outcome="reset") >= AFTER
        told = scene.sidecar.wait_for("a shadow is left alone, for its copies all fail")
        assert (told["shadow"], told["reason"], told["seconds"]) == ("new", "reset", 1.0)
        scene.new.script = SERVED
        # The first one was let through to see how it is; a worker hears that it is well when its clock ticks.
        eventually(lambda: scene.ask().body == GOOD and scene.metric(COMPARED, result="equal") > 1)
        skipped = scene.metric(SKIPPED)
        equal = scene.metric(COMPARED, result="equal")
        assert [scene.ask().body for _ in range(3)] == [GOOD] * 3
        eventually(lambda: scene.metric(COMPARED, result="equal") >= equal + 3)
        assert scene.metric(SKIPPED) == skipped
