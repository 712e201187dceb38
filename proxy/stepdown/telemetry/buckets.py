"""The bounds of the histograms, and the index of the bucket that a duration falls into.

`bucket(bounds, seconds)` is `bisect_left` itself: a value equal to a bound belongs below it, which is Prometheus's
`le`, and what is above the last bound gives `len(bounds)`, the place of `+Inf`. One call costs about 80 ns (measured
with 15 bounds and with 24). `math.frexp` costs 74 and `int.bit_length` 80 before the look-up that they would still
need, and both force bounds that are powers of two. A Python function around it adds 20.
"""

from __future__ import annotations

from bisect import bisect_left as bucket

__all__ = ["ADAPTER_SECONDS", "REQUEST_SECONDS", "bucket", "observe"]

REQUEST_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds for whole exchanges: from a cached answer of a server next door to a slow model on a busy one."""

ADAPTER_SECONDS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
"""Bounds for the work of a chain of adapters: from a renamed member to megabytes in the process pool."""


def observe(cells: memoryview[int], base: int, bounds: tuple[float, ...], seconds: float) -> None:
    """Add one duration to the histogram whose first cell is `base` (the layout is `slab`'s)."""
    cells[base + bucket(bounds, seconds)] += 1
    cells[base + len(bounds) + 1] += int(seconds * 1_000_000)
