"""The prober against real servers on loopback; what it asks and what it concludes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from stepdown.control.probes import Prober
from stepdown.control.state import HealthView
from stepdown.decide.spec import Endpoint, HealthCheck, Model, SnapshotSpec, Version
from tests.kit.looping import PATIENCE, LoopThread
from tests.kit.upstream import OK, Request, Upstream, serve, silent

CHECK = HealthCheck(path="/ready", interval=0.02, timeout=5.0, rise=2, fall=2)
REFUSING = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def spec(port: int, check: HealthCheck = CHECK, **more: object) -> SnapshotSpec:
    endpoint = Endpoint(id=f"http://127.0.0.1:{port}", host="127.0.0.1", port=port, **more)  # type: ignore[arg-type]
    version = Version(id="2.0.0", endpoints=(endpoint,), health=check)
    return SnapshotSpec(
        models=(Model(name="churn", default_version="2.0.0", latest="2.0.0", versions=(version,)),), routes=()
    )


class Watching:
    """A prober whose changes can be waited for."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.prober = Prober(self._changed.set)

    async def until(self, condition: Callable[[HealthView], bool]) -> HealthView:
        """The only endpoint's health once the condition holds."""
        async with asyncio.timeout(PATIENCE):
            while True:
                (health,) = self.prober.views().values()
                if condition(health):
                    return health
                await asyncio.sleep(0.005)

    async def probe(self, what: SnapshotSpec, condition: Callable[[HealthView], bool]) -> HealthView:
        """Watch the endpoint until the condition holds, then stop."""
        self.prober.watch(what)
        try:
            return await self.until(condition)
        finally:
            await self.prober.close()


def is_in(state: str) -> Callable[[HealthView], bool]:
    return lambda health: health.state == state


async def judged(what: SnapshotSpec) -> HealthView:
    """What the first probe makes of the endpoint."""
    return await Watching().probe(what, lambda health: health.state != "unknown")


def test_a_ready_endpoint_is_up() -> None:
    with LoopThread() as thread, Upstream(thread) as upstream:
        health = thread.call(judged(spec(upstream.port)))
        assert (health.state, health.reason) == ("up", "GET /ready answers 200")
        assert health.ready
        asked = upstream.requests[0]
        assert (asked.method, asked.target) == (b"GET", b"/ready")
        assert asked.get(b"host") == f"127.0.0.1:{upstream.port}".encode()


def test_an_endpoint_goes_down_and_comes_back() -> None:
    async def play(upstream: Upstream) -> list[dict[str, bool]]:
        watching = Watching()
        said = []
        watching.prober.watch(spec(upstream.port))
        said.append(watching.prober.states())
        for answer, state in ((OK, "up"), (REFUSING, "down"), (OK, "up")):
            upstream.script = serve(answer)
            await watching.until(is_in(state))
            said.append(watching.prober.states())
        await watching.prober.close()
        return said

    with LoopThread() as thread, Upstream(thread) as upstream:
        key = f"churn/2.0.0/http://127.0.0.1:{upstream.port}"
        assert thread.call(play(upstream)) == [{}, {key: True}, {key: False}, {key: True}]


def test_an_unreachable_endpoint_is_down() -> None:
    with LoopThread() as thread:
        with Upstream(thread) as upstream:
            port = upstream.port
        health = thread.call(judged(spec(port)))
        assert health.state == "down"
        assert f"127.0.0.1:{port}" in health.reason


def test_an_endpoint_that_hangs_is_down_after_the_timeout() -> None:
    check = HealthCheck(path="/ready", interval=0.02, timeout=0.05)
    with LoopThread() as thread, Upstream(thread, silent()) as upstream:
        health = thread.call(judged(spec(upstream.port, check)))
        assert (health.state, health.reason) == ("down", "no answer within 0.05 s")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", "GET /ready answers 302"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "GET /ready answers 404"),
        (REFUSING, "GET /ready answers 503"),
    ],
)
def test_an_answer_that_is_no_success_is_a_failure(answer: bytes, reason: str) -> None:
    with LoopThread() as thread, Upstream(thread, serve(answer)) as upstream:
        health = thread.call(judged(spec(upstream.port)))
        assert (health.state, health.reason) == ("down", reason)


def test_garbage_is_a_failure() -> None:
    with LoopThread() as thread, Upstream(thread, serve(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as upstream:
        assert thread.call(judged(spec(upstream.port))).state == "down"


def serving(metadata: bytes, status: bytes = b"200 OK") -> Callable[[Request], bytes]:
    """Ready, with this metadata."""

    def answer(request: Request) -> bytes:
        if request.target == b"/ready":
            return OK
        return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(metadata), metadata)

    return answer


EXPECTING = HealthCheck(
    path="/ready", metadata_path="/v2/models/{model}/versions/{version}", interval=0.02, timeout=5.0
)


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (serving(b'{"name":"churn","versions":["v2"]}'), "up", "says what the file expects"),
        (serving(b'{"name":"churn","versions":[]}'), "up", "says what the file expects"),
        (
            serving(b'{"name":"churn","versions":["v1"]}'),
            "down",
            "it claims model_version v1, where the file expects v2",
        ),
        (serving(b'{"error":"no"}', b"404 Not Found"), "down", "answers 404, so it does not run what the file expects"),
        (serving(b"oops", b"500 Oops"), "down", "answers 500"),
        (serving(b"<html>"), "down", "its metadata is no JSON object"),
        (serving(b" " * 1_100_000), "down", "more than 1048576 bytes"),
    ],
)
def test_a_server_is_held_to_what_the_file_expects(answer: Callable[[Request], bytes], state: str, reason: str) -> None:
    with LoopThread() as thread, Upstream(thread, serve(answer)) as upstream:
        health = thread.call(judged(spec(upstream.port, EXPECTING, expect=(("model_version", "v2"),))))
        assert health.state == state
        assert reason in health.reason
        assert b"/v2/models/churn/versions/v2" in {request.target for request in upstream.requests}


def test_header_edits_of_the_endpoint_hold_for_probes_too() -> None:
    with LoopThread() as thread, Upstream(thread) as upstream:
        key = (("Authorization", "Bearer s3cret"),)
        thread.call(judged(spec(upstream.port, host_header="models.internal", set_headers=key)))
        assert upstream.requests[0].get(b"host") == b"models.internal"
        assert upstream.requests[0].get(b"authorization") == b"Bearer s3cret"


def test_a_new_specification_keeps_what_is_known_of_endpoints_that_stay() -> None:
    async def play(upstream: Upstream) -> tuple[HealthView, HealthView, int]:
        watching = Watching()
        watching.prober.watch(spec(upstream.port))
        before = await watching.until(is_in("up"))
        watching.prober.watch(spec(upstream.port))
        (kept,) = watching.prober.views().values()
        watching.prober.watch(SnapshotSpec(models=(), routes=()))
        left = len(watching.prober.views())
        await watching.prober.close()
        return before, kept, left

    with LoopThread() as thread, Upstream(thread) as upstream:
        before, kept, left = thread.call(play(upstream))
        assert (kept.state, kept.since) == ("up", before.since)
        assert left == 0


def test_an_endpoint_whose_check_is_taken_away_gets_requests_again() -> None:
    async def play(port: int) -> tuple[dict[str, bool], dict[str, bool]]:
        watching = Watching()
        watching.prober.watch(spec(port))
        await watching.until(is_in("down"))
        down = watching.prober.states()
        watching.prober.watch(spec(port, HealthCheck()))
        unprobed = watching.prober.states()
        await watching.prober.close()
        return down, unprobed

    with LoopThread() as thread, Upstream(thread, serve(REFUSING)) as upstream:
        key = f"churn/2.0.0/http://127.0.0.1:{upstream.port}"
        assert thread.call(play(upstream.port)) == ({key: False}, {key: True})
