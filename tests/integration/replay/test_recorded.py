"""A sidecar records live traffic, and the recording replayed finds exactly what a changed server does otherwise."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from stepdown.recordings.reader import Reader
from tests.kit.looping import LoopThread
from tests.kit.recording_sidecar import recording
from tests.kit.replaying import model, replayed
from tests.kit.upstream import Upstream


def report(*arguments: object) -> dict[str, Any]:
    result = replayed(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_recorded_traffic_replayed_finds_exactly_what_is_different(tmp_path: Path) -> None:
    with recording(tmp_path) as live:
        for x in range(20):
            answer = live.ask(x, "2.0.0" if x % 4 == 0 else "1.0.0")
            assert json.loads(answer.body) == {"logit" if x % 4 == 0 else "score": x / 10}
        live.recorded(20)
        assert b"s3cret" not in b"".join(file.read_bytes() for file in live.folder.iterdir())
        again = report(live.folder, "--against", "2.0.0", "--config", live.file)
        assert again["routes"]["churn"]["total"]["equal"] == 20
        with LoopThread() as thread, Upstream(thread, model(lambda x: {"logit": x / 10 + (x in {3, 8})})) as changed:
            url = f"2.0.0=http://127.0.0.1:{changed.port}"
            found = report(live.folder, "--against", url, "--config", live.file)["routes"]["churn"]
            assert len(changed.requests) == 20
    paths = {name: [one["path"] for one in part["paths"]] for name, part in found["contracts"].items()}
    assert paths == {"1.0.0": ["/score"], "2.0.0": ["/logit"]}
    assert {name: (part["compared"], part["different"]) for name, part in found["contracts"].items()} == {
        "1.0.0": (15, 1),
        "2.0.0": (5, 1),
    }


def test_what_came_right_before_the_end_is_recorded_too(tmp_path: Path) -> None:
    with recording(tmp_path) as live:
        for x in range(30):
            live.ask(x)
        live.sidecar.signal(signal.SIGTERM)
        assert live.sidecar.exit_code() == 0
    assert sum(1 for _ in Reader([live.folder])) == 30


def test_a_changed_recording_goes_on_in_another_file(tmp_path: Path) -> None:
    with recording(tmp_path) as live:
        live.ask(1)
        live.recorded(1)
        live.sidecar.wait_for("configuration is in force", changed=False)
        live.file.write_text(live.file.read_text().replace("sample: 100%", "sample: 100%, redact: [/x]"))
        live.sidecar.wait_for("configuration is in force", changed=True)
        live.ask(2)
        live.recorded(2)
        assert [entry.request.redacted for entry in Reader([live.folder])] == [(), ("/x",)]
        assert len(list(live.folder.iterdir())) == 2
        result = replayed(live.folder, "--against", "2.0.0", "--config", live.file)
        assert "1 redacted request" in result.stdout
