"""What became of one copy."""

from __future__ import annotations

from typing import Literal, NamedTuple

from stepdown.wire import ResponseHead

Outcome = Literal["answered", "error", "refused", "reset", "cut", "timeout", "malformed", "too-large", "pending"]
"""The metric label; families.py says what each means."""


class Result(NamedTuple):
    """What a server made of a copy, in the version's own shape."""

    version: str
    outcome: Outcome
    endpoint: str = ""
    head: ResponseHead | None = None
    """Of the answer, also of one that did not become whole; `None` where none began."""
    body: bytes = b""
    """The whole body, framing taken off and codings left on; empty where it did not become whole."""
    elapsed: int = 0
    """Nanoseconds from the first byte sent to the end; 0 where nothing was sent."""
    detail: str = ""
    """One sentence about what went wrong."""

    @property
    def answered(self) -> bool:
        """Whether there is a whole answer."""
        return self.outcome in ("answered", "error")

    @property
    def status(self) -> int:
        """Of the answer; 0 where none began."""
        return 0 if self.head is None else self.head.status
