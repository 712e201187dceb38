"""What people see of rollouts, and what they may ask: each answer comes when it is stored and applied here."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import msgspec

from stepdown.config.settings import StoreSettings
from stepdown.control.rollouts.asking import Asked, Done, RolloutRefusedError, Standing
from stepdown.control.rollouts.course import Course
from stepdown.control.rollouts.in_force import Host, InForce
from stepdown.control.rollouts.laying import differences
from stepdown.control.rollouts.lease import Lease
from stepdown.control.rollouts.looks import Looks
from stepdown.control.rollouts.places import Place
from stepdown.control.rollouts.writing import Pen
from stepdown.control.stores.errors import StoreError
from stepdown.control.stores.store import Store
from stepdown.control.stores.values import Recorded
from stepdown.rollout import events, leading, waiting
from stepdown.rollout.document import Document
from stepdown.rollout.leading import Led
from stepdown.rollout.position import begin

ACTIONS: Mapping[str, type[events.ByHand]] = {
    "start": events.Started,
    "pause": events.Paused,
    "resume": events.Resumed,
    "promote": events.PromotedByHand,
    "abort": events.AbortedByHand,
    "undo": events.UndoneByHand,
}


def standings(host: Host, in_force: InForce, lease: Lease, settings: StoreSettings | None) -> list[Standing]:
    """In the file's order."""
    now, found = in_force.now(), []
    applied = {rollout.name: rollout for rollout in host.spec.rollouts}
    for name, declared in in_force.declared.items():
        course, place = in_force.courses[name], in_force.place(name)
        if place is None:
            continue
        document = course.shown
        found.append(
            Standing(
                rollout=applied.get(name, declared),
                route=place.route,
                rule=place.rule,
                position=document.position if document is not None else begin(declared, place.candidate(declared)),
                said=document.said if document is not None else course.refused,
                now=now,
                rate=course.rate,
                leads=lease.token is not None,
                holder=leader(lease, document),
                store=_store(course, lease, settings),
                differs=differences(document, declared, place) if document is not None else (),
            )
        )
    return found


def leader(lease: Lease, document: Document | None) -> str:
    """Who decides, as far as is known here."""
    if lease.token is not None:
        return lease.holder
    return document.holder if document is not None else ""


def _store(course: Course, lease: Lease, settings: StoreSettings | None) -> waiting.Store:
    if settings is None:
        return "none"
    if lease.lost or not course.read or course.owed:
        return "lost"
    return "missing" if course.missing else "ok"


class People:
    """With an open store."""

    def __init__(self, store: Store, lease: Lease, in_force: InForce, pen: Pen, looks: Looks) -> None:
        self._store = store
        self._lease = lease
        self._in_force = in_force
        self._pen = pen
        self._looks = looks

    async def act(self, course: Course, place: Place, asked: Asked) -> Done:
        """See `asking.Rollouts`."""
        async with course.lock:
            if self._lease.lost and asked.action in ("abort", "undo"):
                return await self._abort_alone(course, asked)
            self._check(course)
            try:
                led = await self._by_hand(course, place, asked)
                if not led.happened:
                    return Done(False, led.sentence)
                if await self._pen.write(course, led):
                    return Done(True, led.sentence)
            except StoreError as error:
                self._lease.fail(error)
                if course.owed:
                    return Done(True, _only_here(course.owed[-1].sentence, error))
                raise RolloutRefusedError(503, "state-unavailable", f"Nothing has changed: {error}.") from None
        raise RolloutRefusedError(409, "not-leading", "Another replica decides from now on; ask again.")

    async def history(self, rollout: str, before: int | None, limit: int) -> list[Recorded]:
        """See `asking.Rollouts`."""
        try:
            return await self._store.history(rollout, before=before, limit=limit)
        except StoreError as error:
            raise RolloutRefusedError(503, "state-unavailable", f"The history cannot be read: {error}.") from None

    async def _by_hand(self, course: Course, place: Place, asked: Asked) -> Led:
        now, declared = self._in_force.now(), self._in_force.declared[course.name]
        document = course.document or leading.first(declared, place.candidate(declared))
        document = self._in_force.adopted(document, course.name, place, now).document
        document = self._in_force.with_ready(document, course.name, place, now)
        run = document.position.run
        totals = await self._store.evidence(course.name, run) if run else {}
        event = ACTIONS[asked.action](now=now, who=asked.by)
        if isinstance(event, events.Started):
            event = msgspec.structs.replace(event, force=asked.force)
        led = leading.hand(document, declared, event, totals, secrets.token_hex(16))
        return led._replace(document=self._looks.with_slow(led.document, place, now))

    async def _abort_alone(self, course: Course, asked: Asked) -> Done:
        document, now = course.shown, self._in_force.now()
        if document is None:
            raise RolloutRefusedError(503, "state-unavailable", f"Nothing is known of it: {self._lease.lost}.")
        event = ACTIONS[asked.action](now=now, who=asked.by)
        led = leading.hand(document, self._in_force.declared[course.name], event, {}, "")
        if not led.happened:
            return Done(False, led.sentence)
        await self._pen.owe(course, led)
        return Done(True, _only_here(led.sentence, self._lease.lost))

    def _check(self, course: Course) -> None:
        """Raise where nobody can be asked here now."""
        if self._lease.lost:
            said = f"Nothing can be stored, so nothing moves: {self._lease.lost}."
            raise RolloutRefusedError(503, "state-unavailable", said)
        if not course.read or course.doubted:
            raise RolloutRefusedError(503, "state-unavailable", "Its state was not read yet; ask again.")
        if self._lease.token is None:
            holder = leader(self._lease, course.document)
            who = f"{holder} does, so ask there" if holder else "another replica does, so ask there"
            raise RolloutRefusedError(409, "not-leading", f"This replica does not decide; {who}.")
        if course.refused:
            raise RolloutRefusedError(409, "state-refused", f"{course.refused}.")


def _only_here(sentence: str, why: object) -> str:
    return f"{sentence}; in this replica only, until it can be stored: {why}"
