"""A sidecar whose disk fills while it records: traffic goes on, and metrics and log say what has stopped."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from stepdown.recordings.reader import Reader
from tests.kit.looping import eventually
from tests.kit.processes import is_running
from tests.kit.recording_sidecar import recording


def test_a_full_disk_stops_recording_and_nothing_else(small_disk: Path, tmp_path: Path) -> None:
    with recording(tmp_path, small_disk) as live:
        assert eventually(lambda: live.metric("stepdown_recording_stopped", route="churn") == 0)

        def settled(number: int) -> bool:
            return eventually(lambda: live.counted("recorded") + live.counted("stopped") == number)

        asked = 0
        while not live.metric("stepdown_recording_stopped", route="churn"):
            for _ in range(10):  # and no more before those are written: a comparer without a processor would drop them
                assert live.ask(asked, pad=os.urandom(4000).hex()).status == 200
                asked += 1
            assert settled(asked)
            assert asked < 100
        for x in range(20):
            assert live.ask(x).status == 200
        assert settled(asked + 20)
        assert live.counted("stopped") > 20
        reader = Reader([small_disk])
        assert sum(1 for _ in reader) == live.counted("recorded") > 0
        assert reader.cut == 0
        (said,) = live.sidecar.seen("the route churn is no longer recorded, and tried again each minute")
        assert said["event"].endswith(": No space left on device")


def test_a_comparer_that_does_not_write_what_it_has_left_keeps_no_sidecar_from_ending(tmp_path: Path) -> None:
    with recording(tmp_path) as live:
        comparer = int(live.sidecar.wait_for("comparer works")["pid"])
        os.kill(comparer, signal.SIGSTOP)
        assert live.ask(1).status == 200
        live.sidecar.signal(signal.SIGTERM)
        assert live.sidecar.exit_code() == 0
        assert eventually(lambda: not is_running(comparer))
