"""Two servers, blue and green, and a sidecar in processes of its own that switches between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from stepdown.cli.app import app
from tests.kit.client import ask
from tests.kit.colours import VIEW_TOKEN, coloured, path_of
from tests.kit.load import REQUEST
from tests.kit.looping import LoopThread
from tests.kit.processes import TOKEN, Processes
from tests.kit.upstream import Upstream, serve

BLUE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"blue "'
GREEN = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"green"'
PLACES = ["r", "m/1.0.0"]


class Stage:
    """Two upstreams, and a sidecar in front of them."""

    def __init__(self, thread: LoopThread, blue: Upstream, green: Upstream, sidecar: Processes, place: str) -> None:
        self.thread, self.blue, self.green, self.sidecar = thread, blue, green, sidecar
        self.place = place

    def switch(self, colour: str, **members: Any) -> tuple[int, dict[str, Any]]:
        status, body = self.sidecar.post(path_of(self.place), json.dumps({"colour": colour, **members}).encode())
        return status, json.loads(body)

    def shown(self) -> dict[str, Any]:
        (one,) = json.loads(self.sidecar.get("admin", "/v1/switches")[1])["places"]
        return one

    def served(self, times: int = 8) -> set[bytes]:
        return {ask(self.sidecar.port, REQUEST, "POST").body.strip(b'" ') for _ in range(times)}

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.sidecar.wait_for('serving')['admin'].rpartition(':')[2]}"

    def command(self, *arguments: str, token: str = TOKEN) -> Result:
        given = ["switch", *arguments, "--admin", self.admin]
        return CliRunner().invoke(app, given, env={"STEPDOWN_ADMIN_TOKEN": token})


@contextmanager
def staged(directory: Path, place: str = "r", **options: Any) -> Iterator[Stage]:
    file = directory / "stepdown.yaml"
    with (
        LoopThread() as thread,
        Upstream(thread, serve(BLUE)) as blue,
        Upstream(thread, serve(GREEN)) as green,
    ):
        file.write_text(coloured(place, blue.port, green.port, **options))
        with Processes(file, environ={"STEPDOWN_TEST_VIEW_TOKEN": VIEW_TOKEN}) as sidecar:
            yield Stage(thread, blue, green, sidecar.started(), place)
