"""Which answers belong together: what was answered to a request, and what its copies brought, in whatever order.

An entry is a request of which copies were sent. It waits for its answer and for its copies; each shadow's pair is
handed out when that shadow has all it waits for, so a slow shadow holds up no other. What has waited for too long is
handed out as it is: an answer may be lost on its way, where the ring was full. Nothing here does anything else.
"""

from __future__ import annotations

from typing import NamedTuple

from stepdown.comparer.asked import Asked
from stepdown.comparer.limits import PENDING_PAIRS, Hold
from stepdown.comparer.results import Result
from stepdown.decide.copies import Answer
from stepdown.decide.shadow_spec import Shadow

Key = tuple[int, int]
"""Place of the ring, and the id of the request in it."""


class Pair(NamedTuple):
    """What one shadow's copy of a request brought, beside what its client was answered."""

    asked: Asked
    shadow: Shadow
    answer: Answer | None
    """`None` where it did not come in time."""
    body: bytes
    """Of the answer, as the server sent it."""
    candidate: Result
    noise: Result | None
    """What the served version made of another copy; `None` where none was sent, or where another version answered."""


class Awaited:
    """What one shadow waits for."""

    __slots__ = ("candidate", "compared", "noise", "noisy", "shadow")

    def __init__(self, shadow: Shadow, *, noisy: bool) -> None:
        self.shadow = shadow
        self.noisy = noisy
        """Whether the served version got a copy too."""
        self.compared = not shadow.idle
        self.candidate: Result | None = None
        self.noise: Result | None = None

    @property
    def complete(self) -> bool:
        """Whether all copies have ended."""
        return self.candidate is not None and (self.noise is not None or not self.noisy)


class Entry:
    """A request of which copies were sent."""

    __slots__ = ("answer", "asked", "awaited", "body", "hold", "key", "until")

    def __init__(self, key: Key, asked: Asked, hold: Hold, until: float) -> None:
        """It waits until `until`, in seconds of whatever clock the caller has."""
        self.key = key
        self.asked = asked
        self.hold = hold
        self.until = until
        self.awaited: list[Awaited] = []
        """The shadows whose pairs were not handed out yet."""
        self.answer: Answer | None = None
        self.body = b""


class Table:
    """All requests of which copies are on their way, or whose answers are."""

    def __init__(self, most: int = PENDING_PAIRS) -> None:
        self._most = most
        self._entries: dict[Key, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def full(self) -> bool:
        """Whether there is no room for another request."""
        return len(self._entries) >= self._most

    def open(self, entry: Entry) -> list[Pair]:
        """Wait for what an entry waits for; the pairs of one that had its key, whose worker must be gone."""
        former = self._entries.get(entry.key)
        pairs = [] if former is None else self._let_go(former)
        self._entries[entry.key] = entry
        return pairs

    def find(self, key: Key) -> Entry | None:
        """The entry with this key."""
        return self._entries.get(key)

    def answered(self, entry: Entry, answer: Answer, body: bytes) -> list[Pair]:
        """The answer is here: the pairs that were waiting for it alone. A second one counts for nothing."""
        if entry.answer is None:
            entry.answer, entry.body = answer, body
        return self._settled(entry)

    def ended(self, entry: Entry, awaited: Awaited, result: Result, *, noise: bool) -> list[Pair]:
        """A copy has ended: the pair that was waiting for it alone."""
        if noise:
            awaited.noise = result
        else:
            awaited.candidate = result
        return self._settled(entry)

    def expired(self, now: float) -> list[Pair]:
        """What has waited for too long, as it is."""
        over = [entry for entry in self._entries.values() if now >= entry.until]
        return [pair for entry in over for pair in self._let_go(entry)]

    def _settled(self, entry: Entry) -> list[Pair]:
        ready = [
            awaited
            for awaited in entry.awaited
            if awaited.complete and (entry.answer is not None or not awaited.compared)
        ]
        for awaited in ready:
            entry.awaited.remove(awaited)
        if not entry.awaited:
            self._close(entry)
        return _pairs(entry, ready)

    def _let_go(self, entry: Entry) -> list[Pair]:
        ready, entry.awaited = entry.awaited, []
        self._close(entry)
        return _pairs(entry, ready)

    def _close(self, entry: Entry) -> None:
        if self._entries.get(entry.key) is entry:
            del self._entries[entry.key]
        entry.hold.release()


def _pairs(entry: Entry, awaited: list[Awaited]) -> list[Pair]:
    return [
        Pair(entry.asked, each.shadow, entry.answer, entry.body, each.candidate, _noise(entry.answer, each.noise))
        for each in awaited
        if each.compared and each.candidate is not None
    ]


def _noise(answer: Answer | None, noise: Result | None) -> Result | None:
    """A version that did not answer in the end has no noise to compare with."""
    return noise if noise is not None and answer is not None and noise.version == answer.served else None
