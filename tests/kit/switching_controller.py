"""A controller with real files and probes that switches; workers and parent are scripts that write down, in order."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stepdown.config import ProcessSettings, Token
from stepdown.control.controller import Controller, Remembered
from stepdown.control.refusals import SwitchRefusedError
from stepdown.control.state import WorkerView
from stepdown.control.switching import Caller, Report
from stepdown.control.wishes import Wish
from stepdown.decide.colours import Overlay
from stepdown.decide.spec import SnapshotSpec, digest, encode
from stepdown.telemetry.slab import SlabReader
from tests.kit.colours import coloured
from tests.kit.looping import PATIENCE

NOTHING = encode(SnapshotSpec(models=(), routes=()))
ENVIRON = {"STEPDOWN_TEST_TOKEN": "x" * 20, "STEPDOWN_TEST_VIEW_TOKEN": "y" * 20}


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

    def __init__(
        self,
        directory: Path,
        *,
        encoded: bytes = NOTHING,
        remembered: Overlay | None = None,
        slabs: Sequence[SlabReader] = (),
    ) -> None:
        self.file = directory / "stepdown.yaml"
        self.disk = directory / "switched.json"
        self.asked: list[str] = []
        self.refusals: list[str] = []
        self.held: asyncio.Event | None = None
        self.compares = False
        """Whether a comparer is wanted."""
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
            slabs=slabs,
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
        self.compares = compares
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
