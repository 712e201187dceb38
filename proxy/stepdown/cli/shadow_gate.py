"""Whether a shadow's report keeps within limits, looked at until that is decided."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pydantic_core import PydanticCustomError

from stepdown.cli.admin_client import AdminError
from stepdown.cli.shadow_limits import give_up, share_of
from stepdown.cli.shadow_not_sent import not_sent
from stepdown.cli.shadow_output import EXITS, headline, said, show_verdict
from stepdown.comparison.failures import judge_failures, together
from stepdown.comparison.verdict import Outcome, judge
from stepdown.comparison.view import counted, verdict_view
from stepdown.config.file.values import read_duration

EVERY = 2.0
"""Seconds between two looks."""
_PASSING = {0, 503}
"""Statuses of answers after which it is worth looking again: nobody answered, or the comparer is being replaced."""


class Limits(NamedTuple):
    """What a report is held against: shares, 0 to 1, or `None` for no such limit."""

    max_different: float | None
    max_errors: float | None
    min_compared: int


class Decision(NamedTuple):
    """What it came to."""

    whole: Mapping[str, Any]
    """The report, as the admin API gives it."""
    outcome: Outcome
    checks: tuple[Mapping[str, Any], ...]
    """One for each limit: its verdict, with its name under `limit`."""

    @property
    def exit_code(self) -> int:
        """Of the command."""
        return EXITS[self.outcome]

    @property
    def missed(self) -> str:
        """Of what is undecided, which copies were not sent, and what to do about it."""
        return not_sent(self.whole) if self.outcome == "inconclusive" else ""


def limits_of(max_different: str | None, max_errors: str | None, min_compared: int) -> Limits:
    """What the options say; gives up where they say nothing that can be used."""
    if max_different is None and max_errors is None:
        give_up("Say what is to hold: --max-different 0.5%, --max-errors 0.1%, or both.")
    different = None if max_different is None else share_of("--max-different", max_different)
    errors = None if max_errors is None else share_of("--max-errors", max_errors)
    return Limits(different, errors, min_compared)


def patience_of(wait: str) -> float:
    """Seconds; gives up on what is no duration."""
    try:
        return read_duration(wait)
    except PydanticCustomError as error:
        give_up(f"--wait {wait}: {error.message()}")


def decide(whole: Mapping[str, Any], limits: Limits) -> Decision:
    """Hold a report against limits."""
    report, least = counted(dict(whole["report"])), limits.min_compared
    checks = []
    if limits.max_different is not None:
        verdict = judge(report, limits.max_different, least)
        checks.append({"limit": "max-different", **verdict_view(verdict, limits.max_different, least)})
    if limits.max_errors is not None:
        verdict = judge_failures(report, limits.max_errors, least)
        named = {name: value for name, value in verdict._asdict().items() if name != "different"}
        more = {"failed": verdict.different, "max_errors": limits.max_errors, "min_compared": least}
        checks.append({"limit": "max-errors", **named, **more})
    return Decision(whole, together(one["outcome"] for one in checks), tuple(checks))


def wait_for(
    look: Callable[[], Mapping[str, Any]],
    limits: Limits,
    patience: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Decision:
    """Look until it is decided, or patience (in seconds) is over. Raises `AdminError`."""
    until = now() + patience
    told = False
    while True:
        last = now() + EVERY > until
        try:
            decision = decide(look(), limits)
        except AdminError as error:
            if last or error.status not in _PASSING:
                raise
        else:
            if last or decision.outcome != "inconclusive":
                return decision
            if not told:
                told = True
                sentences = " ".join(filter(None, [*(one["sentence"] for one in decision.checks), decision.missed]))
                print(f"Not decided yet: {sentences} Waiting for {patience:g} s at the most.", file=sys.stderr)
        sleep(EVERY)


def show(decision: Decision, *, as_json: bool) -> None:
    """In sentences, or as JSON."""
    whole = decision.whole
    if as_json:
        named = {name: whole[name] for name in ("route", "shadow", "begun")}
        missed = {"skipped": whole["skipped"], "remark": decision.missed}
        print(json.dumps({**named, "outcome": decision.outcome, "checks": decision.checks, **missed}, indent=2))
        return
    said(headline(whole["report"]), "")
    for one in decision.checks:
        show_verdict(one)
    if decision.missed:
        print(f"\n{decision.missed}")
