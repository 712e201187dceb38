"""A run with its tokens, for tests of feedback."""

from __future__ import annotations

from typing import Any

from stepdown.decide.feedback import Issuer, Run, Units

SECRET, ELDER, OTHER = "the secret of this year", "the secret of last year", "somebody else's secret"
NOW = 1_800_000_000.0
HOUR = 3600.0
RUN = Run("churn-2", 1, "churn", "1.1.0", "2.0.0", "6f9619ff8b86d011b42d00cf4fc964ff")


def token(
    unit: bytes = b"header:user-1", *, run: Run = RUN, secret: str = SECRET, at: float = NOW, **arm: Any
) -> bytes:
    """The token of a unit that was assigned to the candidate at 25 % and served by it, but for what is named."""
    said: dict[str, Any] = {"stage": 1, "share": 0.25, "arm": "candidate", "served": run.candidate} | arm
    return Issuer(run, secret, **said).issue(Units(run).hash(unit), at)
