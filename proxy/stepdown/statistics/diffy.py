"""Diffy's rule for differences and noise: shown beside the verdict because teams know it, and never what decides.

It has no notion of how much was seen: looked at after every request it raises a false alarm 62 % of the time where
candidate and noise are alike. `paired` is what decides.
"""

from __future__ import annotations

from typing import NamedTuple

RELATIVE = 20.0
"""Per cent that `relative` has to exceed, by Diffy's documentation."""
ABSOLUTE = 0.03
"""Per cent that `absolute` has to exceed."""


class Diffy(NamedTuple):
    """What the rule says of one path."""

    reported: bool
    relative: float
    """Per cent."""
    absolute: float
    """Per cent."""


def diffy(raw: int, noise: int, total: int, relative: float = RELATIVE, absolute: float = ABSOLUTE) -> Diffy:
    """`raw` differences of the candidate and `noise` of the served version from itself, among `total` requests each.

        relative = |raw - noise| / (raw + noise) * 100        absolute = |raw - noise| / total * 100

    Reported where raw > noise, and both exceed their limits (strictly).
    """
    if not total or not raw + noise:
        return Diffy(False, 0.0, 0.0)
    apart = abs(raw - noise)
    of_both, of_all = 100 * apart / (raw + noise), 100 * apart / total
    return Diffy(raw > noise and of_both > relative and of_all > absolute, of_both, of_all)
