"""The plainest comparison: two answers are equal when their statuses and their documents are."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from stepdown.comparer import stepping
from stepdown.comparer.pairing import Pair
from stepdown.comparer.shadow_tally import ShadowTally, Verdict
from stepdown.comparer.stepping import Delivered, Incomparable

Consumer = Callable[[Pair], None]
"""What takes the pairs; what it raises is logged and harms no other pair."""


class Equality:
    """Counts pairs by whether they are equal."""

    def __init__(self, tally: ShadowTally) -> None:
        self._tally = tally

    def __call__(self, pair: Pair) -> None:
        """Count one."""
        verdict, reason = judged(pair)
        self._tally.compared(pair.asked.route.name, pair.shadow.name, verdict, reason)


def judged(pair: Pair) -> tuple[Verdict, str]:
    """Whether both answers of a pair are equal for who asked, and the reason where that cannot be said."""
    limit = pair.shadow.max_body
    served = stepping.of_served(pair.asked, pair.answer, pair.body, limit)
    copied = stepping.of_copy(pair.asked, pair.candidate, limit)
    if pair.answer is not None and pair.answer.outcome == "passthrough" and _untouched(pair):
        return "equal", ""
    for side in (served, copied):
        if isinstance(side, Incomparable):
            return "incomparable", side.reason
    assert isinstance(served, Delivered)
    assert isinstance(copied, Delivered)
    same = served.status == copied.status and _same(served.body, copied.body)
    return ("equal" if same else "different"), ""


def _untouched(pair: Pair) -> bool:
    """Whether both servers gave the same, in whatever shape: of an answer that kept its own shape that can be said."""
    assert pair.answer is not None
    candidate = pair.candidate
    return candidate.answered and candidate.status == pair.answer.status and _same(pair.body, candidate.body)


def _same(left: bytes, right: bytes) -> bool:
    if left == right:
        return True
    try:
        same: bool = msgspec.json.decode(left) == msgspec.json.decode(right)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return same
