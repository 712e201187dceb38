"""Two sidecars that share their rollouts by a real Redis: what one decides both serve, and either can decide."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.kit.processes import eventually
from tests.kit.redis_server import RedisServer
from tests.kit.rolled_out import QUICK, Stage, rolled_out, servers
from tests.kit.store_fixtures import redis_server

__all__ = ["redis_server"]

LONG = QUICK.replace("for: 1s", "for: 1h").replace("[50, 100]", "[25, 50, 100]")


@contextmanager
def pair(directory: Path, redis: RedisServer, rollout: str = LONG) -> Iterator[list[Stage]]:
    """Whoever leads comes first."""
    state = f"{{rollouts: {{redis: '{redis.url}', namespace: {directory.name}}}, replicas: 2}}"
    with ExitStack() as stack:
        stages, both = [], stack.enter_context(servers())
        for name in ("a", "b"):
            (directory / name).mkdir()
            stages.append(stack.enter_context(rolled_out(directory / name, state=state, rollout=rollout, shared=both)))
        eventually(lambda: any(leads(stage) for stage in stages))
        yield sorted(stages, key=lambda stage: not leads(stage))


def weights(stage: Stage) -> tuple[float, float]:
    """As the state has it, and as this sidecar applies it."""
    found = stage.rollout()
    return found["weight"], found["applied"]


def test_what_one_decides_both_serve_within_two_seconds(tmp_path: Path, redis_server: RedisServer) -> None:
    with pair(tmp_path, redis_server) as (leader, follower):
        for action, weight in (("start", 25.0), ("promote", 100.0), ("undo", 0.0), ("start", 25.0), ("abort", 0.0)):
            status, answer = leader.act(action)
            assert (status, answer["moved"]) == (200, True), answer
            asked = time.monotonic()
            eventually(lambda weight=weight: weights(follower) == (weight, weight))  # type: ignore[misc]
            assert time.monotonic() - asked < 2.0
            assert weights(leader) == (weight, weight)
        assert follower.history() == leader.history()


def test_who_does_not_decide_says_who_does(tmp_path: Path, redis_server: RedisServer) -> None:
    with pair(tmp_path, redis_server) as (leader, follower):
        leader.act("start")
        eventually(lambda: follower.rollout()["run"] == 1)
        status, problem = follower.act("abort")
        assert (status, problem["type"]) == (409, "urn:stepdown:problem:not-leading")
        assert leader.rollout()["store"]["holder"] in problem["detail"]
        assert leader.rollout()["store"]["holder"].endswith(f":{leader.sidecar.controller()}")
        assert follower.rollout()["phase"] == "stepping"


def test_users_of_both_count_once_and_the_same_user_has_the_same_version_at_both(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with pair(tmp_path, redis_server) as (leader, follower):
        leader.act("start")
        eventually(lambda: weights(follower) == (25.0, 25.0))
        assert leader.served(0, 200) == follower.served(0, 200)
        assert min(leader.served(0, 200)) > 20
        follower.ask(200, 100)
        eventually(lambda: leader.rollout()["ladder"][0]["units"] is not None and units(leader) == 300)
        leader.ask(300, 10)
        eventually(lambda: units(leader) == 310)


def units(stage: Stage) -> int:
    """Of both arms that were judged at the first step."""
    found = stage.rollout()["ladder"][0]["units"]
    return int(found["candidate"] + found["stable"])


@pytest.mark.parametrize("whom", ["controller", "sidecar"])
def test_when_who_decides_is_killed_the_other_goes_on_within_ten_seconds_with_nothing_lost_or_counted_twice(
    tmp_path: Path, redis_server: RedisServer, whom: str
) -> None:
    with pair(tmp_path, redis_server) as (leader, follower):
        leader.act("start")
        eventually(lambda: weights(follower) == (25.0, 25.0))
        users = itertools.count()
        for _ in range(10):
            leader.ask(next(users) * 10, 10)
            follower.ask(next(users) * 10, 10)
        eventually(lambda: units(follower) == 200)
        os.kill(leader.sidecar.controller() if whom == "controller" else leader.sidecar.process.pid, signal.SIGKILL)
        killed = time.monotonic()
        eventually(lambda: bool(leads(follower) or (whom == "controller" and leads(leader))))
        assert time.monotonic() - killed < 10.0
        for _ in range(10):
            follower.ask(next(users) * 10, 10)
        eventually(lambda: units(follower) == 300)
        now_leads = follower if leads(follower) else leader
        assert now_leads.act("promote")[1]["moved"]
        eventually(lambda: follower.served(0, 20) == (0, 20))


def leads(stage: Stage) -> bool:
    """Whether its controller is there and decides."""
    try:
        return bool(stage.rollout()["store"]["leads"])
    except OSError:
        return False


def test_a_store_that_is_lost_stops_nothing_and_moves_nothing(tmp_path: Path, redis_server: RedisServer) -> None:
    with RedisServer(tmp_path) as own:
        short = LONG.replace("for: 1h", "for: 1s")
        with pair(tmp_path, own, short) as (leader, follower):
            leader.act("start")
            eventually(lambda: weights(follower) == (25.0, 25.0))
            own.kill()
            leader.sidecar.wait_for("rollouts stay where they are")
            eventually(lambda: leader.rollout()["phase"] == "blind")
            share = leader.served(0, 200)
            assert min(share) > 20
            assert follower.served(0, 200) == share
            assert leader.act("promote")[0] == 503
            assert leader.rollout()["store"]["state"] == "lost"
            assert own.start()
            eventually(
                lambda: any(stage.rollout()["step"] == 2 for stage in (leader, follower) if stage.ask(10**6, 20))
            )
