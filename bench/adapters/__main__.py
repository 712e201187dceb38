"""The command of `make bench-adapters`: what chains and `check` cost, or `python -m bench.adapters --help`."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from bench import page
from bench.adapters import languages, many, streams, tensors, ways
from bench.adapters.outcome import Outcome, promises, tables
from bench.adapters.turns import SLICE, in_turns

SECTION = "adapters"
VERSIONS = (2, 100)


def main() -> None:
    """Measure, print, and write if that is asked for."""
    options = _options()
    console = page.console()
    others = languages.installed()
    if not others:
        console.print(f"without expression languages: {languages.ENVIRONMENT.name} is not there", style="yellow")
    with console.status("checking configurations"), tempfile.TemporaryDirectory() as folder:
        files = {count: many.configuration(Path(folder) / str(count), count) for count in VERSIONS}
        checks = {count: many.check(file, options.runs) for count, file in files.items()}
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # only now: what is started inherits it
    with console.status("three steps over 1 KB"):
        chain = in_turns(ways.of_chain(others), options.rounds)
    with console.status("tensors to predictions"):
        turned = {shape: in_turns(ways.of_tensor(shape), options.rounds) for shape in tensors.SHAPES}
    with console.status("events of a stream"):
        events = in_turns(streams.ways(), options.rounds)
    outcome = Outcome(chain, turned, checks, events)
    shown = [*tables(outcome), page.promised(promises(outcome))]
    conditions = _conditions(options)
    page.show(console, shown, conditions)
    if options.write:
        page.write(SECTION, shown, conditions)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-adapters", description="What adapters cost, beside other ways.")
    parser.add_argument("--rounds", type=int, default=300, help="slices of each way (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=7, help="of `stepdown check` (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {page.PAGE.name}")
    return parser.parse_args()


def _conditions(options: argparse.Namespace) -> str:
    return (
        f"{page.measured_on()}{languages.versions()}. Conversions: CPU time on one core, the least of {options.rounds} "
        f"interleaved slices of {SLICE * 1e3:g} ms and their median. `check`: medians of {options.runs} runs."
    )


if __name__ == "__main__":
    main()
