"""When the next request may go."""

from __future__ import annotations

import re

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(?:/ ?(s|m|h))?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LATE = 1.0
"""Seconds of requests that may be caught up with when the candidate was too slow for a while."""


def parse_rate(text: str) -> float:
    """Requests a second of `50`, `50/s` or `600/m`; raises `ValueError`."""
    found = _RATE.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise ValueError(f"{text}: allowed a rate such as 50/s, 600/m or 0.5/s")
    return float(found[1]) / _SECONDS[found[2] or "s"]


class Pace:
    """Spreads requests evenly; what could not be sent in time is caught up with only for a moment."""

    def __init__(self, rate: float, now: float) -> None:
        """`rate` requests a second, 0 for as many as there can be; `now` is monotonic seconds."""
        self._gap = 1.0 / rate if rate else 0.0
        self._next = now

    def wait(self, now: float) -> float:
        """Seconds until the next one may go; it counts as gone then."""
        if not self._gap:
            return 0.0
        due = max(self._next, now - _LATE)
        self._next = due + self._gap
        return max(0.0, due - now)
