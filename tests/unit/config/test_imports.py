"""Reading a file is on the way to the first answer, so it loads nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys

COSTLY = ("rich", "typer", "aiohttp", "watchfiles", "asyncio", "prometheus_client", "hypothesis")


def test_the_room_loads_without_what_only_terminals_servers_and_watching_need() -> None:
    program = f"import sys, stepdown.config; print(*[name for name in {COSTLY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    assert loaded.split() == []
