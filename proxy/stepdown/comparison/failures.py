"""Whether a shadow fails rarely enough: what clients would have got as an error, where the served version gave none.

That is each answer that never came whole, a stream with an error in it, what could not be stepped down, and a status of
500 and above where the served version's was below. All of these are among the answers that differ (`verdict`); a limit
of their own says how many of those may be failures. They are held against it as answers that differ are.
"""

from __future__ import annotations

from collections.abc import Iterable

from stepdown.comparison.findings import Rate, rate
from stepdown.comparison.merging import counts
from stepdown.comparison.report import Report, Section
from stepdown.comparison.verdict import Outcome, Verdict, held, none_given, percent
from stepdown.statistics.evidence import ALPHA

_FIRST = 500


def failures(section: Section) -> int:
    """Answers that the candidate owed."""
    return none_given(section) + sum(times for codes, times in section.statuses.items() if _owed(codes))


def judge_failures(report: Report, max_failed: float, min_compared: int, alpha: float = ALPHA) -> Verdict:
    """Decide for all pinned versions together; `max_failed` is a share (0 to 1)."""
    section = counts(report)
    failed = failures(section)
    compared = section.compared + none_given(section)
    found = rate(failed, compared, alpha)
    outcome, why = _decide(found, max_failed, max(min_compared, 1), alpha)
    share = f" ({percent(failed / compared)})" if compared else ""
    said = f"{failed:,} of {compared:,} answers failed{share}. {why}."
    return Verdict(outcome, said, failed, compared, found.low, found.high)


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """What several decisions come to: one that fails decides, and all have to pass."""
    known = set(outcomes)
    return "fail" if "fail" in known else "pass" if known == {"pass"} else "inconclusive"


def _decide(found: Rate, limit: float, least: int, alpha: float) -> tuple[Outcome, str]:
    if found.total < least:
        return "inconclusive", f"At least {least:,} answers are needed"
    if limit > 0:
        return held("The share is", found.low, found.high, limit, alpha)
    if found.count:
        return "fail", "None may fail"
    return "pass", f"None failed (at {percent(1 - alpha)} at most {percent(found.high)} do)"


def _owed(codes: str) -> bool:
    """Of two codes as a section has them."""
    served, _, candidate = codes.partition(" > ")
    return served.isdigit() and candidate.isdigit() and int(served) < _FIRST <= int(candidate)
