"""A whole sidecar's reports: what the commands show and decide, over deaths and reloads, and what nobody ever sees."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from stepdown.recordings.reader import Reader
from tests.kit.client import Client
from tests.kit.processes import TOKEN, eventually
from tests.kit.shadow_sidecar import WHOLE, Shadowed, answer, shadowed
from tests.kit.upstream import Peer, Request, Script

SECRET = "4111-1111-1111-1111"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"


def answering(choose: Callable[[int, Request], bytes]) -> Script:
    """`choose(number, request)` gives each answer; numbers are those of all connections together, from 0."""
    seen = 0

    async def script(peer: Peer) -> None:
        nonlocal seen
        while True:
            request = await peer.request()
            number, seen = seen, seen + 1
            await peer.send(choose(number, request))

    return script


def document(**members: Any) -> bytes:
    return answer(json.dumps(members).encode())


def every(period: int) -> Script:
    """A candidate that says something else each so many times, from the first on."""
    return answering(lambda n, _: document(score=0.9 if n % period == 0 else 0.5))


def candidate(number: int, _request: Request) -> bytes:
    """Says something else every fourth time, and mumbles every fifth time."""
    return document(score=0.9 if number % 4 == 0 else 0.5, hum=1 + (number % 5 == 0))


def mumbling() -> Script:
    """A served version that mumbles every fifth time that it gets a noise copy, and never to clients."""
    copies = 0

    def choose(_number: int, request: Request) -> bytes:
        nonlocal copies
        copies += bool(request.get(b"x-stepdown-shadow"))
        return document(probability=0.5, hum=2 if request.get(b"x-stepdown-shadow") and copies % 5 == 0 else 1)

    return answering(choose)


def command(scene: Shadowed, *arguments: str) -> Result:
    """`stepdown shadow ...`."""
    admin = f"http://127.0.0.1:{scene.sidecar.wait_for('serving')['admin'].rpartition(':')[2]}"
    return CliRunner().invoke(app, ["shadow", *arguments, "--admin", admin], env={"STEPDOWN_ADMIN_TOKEN": TOKEN})


def shown(scene: Shadowed) -> Any:
    """The report, as machines get it."""
    return json.loads(command(scene, "report", "r", "new", "--json").stdout)["report"]


def asked(scene: Shadowed, times: int) -> None:
    """So many requests, each compared before the next."""
    for _ in range(times):
        before = scene.metric("stepdown_shadow_compared_total")
        assert scene.ask().status == 200
        eventually(lambda before=before: scene.metric("stepdown_shadow_compared_total") > before)  # type: ignore[misc]


def reported(scene: Shadowed, compared: int) -> Any:
    """The report, once it has counted so many; never more."""
    found: list[Any] = []

    def look() -> bool:
        done = command(scene, "report", "r", "new", "--json")  # right after a reload there may be none yet
        found[:] = [json.loads(done.stdout)["report"]] if done.exit_code == 0 else []
        return bool(found) and found[0]["total"]["compared"] >= compared

    eventually(look)
    assert found[0]["total"]["compared"] == compared
    return found[0]


def comparer(scene: Shadowed) -> int:
    """The process that was started last."""
    return int(scene.sidecar.seen("started", child="comparer")[-1]["pid"])


def test_a_known_share_of_answers_that_differ_is_reported_beside_the_noise_of_both(tmp_path: Path) -> None:
    with shadowed(tmp_path, answering(candidate)) as scene:
        scene.old.script = mumbling()
        asked(scene, 40)
        total = reported(scene, 40)["total"]
        assert (total["equal"], total["different"], total["noise_copies"]) == (24, 16, 40)
        paths = {path["path"]: path for path in total["paths"]}
        assert {name: path["different"]["count"] for name, path in paths.items()} == {"/probability": 10, "/hum": 8}
        assert {name: path["noise"]["count"] for name, path in paths.items()} == {"/probability": 0, "/hum": 8}
        assert (paths["/probability"]["verdict"], paths["/hum"]["verdict"]) == ("differs", "noise")
        rate = paths["/probability"]["different"]
        assert rate["low"] < rate["share"] == 0.25 < rate["high"]
        assert paths["/hum"]["excess"]["low"] == 0.0
        assert scene.metric("stepdown_shadow_difference_ratio", route="r", shadow="new") == 0.4
        assert scene.metric("stepdown_shadow_noise_ratio", route="r", shadow="new") == 0.2
        assert scene.metric("stepdown_shadow_evidence", route="r", shadow="new") == pytest.approx(
            total["answers"]["evidence"]
        )
        text = command(scene, "report", "r").stdout
        assert text.startswith("r/new: 40 compared, 24 equal, 16 different (40 %, ")


def test_the_gate_passes_fails_and_says_when_neither_is_known(tmp_path: Path) -> None:
    bad = [False]
    with shadowed(tmp_path, answering(lambda n, _: document(score=0.9 if bad[0] or n == 0 else 0.5))) as scene:
        decide = ("gate", "r", "new", "--max-different", "40%", "--min-compared", "20")
        asked(scene, 30)
        reported(scene, 30)
        passed = command(scene, *decide)
        assert (passed.exit_code, "\npass: 1 of 30 answers differ" in passed.stdout) == (0, True)
        open_still = command(scene, *decide[:-1], "5000")
        assert open_still.exit_code == 2
        assert "At least 5,000 are needed." in open_still.stdout
        assert command(scene, "reset", "r").exit_code == 0
        reported(scene, 0)
        bad[0] = True
        asked(scene, 20)
        failed = command(scene, *decide, "--wait", "30s")
        assert (failed.exit_code, "\nfail: 20 of 20 answers differ (100 %)" in failed.stdout) == (1, True)


def test_whoever_is_killed_the_counts_go_on_and_nothing_counts_twice(tmp_path: Path) -> None:
    with shadowed(tmp_path, every(2)) as scene:
        asked(scene, 8)
        before = reported(scene, 8)
        os.kill(comparer(scene), signal.SIGKILL)
        scene.sidecar.wait_for("comparer works", count=2)
        assert shown(scene) == before
        asked(scene, 6)
        report = reported(scene, 14)
        assert report["total"]["different"] == 7
        assert report["since"] == before["since"]
        os.kill(scene.sidecar.controller(), signal.SIGKILL)
        scene.sidecar.wait_for("configuration is in force", count=2)
        assert shown(scene) == report
        assert scene.metric("stepdown_shadow_compared_total") == 14


def test_killed_in_the_middle_it_loses_what_was_not_written_and_counts_nothing_twice(tmp_path: Path) -> None:
    with shadowed(tmp_path, every(2)) as scene:
        asked(scene, 12)
        os.kill(comparer(scene), signal.SIGKILL)
        scene.sidecar.wait_for("comparer works", count=2)
        eventually(lambda: command(scene, "report", "r", "new").exit_code == 0)
        left = shown(scene)["total"]["compared"]
        assert left <= 12
        asked(scene, 5)
        reported(scene, left + 5)


def test_a_reload_goes_on_and_other_rules_begin_anew(tmp_path: Path) -> None:
    with shadowed(tmp_path, every(1)) as scene:
        asked(scene, 3)
        reported(scene, 3)
        scene.rewrite(deadline="3s")
        asked(scene, 2)
        assert reported(scene, 5)["total"]["different"] == 5
        scene.rewrite(deadline="3s, compare: {ignore: [/hum], tolerance: [{path: /probability, absolute: 0.5}]}")
        reported(scene, 0)
        asked(scene, 2)
        assert reported(scene, 2)["total"]["different"] == 0


def test_a_report_is_begun_anew_when_somebody_wants_it(tmp_path: Path) -> None:
    with shadowed(tmp_path, every(2)) as scene:
        asked(scene, 4)
        reported(scene, 4)
        done = command(scene, "reset", "r")
        assert (done.exit_code, done.stdout.startswith("r/new: counted anew since 20")) == (0, True)
        assert shown(scene)["total"]["compared"] == 0
        asked(scene, 2)
        reported(scene, 2)
        os.kill(comparer(scene), signal.SIGSTOP)
        try:
            late = command(scene, "reset", "r")
        finally:
            os.kill(comparer(scene), signal.SIGCONT)
        assert (late.exit_code, "has not begun the report of new anew within 5 s" in late.stderr) == (3, True)


def test_what_a_shadow_was_not_sent_stands_below_its_report(tmp_path: Path) -> None:
    with shadowed(tmp_path, every(2)) as scene:
        asked(scene, 1)
        reported(scene, 1)
        assert "Not sent" not in command(scene, "report", "r").stdout
        for _ in range(2):
            scene.ask(b"POST /predict HTTP/1.1\r\nHost: m\r\nX-Stepdown-Shadow: other\r\nContent-Length: 2\r\n\r\n{}")
        scene.counted(2, "skipped", reason="marked")
        text = command(scene, "report", "r").stdout
        assert text.endswith("\nNot sent since the sidecar was started: 2 (marked 2).\n")
        assert json.loads(command(scene, "report", "r", "new", "--json").stdout)["skipped"] == {"marked": 2}


def test_a_shadow_that_is_left_alone_leaves_the_gate_open_which_says_why(tmp_path: Path) -> None:
    async def resets(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    with shadowed(tmp_path, resets) as scene:
        for number in range(1, 21):
            assert scene.ask().status == 200
            scene.counted(number, "copies")
        eventually(lambda: scene.ask().status == 200 and scene.metric("stepdown_shadow_skipped_total") > 0)
        gate = ["gate", "r", "--max-different", "1%", "--min-compared", "1000"]
        eventually(lambda: re.search(r"reset 2\d", command(scene, *gate).stdout))
        done = command(scene, *gate)
        assert done.exit_code == 2
        said = (
            r"Not sent since the sidecar was started: \d+ \(broken \d+\)\. Its copies failed one after another \(reset "
        )
        assert re.match(said, done.stdout.splitlines()[-1])
        assert re.match(said, command(scene, "report", "r").stdout.splitlines()[-1])
        assert scene.sidecar.seen("a shadow is left alone, for its copies all fail")[0]["reason"] == "reset"


def test_an_error_inside_a_stream_of_200_is_a_failure_of_the_shadow(tmp_path: Path) -> None:
    chunk = b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
    end = chunk.replace(b'{"content": "a"}', b'{}, "finish_reason": "stop"')
    good = chunk + end + b"data: [DONE]\n\n"
    bad = chunk + b'data: {"error": {"message": "overloaded", "type": "overloaded_error"}}\n\ndata: [DONE]\n\n'

    def stream(body: bytes) -> bytes:
        return SSE % len(body) + body

    with shadowed(tmp_path, answering(lambda n, _: stream(bad if n % 4 == 0 else good))) as scene:
        scene.old.script = answering(lambda _n, _: stream(good))
        text = (tmp_path / "stepdown.yaml").read_text()
        changed = "".join(line for line in text.splitlines(keepends=True) if "response:" not in line)
        (tmp_path / "changed").write_text(changed)
        (tmp_path / "changed").rename(tmp_path / "stepdown.yaml")
        scene.sidecar.wait_for("configuration is in force", count=2)
        asked(scene, 8)
        total = reported(scene, 6)["total"]
        assert (total["equal"], total["incomparable"]) == (6, {"stream-failed": 2})
        events = next(one for one in total["measures"] if one["path"] == "events")
        assert (events["served"], events["mean_served"], events["mean_candidate"]) == (6, 3, 3)
        failed = command(scene, "gate", "r", "--max-errors", "0%", "--min-compared", "1")
        assert failed.exit_code == 1
        assert "fail: 2 of 8 answers failed (25 %). None may fail." in failed.stdout


def test_a_stream_whose_client_leaves_at_its_end_is_compared_and_recorded_as_whole(tmp_path: Path) -> None:
    part = b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
    end = part.replace(b'{"content": "a"}', b'{}, "finish_reason": "stop"') + b"data: [DONE]\n\n"

    async def unended(peer: Peer) -> None:
        await peer.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        await peer.send(head + b"%x\r\n%b\r\n" % (len(part + end), part + end))
        await peer.ended

    with shadowed(tmp_path, answering(lambda _n, _: SSE % len(part + end) + part + end)) as scene:
        scene.old.script = unended
        kept = tmp_path / "kept"
        kept.mkdir()
        text = (tmp_path / "stepdown.yaml").read_text().replace(", noise: 100", "")
        changed = "".join(line for line in text.splitlines(keepends=True) if "response:" not in line)
        (tmp_path / "changed").write_text(f"{changed}    record: {{folder: {kept}, sample: 100%}}\n")
        (tmp_path / "changed").rename(tmp_path / "stepdown.yaml")
        scene.sidecar.wait_for("configuration is in force", count=2)
        for _ in range(2):
            with Client(scene.sidecar.port) as client:
                client.send(WHOLE)
                client.receive(b"[DONE]\n\n")
        total = reported(scene, 2)["total"]
        assert (total["equal"], total["incomparable"]) == (2, {})
        eventually(lambda: scene.metric("stepdown_recorded_total", result="recorded") == 2)
        for entry in Reader([kept]):
            assert entry.response is not None
            assert (entry.error, entry.response.missing, entry.response.content) == ("", "", part + end)


def test_nothing_redacted_is_in_the_report_on_the_board_or_in_the_log(tmp_path: Path) -> None:
    rules = "10s, compare: {labels: [/card]}, examples: {bodies: true, redact: [/card]}"

    def choose(number: int, _request: Request) -> bytes:
        card: Any = SECRET if number % 2 else {"number": SECRET}
        return document(score=number, card=card) if number % 3 else answer(SECRET.encode())

    with shadowed(tmp_path, answering(choose), deadline=rules) as scene:
        scene.old.script = answering(lambda n, _: document(probability=0.5, card=f"{SECRET} {n}"))
        asked(scene, 8)
        reported(scene, 5)  # the others could not be stepped down
        outputs = [command(scene, "report").output, command(scene, "report", "r").output, json.dumps(shown(scene))]
        outputs.append(scene.sidecar.get("status", "/metrics")[1].decode())
        outputs.append(json.dumps(scene.sidecar.events))
        folder = Path(f"/proc/{scene.sidecar.process.pid}/fd")
        board = next(fd for fd in folder.iterdir() if "stepdown-board" in str(fd.readlink()))
        memory = board.read_bytes()
        assert "[redacted]" in outputs[2]
        assert b"[redacted]" in memory
        assert not [text for text in outputs if SECRET in text]
        assert SECRET.encode() not in memory
