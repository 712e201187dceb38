"""How what somebody asked for ends: a change put in force, or a problem that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ProblemError(Exception):
    """What was asked for cannot be had; the admin API answers with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: str, detail: str, **more: object) -> None:
        """HTTP status, tail of the problem's type, a sentence, and extension members."""
        super().__init__(detail)
        self.status = status
        self.problem = problem
        self.detail = detail
        self.more = more


class SwitchRefusedError(ProblemError):
    """Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of putting something else in force."""

    refusals: Sequence[str] = ()
    """Why workers could not prepare it: then nothing has changed."""
    seconds: float = 0.0
    """From the first word to a worker to the last one's answer that it serves with it."""
    warnings: Sequence[str] = ()

    def check(self) -> None:
        """Raise `SwitchRefusedError` where nothing has changed."""
        if self.refusals:
            detail = f"Nothing was changed: {'; '.join(self.refusals)}."
            raise SwitchRefusedError(500, "switch-failed", detail, findings=list(self.refusals))
