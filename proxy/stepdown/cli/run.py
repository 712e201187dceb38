"""`stepdown run FILE`: check the file, then become the parent process.

The file is loaded here once, so that a wrong one is refused on the terminal before anything is bound, and what it
compiled to is handed on: the workers start with it and need not wait for anybody to read it again. Executing the parent
in this process's place leaves everything that loading needed behind.

Reading a file takes as long as starting a worker, most of it for loading code. So the first worker is started before
the file is read, waits for its introduction, and is handed on to the parent; when the file is refused, it ends with us.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from stepdown.process import held
from stepdown.process.child import Child
from stepdown.process.parent import WORKER
from stepdown.process.settings import Settings

if TYPE_CHECKING:
    from stepdown.config import Loaded

EXIT_REFUSED = 2

_STANDARD_ERROR = 2


def run(arguments: Sequence[str]) -> int:
    """Does not return when the sidecar starts; else the exit code: 0 for a good file with `--check-only`, 2."""
    options = _parser().parse_args(arguments)
    _open_standard_streams()
    first = Child(WORKER)
    if not options.check_only:
        first.start(time.monotonic())
    loaded = _load(options.file)
    if loaded is None or options.check_only:
        first.kill()
        return EXIT_REFUSED if loaded is None else 0
    lists = {one.digest: one.fd for one in loaded.lists.values()}
    _become_parent(_settings(options.file, loaded, options.workers), _first_spec(loaded), lists, first)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stepdown run",
        description="Start the sidecar with a configuration file.",
        epilog="SIGTERM and SIGINT let running requests finish, a second one does not; SIGHUP reads the file again. "
        "Exit codes: 0 stopped, 1 stopped with requests cut, 2 file refused, 3 port taken.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the configuration file")
    parser.add_argument("--workers", type=_count, metavar="N", help="worker processes, instead of what the file says")
    parser.add_argument("--check-only", action="store_true", help="start nothing; exit with 0 if the file is accepted")
    return parser


def _open_standard_streams() -> None:
    """Where a standard stream is closed, open nothing in its place: else a socket gets the number that logs go to."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(opened, True)
    os.close(opened)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 256")
    return int(text)


def _load(file: Path) -> Loaded | None:
    """The file, with warnings printed; `None` where it is refused, with every finding printed."""
    from stepdown.config import RefusedError, load  # noqa: PLC0415 - while this is loaded, a worker starts

    try:
        loaded = load(file, os.environ)
    except RefusedError as refused:
        print(*refused.findings, sep="\n", file=sys.stderr)
        return None
    for warning in loaded.warnings:
        print(warning, file=sys.stderr)
    return loaded


def _settings(file: Path, loaded: Loaded, workers: int | None) -> Settings:
    from stepdown.decide import checks  # noqa: PLC0415 - loaded already, by the configuration

    process = loaded.process
    return Settings(
        file=str(file.absolute()),
        listen=process.listen,
        status=process.status,
        admin=process.admin,
        workers=workers or process.workers,
        workers_in_file=process.workers,
        drain_delay=process.drain_delay,
        drain_grace=process.drain_grace,
        log_format=loaded.spec.log.format,
        compares=checks.wanted(loaded.spec),
    )


def _first_spec(loaded: Loaded) -> bytes:
    """Encoded, with what was switched by hand before the last stop."""
    from stepdown.config.overlay import first_spec  # noqa: PLC0415
    from stepdown.decide.spec import encode  # noqa: PLC0415 - loaded already, by the configuration

    spec, warning = first_spec(loaded)
    if warning:
        print(warning, file=sys.stderr)
    return encode(spec)


def _become_parent(settings: Settings, encoded: bytes, lists: dict[str, int], first: Child) -> NoReturn:
    spec = held.hold("stepdown-spec", encoded)
    for fd in (spec, *lists.values()):
        os.set_inheritable(fd, True)
    named = (f"{name}={fd}" for name, fd in lists.items())
    given = [settings.to_json(), str(spec), *first.hand_on(), *named]
    if sys.stdout is not None:  # closed
        sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "stepdown.process.parent", *given])  # noqa: S606 - no shell
