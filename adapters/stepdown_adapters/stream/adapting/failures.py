"""Why a stream cannot be stepped down, before it begins or in its middle."""

from __future__ import annotations

from stepdown_adapters.errors import AdaptError, AdaptersError

_VERBS = {"stream": "stepped down", "unfold": "made of documents"}


class NoStreamAdapterError(AdaptersError):
    """A step changes answers and does not say what becomes of a stream, so that none may be begun."""

    def __init__(self, step: str, key: str = "stream") -> None:
        super().__init__(f"{step}: the adapter has no {key!r}, without which streams cannot be {_VERBS[key]}")
        self.step = step
        self.key = key


class BrokenStreamError(AdaptersError):
    """A stream cannot be stepped down any further: its connection is to be cut once `before` is sent.

    It must be cut and not ended, so that no client takes what it has for a whole answer. `before` is what was stepped
    down in this call before it failed; nothing of the event that failed is in it. `cause` says what happened, `reason`
    is one of `adapter`, `event-too-long`, `too-many-events`, `state-too-large` and `incomplete`.
    """

    def __init__(self, reason: str, cause: Exception | str, before: bytes = b"") -> None:
        super().__init__(f"{cause}; the stream ends here: send what came before it, then cut the connection")
        self.reason = reason
        self.cause = cause
        self.before = before

    @property
    def adapt_error(self) -> AdaptError | None:
        """The failure of the adapter, where it is one."""
        return self.cause if isinstance(self.cause, AdaptError) else None


class TooManyEventsError(AdaptersError):
    """An adapter makes more of one event than is allowed, in number or in bytes."""

    def __init__(self, number: int, limit: int, what: str = "events") -> None:
        super().__init__(f"{number} {what} became of one event, and {limit} are allowed")
