"""Warm-ups by a controller with real files and probes; what comes of copies is what a test has counted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from stepdown.control.controller import Remembered
from stepdown.control.switching import Report
from stepdown.decide.spec import decode
from stepdown.decide.warming import WARM_UP, WarmUpAsked
from stepdown.telemetry.slab import Slab
from tests.kit.controller_state import slabs
from tests.kit.switching_controller import BLUE_ACTIVE, GREEN_ACTIVE, Scene, play

SHORT = WarmUpAsked(duration=0.01, min_copies=10)
LONG = WarmUpAsked(duration=600.0)


def counted(slab: Slab, outcome: str, times: int) -> None:
    slab.cells[slab.counter("stepdown_shadow_copies_total", ("r", WARM_UP, outcome))] += times


def shadows(scene: Scene) -> list[str]:
    """In force, on all routes."""
    return [shadow.name for route in scene.controller.spec.routes for shadow in route.shadows]


async def warming(scene: Scene, **more: Any) -> asyncio.Task[Report]:
    """A switch that is warming up, its shadow in force."""
    task = asyncio.create_task(scene.switch(**more))
    while not shadows(scene) or not scene.controller.under_way[more.get("place", "r")].warmth:
        await asyncio.sleep(0.005)
    return task


def test_the_shadow_is_in_force_until_the_switch_and_a_comparer_is_wanted_meanwhile(tmp_path: Path) -> None:
    with slabs(1) as (slab,):
        counted(slab, "error", 50)  # of an earlier time
        scene = Scene(tmp_path, slabs=[slab])

        async def script() -> None:
            assert not scene.compares
            task = await warming(scene, warm_up=SHORT)
            assert (shadows(scene), scene.compares, scene.split) == ([WARM_UP], True, BLUE_ACTIVE)
            assert scene.controller.under_way["r"].phase == "warming"
            assert not msgspec.json.decode(scene.kept[-1][1], type=Remembered).overlay.switched
            counted(slab, "answered", 10)
            report = await task
            assert report.changed
            assert report.warm_up is not None
            assert (report.warm_up["answered"], report.warm_up["failed"]) == (10, 0)
            assert (shadows(scene), scene.compares, scene.split) == ([], False, GREEN_ACTIVE)
            assert not scene.controller.under_way
            between = [decode(kept.encoded) for kept in scene.kept[-2:]]
            assert [len(spec.routes[0].shadows) for spec in between] == [1, 0]  # in one step with the switch

        play(scene, script)


def test_what_is_refused_leaves_no_shadow_and_the_next_switch_may_come(tmp_path: Path) -> None:
    with slabs(1) as (slab,):
        scene = Scene(tmp_path, slabs=[slab])

        async def script() -> None:
            before = scene.controller.spec
            for outcome in ("answered", "timeout"):
                counted(slab, outcome, 5)
            task = await warming(scene, warm_up=SHORT)
            counted(slab, "timeout", 10)
            (error,) = await asyncio.gather(task, return_exceptions=True)
            assert getattr(error, "problem", error) == "colour-not-warm"
            assert str(error) == (
                "green is not warm, and blue stays active: "
                "10 of 10 copies failed, which is 100 %, over 1 %: 10 timeout."
            )
            assert scene.controller.spec == before
            assert scene.controller.switch_counts == {("r", "refused"): 1}
            assert (await scene.switch()).changed

        play(scene, script)


def test_what_a_worker_cannot_prepare_begins_no_warm_up(tmp_path: Path) -> None:
    with slabs(1) as (slab,):
        scene = Scene(tmp_path, slabs=[slab])

        async def script() -> None:
            scene.refusals = ["worker 0 refuses it: no"]
            error = await scene.refused(warm_up=SHORT)
            assert (error.status, error.problem) == (500, "switch-failed")
            assert (shadows(scene), scene.split) == ([], BLUE_ACTIVE)

        play(scene, script)


def test_a_colour_that_is_gone_after_its_warm_up_gets_no_requests(tmp_path: Path) -> None:
    with slabs(1) as (slab,):
        scene = Scene(tmp_path, slabs=[slab])

        async def script() -> None:
            task = await warming(scene, warm_up=SHORT)
            scene.green.close()
            counted(slab, "answered", 10)
            (error,) = await asyncio.gather(task, return_exceptions=True)
            assert getattr(error, "problem", error) == "colour-not-ready"
            assert (shadows(scene), scene.split) == ([], BLUE_ACTIVE)

        play(scene, script, switch="ready: 1, timeout: 300ms")


def test_a_drain_ends_a_warm_up(tmp_path: Path) -> None:
    with slabs(1) as (slab,):
        scene = Scene(tmp_path, slabs=[slab])

        async def script() -> None:
            task = await warming(scene, warm_up=LONG)
            scene.controller.note_draining()
            (error,) = await asyncio.gather(task, return_exceptions=True)
            assert getattr(error, "problem", error) == "warm-up-interrupted"
            assert str(error).startswith("The sidecar is being drained. After ")
            assert shadows(scene) == []

        play(scene, script)


def test_of_two_places_with_the_same_requests_one_at_a_time_is_warmed_up(tmp_path: Path) -> None:
    with slabs(1) as (slab,):
        scene = Scene(tmp_path, slabs=[slab])

        async def script() -> None:
            text = scene.file.read_text()
            both = f"{{blue: [http://127.0.0.1:{scene.blue.port}], green: [http://127.0.0.1:{scene.green.port}]}}"
            one = f"endpoints: [http://127.0.0.1:{scene.blue.port}]"
            scene.file.write_text(text.replace(one, f"endpoints: {both}, active: blue", 1))
            assert (await scene.controller.reload()).ok
            task = await warming(scene, warm_up=LONG)
            error = await scene.refused(place="m/1.0.0", warm_up=SHORT)
            assert (error.status, error.problem) == (409, "switch-under-way")
            assert "A warm-up of r by ops is under way" in error.detail
            assert shadows(scene) == [WARM_UP]
            assert (await scene.switch(place="m/1.0.0")).changed  # without a warm-up, and the other one's goes on
            assert shadows(scene) == [WARM_UP]
            assert not task.done()
            assert (await scene.switch("blue")).changed is False
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            assert "ops asked for another switch of r." in str(ended)
            assert shadows(scene) == []

        play(scene, script)


def test_whoever_goes_back_forces_or_only_tries_does_not_wait_for_what_the_file_says(tmp_path: Path) -> None:
    with slabs(1) as (slab,):
        scene = Scene(tmp_path, slabs=[slab])

        async def script() -> None:
            assert (await scene.switch(dry_run=True)).warm_up is None
            assert (await scene.switch(force=True)).warm_up is None
            assert (await scene.switch("back")).warm_up is None
            assert (await scene.switch(warm_up=False)).warm_up is None
            task = await warming(scene, colour="blue")
            assert (await scene.switch("green")).changed is False
            assert len(await asyncio.gather(task, return_exceptions=True)) == 1
            error = await scene.refused("blue", dry_run=True, warm_up=True)
            assert (error.status, error.problem) == (400, "bad-request")

        play(scene, script, switch="ready: 1, warm_up: {duration: 10m}")
