"""A report as it is shown to machines and printed for people: its counters with all that is worked out from them.

The members are the same wherever a report is given out. Members may be added within a format.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from stepdown.comparison import findings
from stepdown.comparison.findings import Finding, Rate
from stepdown.comparison.merging import total
from stepdown.comparison.report import Report, Section
from stepdown.comparison.verdict import Verdict

FORMAT = 1

View = dict[str, Any]


def view(report: Report) -> View:
    """A report as plain values: `total` of all pinned versions together, and each for itself under `contracts`."""
    return {
        "format": FORMAT,
        "shadow": report.shadow,
        "since": time_view(report.since),
        "until": time_view(report.until),
        "total": section_view(total(report)),
        "contracts": {name: section_view(section) for name, section in sorted(report.sections.items())},
        "left_out": list(report.left_out),
    }


def section_view(section: Section) -> View:
    """What came of the answers in one shape."""
    return {
        "compared": section.compared,
        "equal": section.equal,
        "different": section.different,
        "incomparable": dict(section.incomparable),
        "answers": finding_view(findings.answers(section)),
        "statuses": dict(section.statuses),
        "contract": {
            "checked": section.checked,
            "invalid_served": section.invalid_served,
            "invalid_candidate": section.invalid_candidate,
        },
        "noise_copies": section.paired,
        "pairs": {
            "both": section.both,
            "candidate_only": section.candidate_only,
            "noise_only": section.noise_only,
        },
        "cut": section.cut,
        "paths": [finding_view(one) for one in findings.paths(section)],
        "measures": _plain(findings.measures(section)),
        "numbers": _plain(findings.shifts(section)),
        "labels": [_plain(one) | {"agreed": _rate(one.agreed)} for one in findings.agreements(section)],
        "examples": {"worst": _plain(list(section.worst.values())), "random": _plain(section.random)},
    }


def counted(shown: View) -> Report:
    """A report with what decisions are made from, of one that is shown; raises `KeyError` where it lacks anything."""
    total_ = shown["total"]
    section = Section(
        compared=total_["compared"],
        equal=total_["equal"],
        incomparable=dict(total_["incomparable"]),
        statuses=dict(total_["statuses"]),
        paired=total_["noise_copies"],
        **total_["pairs"],
    )
    return Report(shadow=shown["shadow"], sections={"": section})


def verdict_view(verdict: Verdict, max_different: float, min_compared: int) -> View:
    """A decision with what it was held against."""
    return {**verdict._asdict(), "max_different": max_different, "min_compared": min_compared}


def finding_view(one: Finding) -> View:
    """How often something differs."""
    return {
        **_plain(one),
        "different": _rate(one.different),
        "noise": None if one.noise is None else _rate(one.noise),
        "diffy": None if one.diffy is None else one.diffy._asdict(),
    }


def _rate(one: Rate) -> View:
    return {"count": one.count, "total": one.total, "share": _plain(one.share), "low": one.low, "high": one.high}


def _plain(value: Any) -> Any:
    """Plain values; what is no number, or has no bounds, becomes null as in all JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))


def time_view(seconds: float) -> str | None:
    """In UTC; null where there is none."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
