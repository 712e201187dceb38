"""When a request may be sent again: the rule of docs/design.md as one pure function, and its budget.

A request is sent again only when it cannot have been processed (the connection failed, or it was not fully sent), or
when the model is `repeatable` and no byte of an answer went to the client. Always within a budget, so that retries
cannot turn an overload into a collapse, and only while the bytes to send are still there.
"""

from __future__ import annotations

MAX_ATTEMPTS = 3
"""Attempts of one request, the first included."""


def may_retry(
    *, attempts: int, connected: bool, fully_sent: bool, repeatable: bool, answer_begun: bool, kept: bool
) -> bool:
    """Whether the rule allows another attempt (the budget is asked separately)."""
    if answer_begun or not kept or attempts >= MAX_ATTEMPTS:
        return False
    return not connected or not fully_sent or repeatable


class RetryBudget:
    """At most `share` of the active requests, and never fewer than `minimum`, may be retries at one time."""

    __slots__ = ("active", "minimum", "share")

    def __init__(self, share: float, minimum: int) -> None:
        self.share = share
        self.minimum = minimum
        self.active = 0
        """Retries in flight."""

    def take(self, requests: int) -> bool:
        """Reserve one retry while `requests` are active; give it back with `give`."""
        if self.active >= max(self.minimum, self.share * requests):
            return False
        self.active += 1
        return True

    def give(self) -> None:
        """A retried request has ended."""
        self.active -= 1
