"""The breaker: takes back a candidate that fails outright, at the next flush of counts and without statistics.

It looks at the latest flushes that together have enough of the candidate's requests, and at stable's requests of the
same flushes: where stable fails too, the candidate is not to blame. Old flushes are forgotten, so that an outage after
a week of good answers is found as soon as one at the start.
"""

from __future__ import annotations

from stepdown.decide.rollout_spec import Breaker
from stepdown.decide.spec_base import Spec
from stepdown.rollout import sentences
from stepdown.rollout.counts import Arms


class Flush(Spec, frozen=True):
    """Completed requests since the last flush, and how many of them failed."""

    requests: Arms = Arms()
    failures: Arms = Arms()

    def plus(self, other: Flush) -> Flush:
        """Both together."""
        return Flush(requests=self.requests.plus(other.requests), failures=self.failures.plus(other.failures))


class BreakerState(Spec, frozen=True):
    """The latest flushes, the oldest first; each but the last has requests of the candidate."""

    flushes: tuple[Flush, ...] = ()


def update(state: BreakerState, guard: Breaker, flush: Flush) -> BreakerState:
    """The state with one more flush, without those that are not needed any more to have enough requests."""
    if guard.off:
        return state
    known = state.flushes
    if known and not known[-1].requests.candidate:
        known, flush = known[:-1], known[-1].plus(flush)
    known = (*known, flush)
    enough = sum(one.requests.candidate for one in known)
    first = 0
    while enough - known[first].requests.candidate >= guard.least and first < len(known) - 1:
        enough -= known[first].requests.candidate
        first += 1
    return BreakerState(flushes=known[first:])


def broken(state: BreakerState, guard: Breaker) -> str | None:
    """Why the candidate is taken back at once, in one sentence; `None` where it is not."""
    seen = Flush()
    for flush in state.flushes:
        seen = seen.plus(flush)
    asked, failed = seen.requests.candidate, seen.failures.candidate
    if guard.off or asked < guard.least or failed < guard.failures * asked:
        return None
    if seen.failures.stable > guard.stable_at_most * seen.requests.stable:
        return None
    return (
        f"breaker: {sentences.number(failed)} of the candidate's last {sentences.number(asked)} requests failed"
        f" (limit {sentences.percent(guard.failures)} of at least {guard.least}), and"
        f" {sentences.number(seen.failures.stable)} of stable's {sentences.number(seen.requests.stable)}"
    )
