"""What `stepdown replay` prints: each route's report, as shadows have them, and what of the recording was not used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from stepdown.cli.shadow_limits import EXIT_UNUSABLE, Limits
from stepdown.cli.shadow_output import EXITS, said, show_report, show_verdict
from stepdown.comparison.report import Report
from stepdown.comparison.verdict import Verdict, judge
from stepdown.comparison.view import verdict_view, view
from stepdown.recordings.reader import Reader
from stepdown.replay.exchanges import REDACTED
from stepdown.replay.replay import Replay

FORMAT = 1


class Outcome:
    """A run that is over."""

    def __init__(self, replay: Replay, reader: Reader, limits: Limits | None, seconds: float) -> None:
        self.replay = replay
        self.reader = reader
        self.limits = limits
        self.seconds = seconds

    @cached_property
    def reports(self) -> dict[str, Report]:
        """By route."""
        return self.replay.books.reports()

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """By route; empty where nothing is to be decided."""
        if self.limits is None:
            return {}
        return {route: judge(report, *self.limits) for route, report in self.reports.items()}

    @property
    def whole(self) -> bool:
        """Whether all was sent that was to be."""
        return not self.replay.stopped and not self.replay.gone

    @property
    def outcome(self) -> str:
        """Of all routes together: one that fails fails all, and what was broken off passes nowhere."""
        found = {verdict.outcome for verdict in self.verdicts.values()}
        if "fail" in found:
            return "fail"
        return "pass" if found == {"pass"} and self.whole else "inconclusive"


def exit_code(outcome: Outcome) -> int:
    """A verdict's; without limits whether everything was sent."""
    if outcome.limits is None:
        return EXIT_UNUSABLE if outcome.replay.gone else 0
    return EXITS[outcome.outcome]


def show(outcome: Outcome) -> None:
    """For people."""
    for at, (route, report) in enumerate(outcome.reports.items()):
        if at:
            print()
        show_report({**view(report), "shadow": route})
        if route in outcome.verdicts:
            assert outcome.limits is not None
            show_verdict(verdict_view(outcome.verdicts[route], *outcome.limits))
    print()
    for sentence in remarks(outcome):
        print(sentence)
    if outcome.limits is not None and (len(outcome.verdicts) > 1 or not outcome.whole):
        said(outcome.outcome, {"pass": "green", "fail": "red"}.get(outcome.outcome, "yellow"))


def as_json(outcome: Outcome) -> str:
    """For machines."""
    replay, reader, limits = outcome.replay, outcome.reader, outcome.limits
    routes = {}
    for route, report in outcome.reports.items():
        routes[route] = view(report)
        if limits is not None:
            routes[route]["verdict"] = verdict_view(outcome.verdicts[route], *limits)
    found: dict[str, Any] = {
        "format": FORMAT,
        "outcome": outcome.outcome if limits is not None else None,
        "read": replay.read,
        "passed_over": replay.passed_over,
        "sent": replay.sent,
        "answered": replay.books.results.total(),
        "skipped": dict(replay.books.skipped),
        "seconds": round(outcome.seconds, 3),
        "stopped": replay.stopped,
        "gone": replay.gone or None,
        "unseen": dict(replay.books.unseen),
        "incomparable": dict(replay.books.why),
        "hidden_queries": replay.hidden,
        "recording": {
            "files": len(reader.files),
            "cut": reader.cut,
            "gone": reader.gone,
            "broken": {"lines": reader.broken, "first": list(reader.named)},
        },
        "routes": routes,
    }
    return json.dumps(found, indent=2, ensure_ascii=False)


def remarks(outcome: Outcome) -> Iterator[str]:
    """What has to be known of a report besides."""
    replay, reader = outcome.replay, outcome.reader
    results = replay.books.results.total()
    rate = f", {results / outcome.seconds:,.0f} a second" if outcome.seconds >= 1 else ""
    yield f"Sent {replay.sent:,} of {replay.read:,} recorded requests in {outcome.seconds:,.1f} s{rate}."
    if replay.stopped:
        yield f"Stopped before the end; {replay.sent - results:,} that were on their way were given up."
    if replay.gone:
        yield f"The candidate is gone, so this is not all: {replay.gone}."
    if replay.passed_over:
        yield f"Passed over: {replay.passed_over:,} of other routes or not in the sample."
    yield from skips(outcome)
    for reason, detail in replay.books.why.items():
        yield f"Incomparable ({reason}), the first: {detail}."
    for path, times in replay.books.unseen.most_common():
        yield f"Not looked at, because it is redacted: {path} (in {times:,} of the recorded answers)."
    if replay.hidden:
        yield f"Sent with *** in their query, where a secret was: {replay.hidden:,}."
    if reader.cut:
        yield f"Cut in the middle of an entry, which was passed over: {reader.cut:,} of the files."
    if reader.gone:
        yield f"Removed before their turn came: {reader.gone:,} of the files."
    if reader.broken:
        yield f"Broken lines that were passed over: {reader.broken:,}, the first: {reader.named[0]}."


def skips(outcome: Outcome) -> Iterator[str]:
    """Why requests were not sent."""
    skipped = outcome.replay.books.skipped
    if skipped:
        reasons = "; ".join(f"{times:,} {reason}" for reason, times in skipped.most_common())
        yield f"Not sent: {skipped.total():,} ({reasons})."
    if skipped[REDACTED]:
        yield (
            f"Of {skipped[REDACTED]:,} requests a part is redacted, and what a candidate makes of a digest says "
            "nothing. To replay such traffic, record it with a `redact` that leads nowhere in requests."
        )


def why_nothing(outcome: Outcome) -> str:
    """Why there is no report."""
    replay = outcome.replay
    if replay.gone:
        return f"nothing is compared: the candidate cannot be reached: {replay.gone}"
    if replay.passed_over == replay.read > 0:
        return f"nothing is compared: what was recorded is of {', '.join(sorted(replay.routes))}, or not in the sample"
    if not replay.read:
        return "nothing is compared: the recording has no entry" + (
            f"; {outcome.reader.broken:,} lines cannot be read" if outcome.reader.broken else ""
        )
    return "\n".join(
        [f"nothing is compared: of {replay.read:,} recorded requests none could be used", *remarks(outcome)]
    )
