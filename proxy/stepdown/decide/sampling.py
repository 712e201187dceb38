"""Which answers are taken for a closer look: an exact share of them, spread so that no rhythm of clients escapes it.

A share of 1/100 cuts the answers into runs of 100 and takes one of each run, at a place that a seeded sequence draws.
So of any number of answers the share is taken to within one, as a plain countdown would, and clients that alternate are
not always met by the same one of them, as they would be. Shares that do not divide 1 have runs of two lengths.
"""

from __future__ import annotations

WHOLE = 1_000_000
"""A share is counted in millionths."""

# Knuth's MMIX generator: its upper bits are good enough for a place in a run, and it is two operations.
_MULTIPLIER = 6364136223846793005
_INCREMENT = 1442695040888963407
_MASK = (1 << 64) - 1


class Sampler:
    """Takes a share of what it is asked about."""

    __slots__ = ("_end", "_left", "_place", "_runs", "_share", "_state")

    def __init__(self, share: float, seed: int) -> None:
        """`share` is from 0 (exclusive) to 1; equal seeds take the same."""
        self._share = max(1, round(share * WHOLE))
        self._state = seed & _MASK
        self._runs = 0
        """Runs of which the place was drawn."""
        self._end = 0
        """Where the last of them ends, in answers since the beginning."""
        self._place = 0
        """The place that was drawn last, counted likewise, from 1."""
        self._left = self._next()

    def take(self) -> bool:
        """Whether this one is taken."""
        self._left -= 1
        if self._left:
            return False
        self._left = self._next()
        return True

    def _next(self) -> int:
        """How many answers on from the one taken last the next one is that is taken."""
        self._runs += 1
        start, self._end = self._end, self._runs * WHOLE // self._share
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _MASK
        before, self._place = self._place, start + 1 + (self._state >> 33) % (self._end - start)
        return self._place - before
