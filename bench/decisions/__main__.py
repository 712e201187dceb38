"""The command of `make bench-decisions`: what a decision costs, or `python -m bench.decisions --help`."""

from __future__ import annotations

import argparse
import asyncio
import os

from bench import page
from bench.adapters.turns import SLICE, in_turns
from bench.decisions import evidence, feedback, ways
from bench.decisions.outcome import promises, tables
from stepdown.telemetry.slab import Slab

SECTION = "decisions"


def main() -> None:
    """Measure, print, and write if that is asked for."""
    options = _options()
    console = page.console()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with console.status("deciding"):
        decisions = in_turns(ways.of_decisions(), options.rounds)
    with console.status("finding routes"):
        finding = in_turns(ways.of_finding(), options.rounds)
    with console.status("signing"):
        tokens = in_turns(feedback.ways(), options.rounds)
    with console.status("counting"), asyncio.Runner() as runner:
        counted = in_turns(evidence.ways(Slab.create(), runner.get_loop()), options.rounds)
    kept = [*promises(decisions, finding), *feedback.promises(tokens), *evidence.promises(counted)]
    shown = [
        *tables(decisions, finding),
        feedback.table(tokens),
        evidence.table(counted),
        page.promised(kept),
    ]
    conditions = (
        f"{page.measured_on()}. CPU time on one core, the least of {options.rounds} interleaved slices of "
        f"{SLICE * 1e3:g} ms and their median, each without what taking the next head or unit costs."
    )
    page.show(console, shown, conditions)
    if options.write:
        page.write(SECTION, shown, conditions)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-decisions", description="What a decision costs.")
    parser.add_argument("--rounds", type=int, default=300, help="slices of each way (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {page.PAGE.name}")
    return parser.parse_args()


if __name__ == "__main__":
    main()
