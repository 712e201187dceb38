"""What no shadow takes costs its client nothing, is counted to the last request, and comes again at the next tick."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stepdown.decide import spec
from stepdown.telemetry.grants import generation
from tests.kit import specs
from tests.kit.looping import eventually
from tests.kit.mirroring import Mirrored, mirrored, shadow

POST = b"POST /infer HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}"


def shadowed() -> Callable[..., spec.SnapshotSpec]:
    return lambda *ports: specs.plain(*ports, route_options={"shadows": (shadow(),)})


def refuse(here: Mirrored, reason: str) -> None:
    """As the comparer does: of this configuration's shadow, nothing is taken."""
    here.reader.grants.speak(generation(here.sidecar.plane.runtime.digest))
    here.reader.grants.grant(0, 0, reason)


@pytest.mark.parametrize("reason", ["busy", "concurrent"])
def test_every_request_that_no_shadow_takes_is_answered_and_counted(reason: str) -> None:
    with mirrored(spec=shadowed()) as here:
        refuse(here, reason)
        for _ in range(5):
            assert here.ask(POST).body == b"ok"
        assert eventually(lambda: here.skipped(reason) == 5)
        assert here.copies() == []


def test_what_was_turned_away_since_the_last_tick_is_counted_when_the_worker_leaves() -> None:
    with mirrored(spec=shadowed()) as here:
        here.thread.run(here.sidecar.plane.clock.stop)
        refuse(here, "busy")
        for _ in range(3):
            assert here.ask(POST).body == b"ok"
        assert here.skipped("busy") == 0
        here.thread.call(here.sidecar.plane.drain(0.0))
        assert here.skipped("busy") == 3


def test_a_shadow_that_takes_copies_again_gets_them_from_the_next_tick_on() -> None:
    with mirrored(spec=shadowed()) as here:
        refuse(here, "broken")
        assert here.ask(POST).body == b"ok"
        here.reader.grants.grant(0, 1000, "broken")
        assert eventually(lambda: here.ask(POST).body == b"ok" and bool(here.copies()))
