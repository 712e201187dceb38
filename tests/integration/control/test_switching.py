"""Switches by a controller with real files and probes; workers and parent are scripts that write down, in order."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stepdown.config import ProcessSettings, Token
from stepdown.config.overlay import read_overlay, write_overlay
from stepdown.control.controller import Controller, Remembered
from stepdown.control.refusals import SwitchRefusedError
from stepdown.control.state import WorkerView
from stepdown.control.switching import Caller, Report
from stepdown.control.wishes import Wish
from stepdown.decide.colours import NOTHING_SWITCHED, Overlay, Switched
from stepdown.decide.spec import SnapshotSpec, decode, digest, encode
from tests.kit.colours import coloured
from tests.kit.looping import PATIENCE

NOTHING = encode(SnapshotSpec(models=(), routes=()))
ENVIRON = {"STEPDOWN_TEST_TOKEN": "x" * 20, "STEPDOWN_TEST_VIEW_TOKEN": "y" * 20}
SAVED = "state: {overlay: switched.json}"
GREEN = Overlay(revision=7, switched={"r": Switched(colour="green", declared="blue", before="blue", by="ops", when=1)})


class Server:
    """A port on which connections are accepted and, asked for anything, answer 200; may be closed and opened again."""

    def __init__(self) -> None:
        self.port = 0
        self.asked = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(4096):
            self.asked += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    def close(self) -> None:
        assert self._server is not None
        self._server.close()


class Scene:
    """A controller, and everything that it asked of the others."""

    def __init__(self, directory: Path, *, encoded: bytes = NOTHING, remembered: Overlay | None = None) -> None:
        self.file = directory / "stepdown.yaml"
        self.disk = directory / "switched.json"
        self.asked: list[str] = []
        self.refusals: list[str] = []
        self.held: asyncio.Event | None = None
        self.kept: list[tuple[bytes, bytes]] = []
        self.blue, self.green = Server(), Server()
        tokens = (Token("ops", "operate", hashlib.sha256(b"x").digest()),)
        self.controller = Controller(
            file=self.file,
            environ=ENVIRON,
            encoded=encoded,
            remembered=None if remembered is None else msgspec.json.encode(Remembered(tokens, remembered)),
            started_with=ProcessSettings(("127.0.0.1", 0), ("127.0.0.1", 0), ("127.0.0.1", 0), 1, 0.0, 20.0),
            workers=self,
            parent=self,
            slabs=[],
        )

    def views(self) -> tuple[WorkerView, ...]:
        return (WorkerView(0, 100, True, "d", 0),)

    async def prepare(self, encoded: bytes) -> list[str]:
        self.asked.append(f"prepare {digest(encoded)}")
        if self.held is not None:
            await self.held.wait()
        return self.refusals

    async def activate(self) -> None:
        self.asked.append("activate")

    def flags_changed(self) -> None:
        pass

    def set_health(self, states: Mapping[str, bool]) -> None:
        pass

    async def status(self) -> list[dict[str, Any]]:
        return [{"index": 0, "endpoints": {}}]

    comparer = None

    def share(self, tables: Mapping[str, int]) -> None:
        raise AssertionError("there are no lists")

    def keep(
        self,
        encoded: bytes,
        remembered: bytes,
        *,
        drain_delay: float,
        drain_grace: float,
        compares: bool,
        lists: object,
    ) -> None:
        self.asked.append(f"keep {digest(encoded)}")
        self.kept.append((encoded, remembered))

    def begin_anew(self, route: str, shadow: str, wish: str) -> None:
        self.asked.append(f"begin {route} {shadow} anew for {wish}")

    def leave(self) -> None:
        self.asked.append("leave")

    # What tests do.

    def write(self, *, place: str = "r", **options: Any) -> None:
        self.file.write_text(coloured(place, self.blue.port, self.green.port, **options))

    async def switch(self, colour: str = "green", *, place: str = "r", by: str = "ops", **more: Any) -> Report:
        return await self.controller.switch(Wish(place, colour, by, **more), Caller(lambda: True))

    async def refused(self, colour: str = "green", **more: Any) -> SwitchRefusedError:
        with pytest.raises(SwitchRefusedError) as caught:
            await self.switch(colour, **more)
        return caught.value

    @property
    def split(self) -> dict[str, int]:
        """Of the rule that is in force."""
        return dict(self.controller.spec.routes[0].rules[0].split)


BLUE_ACTIVE, GREEN_ACTIVE = {"1.0.0": 1, "2.0.0": 0}, {"1.0.0": 0, "2.0.0": 1}


def play(scene: Scene, script: Callable[[], Awaitable[None]], **options: Any) -> None:
    """Open the servers, write the file, have it in force, and run the script."""

    async def whole() -> None:
        await scene.blue.open()
        await scene.green.open()
        scene.write(**options)
        try:
            async with asyncio.timeout(PATIENCE):
                assert (await scene.controller.reload()).ok
                await script()
        finally:
            await scene.controller._prober.close()
            scene.blue.close()
            scene.green.close()

    asyncio.run(whole())


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
    encoded, remembered = scene.kept[-1]
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
