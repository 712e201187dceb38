"""A version to which no connection can be made gives way to another eligible one, at once and without an error."""

import socket

import pytest

from stepdown.decide.spec import Chain, KeySource, SnapshotSpec, Step
from tests.kit import specs
from tests.kit.world import World, world

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def nobody() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def two(first: int, second: int, split: dict[str, int], **options) -> SnapshotSpec:
    """1.0.0 on one port and 2.0.0 on another; both can give 1.0.0's shape, which is the default."""
    step = Step(source="2.0.0", target="1.0.0")
    model = specs.model(
        specs.version("1.0.0", first),
        specs.version("2.0.0", second),
        chains=(Chain(served="2.0.0", pinned="1.0.0", steps=(step,)),),
    )
    return specs.snapshot(specs.route(split, **options), models=[model])


def served(here: World, request: bytes = GET) -> tuple[int, bytes | None]:
    response = here.ask(request)
    return response.status, response.get(b"x-model-served")


def retries(here: World) -> float:
    return here.sidecar.metric("stepdown_retries_total", route="r", reason="upstream-connect")


def requests(here: World) -> list[tuple[str, str, str]]:
    """(assigned, served, reason) of every answer, from the access log."""
    return [(line["assigned"], line["served"], line["reason"]) for line in here.sidecar.log()]


@pytest.mark.parametrize("key", [(), (KeySource(header="host"),)], ids=["drawn", "sticky"])
def test_a_request_goes_to_another_version_and_counts_for_the_assigned_one(key):
    with world(spec=lambda port: two(nobody(), port, {"1.0.0": 100, "2.0.0": 0}, key=key)) as here:
        assert served(here) == (200, b"2.0.0")
        assert requests(here) == [("1.0.0", "2.0.0", "unhealthy")]


def test_the_next_ones_do_not_try_it_again_for_a_while():
    with world(spec=lambda port: two(nobody(), port, {"1.0.0": 100, "2.0.0": 0}), frozen=True) as here:
        for _ in range(5):
            assert served(here) == (200, b"2.0.0")
        assert retries(here) == 1
        here.clock.advance(2)
        assert served(here) == (200, b"2.0.0")
        assert retries(here) == 2


def test_the_drawn_version_stays_the_assigned_one_in_every_attempt():
    with world(spec=lambda port: two(nobody(), port, {"1.0.0": 50, "2.0.0": 50}), frozen=True) as here:
        for _ in range(40):
            assert served(here) == (200, b"2.0.0")
            here.clock.advance(2)
        seen = requests(here)
        assert {assigned for assigned, _, _ in seen} == {"1.0.0", "2.0.0"}
        assert all((reason == "unhealthy") == (assigned == "1.0.0") for assigned, _, reason in seen)


def test_the_only_version_is_tried_however_often_it_was_not_there():
    port = nobody()
    with world(spec=lambda _port: specs.plain(port)) as here:
        for _ in range(3):
            response = here.ask(GET)
            assert (response.status, response.get(b"x-stepdown-error")) == (502, b"upstream-connect")
        here.upstream.stop()
        here.upstream.port = port
        here.upstream.__enter__()
        assert here.ask(GET).status == 200


def test_what_no_route_matches_goes_to_the_first_server_that_is_up():
    def spec(first: int, second: int) -> SnapshotSpec:
        return specs.snapshot(models=[], passthrough_to=(specs.endpoint(first), specs.endpoint(second)))

    with world(spec=spec, upstreams=2) as here:
        for _ in range(4):
            assert here.ask(GET).status == 200
        assert [len(upstream.requests) for upstream in here.upstreams] == [4, 0]
        here.upstreams[0].stop()
        for _ in range(4):
            assert here.ask(GET).status == 200
        assert [len(upstream.requests) for upstream in here.upstreams] == [4, 4]
