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
from stepdown.plane.clock import TICK, CoarseClock
from stepdown.plane.handoff import SILENCE, Handoff
from stepdown.plane.mirror import Mirror
from stepdown.plane.runtime import Runtime
from stepdown.telemetry.grants import SHADOWS, Granter, generation
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
def test_a_plan_is_direct_unless_its_route_is_mirrored(
    options: dict[str, Any], with_ring: bool, mirrored: bool
) -> None:
    with handing_over() as (handoff, slab):
        loop = asyncio.new_event_loop()
        chosen = specs.plain(1, route_options=options)
        runtime = Runtime(chosen, "digest", slab, CoarseClock(loop), {}, handoff=handoff if with_ring else None)
        loop.close()
        choice = runtime.snapshot.routes[0].choose(request(), (), None, "", [True, True], lambda *_: 0)
        plan = runtime.plan_for(choice)
        assert (plan.mirror is not None, plan.direct, plan.plain) == (mirrored, not mirrored, True)


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


def given_to(made: Mirror, times: int) -> tuple[int, int]:
    """How often a copy of a request was begun, of so many times, each handed over at once; how often for nobody."""
    head = parse_request(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
    begun = 0
    for _ in range(times):
        asked: Any = SimpleNamespace(facts=head, head=head, received=0, mirrored=None)
        made.begin(asked, "1.0.0")
        if asked.mirrored is not None:
            begun += 1
            made.gave(asked.mirrored._shadows)
    made.handoff.tick(0.0)
    return begun, times - begun


def skipped(slab: Slab) -> dict[tuple[str, ...], int]:
    return {
        series.labels[1:]: slab.cells[series.first]
        for series in slab.series()
        if series.family == "stepdown_shadow_skipped_total" and slab.cells[series.first] > 0
    }


@contextmanager
def told(handoff: Handoff, digest: str = "digest") -> Iterator[Granter]:
    """The comparer's side of the grants, where it speaks of a configuration."""
    comparer = Granter(handoff.grants._cells)
    comparer.speak(generation(digest))
    yield comparer


def test_nothing_is_begun_for_a_shadow_that_takes_no_more_and_it_is_counted_with_the_comparer_s_reason() -> None:
    with handing_over() as (handoff, slab), told(handoff) as comparer:
        comparer.grant(0, 3, "concurrent")
        assert given_to(mirror(handoff, slab, shadow("a")), 10) == (3, 7)
        assert skipped(slab) == {("a", "concurrent"): 7}
        comparer.grant(0, 4, "broken")
        assert given_to(mirror(handoff, slab, shadow("a")), 2) == (1, 1)
        assert skipped(slab) == {("a", "concurrent"): 7, ("a", "broken"): 1}


def test_a_shadow_that_takes_no_more_keeps_nothing_from_another_one_or_from_a_recording() -> None:
    with handing_over() as (handoff, slab), told(handoff) as comparer:
        comparer.grant(5, 0, "rate")
        comparer.grant(6, 100, "rate")
        options = {"shadows": (shadow("a"), shadow("b")), "record": RECORD}
        route = compile_snapshot(specs.plain(1, route_options=options)).routes[0]
        assert given_to(Mirror(route, "digest", handoff, slab, 5), 4) == (4, 0)
        assert [comparer.given(number) for number in (4, 5, 6, 7)] == [0, 0, 4, 0]
        comparer.grant(6, 0, "rate")
        assert given_to(Mirror(route, "digest", handoff, slab, 5), 4) == (4, 0)  # which is recorded
        assert skipped(slab) == {("a", "rate"): 8, ("b", "rate"): 4}


def test_of_a_request_that_no_shadow_takes_nothing_is_read() -> None:
    unread: Any = None  # stands for an exchange: a mistake in reading it would be counted as `failed`
    with handing_over() as (handoff, slab), told(handoff) as comparer:
        comparer.grant(0, 0, "busy")
        comparer.grant(1, 0, "rate")
        made = mirror(handoff, slab, shadow("a"), shadow("b"))
        for _ in range(3):
            made.begin(unread, "1.0.0")
        assert skipped(slab) == {("a", "busy"): 3, ("b", "rate"): 3}
        comparer.grant(1, 1, "rate")
        made.begin(unread, "1.0.0")
        assert skipped(slab) == {("a", "busy"): 3, ("b", "rate"): 3, ("a", "failed"): 1, ("b", "failed"): 1}


@pytest.mark.parametrize(
    ("options", "counted"),
    [({"percent": 50.0}, {("a", "busy"): 5}), ({"version": "1.0.0"}, {("a", "served"): 10})],
    ids=["a share", "the version that serves"],
)
def test_a_shadow_that_is_not_due_every_request_refuses_only_those_that_it_is(
    options: dict[str, Any], counted: dict[tuple[str, ...], int]
) -> None:
    with handing_over() as (handoff, slab), told(handoff) as comparer:
        comparer.grant(0, 0, "busy")
        comparer.grant(1, 0, "busy")
        assert given_to(mirror(handoff, slab, shadow("a", **options), shadow("b")), 10) == (0, 10)
        assert skipped(slab) == {**counted, ("b", "busy"): 10}


def test_while_the_comparer_is_silent_its_reasons_are_old() -> None:
    with handing_over() as (handoff, slab), told(handoff) as comparer:
        comparer.grant(0, 0, "busy")
        made = mirror(handoff, slab, shadow("a"))
        handoff.silent = True
        assert given_to(made, 2) == (0, 2)
        handoff.silent = False
        assert given_to(made, 3) == (0, 3)
        assert skipped(slab) == {("a", "full"): 2, ("a", "busy"): 3}


def test_grants_of_another_configuration_mean_nothing_and_nothing_is_counted_as_given() -> None:
    with handing_over() as (handoff, slab), told(handoff, "another") as comparer:
        assert given_to(mirror(handoff, slab, shadow("a")), 4) == (4, 0)
        comparer.silence()
        assert given_to(mirror(handoff, slab, shadow("a")), 4) == (4, 0)
        assert comparer.given(0) == 0


def test_a_shadow_without_a_number_is_always_given() -> None:
    with handing_over() as (handoff, slab), told(handoff):
        route = compile_snapshot(specs.plain(1, route_options={"shadows": (shadow("a"), shadow("b"))})).routes[0]
        made = Mirror(route, "digest", handoff, slab, SHADOWS - 1)
        assert given_to(made, 4) == (4, 0)
        assert skipped(slab) == {("a", "concurrent"): 4}


def test_where_nobody_was_heard_of_for_a_while_the_comparer_is_what_is_in_the_way() -> None:
    with handing_over() as (handoff, slab), told(handoff) as comparer:
        made = mirror(handoff, slab, shadow("a"))
        for _ in range(int(SILENCE / TICK)):
            comparer.turn()
            handoff.tick(0.0)
        assert given_to(made, 1) == (0, 1)
        for _ in range(int(SILENCE / TICK)):
            handoff.tick(0.0)
        assert given_to(made, 1) == (0, 1)
        comparer.turn()
        handoff.tick(0.0)
        assert given_to(made, 1) == (0, 1)
        assert skipped(slab) == {("a", "concurrent"): 2, ("a", "full"): 1}
