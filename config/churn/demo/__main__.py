"""Runs the demo: `make demo`, or `make demo KEEP=1` to leave everything up afterwards."""

import argparse
import json
import signal
import sys
import time
import urllib.error
from pathlib import Path

from config.churn.clients.old import API_KEY, NotWhatWeAgreedError
from config.churn.demo.question import question
from config.churn.demo.scenes import SCENES
from config.churn.demo.screen import DidNotHoldError, Screen
from config.churn.demo.stage import Stage, TakenError
from config.churn.processes import StartError
from config.churn.servers import ROOT


def main() -> int:
    """Plays all scenes; returns 0 when everything held, 1 when something did not, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="stay up afterwards until Ctrl-C")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "churn", help="for models and logs")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    screen = Screen()
    began = time.monotonic()
    try:
        with Stage(options.folder) as stage:
            stage.check_addresses()
            for scene in SCENES:
                scene(stage, screen)
            screen.console.print(f"\n[bold green]All {screen.held} steps held[/], in {time.monotonic() - began:.0f} s.")
            if options.keep:
                _stay(stage, screen)
    except KeyboardInterrupt:
        screen.console.print("\nInterrupted; everything was ended.")
        return 130
    except TakenError as error:
        screen.console.print(f"The demo cannot start. {error}", style="bold red", markup=False, soft_wrap=True)
    except StartError as error:
        screen.console.print(f"Did not start: {error}", style="bold red", markup=False, soft_wrap=True)
    except (DidNotHoldError, NotWhatWeAgreedError, urllib.error.URLError, OSError) as error:
        screen.console.print(f"  This did not hold: {error}", style="bold red", markup=False, soft_wrap=True)
    else:
        return 0
    return 1


def _end(number: int, _: object) -> None:
    sys.exit(128 + number)


def _stay(stage: Stage, screen: Screen) -> None:
    body = stage.folder / "question.json"
    body.write_text(json.dumps(question(stage.customer)))
    asks = f"curl -si {stage.url}/v2/models/churn/infer -H 'content-type: application/json' -d @{body}"
    screen.console.print("\nEverything is up. Try, in another terminal:")
    for line in (
        asks,
        f"{asks} -H 'x-model-version: 2'",
        f"{asks} -H 'x-api-key: {API_KEY}' -H 'x-user-id: user-377'",
        f"curl -s {stage.url}/v2/models/churn",
        f"curl -s {stage.status_url}/metrics",
    ):
        screen.console.print(f"  {line}", markup=False, soft_wrap=True)
    screen.console.print("Ctrl-C ends it all.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        screen.console.print("\nEnded.")


if __name__ == "__main__":
    sys.exit(main())
