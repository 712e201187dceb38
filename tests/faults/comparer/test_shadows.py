"""Whatever happens to the comparer while copies are on their way, no request notices, and copies go on afterwards."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.kit.load import Load
from tests.kit.processes import eventually
from tests.kit.shadow_sidecar import GOOD, answer, shadowed
from tests.kit.upstream import serve, silent

SERVED = serve(answer(b'{"score": 0.5}'))


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
