"""The controller with real files; workers and parent are scripts that write down what they are asked for, in order."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from stepdown.config import ProcessSettings, Token
from stepdown.control.controller import Controller
from stepdown.control.state import ControllerState
from stepdown.decide.spec import SnapshotSpec, decode, digest, encode
from tests.kit.looping import PATIENCE
from tests.kit.scripted_others import Others

NOTHING = encode(SnapshotSpec(models=(), routes=()))

FILE = """
listen: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: {name}, role: operate, token: {{env: TOKEN}}}}]}}
workers: {workers}
drain: {{delay: 7s, grace: 8s}}
models: {{m: {{default_version: "1.0.0", versions: {{"1.0.0": {{endpoints: [http://127.0.0.1:{port}]}}}}}}}}
routes: {{r: {{match: {{path: /r}}, model: m, split: {{"1.0.0": 100}}}}}}
"""
TOKEN = "a-token-that-is-long-enough"


def text(*, port: int = 1, workers: int = 1, name: str = "ops") -> str:
    return FILE.format(port=port, workers=workers, name=name)


class Scene(Others):
    """A controller, and everything that it asked of the others."""

    def __init__(self, directory: Path, content: str, remembered: bytes | None = None) -> None:
        super().__init__()
        self.file = directory / "stepdown.yaml"
        self.file.write_text(content)
        self.controller = Controller(
            file=self.file,
            environ={"TOKEN": TOKEN},
            encoded=NOTHING,
            remembered=remembered,
            started_with=ProcessSettings(("127.0.0.1", 0), None, ("127.0.0.1", 0), 1, 7.0, 8.0),
            workers=self,
            parent=self,
            slabs=[],
        )

    def set_health(self, states: Mapping[str, bool]) -> None:
        self.asked.append(f"health {sorted(states)}")

    async def status(self) -> list[dict[str, Any]]:
        return [{"index": 0, "connections": 3}]

    def share(self, tables: Mapping[str, int]) -> None:
        self.asked.append(f"share {len(tables)}")


def play(scene: Scene, script: Callable[[Controller], Awaitable[None]]) -> None:
    asyncio.run(script(scene.controller))  # type: ignore[arg-type]


def test_a_file_is_prepared_then_kept_then_activated(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text())

    async def script(controller: Controller) -> None:
        done = await controller.reload()
        assert (done.ok, done.findings) == (True, ())

    play(scene, script)
    name = scene.controller.digest
    assert scene.asked[:3] == [f"prepare {name}", f"keep {name}", "activate"]
    encoded, _remembered, delay, grace = scene.kept[0]
    assert decode(encoded) == scene.controller.spec
    assert (delay, grace) == (7.0, 8.0)
    assert scene.controller.spec.routes[0].name == "r"


def test_what_one_worker_refuses_is_kept_nowhere(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text())
    scene.refusals = ["worker 1 refuses it: out of memory"]

    async def script(controller: Controller) -> None:
        done = await controller.reload()
        assert (done.ok, done.findings) == (False, ("worker 1 refuses it: out of memory",))
        assert controller.last_reload is done

    play(scene, script)
    assert [asked.split()[0] for asked in scene.asked] == ["prepare"]
    assert scene.controller.digest == digest(NOTHING)
    assert scene.controller.tokens == ()


def test_a_file_that_says_the_same_disturbs_no_worker(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text())

    async def script(controller: Controller) -> None:
        await controller.reload()
        scene.asked.clear()
        scene.file.write_text("# only a remark\n" + text(name="others"))
        assert (await controller.reload()).ok

    play(scene, script)
    assert scene.asked == [f"keep {scene.controller.digest}"]
    assert [token.name for token in scene.controller.tokens] == ["others"]


def test_every_finding_of_a_wrong_file_is_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text().replace("model: m,", "model: n,").replace("path: /r", "pth: /r"))

    async def script(controller: Controller) -> None:
        done = await controller.reload()
        assert not done.ok
        assert any("routes.r.model" in finding for finding in done.findings)
        assert any('did you mean "path"?' in finding for finding in done.findings)

    play(scene, script)
    assert scene.asked == []


def test_an_error_that_nobody_foresaw_is_a_refusal_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text())

    async def script(controller: Controller) -> None:
        await controller.reload()
        scene.controller._environ = None  # type: ignore[assignment] # whatever may be wrong inside of the loader
        done = await controller.reload()
        assert not done.ok
        assert "stepdown.yaml" in done.findings[0]

    play(scene, script)


def test_tokens_outlive_the_controller(tmp_path: Path) -> None:
    first = Scene(tmp_path, text())

    async def script(controller: Controller) -> None:
        await controller.reload()

    play(first, script)
    successor = Scene(tmp_path, "models: [", remembered=first.kept[0][1])
    play(successor, script)
    assert not successor.controller.last_reload.ok
    assert successor.controller.tokens == (Token("ops", "operate", hashlib.sha256(TOKEN.encode()).digest()),)
    assert TOKEN.encode() not in first.kept[0][1]
    assert msgspec.json.decode(first.kept[0][1])["tokens"][0]["name"] == "ops"


def test_settings_that_need_a_new_start_are_findings(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text(workers=3).replace("listen: 127.0.0.1:0\n", "listen: 127.0.0.1:1234\n", 1))

    async def script(controller: Controller) -> None:
        assert (await controller.reload()).findings == (
            "listen was changed, which takes effect when the sidecar is started again",
            "workers was changed, which takes effect when the sidecar is started again",
        )

    play(scene, script)


def test_reloads_come_one_after_the_other(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text())

    async def script(controller: Controller) -> None:
        await asyncio.gather(controller.reload(), controller.reload())

    play(scene, script)
    assert [asked.split()[0] for asked in scene.asked if not asked.startswith("health")] == [
        "prepare",
        "keep",
        "activate",
        "keep",
    ]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text())

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)

    async def script(controller: Controller) -> None:
        running = asyncio.ensure_future(controller.run(None, None))
        await until(lambda: "activate" in scene.asked)
        first = controller.digest
        scene.file.write_text("models: [")
        await until(lambda: not controller.last_reload.ok)
        assert controller.digest == first
        scene.file.write_text(text(port=2))
        await until(lambda: scene.asked.count("activate") == 2)
        await until(lambda: controller.last_reload.ok)
        assert controller.digest != first
        running.cancel()

    play(scene, script)


def test_readiness_says_why_not(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text())
    state: ControllerState = scene.controller
    assert state.ready
    scene.alive = False
    assert list(state.not_ready) == ["worker 0 is not serving"]

    async def drained(controller: Controller) -> None:
        controller.note_draining()

    play(scene, drained)
    assert list(state.not_ready) == ["the sidecar is being drained", "worker 0 is not serving"]
    assert not state.ready


def test_status_and_drain_are_passed_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text())

    async def script(controller: Controller) -> None:
        assert await controller.worker_status() == [{"index": 0, "connections": 3}]
        await controller.drain()
        assert not controller.draining  # until the parent says so

    play(scene, script)
    assert scene.asked == ["leave"]
