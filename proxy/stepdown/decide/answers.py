"""What a provider has said about flags, remembered in bounded memory: how old an answer may be, and what counts then.

An answer is used as it is for one `ttl`. After that it is asked anew, and used on (`STALE`) until the new one is there,
for at most `STALE_TTLS` times the ttl in all: a provider that is down for a moment moves nobody, and one that is down
for long does not decide for ever. A failure never replaces an answer that may still be used; it only puts off asking
again by one ttl. When the flags have changed, answers are stale at once, and failures are forgotten.

As in `flags.cache` there are two generations, so that what is in use stays and nothing has to be sorted.
"""

from __future__ import annotations

from stepdown.decide.flags import Evaluation, Kind

STALE_TTLS = 12
"""How many times its ttl an answer may be old while no newer one can be had."""

ENTRIES = 20_000
"""Answers that a worker keeps."""
BYTES = 8 * 1024 * 1024
"""Memory that they may take, as far as it is counted."""
_OWN_BYTES = 320
"""What an answer takes besides its texts."""

Facts = tuple[str | None, ...]


class Subject:
    """What is asked, without the facts. One that is asked twice is one object: looking up by it costs no more."""

    __slots__ = ("flag", "kind", "names")

    def __init__(self, flag: str, kind: Kind, names: tuple[str, ...]) -> None:
        self.flag = flag
        self.kind: Kind = kind
        self.names = names
        """Of the facts."""


Key = tuple[Subject, Facts]


class Known:
    """What was said last about a key."""

    __slots__ = ("answer", "at", "checked", "epoch", "failed", "stale")

    def __init__(self, answer: Evaluation, at: float, checked: float, epoch: int, *, failed: bool) -> None:
        self.answer = answer
        self.at = at
        """When it was said."""
        self.checked = checked
        """When it was last tried to hear it again."""
        self.epoch = epoch
        """Of the answers when it was asked: another one since then means that flags have changed."""
        self.failed = failed
        self.stale = answer if failed else Evaluation(answer.value, answer.variant, "STALE")
        """What is said when it is older than its ttl."""

    def is_usable(self, now: float, ttl: float, epoch: int) -> bool:
        """Whether it counts, be it stale, while it is asked anew."""
        if self.failed:
            return self.epoch == epoch
        return now - self.at < ttl * STALE_TTLS

    def is_due(self, now: float, ttl: float, epoch: int) -> bool:
        """Whether it has to be asked anew."""
        return self.epoch != epoch or now - self.checked >= ttl


class Answers:
    """All that is known, by key."""

    __slots__ = ("_entries", "_old", "_room", "_taken", "_young", "epoch")

    def __init__(self, entries: int = ENTRIES, room: int = BYTES) -> None:
        self._entries = max(1, entries // 2)
        self._room = room // 2
        self._young: dict[Key, Known] = {}
        self._old: dict[Key, Known] = {}
        self._taken = 0
        """Bytes of the young ones."""
        self.epoch = 0

    def get(self, key: Key) -> Known | None:
        """What is known about a key, be it too old."""
        known = self._young.get(key)
        if known is None and (known := self._old.get(key)) is not None:
            self._keep(key, known)
        return known

    def said(self, key: Key, answer: Evaluation, now: float, epoch: int) -> None:
        """A provider has answered a question that was asked in this epoch."""
        self._keep(key, Known(answer, now, now, epoch, failed=False))

    def failed(self, key: Key, answer: Evaluation, now: float, *, ttl: float, again: float) -> None:
        """There was no answer; `again` are the seconds until it may be asked again, at most a ttl."""
        checked = now - ttl + min(again, ttl)
        known = self.get(key)
        if known is not None and not known.failed and known.is_usable(now, ttl, self.epoch):
            known.checked, known.epoch = checked, self.epoch
            known.at = min(known.at, now - ttl)  # it was to be asked anew, so it is stale, whatever its age
        else:
            self._keep(key, Known(answer, now, checked, self.epoch, failed=True))

    def changed(self) -> None:
        """Flags have changed: nothing that was said before counts but until it is asked anew."""
        self.epoch += 1

    def _keep(self, key: Key, known: Known) -> None:
        taken = _OWN_BYTES + len(known.answer.message) + sum(len(fact) for fact in key[1] if fact is not None)
        if len(self._young) >= self._entries or self._taken + taken > self._room:
            self._old, self._young, self._taken = self._young, {}, 0
        if key not in self._young:
            self._taken += taken
        self._young[key] = known

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())
