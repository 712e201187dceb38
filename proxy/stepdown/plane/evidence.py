"""Requests as evidence of a rollout that is driven: which are, whose they are, what is counted of each.

1. Only what the rule of a rollout assigned by its split is evidence, with both versions within the client's reach
   (`Choice.evidence`), and it is evidence of the *assigned* version, whoever answered in the end.
2. Whose request it is, and at which stage, is settled when it is assigned. An exchange that ends after the next step
   was taken counts for the step before.
3. The sticky user is the unit and counts once at each stage, also with each kind of event. A request without a key is a
   unit of its own.
4. Everything is counted at the end of an exchange, from what is known of it then. A client that left has a place among
   the units, but no answer that could be judged, unless what it had got of it was bad. Who leaves at the end that a
   stream gives itself has got all of it: or a version whose clients leave at `[DONE]` would have none but failures.

A route without a rollout pays nothing for it, nor does a rule beside the rollout's: there `Plan.evidence` is `None`.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import getrandbits
from time import time
from typing import TYPE_CHECKING

from stepdown.decide import feedback
from stepdown.decide.driving import place_of
from stepdown.decide.feedback import Issuer, Run, Units
from stepdown.decide.rollout_spec import Rollout
from stepdown.decide.shadow_spec import MARK
from stepdown.decide.spec import SnapshotSpec
from stepdown.errors import (
    BadResponseError,
    ErrorNotAdaptableError,
    RequestNotAdaptableError,
    UpstreamClosedError,
    UpstreamTimeoutError,
)
from stepdown.plane.evidence_books import Book, Books
from stepdown.plane.plan import FAILED, NATIVE, PASSTHROUGH
from stepdown.plane.recording import key_of
from stepdown.rollout import counts
from stepdown.telemetry.slab import Slab

if TYPE_CHECKING:
    from stepdown.decide.choice import Choice
    from stepdown.decide.snapshot import Snapshot
    from stepdown.plane.exchange import Exchange

_CUT = frozenset(error.problem for error in (BadResponseError, UpstreamClosedError, UpstreamTimeoutError))
"""Errors with which an answer ends in its middle because of its server."""
_CLIENTS_OWN = frozenset(("", RequestNotAdaptableError.problem, ErrorNotAdaptableError.problem))
"""With a 4xx: said by the server, or by its chain of adapters, and not by the sidecar of any request like it."""
_ADAPTER_FAILED = frozenset((FAILED, NATIVE, PASSTHROUGH))
_UNHEALTHY = "unhealthy"
_MARK = MARK.encode()


class Stages:
    """Of each rollout that is driven and counted, the stage in force: what a runtime compiles for its plans."""

    def __init__(self, spec: SnapshotSpec, snapshot: Snapshot, books: Books, slab: Slab) -> None:
        secret = spec.feedback.secrets[0] if spec.feedback is not None else ""
        runs = {run.rollout: run for run in runs_of(spec)}
        counted = {
            rollout.name: Stage(rollout, runs[rollout.name], secret, books, slab)
            for rollout in spec.rollouts
            if rollout.driven is not None and rollout.driven.evidence and rollout.name in runs
        }
        self._by_rule = {
            (route.name, rule.name): counted[rule.spec.rollout]
            for route in snapshot.routes
            for rule in route.rules
            if rule.spec.rollout in counted
        }

    def evidence(self, choice: Choice) -> Evidence | None:
        """What counts the requests of a choice; `None` where they are no evidence."""
        stage = self._by_rule.get((choice.route, choice.rule)) if choice.evidence else None
        return stage.evidence(choice) if stage is not None else None


def runs_of(spec: SnapshotSpec) -> Iterable[Run]:
    """The runs of all rollouts that are driven."""
    models = {rule.rollout: route.model for route in spec.routes for rule in route.rules if rule.rollout is not None}
    for rollout in spec.rollouts:
        driven = rollout.driven
        if driven is not None and rollout.name in models:
            yield Run(rollout.name, driven.run, models[rollout.name], driven.stable, rollout.candidate, driven.salt)


class Stage:
    """One stage of one run, in one worker and under one configuration."""

    def __init__(self, rollout: Rollout, run: Run, secret: str, books: Books, slab: Slab) -> None:
        """`secret` signs tokens; empty, there are none."""
        driven = rollout.driven
        assert driven is not None
        self.place = place_of(rollout)
        self.run = run
        self.units = Units(run)
        self.share = rollout.steps[self.place].weight / 100
        self.secret = secret
        self.slow = round(driven.slow * 1e9) or None
        """Nanoseconds; `None`: nothing counts as slow."""
        self.slab = slab
        self._books = books
        self._arms: dict[feedback.Arm, Arm] = {}

    def evidence(self, choice: Choice) -> Evidence | None:
        """What counts the requests of a choice of the rollout's rule."""
        named: dict[str, feedback.Arm] = {self.run.stable: "stable", self.run.candidate: "candidate"}
        name = named.get(choice.assigned)
        if name is None:
            return None
        arm = self._arms.get(name)
        if arm is None:
            arm = self._arms[name] = Arm(self, name, self._books.book(self.run.rollout, self.run.number))
        label = choice.key_source
        return Evidence(arm, None if label == "none" else label.encode() + b"\0")


class Arm:
    """One of both versions at a stage, and the sums of what was assigned to it."""

    __slots__ = (
        "__weakref__",
        "_cells",
        "_issuers",
        "_known",
        "_requests_cell",
        "_units_cell",
        "book",
        "name",
        "requests",
        "stage",
        "sums",
        "units",
    )

    def __init__(self, stage: Stage, name: feedback.Arm, book: Book) -> None:
        self.stage = stage
        self.name = name
        self.book = book
        book.readers.add(self)
        self.requests = book.sums(stage.place, name, counts.REQUESTS)
        self.units = book.sums(stage.place, name, counts.UNITS)
        self._known = book.known(stage.place)
        self.sums = {kind: book.sums(stage.place, name, kind) for kind in _KINDS}
        labels = (stage.run.rollout, name)
        self._requests_cell = stage.slab.counter("stepdown_evidence_requests_total", labels)
        self._units_cell = stage.slab.counter("stepdown_evidence_units_total", labels)
        self._cells = stage.slab.cells
        self._issuers: dict[str, Issuer] = {}

    def count(self, unit: int, sticky: bool, kinds: tuple[str, ...]) -> None:
        """Count a unit, and the events that happened to it."""
        self._cells[self._requests_cell] += 1
        if sticky:
            if unit not in self._known and self.book.saw_unit(self.stage.place, self.name, unit):
                self._cells[self._units_cell] += 1
            for kind in kinds:
                self.book.saw(self.stage.place, self.name, kind, unit)
        else:
            self._cells[self._units_cell] += 1
            self.units[0] += 1
            for kind in kinds:
                self.sums[kind][1] += 1

    def token(self, served: str, unit: int) -> bytes:
        """The token of a unit that this version answered; empty where there are none."""
        stage = self.stage
        if not stage.secret:
            return b""
        issuer = self._issuers.get(served)
        if issuer is None:
            issuer = self._issuers[served] = Issuer(
                stage.run, stage.secret, stage=stage.place, share=stage.share, arm=self.name, served=served
            )
        return issuer.issue(unit.to_bytes(feedback.UNIT_BYTES, "big"), time())


class Evidence:
    """What counts the requests of one plan."""

    __slots__ = ("_label", "arm")

    def __init__(self, arm: Arm, label: bytes | None) -> None:
        """`label` stands before a sticky key and says where it comes from; `None`: there is no key."""
        self.arm = arm
        self._label = label

    def begin(self, exchange: Exchange) -> None:
        """Note what an exchange is evidence of; once, so that another attempt is the same unit's.

        Another sidecar's copy is not: nobody waits for its answer, and a user of its original's would count twice.
        """
        if exchange.head.get(_MARK) is not None:
            return
        label, route = self._label, exchange.route
        assert route is not None
        if label is None or (key := key_of(exchange, route)) is None:
            exchange.counted = Counted(self.arm, getrandbits(64), sticky=False)
        else:
            unit = int.from_bytes(self.arm.stage.units.hash(label + key[1]), "big")
            exchange.counted = Counted(self.arm, unit, sticky=True)


class Counted:
    """An exchange that is evidence."""

    __slots__ = ("_arm", "_sticky", "stream_failed", "unit")

    def __init__(self, arm: Arm, unit: int, *, sticky: bool) -> None:
        self._arm = arm
        self._sticky = sticky
        self.unit = unit
        """64-bit hash of the sticky key; where there is none, a number of its own."""
        self.stream_failed: bool | None = None
        """What its stream turned out to be, where somebody has looked and it had come to an end."""

    def line(self, exchange: Exchange) -> bytes:
        """The field line with the token, for any answer; empty where there are none."""
        assert exchange.plan is not None
        token = self._arm.token(exchange.plan.choice.served, self.unit)
        return b"x-stepdown-token: %b\r\n" % token if token else b""

    def ended(self, exchange: Exchange, elapsed: int) -> None:
        """The answer was given, or cut; `elapsed` in nanoseconds."""
        arm, plan = self._arm, exchange.plan
        assert plan is not None
        arm.requests[0] += 1
        good = exchange.status < 400 and not exchange.error and not self.stream_failed
        good = good and exchange.outcome not in _ADAPTER_FAILED and plan.choice.reason != _UNHEALTHY
        kinds = () if good else kinds_of(exchange, self.stream_failed)
        if kinds and kinds != _REFUSED:
            arm.requests[1] += 1
        slow = arm.stage.slow
        if slow is not None and elapsed > slow:
            kinds = (*kinds, counts.SLOW)
        arm.count(self.unit, self._sticky, kinds)

    def left(self, exchange: Exchange, elapsed: int) -> None:
        """The client left before the end."""
        kinds: tuple[str, ...] = ()
        if exchange.outcome in _ADAPTER_FAILED:
            kinds += (counts.ADAPTER_FAILURES,)
        if self.stream_failed:
            kinds += (counts.STREAM_ERRORS,)
        arm = self._arm
        if kinds:
            arm.requests[0] += 1
            arm.requests[1] += 1
        slow = arm.stage.slow
        if slow is not None and elapsed > slow:  # so the answer would have been, too
            kinds = (*kinds, counts.SLOW)
        arm.count(self.unit, self._sticky, kinds)


_KINDS = (
    counts.ERRORS,
    counts.CLIENT_ERRORS,
    counts.TIMEOUTS,
    counts.ADAPTER_FAILURES,
    counts.STREAM_ERRORS,
    counts.SLOW,
)
_REFUSED = (counts.CLIENT_ERRORS,)
"""All that there is to say of a request that was refused, which is no failure of its own."""


def kinds_of(exchange: Exchange, stream_failed: bool | None) -> tuple[str, ...]:
    """The kinds of events that an exchange with a bad answer is, but for its time; `stream_failed` where that is known.

    A version whose servers were down has failed, although another one answered: it would else be rolled out because
    of what others do for it. Answers that were cut because their client did not read are nobody's failure.
    """
    plan, status, error = exchange.plan, exchange.status, exchange.error
    assert plan is not None
    down = plan.choice.reason == _UNHEALTHY
    kinds: tuple[str, ...] = ()
    if status >= 500 or down:
        kinds += (counts.ERRORS,)
    elif status >= 400 and error in _CLIENTS_OWN:
        kinds += (counts.CLIENT_ERRORS,)
    cut = error in _CUT and status < 500 and not exchange.client.full
    if error == UpstreamTimeoutError.problem and (cut or status >= 500):
        kinds += (counts.TIMEOUTS,)
    if exchange.outcome in _ADAPTER_FAILED:
        kinds += (counts.ADAPTER_FAILURES,)
    if cut if stream_failed is None else stream_failed:
        kinds += (counts.STREAM_ERRORS,)
    return kinds
