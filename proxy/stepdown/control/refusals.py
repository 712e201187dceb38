"""How a change that somebody asked for ends: put in force, or refused without anything having changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SwitchRefusedError(Exception):
    """Nothing was changed; `problem` is the tail of a problem's type."""

    def __init__(self, status: int, problem: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = problem
        self.detail = detail
        self.more = more


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
