"""The command of `make bench-shadows`: what shadows cost whoever asks, or `python -m bench.shadows --help`."""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from rich.console import Console

from bench import page
from bench.peers import Upstream, upstream
from bench.shadows.kinds import KINDS, NONE
from bench.shadows.outcome import promises, table
from bench.shadows.rounds import Row, Runs, measure, peak_of
from bench.steady import HIGHEST_STEADY_RATE

SECTION = "shadows"
SHARE = 0.4
"""Of the highest rate, at which latencies are taken."""
PEAK_SECONDS = 3.0
USUAL = 0.0005
"""Seconds that an answer takes, until there was a round without a shadow."""


def main() -> None:
    """Measure, print, and write if that is asked for."""
    options = _options()
    console = page.console()
    if not shutil.which("wrk") and not options.rate:
        raise SystemExit("bench: wrk is not there; it and nginx-light are packages of Debian")
    with tempfile.TemporaryDirectory() as folder, upstream(Path(folder)) as behind:
        rate = options.rate or _rate(behind, options, console)
        rows = measured(behind, options, rate, console)
    shown = [table(rows), page.promised(promises(rows))]
    page_says = _conditions(options, rate)
    page.show(console, shown, page_says)
    if options.write:
        page.write(SECTION, shown, page_says)


def _conditions(options: argparse.Namespace, rate: float) -> str:
    return (
        f"{page.measured_on()}. At {rate:,.0f} requests/s, all of them due a copy: medians of "
        f"{options.runs * options.pairs} seconds on a route with the shadow, in {options.runs} sidecars one after the "
        "other, and of as many on a route without it, in turns. The p99 is the median of the p99s of a second's "
        "quarters. The sidecar, its worker and its comparer, has one core; clients, servers and the shadow's server "
        "share another."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-shadows", description="What shadows cost whoever asks.")
    parser.add_argument("--runs", type=int, default=5, help="beside each kind of shadow (default: %(default)s)")
    parser.add_argument(
        "--pairs", type=int, default=24, help="seconds with and without, in each (default: %(default)s)"
    )
    parser.add_argument("--rate", type=float, help=f"requests/s (default: {SHARE:.0%}% of the highest rate)")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {page.PAGE.name}")
    return parser.parse_args()


def _rate(behind: Upstream, options: argparse.Namespace, console: Console) -> float:
    """Of three rounds without a shadow."""
    with console.status("highest rate"):
        peaks = [peak_of(NONE, behind, PEAK_SECONDS).rate for _ in range(3)]
    return min(SHARE * statistics.median(peaks), HIGHEST_STEADY_RATE)


def measured(behind: Upstream, options: argparse.Namespace, rate: float, console: Console) -> list[Row]:
    """All kinds, each in turns with a route without a shadow: what else the machine does falls on both alike."""
    rows = [Row(kind) for kind in KINDS]
    runs = Runs(options.runs, options.pairs, rate)
    with console.status("") as status:
        for number, row in enumerate(rows, 1):
            status.update(f"latency at {rate:,.0f}/s, row {number} of {len(rows)}: shadow {row.kind.name}")
            usual = rows[0].median("p50") / 1e6 if rows[0].beside else USUAL
            measure(row, behind, runs, usual)
    return rows


if __name__ == "__main__":
    main()
