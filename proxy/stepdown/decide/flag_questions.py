"""What a worker asks about flags, and what it is told: plain data that travels between processes."""

from __future__ import annotations

import msgspec

from stepdown.decide.flags.evaluation import ErrorCode, Kind, Reason


class Question(msgspec.Struct, frozen=True, array_like=True):
    """What does this flag say with this context?"""

    ticket: int
    """Names the question in its answer."""
    flag: str
    kind: Kind
    key: str | None
    """The targeting key."""
    context: tuple[tuple[str, str], ...] = ()
    """The other facts that the request has, by name."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """An evaluation, or why there was none."""

    ticket: int
    value: bool | int | float | str | None = None
    variant: str | None = None
    """`None`: the default of whoever asks counts."""
    reason: Reason = "ERROR"
    error: ErrorCode | None = None
    message: str = ""
    refused: bool = False
    """Nobody was asked: there is no room, or no provider yet."""


def refusal(ticket: int, message: str) -> Answer:
    """Nobody can be asked now."""
    return Answer(ticket, error="PROVIDER_NOT_READY", message=message, refused=True)
