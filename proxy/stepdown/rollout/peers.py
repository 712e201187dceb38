"""How peers decide: checks that fail or pass by a fixed limit, with a limit on how many may fail.

Nothing of ours is decided so. The rules watch simulated rollouts beside our own, to show what is gained.
"""

from __future__ import annotations

from typing import NamedTuple

from stepdown.rollout.counts import Window

FAILED_CHECKS = 5
"""Flagger's `threshold`: so many failed checks, in a row or not, roll back."""
IN_A_ROW = 3
"""So many in a row do, by the other rule."""


class Check(NamedTuple):
    """One metric with its limit."""

    kind: str
    limit: float
    """Events a unit of the candidate."""
    must_not: str = "rise"

    def fails(self, window: Window) -> bool:
        """Whether the candidate is beyond the limit in this window; as with Flagger, no traffic fails."""
        counted = window.kinds[self.kind]
        units = window.units.candidate
        if not units:
            return True
        rate = counted.events.candidate / units
        return rate > self.limit if self.must_not == "rise" else rate < self.limit


class Checked(NamedTuple):
    """What came of checks so far, of the worst metric."""

    failed: tuple[int, ...] = ()
    """By check,"""
    row: tuple[int, ...] = ()
    """and how many of them in a row."""
    threshold: bool = False
    """Rolled back by `FAILED_CHECKS`,"""
    consecutive: bool = False
    """or by `IN_A_ROW`."""

    def after(self, checks: tuple[Check, ...], window: Window) -> Checked:
        """With one more window."""
        fails = [check.fails(window) for check in checks]
        failed = tuple(map(sum, zip(self.failed or (0,) * len(checks), fails, strict=True)))
        row = tuple(known + 1 if fail else 0 for known, fail in zip(self.row or (0,) * len(checks), fails, strict=True))
        return Checked(
            failed,
            row,
            self.threshold or any(count >= FAILED_CHECKS for count in failed),
            self.consecutive or any(count >= IN_A_ROW for count in row),
        )
