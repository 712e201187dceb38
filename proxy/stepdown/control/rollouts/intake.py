"""Batches of evidence on their way into the store: each is acknowledged once it is there, and not before."""

from __future__ import annotations

import logging
from collections.abc import Callable

from stepdown import tasks
from stepdown.control.rollouts.lease import Lease
from stepdown.control.stores.errors import StoreError
from stepdown.control.stores.store import Store
from stepdown.rollout.batch import Batch

logger = logging.getLogger(__name__)


class Intake:
    """Where the store is lost nothing is said to the source, which keeps the batch and sends it again."""

    def __init__(self, lease: Lease, stored: Callable[[], None]) -> None:
        """`stored()` is called after each batch that is in the store."""
        self._lease = lease
        self._stored = stored
        self._store: Store | None = None
        self._under_way: set[tuple[str, int, str]] = set()

    def open(self, store: Store) -> None:
        """From now on batches go there."""
        self._store = store

    def take(self, batch: Batch, taken: Callable[[], None]) -> None:
        """Store it, and then call `taken`; of one source there is one batch at a time."""
        key = (batch.rollout, batch.run, batch.source)
        if self._store is None or key in self._under_way:
            return
        self._under_way.add(key)
        tasks.start(self._add(self._store, batch, taken), name="store evidence")

    async def _add(self, store: Store, batch: Batch, taken: Callable[[], None]) -> None:
        try:
            await store.add(batch)
        except StoreError as error:
            self._lease.evidence_fails(error)
            return
        except ValueError as error:  # it would be refused for ever, and hold up all that comes behind it
            logger.error("evidence of %s for %s is left out: %s", batch.source, batch.rollout, error)
        finally:
            self._under_way.discard((batch.rollout, batch.run, batch.source))
        self._lease.evidence_is_stored()
        taken()
        self._stored()
