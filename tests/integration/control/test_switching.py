"""Switches by a controller with real files and probes; workers and parent are scripts that write down, in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from stepdown.config.overlay import read_overlay, write_overlay
from stepdown.control.controller import Remembered
from stepdown.control.refusals import SwitchRefusedError
from stepdown.control.switching import Caller
from stepdown.control.wishes import Wish
from stepdown.decide.colours import NOTHING_SWITCHED, Overlay, Switched
from stepdown.decide.spec import decode
from tests.kit.colours import coloured
from tests.kit.switching_controller import BLUE_ACTIVE, GREEN_ACTIVE, Scene, play

SAVED = "state: {overlay: switched.json}"
GREEN = Overlay(revision=7, switched={"r": Switched(colour="green", declared="blue", before="blue", by="ops", when=1)})


def test_a_switch_is_prepared_then_kept_then_activated(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        scene.asked.clear()
        report = await scene.switch()
        name = scene.controller.digest
        assert scene.asked == [f"prepare {name}", f"keep {name}", "activate"]
        assert (report.before, report.colour, report.changed, report.forced) == ("blue", "green", True, False)
        assert scene.split == GREEN_ACTIVE

    play(scene, script)
    encoded, remembered, *_ = scene.kept[-1]
    assert decode(encoded) == scene.controller.spec
    overlay = msgspec.json.decode(remembered, type=Remembered).overlay
    assert (overlay.revision, overlay.switched["r"].colour) == (1, "green")


def test_a_successor_takes_up_what_was_kept(tmp_path: Path) -> None:
    scene = Scene(tmp_path, remembered=GREEN)

    async def script() -> None:
        assert scene.split == GREEN_ACTIVE
        assert (await scene.switch("back")).colour == "blue"

    play(scene, script)


@pytest.mark.parametrize("later", ["disk", "kept"])
def test_of_what_is_on_disk_and_what_was_kept_the_later_counts(tmp_path: Path, later: str) -> None:
    """A controller may die after it wrote and before it told anybody: then its successor finishes the switch."""
    newest = Overlay(revision=8, switched={"r": msgspec.structs.replace(GREEN.switched["r"], colour="blue")})
    scene = Scene(tmp_path, remembered=GREEN if later == "disk" else newest)
    write_overlay(scene.disk, newest if later == "disk" else GREEN)

    async def script() -> None:
        assert scene.split == BLUE_ACTIVE
        assert read_overlay(scene.disk) == scene.controller.overlay == newest

    play(scene, script, more=SAVED)


def test_what_a_worker_refuses_changes_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        scene.asked.clear()
        scene.refusals = ["worker 0 refuses it: no"]
        error = await scene.refused()
        assert (error.status, error.problem) == (500, "switch-failed")
        assert [asked.split()[0] for asked in scene.asked] == ["prepare"]
        assert scene.split == BLUE_ACTIVE
        assert not scene.disk.exists()
        scene.refusals = []
        assert (await scene.switch()).changed

    play(scene, script, more=SAVED)


def test_of_two_operators_at_once_the_second_is_told_of_the_first(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        scene.held = asyncio.Event()
        first = asyncio.create_task(scene.switch(by="ann"))
        while not any(asked.startswith("prepare") for asked in scene.asked[3:]):
            await asyncio.sleep(0.005)
        error = await scene.refused("blue", by="bob")
        assert (error.status, error.problem) == (409, "switch-under-way")
        assert error.detail == "A switch of r to green by ann is under way."
        scene.held.set()
        assert (await first).changed
        assert (await scene.switch("blue", by="bob")).before == "green"
        assert scene.controller.switch_counts == {("r", "done"): 2}

    play(scene, script)


def test_a_reload_while_the_colour_is_checked_disturbs_it_only_where_it_concerns_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        scene.green.close()
        await asyncio.sleep(0.02)
        waiting = asyncio.create_task(scene.switch())
        await asyncio.sleep(0.02)
        scene.write(more="trusted_hops: 1")
        assert (await scene.controller.reload()).ok
        await scene.green.open()
        assert (await waiting).changed
        assert scene.controller.spec.trusted_hops == 1
        await scene.switch("blue")

        scene.green.close()
        await asyncio.sleep(0.02)
        waiting = asyncio.create_task(scene.refused())
        await asyncio.sleep(0.02)
        scene.file.write_text(coloured("r", scene.blue.port, 1))  # green is another server now
        assert (await scene.controller.reload()).ok
        await scene.green.open()
        assert (await waiting).problem == "configuration-changed"
        assert scene.split == BLUE_ACTIVE

    play(scene, script)


def test_a_switch_survives_reloads_until_the_files_active_is_changed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        await scene.switch()
        scene.write(switch="ready: 7")
        await scene.controller.reload()
        assert scene.split == GREEN_ACTIVE
        scene.write(active="green")
        done = await scene.controller.reload()
        assert any("the file's active was changed from blue to green" in finding for finding in done.findings)
        assert scene.controller.overlay.switched == {}
        scene.write(active="blue")
        await scene.controller.reload()
        assert scene.split == BLUE_ACTIVE

    play(scene, script)


def test_a_refused_file_keeps_nobody_from_switching(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        scene.file.write_text("listen: [")
        assert not (await scene.controller.reload()).ok
        assert (await scene.switch()).changed
        successor = Scene(tmp_path, encoded=scene.kept[-1][0], remembered=scene.controller.overlay)
        assert not (await successor.controller.reload()).ok
        successor.controller._prober.watch(successor.controller.spec)
        assert (await successor.switch("back")).colour == "blue"
        await successor.controller._prober.close()
        assert successor.split == BLUE_ACTIVE

    play(scene, script)


def test_a_disk_that_cannot_be_written_keeps_nobody_from_switching_and_is_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        assert scene.controller.overlay_saved is True
        scene.disk.mkdir()
        report = await scene.switch()
        assert report.changed
        assert "would be lost by a stop of the sidecar" in report.warnings[0]
        assert scene.controller.overlay_saved is False
        scene.disk.rmdir()
        await scene.controller.reload()
        assert scene.controller.overlay_saved is True
        assert read_overlay(scene.disk) == scene.controller.overlay != NOTHING_SWITCHED

    play(scene, script, more=SAVED)


def test_a_dry_run_checks_and_changes_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        scene.asked.clear()
        report = await scene.switch(dry_run=True)
        assert (report.changed, report.dry_run, report.endpoints[0].ready) == (False, True, True)
        assert scene.asked == []
        assert scene.controller.switch_counts == {}

    play(scene, script)


def test_every_endpoint_of_the_colour_has_to_be_ready(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        text = scene.file.read_text()
        green = f"green: [http://127.0.0.1:{scene.green.port}"
        scene.file.write_text(text.replace(green, f"{green}, http://127.0.0.1:1"))
        assert (await scene.controller.reload()).ok
        error = await scene.refused(place="m/1.0.0")
        assert error.problem == "colour-not-ready"
        assert error.detail.count("in a row within") == 1
        assert "http://127.0.0.1:1 passed 0 of 1" in error.detail
        assert "no connection: " in error.detail

    play(scene, script, place="m/1.0.0", switch="ready: 1, timeout: 1s")


def test_what_the_probes_showed_before_counts_so_one_more_is_enough(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        while scene.green.asked < 4:
            await asyncio.sleep(0.01)
        report = await scene.switch()
        (one,) = report.endpoints
        assert one.passed >= 4
        assert one.ready

    play(scene, script, probed=True, switch="ready: 4, timeout: 10s")


def test_back_leads_to_where_the_last_switch_came_from_and_twice_back_is_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        assert (await scene.refused("back")).problem == "nothing-to-go-back-to"
        await scene.switch()
        back = await scene.switch("back")
        assert (back.before, back.colour, back.changed) == ("green", "blue", True)
        again = await scene.switch("back")
        assert (again.before, again.colour, again.changed) == ("blue", "blue", False)
        assert scene.split == BLUE_ACTIVE

    play(scene, script)


def test_for_a_caller_who_left_nothing_is_switched(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        with pytest.raises(SwitchRefusedError, match="The caller left") as caught:
            await scene.controller.switch(Wish("r", "green", "ops"), Caller(lambda: False))
        assert caught.value.problem == "caller-gone"
        assert scene.split == BLUE_ACTIVE

    play(scene, script)


@pytest.mark.parametrize(
    ("place", "colour", "status", "problem"),
    [
        ("nobody", "green", 404, "not-found"),
        ("m/9.9.9", "green", 404, "not-found"),
        ("m/1.0.0", "green", 409, "no-colours"),
        ("r", "red", 400, "unknown-colour"),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, place: str, colour: str, status: int, problem: str) -> None:
    scene = Scene(tmp_path)

    async def script() -> None:
        error = await scene.refused(colour, place=place)
        assert (error.status, error.problem) == (status, problem)

    play(scene, script)
