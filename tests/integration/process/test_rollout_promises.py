"""What rollouts promise in time and in counts, on a whole sidecar: an outage, late feedback, and requests as units."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.client import Client, ask
from tests.kit.processes import eventually
from tests.kit.redis_server import RedisServer
from tests.kit.rolled_out import QUICK, Stage, rolled_out, servers
from tests.kit.store_fixtures import redis_server

__all__ = ["redis_server"]

HOURS = QUICK.replace("for: 1s, window: 1s", "for: 1h, window: 1h")
HELD = QUICK.replace("for: 1s", "for: 1h")
KEY = "the key of the application"
FEEDBACK = "feedback: {secrets: {file: secret.txt}, keys: [{name: shop, key: {file: key.txt}}]}\n"
CLICKS = (
    "steps: [25, {weight: 50, for: 1h}, 100], for: 1s, window: 1s, min_requests: 20, "
    "guards: [{kind: event, event: click, name: clicks}]"
)


def assigned(stage: Stage) -> int:
    """Requests that ended, of those that the candidate should have had."""
    _status, body = stage.sidecar.get("status", "/metrics")
    [count] = re.findall(rb'^stepdown_evidence_requests_total\{arm="candidate",rollout="m-2"\} (\S+)', body, re.M) or [
        0
    ]
    return int(float(count))


def where(stage: Stage) -> tuple[str, float]:
    """Phase, and the weight that workers have."""
    found = stage.rollout()
    return found["phase"], found["applied"]


@pytest.mark.parametrize("down", [False, True], ids=["answers 500", "is down"])
def test_an_outage_ends_with_the_first_flush_after_its_fiftieth_request_and_not_before(
    tmp_path: Path, down: bool
) -> None:
    """A flush takes 200 ms at most; the limit here is for a machine that has no time."""
    with rolled_out(tmp_path, rollout=HOURS) as stage:
        stage.act("start")
        stage.model.fails_every = 1
        if down:
            stage.candidate.stop()
        users = itertools.count()
        while assigned(stage) < 49:
            stage.ask(next(users), 1)
        assert assigned(stage) == 49
        time.sleep(1.0)  # some flushes
        assert stage.rollout()["phase"] == "stepping"
        while assigned(stage) < 50:
            stage.ask(next(users), 1)
        ended = time.monotonic()
        eventually(lambda: where(stage) == ("rolled back", 0))
        took = time.monotonic() - ended
        print(f"stable has everything {took * 1000:.0f} ms after the candidate's fiftieth request")
        assert took < 2.0
        said = stage.history()[-1]
        assert "50 of the candidate's last 50 requests failed" in said
        assert stage.served(0, 20) == (20, 0)


def tokens(stage: Stage, first: int, number: int) -> dict[str, list[str]]:
    """Of so many users' answers, by the version that served."""
    found: dict[str, list[str]] = {"1.0.0": [], "2.0.0": []}
    with Client(stage.sidecar.port) as client:
        for user in range(first, first + number):
            client.send(f"GET / HTTP/1.1\r\nHost: h\r\nx-user-id: u{user}\r\n\r\n".encode())
            answer = client.response()
            token, served = answer.get(b"x-stepdown-token"), answer.get(b"x-model-served")
            assert token is not None
            assert served is not None
            found[served.decode()].append(token.decode())
    return found


def click(stage: Stage, posted: list[str]) -> None:
    body = json.dumps({"events": [{"token": token, "event": "click"} for token in posted]})
    head = f"POST /-/stepdown/feedback HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\n"
    answer = ask(stage.sidecar.port, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode(), "POST")
    assert (answer.status, json.loads(answer.body)["accepted"]) == (200, len(posted)), answer.body


def test_clicks_that_come_after_a_step_count_for_the_step_and_the_share_at_which_users_were_assigned(
    tmp_path: Path,
) -> None:
    (tmp_path / "secret.txt").write_text("a secret of this sidecar and its replicas")
    (tmp_path / "key.txt").write_text(KEY)
    with rolled_out(tmp_path, rollout=CLICKS, rollouts=FEEDBACK) as stage:
        stage.act("start")
        before = tokens(stage, 0, 200)
        click(stage, before["1.0.0"][:1])  # until the first one comes nobody knows whether they are reported at all
        eventually(lambda: where(stage) == ("stepping", 50))
        e = stage.rollout()["ladder"][0]["e"]
        after = tokens(stage, 1000, 40)
        click(stage, [*after["1.0.0"], *after["2.0.0"]])
        # All clicks of the step before are stable's. With the share of now, they would be reason enough to go back.
        click(stage, before["1.0.0"][1:])
        expected = {"candidate": len(after["2.0.0"]), "stable": len(after["1.0.0"])}

        def judged() -> bool:
            found = stage.rollout()
            return bool(found["guards"][0]["events"] == expected and found["ladder"][0]["e"] != e)

        eventually(judged)
        assert stage.rollout()["ladder"][0]["units"] == {
            "candidate": len(before["2.0.0"]),
            "stable": len(before["1.0.0"]),
        }
        assert stage.rollout()["guards"][0]["e"] < 5


class Strangers:
    """Requests without a key, each a unit of its own, in a thread; a context manager."""

    def __init__(self, *stages: Stage) -> None:
        self._stages = stages
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answered = 0

    def __enter__(self) -> Strangers:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            for stage in self._stages:
                with Client(stage.sidecar.port) as client:
                    for _ in range(5):
                        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                        assert client.response("GET").status == 200
                        self.answered += 1


def units(stage: Stage) -> int:
    """Of both arms that were judged at the first step."""
    found = stage.rollout()["ladder"][0]["units"]
    return int(found["candidate"] + found["stable"])


@contextmanager
def pair(directory: Path, redis: RedisServer) -> Iterator[tuple[Stage, Stage]]:
    """Two replicas."""
    state = f"{{rollouts: {{redis: '{redis.url}', namespace: {directory.name}}}, replicas: 2}}"
    (directory / "a").mkdir()
    (directory / "b").mkdir()
    with (
        servers() as both,
        rolled_out(directory / "a", state=state, rollout=HELD, shared=both) as one,
        rolled_out(directory / "b", state=state, rollout=HELD, shared=both) as other,
    ):
        yield one, other


def leader(*stages: Stage) -> Stage | None:
    """Who decides and can be asked, if anybody."""
    for stage in stages:
        try:
            if stage.rollout()["store"]["leads"]:
                return stage
        except OSError:
            pass
    return None


def test_each_request_counts_once_when_who_decides_is_killed_while_evidence_is_on_its_way(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """Users count once whatever happens; a request that is a unit of its own is a number that could be added twice."""
    with pair(tmp_path, redis_server) as (one, other):
        eventually(lambda: leader(one, other) is not None)
        first = leader(one, other)
        assert first is not None
        first.act("start")
        eventually(lambda: one.rollout()["applied"] == other.rollout()["applied"] == 50)
        with Strangers(one, other) as strangers:
            for kill in range(2):
                seen = strangers.answered + 100 + 50 * kill
                eventually(lambda seen=seen: strangers.answered >= seen)  # type: ignore[misc]
                leading = leader(one, other)
                assert leading is not None
                os.kill(leading.sidecar.controller(), signal.SIGKILL)
                eventually(lambda: leader(one, other) is not None)
        eventually(lambda: units(one) == units(other) == strangers.answered)
        time.sleep(2.0)  # nothing comes after it
        assert units(one) == strangers.answered
