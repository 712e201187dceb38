"""The mirror of a route: its limits, its counts, and that only what asks for it has one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.decide.snapshot import compile_snapshot
from stepdown.plane.clock import CoarseClock
from stepdown.plane.handoff import Handoff
from stepdown.plane.mirror import Mirror
from stepdown.plane.runtime import Runtime
from stepdown.telemetry.ring import RingWriter
from stepdown.telemetry.slab import Slab
from stepdown.wire import parse_request
from tests.kit import specs
from tests.kit.request import request

RECORD = Recording(sample=1.0, folder="/recordings", max_body=50)


def shadow(name: str = "next", **options: Any) -> Shadow:
    return Shadow(**{"name": name, "version": "9.0.0", **options})


@contextmanager
def handing_over() -> Iterator[tuple[Handoff, Slab]]:
    fd = os.memfd_create("ring")
    os.ftruncate(fd, 4096)
    writer, slab = RingWriter(fd, 4096), Slab.create()
    try:
        yield Handoff(writer, -1), slab
    finally:
        writer.close()
        slab.close()
        for one in (fd, slab.fd):
            os.close(one)


def mirror(handoff: Handoff, slab: Slab, *shadows: Shadow, **options: Any) -> Mirror:
    chosen = specs.plain(1, route_options={"shadows": shadows, **options})
    return Mirror(compile_snapshot(chosen).routes[0], "digest", handoff, slab)


@pytest.mark.parametrize(
    ("shadows", "record", "least"),
    [
        ((shadow(max_body=70),), None, 70),
        ((shadow(max_body=70), shadow("b", max_body=60)), None, 60),
        ((shadow(max_body=70),), RECORD, 50),
        ((), RECORD, 50),
    ],
)
def test_up_to_the_least_limit_nobody_is_asked(
    shadows: tuple[Shadow, ...], record: Recording | None, least: int
) -> None:
    with handing_over() as (handoff, slab):
        assert mirror(handoff, slab, *shadows, record=record).least == least


def test_what_a_shadow_or_a_recording_does_not_get_is_counted_by_its_name() -> None:
    with handing_over() as (handoff, slab):
        made = mirror(handoff, slab, shadow("a"), shadow("b"), record=RECORD)
        for place in (0, 1, 1, -1):
            made.skip(place, "full")
        counted = {
            (series.family, *series.labels): slab.cells[series.first]
            for series in slab.series()
            if "other" not in series.labels and slab.cells[series.first] > 0
        }
        assert counted == {
            ("stepdown_shadow_skipped_total", "r", "a", "full"): 1,
            ("stepdown_shadow_skipped_total", "r", "b", "full"): 2,
            ("stepdown_recorded_total", "r", "full"): 1,
        }


def test_workers_do_not_copy_the_same_requests() -> None:
    taken = []
    for _ in range(2):
        with handing_over() as (handoff, slab):
            made = mirror(handoff, slab, shadow(percent=50.0))
            choices = [made._choose(request(), "1.0.0", None, made._samplers) for _ in range(200)]
            taken.append([bool(choice.shadows) for choice in choices])
            assert sum(taken[-1]) == 100
    assert taken[0] != taken[1]


@pytest.mark.parametrize(
    ("options", "with_ring", "mirrored"),
    [
        ({"shadows": (shadow(),)}, True, True),
        ({"record": RECORD}, True, True),
        ({"shadows": (shadow(percent=0.0),)}, True, False),
        ({}, True, False),
        ({"shadows": (shadow(),)}, False, False),
    ],
    ids=["a shadow", "a recording", "a shadow without a share", "nothing", "nobody to hand over to"],
)
def test_a_plan_is_direct_and_plain_unless_its_route_is_mirrored(
    options: dict[str, Any], with_ring: bool, mirrored: bool
) -> None:
    with handing_over() as (handoff, slab):
        loop = asyncio.new_event_loop()
        chosen = specs.plain(1, route_options=options)
        runtime = Runtime(chosen, "digest", slab, CoarseClock(loop), {}, handoff=handoff if with_ring else None)
        loop.close()
        choice = runtime.snapshot.routes[0].choose(request(), (), None, "", [True, True], lambda *_: 0)
        plan = runtime.plan_for(choice)
        assert (plan.mirror is not None, plan.direct, plan.plain) == (mirrored, not mirrored, not mirrored)


def test_a_decision_that_fails_costs_the_copies_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    unreadable: Any = None  # stands for an exchange that a mistake of ours has broken
    with handing_over() as (handoff, slab):
        made = mirror(handoff, slab, shadow("a"), shadow("b"))
        for _ in range(2):
            made.begin(unreadable, "1.0.0")
        counted = {
            series.labels: slab.cells[series.first]
            for series in slab.series()
            if series.family == "stepdown_shadow_skipped_total" and slab.cells[series.first] > 0
        }
    assert counted == {("r", "a", "failed"): 2, ("r", "b", "failed"): 2}
    assert [record.message for record in caplog.records] == ["it cannot be decided which shadows get a copy"]


def test_nothing_is_begun_while_the_ring_is_nearly_full() -> None:
    head = parse_request(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
    asked: Any = SimpleNamespace(facts=head, head=head, received=0, mirrored=None)
    with handing_over() as (handoff, slab):
        made = mirror(handoff, slab, shadow("a", max_body=100), record=RECORD)
        made.begin(asked, "1.0.0")
        assert asked.mirrored is not None
        asked.mirrored = None
        while handoff.has_room(len(head.raw) + 10):
            assert handoff.put(b"x" * 100, b"")
        made.begin(asked, "1.0.0")
        assert asked.mirrored is None
        counted = {series.labels: slab.cells[series.first] for series in slab.series() if "full" in series.labels}
        assert counted == {("r", "a", "full"): 1, ("r", "full"): 1}
