"""A reply as it is compared, a difference between two of them, and a request with all of its replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from stepdown.comparison.places import Place

REDACTED = "[redacted]"
"""In place of what must not be shown."""
UNREAD: Any = object()
"""In place of a document that is still text."""

STATUS, MEDIA, CONTRACT, EVENTS, BODY = "(status)", "(media type)", "(contract)", "(events)", "(body)"
"""In place of a path, for what is no part of a document. Pointers begin with a slash, so none looks like these."""

KINDS = (
    "status",
    "media type",
    "contract",
    "events",
    "type",
    "value",
    "missing",
    "added",
    "order",
    "length",
    "label",
    "text",
    "top",
)
"""What a difference may be. `missing` is only in the served answer, `added` only in the candidate's."""


@dataclass(slots=True)
class Reply:
    """An answer in the shape that the client asked for."""

    status: int
    body: bytes = b""
    """Without framing and codings; empty where `document` is all there is."""
    media: str = ""
    """Media type without parameters, in lower case."""
    document: Any = UNREAD
    """The body as JSON where somebody read it already."""
    valid: bool | None = None
    """Whether it keeps its contract; `None` where nobody looked."""
    seconds: float = 0.0
    """Until its end."""
    size: int = 0
    """Bytes as the server sent them."""
    events: dict[str, int] | None = None
    """Of a stream: how many events it had of each type."""


class Difference(NamedTuple):
    """One place in which two replies differ."""

    kind: str
    """One of `KINDS`."""
    place: Place | None
    """Where in the document; `None` for what is no part of it."""
    served: Any
    candidate: Any
    magnitude: float
    """0 to 2, for choosing the worst: the relative difference of numbers, what is not similar in texts, else 1."""

    @property
    def path(self) -> str:
        """Where, with `*` for every index, so that there are few of them; one of the names in brackets for no place."""
        return self.place.path if self.place else _NAMES.get(self.kind, BODY)

    @property
    def pointer(self) -> str:
        """Where exactly."""
        return self.place.pointer if self.place else _NAMES.get(self.kind, BODY)


_NAMES = {"status": STATUS, "media type": MEDIA, "contract": CONTRACT, "events": EVENTS}


class Compared(NamedTuple):
    """What came of comparing two replies."""

    differences: list[Difference]
    cut: bool = False
    """There are more than these."""


@dataclass(slots=True)
class Judged:
    """A request with its replies, all in one shape."""

    contract: str
    """The pinned version, whose shape they have."""
    served: Reply
    candidate: Reply | None = None
    reason: str = ""
    """Why there is nothing to compare, where `candidate` is `None`."""
    detail: str = ""
    """A sentence about that, where it lies with the candidate."""
    noise: Reply | None = None
    """What the served version answered to a second copy."""
    at: float = 0.0
    """Unix seconds."""
    name: str = ""
    """By which the request can be found again, for examples."""
