"""What keeps copies from a shadow, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepdown.comparison.verdict import FAILED

_BROKEN = "broken"
_FIXES = {
    _BROKEN: "Its copies failed one after another{failed}, so it gets one every 30 s at most until it answers one: "
    "put its servers right.",
    "down": "No endpoint of its version took connections{failed}: start its servers.",
    "concurrent": "As many were on their way as may be: raise `concurrent`, or give the version more servers.",
    "rate": "As many went in each second as may: raise `rate`.",
    "full": "The comparer found no time for them: leave it some of a processor, or lower `percent`.",
    "busy": "Workers were busy on the only core that there is: give the container another one, or let it take longer.",
    "pending": "Too much waited for answers in memory: lower `max_body`, `deadline` or `concurrent`.",
    "too-large": "Bodies were too long: raise `max_body`, up to 2 MiB.",
    "unreachable-shape": "No adapters lead to the shape of some clients: `stepdown check` names what is missing.",
    "unadaptable": "The adapters could not make requests of them: the log says why.",
}
"""By reason. Others lie with the request itself, or pass by themselves."""


def not_sent(whole: Mapping[str, Any]) -> str:
    """What a shadow was due and did not get, in one line, with what to do about most of it; empty where it got all."""
    skipped: Mapping[str, int] = whole["skipped"]
    if not skipped:
        return ""
    reasons = ", ".join(f"{reason} {times:,}" for reason, times in skipped.items())
    line = f"Not sent since the sidecar was started: {sum(skipped.values()):,} ({reasons})."
    incomparable = whole["report"]["total"]["incomparable"]
    failed = ", ".join(f"{reason} {times:,}" for reason, times in incomparable.items() if reason in FAILED)
    most = _BROKEN if _BROKEN in skipped and failed else max(skipped, key=lambda reason: skipped[reason])
    fix = _FIXES.get(most, "").format(failed=f" ({failed})" if failed else "")
    return f"{line} {fix}".rstrip()
