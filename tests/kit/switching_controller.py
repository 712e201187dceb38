"""A controller with real files and probes that switches; workers and parent are scripts that write down, in order."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stepdown.config import ProcessSettings, Token
from stepdown.control.controller import Controller, Remembered
from stepdown.control.refusals import SwitchRefusedError
from stepdown.control.switching import Caller, Report
from stepdown.control.wishes import Wish
from stepdown.decide.colours import Overlay
from stepdown.decide.spec import SnapshotSpec, encode
from stepdown.telemetry.slab import SlabReader
from tests.kit.colours import coloured
from tests.kit.looping import PATIENCE
from tests.kit.scripted_others import Others

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


class Scene(Others):
    """A controller, and everything that it asked of the others."""

    def __init__(
        self,
        directory: Path,
        *,
        encoded: bytes = NOTHING,
        remembered: Overlay | None = None,
        slabs: Sequence[SlabReader] = (),
    ) -> None:
        super().__init__()
        self.file = directory / "stepdown.yaml"
        self.disk = directory / "switched.json"
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
