"""Which shadows get a copy of a request, and whether it is recorded: compiled for a route, decided for each request.

It is decided after the version that serves, and changes nothing about it: whoever asks gets the same answer from the
same server whether or not anything is copied. So nothing that is read here stands in `Vary`, counts as a fact that
decides (`Route.deciding`), or is on a decision's record.

1. A shadow's condition has to hold. It is tested anew for each request, also where a connection remembers what was
   decided about the last one (`Route.settle`): there the head is at hand, and a condition that reads more than the head
   forbids the remembering.
2. Its share is taken of those. `per: request` takes exactly its percentage of what one worker sees, by a `Sampler`.
   `per: key` takes those keys whose hash, salted for this shadow, lies under the percentage: everybody whom a smaller
   one took stays in a larger one, and no rule's split can be told from it.
3. A request that the shadow's own version serves is not copied: two answers of the same servers say nothing about a
   version. It was taken all the same, so that a shadow's share does not depend on a rule's weights. An idle colour is
   the other way round: of its version's requests only, it takes a share, for these are what it will get.
4. A request that carries the mark of copies (`MARK`) is one itself, and before all else no shadow gets it: a shadow
   whose endpoint leads back here would copy its copies for ever. Nobody has to prove that he may set the mark, since
   all that it does is to leave out copies of his own requests. No share counts it; a recording takes it as any.

The plain rule for shares is to copy when `copies * 100 < requests * percent`, and it is exact. It meets every tenth
request, though, and of clients that take turns always the same; and shadows with 10 % and 50 % would be sent the same
requests. A `Sampler` takes one of each run of ten, at a place that it draws: as exact at the end of each run, but in
step with no client, and with a seed of its own for each shadow. Its state belongs to a worker (`samplers`), so that
what is compiled here never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from stepdown.decide import spec
from stepdown.decide.conditions import Condition, Conditions
from stepdown.decide.facts import Facts
from stepdown.decide.inputs import inputs_of
from stepdown.decide.sampling import Sampler
from stepdown.decide.shadow_spec import MARK, Shadow, copied
from stepdown.decide.slots import hash_of
from stepdown.decide.when import When

Key = tuple[int, bytes]
"""Place of the source among the route's, and the value: what `Route.key` gives."""

Samplers = Sequence[Sampler | None]
"""A worker's state for one route: a sampler for each shadow that takes a share of requests, last the recording's."""

WHOLE_HASH = 2**32
"""Hashes of keys are under it."""


class Chosen(NamedTuple):
    """What is made of one request."""

    shadows: tuple[int, ...] = ()
    """Places in the route's `shadows` of those that get a copy."""
    recorded: bool = False
    """It is one of the recording's."""
    served: tuple[int, ...] = ()
    """Places of those that would get one, were the request not served by their own version."""
    marked: tuple[int, ...] = ()
    """Places of those that might get one, were the request not a copy itself."""


NOTHING = Chosen()

_MARK = MARK.encode()


class Row(NamedTuple):
    """One shadow, ready to be asked."""

    place: int
    shadow: Shadow
    condition: Condition
    holds: Any
    """The condition's test; `None` where it holds always."""
    prefixes: tuple[bytes, ...]
    """With `per: key`, what comes before a key's value when it is hashed, by source."""
    threshold: int
    """Hashes under it are taken."""
    never: str
    """The version whose requests are not copied; empty where there is none."""
    only: str
    """The version of whose requests alone a share is taken; empty where it is of all."""


class Mirror:
    """The shadows and the recording of one route."""

    __slots__ = (
        "_record_holds",
        "_salts",
        "needs_view",
        "reads_key",
        "record",
        "record_condition",
        "rows",
        "usual",
        "usual_of",
    )

    def __init__(self, route: spec.Route, conditions: Conditions, labels: tuple[str, ...]) -> None:
        """`labels` are those of the route's key sources."""
        self.rows = tuple(_rows(route, conditions, labels))
        """Those shadows that get anything at all."""
        self.record = route.record
        inputs = inputs_of(conditions_of(route), conditions.segments)
        self.needs_view = inputs.view or bool(inputs.flags)
        """Whether `choose` has to be given a `View`; a head does otherwise."""
        self.reads_key = any(row.shadow.per == "key" for row in self.rows)
        """Whether `choose` has to be given the key."""
        recorded = conditions.condition(route.record.when) if route.record is not None else None
        self.record_condition = recorded
        self._record_holds: Any = None if recorded is None or recorded.always else recorded.holds
        self._salts = (*(f"{route.name}/{shadow.name}" for shadow in route.shadows), f"{route.name} recording")
        self.usual: Chosen | None = None
        """What is chosen for every request that is no copy; `None` where it depends on what it asks, or on a share."""
        self.usual_of: dict[str, Chosen] = {}
        """The same by the version that serves, for those where it is something else."""
        if self._is_fixed():
            self.usual = self._all("")
            versions = [row.never or row.only for row in self.rows]
            self.usual_of = {version: self._all(version) for version in versions}

    def samplers(self, seed: int) -> Samplers:
        """A worker's state, all of it new; workers with other seeds take other requests."""
        shares = [0.0] * (len(self._salts) - 1)
        for row in self.rows:
            shares[row.place] = row.shadow.percent / 100 if row.shadow.per == "request" else 1.0
        shares.append(self.record.sample if self.record is not None else 0.0)
        return [
            Sampler(share, seed ^ hash_of(salt.encode())) if 0 < share < 1 else None
            for share, salt in zip(shares, self._salts, strict=True)
        ]

    def choose(self, asked: Facts, served: str, key: Key | None, samplers: Samplers) -> Chosen:
        """Decide about a request that `served` serves; to be asked once for each, for shares are counted by it.

        `asked` is a view where `needs_view`, `key` is read only where `reads_key`; `samplers` are what the method of
        that name gave, always the same ones for a worker.
        """
        if asked.get(_MARK) is not None:
            return self._of_copy(asked, samplers)
        if self.usual is not None:
            return self.usual_of.get(served, self.usual)
        copied: tuple[int, ...] = ()
        passed: tuple[int, ...] = ()
        for place, _, _, holds, prefixes, threshold, never, only in self.rows:
            if only and served != only:
                continue
            if holds is not None and not holds(asked):
                continue
            if prefixes:
                if key is None or hash_of(prefixes[key[0]] + key[1]) >= threshold:
                    continue
            elif (sampler := samplers[place]) is not None and not sampler.take():
                continue
            if served == never:
                passed += (place,)
            else:
                copied += (place,)
        recorded = self.record is not None and self._is_recorded(asked, samplers[-1])
        return Chosen(copied, recorded, passed) if copied or recorded or passed else NOTHING

    def _of_copy(self, asked: Facts, samplers: Samplers) -> Chosen:
        """What is made of a request that is a copy."""
        recorded = self.record is not None and self._is_recorded(asked, samplers[-1])
        return Chosen((), recorded, (), tuple(row.place for row in self.rows))

    def _is_recorded(self, asked: Facts, sampler: Sampler | None) -> bool:
        if self._record_holds is not None and not self._record_holds(asked):
            return False
        return sampler is None or sampler.take()

    def _is_fixed(self) -> bool:
        """Whether every shadow gets everything, and everything is recorded or nothing."""
        whole = all(
            row.holds is None and row.shadow.per == "request" and row.shadow.percent >= 100 for row in self.rows
        )
        return whole and (self.record is None or (self._record_holds is None and self.record.sample >= 1))

    def _all(self, served: str) -> Chosen:
        own = tuple(row.place for row in self.rows if row.never == served and served)
        due = tuple(row.place for row in self.rows if row.place not in own and row.only in {"", served})
        return Chosen(due, self.record is not None, own)


def mirror_of(route: spec.Route, conditions: Conditions, labels: tuple[str, ...]) -> Mirror | None:
    """The mirror of a route; `None` where nothing of it is ever copied."""
    nothing = not any(True for _ in copied(route.shadows, route.record))
    return None if nothing else Mirror(route, conditions, labels)


def conditions_of(route: spec.Route) -> Iterator[When]:
    """The conditions of what a route copies: of its shadows, and of its recording."""
    return (one.when for one in copied(route.shadows, route.record))


def _rows(route: spec.Route, conditions: Conditions, labels: tuple[str, ...]) -> Iterator[Row]:
    for place, shadow in enumerate(route.shadows):
        if shadow.percent <= 0:
            continue
        condition = conditions.condition(shadow.when)
        salt = shadow.salt or f"shadow:{route.name}/{shadow.name}"
        yield Row(
            place=place,
            shadow=shadow,
            condition=condition,
            holds=None if condition.always else condition.holds,
            prefixes=tuple(f"{salt}:{label}:".encode() for label in labels) if shadow.per == "key" else (),
            threshold=round(shadow.percent / 100 * WHOLE_HASH),
            never="" if shadow.idle else shadow.version,
            only=shadow.version if shadow.idle else "",
        )
