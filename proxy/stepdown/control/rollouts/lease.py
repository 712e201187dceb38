"""Who decides, and whether the store can be had at all: this replica's side of the lease.

A lease that cannot be renewed because the store is lost is kept for the time being: who else may have got it meanwhile
the store tells when it is found, by refusing what is written with an old token. While the store is lost it is looked
for by taking the lease anew, which writes, so that a store that can be read and not written stays lost. So does one
that has no room for evidence: a step must not pass by what is known of it while more waits to be known.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable

from stepdown.control.stores.errors import StoreError
from stepdown.control.stores.store import Store
from stepdown.telemetry.log import fields

logger = logging.getLogger(__name__)

LEASE_SECONDS, RENEW_SECONDS = 5.0, 1.5
"""A holder that is gone is replaced within the sum of both."""
LOST_SECONDS = 0.5
"""Between two attempts to find a store that is lost."""
EVIDENCE_SECONDS = 15.0
"""For as long a batch that found no room is waited for. Whoever still has it sends it every five seconds; after that it
is gone with its worker, and there may be no other one that would tell when there is room again."""
SAID_SECONDS = 60.0
"""The same trouble is logged once in this time."""


class Lease:
    """Of one replica, on all rollouts of a store."""

    def __init__(self, holder: str, clock: Callable[[], float]) -> None:
        """`holder` is what other replicas call this one; without it, its host and process."""
        self.holder = holder or f"{socket.gethostname()}:{os.getpid()}"
        self.token: int | None = None
        """`None` where another replica decides, or nobody."""
        self.lost = ""
        """Why the store cannot be used; empty where it can."""
        self.evidence_seconds = EVIDENCE_SECONDS
        self._evidence_waits: tuple[str, float] = ("", 0.0)
        """Why the latest batch of evidence could not be stored, empty where it was, and when that was, by the loop."""
        self.tried = asyncio.Event()
        """Whether the store was asked for it, with whatever success."""
        self._clock = clock
        self._said: tuple[str, float] = ("", 0.0)
        self._leaving = False

    def fail(self, error: StoreError) -> None:
        """The store could not be used just now."""
        self.lost = str(error)
        said, at = self._said
        if said != self.lost or self._clock() - at >= SAID_SECONDS:
            self._said = (self.lost, self._clock())
            logger.error("rollouts stay where they are: %s", error)

    def evidence_fails(self, error: StoreError) -> None:
        """A batch could not be stored: nothing advances until one can be, or nobody has it any more."""
        self.fail(error)
        self._evidence_waits = (self.lost, asyncio.get_running_loop().time())

    def evidence_is_stored(self) -> None:
        """A batch could be."""
        self._evidence_waits = ("", 0.0)

    def yield_to(self, why: object) -> None:
        """Somebody else has it."""
        logger.warning("rollouts are led by another replica: %s", why)
        self.token = None

    async def keep(self, store: Store, changed: Callable[[], Awaitable[None]]) -> None:
        """Have it, or try to, until cancelled; `changed` is awaited after it was got or lost, or the store found."""
        while True:
            try:
                await self._have(store, changed)
            except StoreError as error:
                self.fail(error)
            except Exception:
                logger.exception("the lease on rollouts could not be looked after")
            self.tried.set()
            await asyncio.sleep(LOST_SECONDS if self.lost else RENEW_SECONDS)

    async def leave(self, store: Store) -> None:
        """Let another replica have it at once, and do not take it any more."""
        self._leaving = True
        token, self.token = self.token, None
        if token is not None:
            with contextlib.suppress(StoreError):
                await store.release(token)

    async def _have(self, store: Store, changed: Callable[[], Awaitable[None]]) -> None:
        led, lost = self.token, self.lost
        if led is not None and not lost:
            if await store.renew(led, LEASE_SECONDS):
                return
            self.yield_to("the lease ran out, and was taken")
        token = None if self._leaving else await store.acquire(self.holder, LEASE_SECONDS)
        waits, at = self._evidence_waits
        waits = waits if asyncio.get_running_loop().time() < at + self.evidence_seconds else ""
        self.token, self.lost = token, waits
        if self.lost:
            return
        if lost:
            logger.warning("the state of rollouts can be used again")
        if token is not None and led is None:
            logger.info("this replica leads rollouts", extra=fields(holder=self.holder, token=token))
        if lost or led is not None or token is not None or not self.tried.is_set():
            await changed()
