"""The benchmark's one command: `make bench`, or `python -m bench --help`."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from bench import page, report
from bench.peers import PEERS, Upstream, upstream
from bench.probes import Memories, cold_start, memories
from bench.profile import profile
from bench.promises import promises
from bench.rounds import Row, peak_round, steady_round
from bench.steady import HIGHEST_STEADY_RATE

NAMED = {peer.name: peer for peer in PEERS}
PACKAGES = "wrk nginx-light haproxy libnginx-mod-http-lua lua-cjson libnginx-mod-http-js"


def main() -> None:
    """Measure what is asked for and print it."""
    options = _options()
    console = page.console()
    if not shutil.which("wrk"):
        raise SystemExit(f"bench: wrk is not there; all that it uses are Debian's packages {PACKAGES}")
    rows = [Row(peer) for peer in PEERS if not options.only or peer.name in options.only]
    for absent in [row for row in rows if not row.peer.needs.exists()]:
        console.print(f"without {absent.peer.name}: {absent.peer.needs} is not there", style="yellow")
        rows.remove(absent)
    with tempfile.TemporaryDirectory() as folder, upstream(Path(folder)) as behind:
        if options.profile:
            profile(NAMED[options.profile], behind, options.seconds, console)
            return
        rate = _rounds(rows, behind, options, console)
        cold, memory = (None, None) if options.brief else _alone(rows, behind, options, console)
    judged = promises({row.peer.name: row for row in rows}, cold, memory)
    conditions = report.describe(options.rounds, options.seconds, rate)
    tables = report.tables(rows, judged)
    page.show(console, tables, conditions)
    if options.write:
        page.write(report.SECTION, tables, conditions)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Stepdown beside other proxies, one core for each.")
    parser.add_argument("--seconds", type=float, default=4, help="of each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each proxy (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=NAMED, metavar="NAME", help="a row to measure; repeatable")
    parser.add_argument("--brief", action="store_true", help="leave out latency, cold start and memory")
    parser.add_argument("--profile", choices=NAMED, metavar="NAME", help="only show where one row's time goes, by perf")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {page.PAGE.name}")
    return parser.parse_args()


def _rounds(rows: list[Row], behind: Upstream, options: argparse.Namespace, console: Console) -> float | None:
    """One proxy after the other and around again, so that what else the machine does falls on all alike.

    Returns the rate at which latencies were taken, if they were.
    """
    plain = [row for row in rows if not row.peer.adapts and row.peer.routes == 1]
    with console.status("") as status:
        for number in range(1, options.rounds + 1):
            for row in rows:
                status.update(f"highest rate, round {number} of {options.rounds}: {row.peer.name}")
                peak_round(row, behind, options.seconds)
        if options.brief or not plain:
            return None
        rate = min(min(row.rate for row in plain) / 2, HIGHEST_STEADY_RATE)
        for number in range(1, options.rounds + 1):
            for row in plain:
                status.update(f"latency at {rate:,.0f}/s, round {number} of {options.rounds}: {row.peer.name}")
                steady_round(row, behind, options.seconds, rate)
    return rate


def _alone(
    rows: list[Row], behind: Upstream, options: argparse.Namespace, console: Console
) -> tuple[float | None, Memories | None]:
    """What is measured of Stepdown only: cold start and memory."""
    for peer in (row.peer for row in rows if row.peer.name == "stepdown"):
        with console.status("cold start, then memory"):
            return cold_start(peer, behind, options.rounds), memories(peer, behind)
    return None, None


if __name__ == "__main__":
    main()
