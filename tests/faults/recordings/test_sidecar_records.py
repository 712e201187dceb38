"""A sidecar whose disk fills while it records: traffic goes on, and metrics and log say what has stopped."""

from __future__ import annotations

import os
from pathlib import Path

from stepdown.recordings.reader import Reader
from tests.kit.looping import eventually
from tests.kit.recording_sidecar import recording


def test_a_full_disk_stops_recording_and_nothing_else(small_disk: Path, tmp_path: Path) -> None:
    with recording(tmp_path, small_disk) as live:
        assert eventually(lambda: live.metric("stepdown_recording_stopped", route="churn") == 0)

        asked = 0
        while not live.metric("stepdown_recording_stopped", route="churn"):
            assert live.ask(asked, pad=os.urandom(4000).hex()).status == 200
            asked += 1
            assert asked < 1000
        for x in range(20):
            assert live.ask(x).status == 200
        assert eventually(lambda: live.counted("recorded") + live.counted("stopped") == asked + 20)
        assert live.counted("stopped") > 20
        reader = Reader([small_disk])
        assert sum(1 for _ in reader) == live.counted("recorded") > 0
        assert reader.cut == 0
        (said,) = live.sidecar.seen("the route churn is no longer recorded, and tried again each minute")
        assert said["event"].endswith(": No space left on device")
