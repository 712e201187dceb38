"""Feedback to a real sidecar with a real store: counted once whoever took it, and a candidate taken back by it."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

from tests.kit.client import Client, ask
from tests.kit.processes import eventually
from tests.kit.rolled_out import QUICK, Stage, rolled_out

KEY = "the key of the application"
FEEDBACK = "feedback: {secrets: {file: secret.txt}, keys: [{name: shop, key: {file: key.txt}}]}\n"
CLICKS = "steps: [50, 100], for: 1h, window: 1s, min_requests: 20, guards: [{kind: event, event: click, name: clicks}]"


def tokens_of(stage: Stage, first: int, number: int) -> dict[str, list[str]]:
    """Tokens of so many users' answers, by the version that served; none of answers that are no evidence any more."""
    found: dict[str, list[str]] = {"1.0.0": [], "2.0.0": []}
    with Client(stage.sidecar.port) as client:
        for user in range(first, first + number):
            client.send(f"GET / HTTP/1.1\r\nHost: h\r\nx-user-id: u{user}\r\n\r\n".encode())
            answer = client.response()
            token, served = answer.get(b"x-stepdown-token"), answer.get(b"x-model-served")
            if token is not None and served is not None:
                found[served.decode()].append(token.decode())
    return found


def post(stage: Stage, tokens: list[str]) -> tuple[int, dict[str, Any]]:
    """A click on each, on a connection of its own, which any worker takes."""
    body = json.dumps({"events": [{"token": token, "event": "click"} for token in tokens]})
    head = f"POST /-/stepdown/feedback HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\n"
    raw = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    answer = ask(stage.sidecar.port, raw, "POST")
    return answer.status, json.loads(answer.body)


def prepared(folder: Path) -> Path:
    (folder / "secret.txt").write_text("a secret of this sidecar and its replicas")
    (folder / "key.txt").write_text(KEY)
    return folder


def clicks(stage: Stage) -> dict[str, int]:
    """What the rollout knows of them, by arm."""
    [guard] = stage.rollout()["guards"]
    found: dict[str, int] = guard["events"] or {"candidate": 0, "stable": 0}
    return found


def test_a_click_counts_once_whichever_worker_takes_it_and_however_often(tmp_path: Path) -> None:
    with rolled_out(prepared(tmp_path), rollout=CLICKS, rollouts=FEEDBACK, workers=2) as stage:
        stage.act("start")
        found = tokens_of(stage, 0, 60)
        both = [*found["1.0.0"], *found["2.0.0"]]
        for _ in range(8):
            status, said = post(stage, both)
            assert (status, said["accepted"] + said["duplicates"], said["refused"]) == (200, 60, {})
        expected = {"candidate": len(found["2.0.0"]), "stable": len(found["1.0.0"])}
        eventually(lambda: clicks(stage) == expected)
        assert min(expected.values()) > 10


def test_what_was_answered_with_200_outlives_the_controller_and_what_was_not_is_posted_again(tmp_path: Path) -> None:
    with rolled_out(prepared(tmp_path), rollout=CLICKS, rollouts=FEEDBACK) as stage:
        stage.act("start")
        found = tokens_of(stage, 0, 40)
        kept = found["1.0.0"]
        assert post(stage, kept)[0] == 200
        os.kill(stage.sidecar.controller(), signal.SIGKILL)
        late = found["2.0.0"]
        eventually(lambda: post(stage, late)[0] == 200)
        expected = {"candidate": len(late), "stable": len(kept)}
        eventually(lambda: stage.sidecar.get("status", "/readyz")[0] == 200 and clicks(stage) == expected)


def test_a_candidate_that_users_do_not_click_on_is_taken_back(tmp_path: Path) -> None:
    with rolled_out(prepared(tmp_path), rollout=CLICKS, rollouts=FEEDBACK) as stage:
        stage.act("start")
        users = itertools.count(0, 40)

        def taken_back() -> bool:
            answers = tokens_of(stage, next(users), 40) if stage.rollout()["phase"] == "stepping" else {}
            if answers.get("1.0.0"):
                post(stage, answers["1.0.0"])
            return bool(stage.rollout()["phase"] == "rolled back")

        eventually(taken_back)
        assert re.search(r"clicks: E = [\d,.]+", stage.history()[-1])


def test_a_candidate_that_is_down_is_taken_back_though_every_request_was_answered(tmp_path: Path) -> None:
    hours = QUICK.replace("for: 1s, window: 1s", "for: 1h, window: 1h")
    with rolled_out(prepared(tmp_path), rollout=hours, rollouts=FEEDBACK) as stage:
        stage.act("start")
        stage.candidate.stop()
        users = itertools.count(0, 20)

        def taken_back() -> bool:
            assert set(stage.ask(next(users), 20)) == {200}
            return bool(stage.rollout()["phase"] == "rolled back")

        eventually(taken_back)
        assert "breaker: " in stage.history()[-1]
