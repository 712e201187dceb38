"""`stepdown run FILE`: check the file, then become the parent process.

The file is loaded here once, so that a wrong one is refused on the terminal before anything is bound or started, and
what it compiled to is handed on: the workers start with it and need not wait for anybody to read it again. Executing
the parent in this process's place leaves everything that loading needed behind.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from stepdown.config import RefusedError, load
from stepdown.decide.spec import encode
from stepdown.process import held
from stepdown.process.settings import Settings

EXIT_CONFIG = 2


def run(file: Path, *, workers: int | None = None, check_only: bool = False) -> int:
    """Does not return when the sidecar starts; else the exit code."""
    try:
        loaded = load(file, os.environ)
    except RefusedError as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIG
    for warning in loaded.warnings:
        print(warning, file=sys.stderr)
    if check_only:
        return 0
    process = loaded.process
    settings = Settings(
        file=str(file.absolute()),
        listen=process.listen,
        status=process.status,
        admin=process.admin,
        workers=workers or process.workers,
        workers_in_file=process.workers,
        drain_delay=process.drain_delay,
        drain_grace=process.drain_grace,
        log_format=loaded.spec.log.format,
    )
    spec = held.hold("stepdown-spec", encode(loaded.spec))
    os.set_inheritable(spec, True)
    command = [sys.executable, "-P", "-m", "stepdown.process.parent", settings.to_json(), str(spec)]
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - our own interpreter, no shell
