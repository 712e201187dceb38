"""`make demo-canary`: a rollout that goes well, and two that are taken back, on real processes, in a few minutes.

Each time 3.0.0 is another build, everything is started anew, and `stepdown rollout start` is all that anybody does.
What is seen then is checked: how the rollout ends, why, who serves afterwards, and what users noticed meanwhile.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from config.canary.stage import ROLLOUT, Stage
from config.churn.demo.screen import DidNotHoldError, Screen
from config.churn.processes import StartError, until


class Scenario(NamedTuple):
    """One build of 3.0.0, and what has to become of it."""

    build: str
    title: str
    phase: str
    serves: str
    """Who has all users in the end."""
    because: str = ""
    """The guard that is named in the reason."""
    is_readable: bool = True
    """Whether applications can read all answers."""


SCENARIOS = (
    Scenario("good", "3.0.0 is as good as 2.0.0", "promoted", "3.0.0"),
    Scenario("dull", "3.0.0 finds less that users like", "rolled back", "2.0.0", "click-through"),
    Scenario(
        "empty", "3.0.0 breaks its contract, with status 200", "rolled back", "2.0.0", "contract_violations", False
    ),
)
LADDER = [5.0, 25.0, 50.0, 100.0]


class Watched(NamedTuple):
    """What was seen of a rollout until it ended."""

    view: dict[str, Any]
    seconds: float
    scraped: int
    """Most trials of the candidate that the guard on Prometheus has had at a step."""


def watch(stage: Stage, screen: Screen, seconds: float) -> Watched:
    """Follow it until it ends, and show what it says.

    Raises:
        DidNotHoldError: it has not ended within that time.
    """
    began, said, scraped = time.monotonic(), "", 0
    while True:
        view = stage.rollout()
        took = time.monotonic() - began
        scraped = max([scraped, *(guard["trials"]["candidate"] for guard in view["guards"] if guard["source"])])
        if view["said"] != said:
            said = view["said"]
            screen.say(f"{took:4.0f} s  {view['weight']:3g} %  {said}")
        if view["ended"]:
            return Watched(view, took, scraped)
        if took > seconds:
            raise DidNotHoldError(f"it ends within {seconds:.0f} s; found: {view['phase']}, {said}")
        time.sleep(0.2)


def play(scenario: Scenario, stage: Stage, screen: Screen, seconds: float) -> None:
    """Start the rollout, and see how it ends; raises `DidNotHoldError`."""
    began = stage.stepdown("rollout", "start", ROLLOUT)
    screen.check(f"stepdown rollout start {ROLLOUT}", began.returncode == 0, (began.stdout + began.stderr).strip())
    watched = watch(stage, screen, seconds)
    screen.say(f"\n$ stepdown rollout status {ROLLOUT}\n{stage.stepdown('rollout', 'status', ROLLOUT).stdout}")
    phase = watched.view["phase"]
    screen.check(f"it is {scenario.phase}, after {watched.seconds:.0f} s", phase == scenario.phase, phase)
    history = [step for step in reversed(stage.rollout("/history")["transitions"]) if step["details"]["from"] != phase]
    last = history[-1]["sentence"]
    if scenario.because:
        screen.check(f"because of {scenario.because}", f"most of it of {scenario.because}" in last, last)
        taken = [one["version"] for one in watched.view["quarantine"]]
        screen.check("it is in quarantine, until a person starts it again", taken == ["3.0.0"], ", ".join(taken))
    else:
        weights = [step["details"]["weight"] for step in history if step["details"]["to"] == "stepping"]
        screen.check("it took step by step", weights == LADDER, ", ".join(f"{weight:g} %" for weight in weights))
        screen.check("Prometheus was asked", watched.scraped > 0, f"{watched.scraped:,} answers of 3.0.0 at a step")
    if not scenario.is_readable:
        broken = 'sum(stepdown_validations_total{contract="1.0.0",served="3.0.0",result="violated"})'
        found = until(lambda: stage.counted(broken) > 0, 30)
        screen.check(
            "the contract of 1.0.0 was broken, too", found, f"{stage.counted(broken):g} answers, says Prometheus"
        )
    alone = until(lambda: served(stage) == {scenario.serves}, 30)
    screen.check(f"all users are served by {scenario.serves}, and nobody did anything", alone, str(served(stage)))
    noticed(scenario, stage.seen(), screen)


def noticed(scenario: Scenario, seen: dict[str, Any], screen: Screen) -> None:
    """What users and their applications did."""
    all_good = [*seen["statuses"]] == ["200"] and not seen["failed"]
    screen.check("every answer had status 200", all_good, f"{seen['statuses']}, {seen['failed']} without an answer")
    broken = f"{seen['unreadable']:,} of {seen['asked']:,} were not"
    if scenario.is_readable:
        screen.check("every answer was one that its application could read", not seen["unreadable"], broken)
    else:
        screen.check("though some were none that old applications could read", seen["unreadable"] > 0, broken)
    told = seen["feedback"]
    screen.check("clicks were posted later, and taken", [*told] == ["200"], f"{told} of {seen['clicks']:,}")


def served(stage: Stage) -> set[str]:
    """By whom users were served within a second or two."""
    before = stage.seen()
    until(lambda: stage.seen()["asked"] > before["asked"], 30)
    return {version for version, count in stage.seen()["served"].items() if count > before["served"].get(version, 0)}


def run(scenario: Scenario, folder: Path, screen: Screen, rate: float, seconds: float) -> None:
    """One scenario from the start of its programs to their end."""
    screen.scene(scenario.title)
    with Stage(folder, scenario.build, rate) as stage:
        screen.done("two servers, the sidecar, Prometheus and users", f"{rate:g} questions a second")
        try:
            play(scenario, stage, screen, seconds)
        except DidNotHoldError:
            screen.say(stage.log("stepdown"))
            screen.say(stage.log("users"))
            raise


def asked_for(given: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m config.canary.demo", description="Rollouts that end by themselves."
    )
    builds = [scenario.build for scenario in SCENARIOS]
    about = f"of 3.0.0: {', '.join(builds)} (default: all of them)"
    parser.add_argument("builds", nargs="*", metavar="BUILD", help=about)
    parser.add_argument("--rate", type=float, default=200, metavar="N", help="questions a second (default: 200)")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="for each (default: 300)")
    options = parser.parse_args(given)
    for build in options.builds:  # `choices` of argparse would refuse that none is named
        if build not in builds:
            parser.error(f"there is no {build}; there are: {', '.join(builds)}")
    options.builds = options.builds or builds
    return options


def main(given: Sequence[str] | None = None) -> int:
    """The exit code: 0 if everything was as it should be."""
    options = asked_for(given)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda caught, _: sys.exit(128 + caught))
    screen = Screen()
    try:
        for scenario in SCENARIOS:
            if scenario.build in options.builds:
                with tempfile.TemporaryDirectory(prefix="canary-") as folder:
                    run(scenario, Path(folder), screen, options.rate, options.limit)
    except KeyboardInterrupt:
        screen.console.print("\nInterrupted; everything was ended.")
        return 130
    except (DidNotHoldError, StartError, OSError) as error:
        screen.console.print(f"  This did not hold: {error}", style="bold red", markup=False, soft_wrap=True)
        return 1
    screen.console.print(f"\n[bold green]All {screen.held} held.[/]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
