"""Whether a shadow fails rarely enough: what clients would have got as an error, where the served version gave none.

That is each answer that never came whole, a stream with an error in it, what could not be stepped down, and a status of
500 and above where the served version's was below. All of these are among the answers that differ (`verdict`); a limit
of their own says how many of those may be failures. They are held against it as answers that differ are.
"""

from __future__ import annotations

from collections.abc import Iterable

from stepdown.comparison.merging import counts
from stepdown.comparison.report import Report, Section
from stepdown.comparison.verdict import FAILED, Outcome, Verdict
from stepdown.statistics.evidence import ALPHA
from stepdown.statistics.proportion import interval

_FIRST = 500


def failures(section: Section) -> int:
    """Answers that the candidate owed."""
    missing = sum(times for reason, times in section.incomparable.items() if reason in FAILED)
    return missing + sum(times for codes, times in section.statuses.items() if _owed(codes))


def judge_failures(report: Report, max_failed: float, min_compared: int, alpha: float = ALPHA) -> Verdict:
    """Decide for all pinned versions together; `max_failed` is a share (0 to 1)."""
    section = counts(report)
    failed = failures(section)
    compared = section.compared + sum(times for reason, times in section.incomparable.items() if reason in FAILED)
    low, high = interval(failed, compared, alpha)
    outcome, why = _decide(failed, compared, (low, high), max_failed, max(min_compared, 1))
    share = f" ({_percent(failed / compared)})" if compared else ""
    said = f"{failed:,} of {compared:,} answers failed{share}. {why}."
    return Verdict(outcome, said, failed, compared, low, high)


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """What several decisions come to: one that fails decides, and all have to pass."""
    known = set(outcomes)
    return "fail" if "fail" in known else "pass" if known == {"pass"} else "inconclusive"


def _decide(failed: int, compared: int, range: tuple[float, float], limit: float, least: int) -> tuple[Outcome, str]:
    if compared < least:
        return "inconclusive", f"At least {least:,} answers are needed"
    low, high = range
    if limit <= 0:
        return ("fail", "None may fail") if failed else ("pass", f"None failed (at 95 % at most {_percent(high)} do)")
    between = f"The share is between {_percent(low)} and {_percent(high)} (at 95 %)"
    if high <= limit:
        return "pass", f"{between}, within the limit of {_percent(limit)}"
    if low > limit:
        return "fail", f"{between}, beyond the limit of {_percent(limit)}"
    return "inconclusive", f"{between}, on both sides of the limit of {_percent(limit)}"


def _owed(codes: str) -> bool:
    """Of two codes as a section has them."""
    served, _, candidate = codes.partition(" > ")
    return served.isdigit() and candidate.isdigit() and int(served) < _FIRST <= int(candidate)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
