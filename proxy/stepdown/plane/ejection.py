"""Passive ejection: an endpoint that fails again and again is put aside for a while, the last one never.

The rule, pure: `after` consecutive failures eject for `base` seconds, doubled for each ejection in a row up to
`longest`. A success clears the count of failures; an ejection's successor is doubled only if no success came in
between.
"""

from __future__ import annotations


class Ejection:
    """Failure count and ejection of one endpoint; the clock is an argument."""

    __slots__ = ("after", "base", "failures", "in_a_row", "longest", "until")

    def __init__(self, after: int, base: float, longest: float) -> None:
        self.after = after
        self.base = base
        self.longest = longest
        self.failures = 0
        self.in_a_row = 0
        self.until = 0.0
        """Monotonic seconds; in the past when not ejected."""

    def succeeded(self) -> None:
        """An answer came that is no server error."""
        self.failures = 0
        self.in_a_row = 0

    def failed(self, now: float, *, alone: bool) -> bool:
        """Count a failure; true if it ejects now. `alone`: no other endpoint of the version is usable."""
        self.failures += 1
        if alone or self.failures < self.after or self.ejected(now):
            return False
        self.until = now + min(self.base * 2**self.in_a_row, self.longest)
        self.in_a_row += 1
        self.failures = 0
        return True

    def ejected(self, now: float) -> bool:
        """Whether the endpoint is set aside at `now`."""
        return now < self.until
