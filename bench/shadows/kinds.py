"""The kinds of shadow that are measured, and the programs that are their servers."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.peers import LOAD_CORE
from bench.processes import free_port, running

SLOWER = 10
"""Times that the served version takes."""


@dataclass(frozen=True)
class Kind:
    """One row."""

    name: str
    percent: int = 100
    """Of the requests that are copied."""
    plays: str = "answers"
    """What its server does (`bench.shadows.server`); nothing listens where it is empty."""
    slower: bool = False


NONE = Kind("none", percent=0, plays="")
"""Beside another one without a shadow it shows how far two rows lie apart between which there is no difference."""
KINDS = (
    NONE,
    Kind("healthy"),
    Kind("ten times slower", slower=True),
    Kind("never reads", plays="unread"),
    Kind("refuses", plays=""),
    Kind("resets", plays="resets"),
    Kind("floods", plays="floods"),
)


@contextlib.contextmanager
def serving(kind: Kind, folder: Path, usual: float) -> Iterator[int]:
    """The port of a shadow's server, for the time of the block; `usual` is what the served version takes, in seconds.

    It stands for another machine: on the load's core it runs when nothing else wants to.
    """
    port = free_port()
    if not kind.plays:
        yield port
        return
    seconds = SLOWER * usual if kind.slower else 0.0
    command = [sys.executable, "-m", "bench.shadows.server", str(port), kind.plays, str(seconds)]
    idle = ["chrt", "--idle", "0", *command]
    with running(idle, port=port, core=LOAD_CORE, output=folder / f"{kind.plays}.log"):
        yield port
