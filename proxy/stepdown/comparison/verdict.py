"""Whether a shadow's answers differ rarely enough for a deployment to go on.

What is judged is how often an answer differs *beyond noise*: the share of the candidate's answers that differ, less
the share in which the served version differs from itself, where noise copies say what that is. A candidate that gave
no answer (refused, reset, cut, timeout, malformed), one that is longer than any that is compared (too-large), a stream
with an error in it, or none that could be stepped down (adapter, stream), where the served version gave one differs.

    pass          enough answers, and at 95 % the share is within the limit
    fail          enough answers, and at 95 % it is beyond the limit
    inconclusive  everything else: too few answers, or the limit is among the shares that are still possible

The interval holds at all times at once, so that asking again and again until it passes is no cheating. No interval ends
at 0: with a limit of 0 it passes when none of enough answers differs, and fails when one does (with noise copies: when
the candidate is shown to differ more often than noise).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from stepdown.comparison.findings import beyond_noise, rate
from stepdown.comparison.merging import counts
from stepdown.comparison.report import Report, Section
from stepdown.statistics.evidence import ALPHA, reaches
from stepdown.statistics.paired import paired_evidence
from stepdown.statistics.proportion import interval

FAILED = frozenset(
    {"refused", "reset", "cut", "timeout", "malformed", "too-large", "adapter", "stream", "stream-failed"}
)
"""Reasons for which there is nothing to compare that are the candidate's failure."""
_MOST = 100_000_000

Outcome = Literal["pass", "fail", "inconclusive"]


class Verdict(NamedTuple):
    """A decision with its reason."""

    outcome: Outcome
    sentence: str
    different: int
    """Answers that differ or failed,"""
    compared: int
    """of so many."""
    low: float
    """Between this and"""
    high: float
    """this is the share that differs beyond noise."""


class _Counted(NamedTuple):
    """What is decided from."""

    section: Section
    different: int
    compared: int
    failed: int
    low: float
    high: float
    alpha: float


def judge(report: Report, max_different: float, min_compared: int, alpha: float = ALPHA) -> Verdict:
    """Decide for all pinned versions together; `max_different` is a share (0 to 1)."""
    section = counts(report)
    failed = none_given(section)
    different, compared = section.different + failed, section.compared + failed
    counted = _Counted(section, different, compared, failed, *_beyond_noise(different, compared, section, alpha), alpha)
    outcome, why = _decide(counted, max_different, max(min_compared, 1))
    parts = [_said(counted), f"{why}."]
    skipped = sum(section.incomparable.values()) - failed
    if skipped:
        parts.append(f"{skipped:,} more could not be compared.")
    return Verdict(outcome, " ".join(parts), different, compared, counted.low, counted.high)


def none_given(section: Section) -> int:
    """Answers that the candidate owed and did not give, or not as a whole."""
    return sum(times for reason, times in section.incomparable.items() if reason in FAILED)


def held(what: str, low: float, high: float, limit: float, alpha: float) -> tuple[Outcome, str]:
    """What holding a share against a limit comes to, and why; `what` begins the sentence."""
    between = f"{what} between {percent(low)} and {percent(high)} (at {percent(1 - alpha)})"
    allowed = f"the limit of {percent(limit)}"
    if high <= limit:
        return "pass", f"{between}, within {allowed}"
    if low > limit:
        return "fail", f"{between}, beyond {allowed}"
    return "inconclusive", f"{between}, on both sides of {allowed}"


def percent(share: float) -> str:
    """A share as it stands in sentences."""
    return f"{100 * share:.3g} %"


def _decide(counted: _Counted, limit: float, least: int) -> tuple[Outcome, str]:
    if counted.compared < least:
        return "inconclusive", f"At least {least:,} are needed"
    if limit <= 0:
        return _decide_none(counted)
    what = f"The share that differs{' beyond noise' if counted.section.paired else ''} is"
    outcome, why = held(what, counted.low, counted.high, limit, counted.alpha)
    return outcome, why + _more(counted, limit) if outcome == "inconclusive" else why


def _decide_none(counted: _Counted) -> tuple[Outcome, str]:
    """With a limit of nothing."""
    section = counted.section
    if not counted.different:
        return "pass", f"None differs (at {percent(1 - counted.alpha)} at most {percent(counted.high)} do)"
    if not section.paired:
        return "fail", "None may differ"
    only, noise = section.candidate_only, section.noise_only
    pairs = f"{only:,} times only the candidate did, {noise:,} times only the noise copy"
    if reaches(paired_evidence(only, noise), counted.alpha):
        return "fail", f"None may differ more often than noise, and they do: {pairs}"
    return "inconclusive", f"That they differ more often than noise is not shown: {pairs}"


def _beyond_noise(different: int, compared: int, section: Section, alpha: float) -> tuple[float, float]:
    """Interval of the share that differs, less the share of noise where that is known."""
    share = rate(different, compared, alpha)
    if not section.paired:
        return share.low, share.high
    return beyond_noise(share, rate(section.both + section.noise_only, section.paired), alpha)


def _said(counted: _Counted) -> str:
    """The numbers."""
    section, different, compared = counted.section, counted.different, counted.compared
    share = f" ({percent(different / compared)})" if compared else ""
    text = f"{different:,} of {compared:,} answers differ{share}"
    if counted.failed:
        text += f", {counted.failed:,} of them because the candidate gave none"
    if section.paired:
        noise = section.both + section.noise_only
        text += f"; of {section.paired:,} noise copies {noise:,} ({percent(noise / section.paired)})"
    return text + "."


def _more(counted: _Counted, limit: float) -> str:
    """What would decide."""
    section = counted.section
    if not section.paired:
        return _needed(counted, limit)
    return f"; more {'answers' if 2 * section.paired > section.compared else 'noise copies'} would narrow it"


def _needed(counted: _Counted, limit: float) -> str:
    """How many answers would decide if as many of them went on to differ."""
    share, needed = counted.different / counted.compared, counted.compared
    while needed < _MOST:
        needed = needed * 21 // 20 + 1
        low, high = interval(round(share * needed), needed, counted.alpha)
        if high <= limit or low > limit:
            return f"; if it stays as it is, about {_rounded(needed):,} answers decide"
    return ""


def _rounded(number: int) -> int:
    """To two digits."""
    unit: int = 10 ** max(0, len(str(number)) - 2)
    return -(-number // unit) * unit
