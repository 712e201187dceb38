"""Many rehearsals of a rollout, on all cores, with a bar on a terminal; a seed gives the same on any machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random

from stepdown.decide.rollout_spec import Rollout
from stepdown.rollout.rehearsal import Ended, rehearse_all
from stepdown.rollout.simulate import Traffic

_TOGETHER = 20
"""Rehearsals that one process is given at a time."""
_FEW = 60
"""So many are over sooner than processes have started."""


def runs_of(rollout: Rollout, traffic: Traffic, seed: int, runs: int) -> list[Ended]:
    """As many rehearsals as that, in the order of their numbers."""
    parts = [range(first, min(first + _TOGETHER, runs)) for first in range(0, runs, _TOGETHER)]
    cores = min(len(os.sched_getaffinity(0)), len(parts))
    ended: list[Ended] = []
    with _progress(runs) as done:
        if cores == 1 or runs <= _FEW:
            for part in parts:
                ended += _part(rollout, traffic, seed, part)
                done(len(ended))
            return ended
        # Not forked: a bar has threads, and a fork in the middle of one may never wake.
        with multiprocessing.get_context("spawn").Pool(cores, initializer=_deaf) as pool:
            for found in pool.imap(partial(_part, rollout, traffic, seed), parts):
                ended += found
                done(len(ended))
    return ended


def _part(rollout: Rollout, traffic: Traffic, seed: int, numbers: range) -> list[Ended]:
    return rehearse_all(rollout, traffic, numbers, lambda number: Random(f"{seed}/{number}"))  # noqa: S311 - no secret


def _deaf() -> None:
    """Ctrl-C is for the command, which ends its processes itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _progress(runs: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console  # noqa: PLC0415 - only terminals want it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=runs)
        yield lambda done: progress.update(bar, completed=done)
