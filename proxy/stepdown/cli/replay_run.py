"""One run of `stepdown replay`: reads, sends, shows how far it is, and prints what came of it."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stepdown.cli import replay_output
from stepdown.cli.replay_output import Outcome
from stepdown.cli.shadow_limits import EXIT_UNUSABLE, Limits
from stepdown.process.loop import new_loop
from stepdown.recordings.lines import BrokenError, Lines, RecordingError
from stepdown.recordings.reader import Reader
from stepdown.replay.candidate import Candidates
from stepdown.replay.replay import Choosing, Replay

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_STOPPED = 130


def run(
    recording: Sequence[Path],
    candidates: Candidates,
    choosing: Choosing,
    limits: Limits | None,
    *,
    lenient: bool,
    as_json: bool,
) -> int:
    """Send it all, and print the report; the exit code."""
    began = time.monotonic()
    try:
        reader = Reader(recording, lenient=lenient)
        with _quiet(), _progress(recording, choosing, lenient=lenient) as shown:
            replay = Replay(candidates, choosing, told=lambda: shown(replay))
            _run(replay, reader)
    except RecordingError as error:
        hint = "; --lenient passes over what cannot be read" if isinstance(error, BrokenError) else ""
        print(f"{error}{hint}", file=sys.stderr)
        return EXIT_UNUSABLE
    outcome = Outcome(replay, reader, limits, time.monotonic() - began)
    results = replay.books.results
    if not results or (replay.gone and results.keys() == {"incomparable"}):
        print(replay_output.why_nothing(outcome), file=sys.stderr)
        return EXIT_STOPPED if replay.stopped else EXIT_UNUSABLE
    if as_json:
        print(replay_output.as_json(outcome))
    else:
        replay_output.show(outcome)
    return EXIT_STOPPED if replay.stopped else replay_output.exit_code(outcome)


def _run(replay: Replay, reader: Reader) -> None:
    """Until it is over; Ctrl-C stops it, and once more ends the process."""

    async def whole() -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            replay.stop()
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        loop.add_signal_handler(signal.SIGINT, stop)
        try:
            await replay.run(reader)
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(whole())


@contextmanager
def _quiet() -> Iterator[None]:
    """Without a line for each candidate that cannot be reached: that is said in the end."""
    logger = logging.getLogger("stepdown.plane")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _progress(recording: Sequence[Path], choosing: Choosing, *, lenient: bool) -> Iterator[Callable[[Replay], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _replay: None
        return
    from rich.console import Console  # noqa: PLC0415 - only terminals want it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        TextColumn("[red]{task.fields[different]:,} different[/red]"),
    )
    lines = sum(1 for _ in Lines(recording, lenient=lenient))
    total = lines if choosing.limit is None else min(lines, choosing.limit)
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=total, rate=0.0, different=0)

        def show(replay: Replay) -> None:
            results = replay.books.results
            done = results.total() if choosing.limit is not None else replay.read - replay.sent + results.total()
            rate = results.total() / max(time.monotonic() - began, 0.001)
            progress.update(bar, completed=done, rate=rate, different=results["different"])

        yield show
