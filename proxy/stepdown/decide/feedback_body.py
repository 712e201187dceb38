"""What is posted as feedback: one event, a batch, or lines of JSON, with a result for each item.

    {"token": "AW_...", "event": "click"}
    {"events": [{"token": "AW_...", "event": "click"}, {"token": "AX_...", "event": "purchase", "value": 19.9}]}
    one item of the first form on each line

Which of them a body is shows by itself. An item that cannot be read costs no other one its place; only a body that is
no list of items at all, or one over a limit, is refused as a whole, because then nothing of it can be relied on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec

from stepdown.decide import feedback
from stepdown.decide.feedback import Claim, Verifier

MOST_BYTES = 1024 * 1024
"""Of a body."""
MOST_ITEMS = 1000
"""Of one body: so many take a few milliseconds."""
LONGEST_EVENT = 64
"""Characters of an event's name."""
MOST_SHOWN = 20
"""Refused items that an answer names one by one; all are counted."""

Reason = feedback.Reason | Literal["unreadable", "unknown-event"]
"""Why an item does not count: what is wrong with its token, or with the item itself."""


class Posted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item."""

    token: str
    event: str
    value: float | None = None
    """Finite: JSON has no other numbers, and one that is out of range is refused."""


class Evidence(NamedTuple):
    """An item that counts, unless its unit and event have been counted at this stage before."""

    claim: Claim
    event: str
    value: float | None


class Refused(NamedTuple):
    """An item that does not count."""

    reason: Reason
    detail: str
    """A sentence for whoever sent it."""


class Unreadable(NamedTuple):
    """A body that is refused as a whole."""

    status: int
    """Of HTTP: 400, or 413 where it is over a limit."""
    detail: str


Outcome = Literal["accepted", "duplicate"] | Refused
"""What became of an item."""


class RefusedItem(msgspec.Struct, frozen=True):
    """One refused item, by its place in the body (from 0)."""

    item: int
    reason: str
    detail: str


class Answer(msgspec.Struct, frozen=True):
    """What whoever posted is told, as JSON."""

    accepted: int
    duplicates: int
    """Counted before, as the same person's same event at the same stage: no mistake, and nothing to repeat."""
    refused: dict[str, int]
    """By reason."""
    items: tuple[RefusedItem, ...]
    """The first `MOST_SHOWN` of them."""

    @property
    def status(self) -> int:
        """Of HTTP: 422 where every item is refused, so that a mistake shows that concerns all."""
        return 422 if self.refused and not self.accepted + self.duplicates else 200


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ITEM = msgspec.json.Decoder(Posted)
_UNDECODABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def decode(body: bytes) -> tuple[Posted | Refused, ...] | Unreadable:
    """The items of a body, in order; raises nothing."""
    if len(body) > MOST_BYTES:
        return Unreadable(413, f"a body has at most {MOST_BYTES} bytes, this one has {len(body)}")
    items = _items(body)
    if isinstance(items, Unreadable):
        return items
    if len(items) > MOST_ITEMS:
        return Unreadable(413, f"a body has at most {MOST_ITEMS} items, this one has {len(items)}")
    return tuple(map(_item, items))


def checked(
    posted: Posted, verifier: Verifier, declared: Mapping[str, Collection[str]], now: float, max_age: float
) -> Evidence | Refused:
    """What an item is evidence of; `declared` has each rollout's events, by its name."""
    claim = verifier.verify(posted.token, now, max_age)
    if isinstance(claim, feedback.Refused):
        return Refused(*claim)
    known = declared.get(claim.run.rollout, ())
    if posted.event not in known:
        counts = f"; it counts {', '.join(map(repr, sorted(known)))}" if known else " or any other"
        return Refused("unknown-event", f"rollout {claim.run.rollout!r} has no event {posted.event!r}{counts}")
    return Evidence(claim, posted.event, posted.value)


def answer(outcomes: Iterable[Outcome]) -> Answer:
    """Sums up what became of the items of one body, in their order."""
    kept = list(outcomes)
    refused = [(place, outcome) for place, outcome in enumerate(kept) if isinstance(outcome, Refused)]
    return Answer(
        accepted=kept.count("accepted"),
        duplicates=kept.count("duplicate"),
        refused=dict(Counter(outcome.reason for _, outcome in refused)),
        items=tuple(RefusedItem(place, *outcome) for place, outcome in refused[:MOST_SHOWN]),
    )


def _items(body: bytes) -> list[bytes] | Unreadable:
    """Each item's JSON."""
    members = _members(body)
    if members is None:
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) > 1 and _members(lines[0]) is not None:
            return lines
        return Unreadable(400, "the body is not one JSON object, and not JSON objects on lines of their own")
    if "events" not in members:
        return [body]
    if len(members) > 1:
        return Unreadable(400, "beside `events` there is nothing else in a batch; a single event has no `events`")
    try:
        return [bytes(item) for item in _LIST.decode(members["events"])]
    except _UNDECODABLE:
        return Unreadable(400, "`events` is not a list")


def _members(text: bytes) -> dict[str, msgspec.Raw] | None:
    try:
        return _OBJECT.decode(text)
    except _UNDECODABLE:
        return None


def _item(text: bytes) -> Posted | Refused:
    try:
        posted = _ITEM.decode(text)
    except msgspec.ValidationError as error:
        return Refused("unreadable", str(error))
    except _UNDECODABLE:
        return Refused("unreadable", "this is not JSON")
    if not 0 < len(posted.event) <= LONGEST_EVENT:
        return Refused("unreadable", f"an event's name has 1 to {LONGEST_EVENT} characters, not {len(posted.event)}")
    return posted
