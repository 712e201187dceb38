"""What the controller asks of a store, whichever it is.

**One decides.** Controllers of several replicas share a store; one of them has the lease and writes states, all of them
add evidence and watch. A lease runs out, so its holder renews it several times within `ttl`. That its holder may sleep
through the end of its lease is what tokens are for: each lease has a greater token than all before, each write carries
its holder's, and one that is not the latest is refused. A holder that nobody replaced may go on after its lease ran
out.

**A state and its sentence are one write**, and so are a batch's sightings, counts and number. What was acknowledged
outlives the process on either side being killed.

**Nobody waits long.** Every call ends within seconds, also if the store has gone, and raises `StoreUnavailableError`.

Looks at evidence are differences: the state machine keeps in its state what it has judged, so that whoever takes over
goes on where the last written state is, with nothing judged twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from stepdown.control.stores.values import Added, Recorded, State, Transition
from stepdown.rollout.batch import Batch, Cell, Counts


class Store(Protocol):
    """All methods raise `StoreError`s as `stores.errors` says; all belong to one event loop."""

    async def open(self) -> None:
        """Find out whether it can be used. One that is unavailable may be asked again, without opening it again."""

    async def close(self) -> None:
        """Let go of it; the lease runs out by itself unless it was released."""

    # --- who decides --------------------------------------------------------------------------------------------------

    async def acquire(self, holder: str, ttl: float) -> int | None:
        """A token, if nobody else has the lease for now; `ttl` in seconds. A holder that has it gets a new token."""

    async def renew(self, token: int, ttl: float) -> bool:
        """Have it for `ttl` seconds from now; `False` where somebody else got it, or it was released."""

    async def release(self, token: int) -> None:
        """Let others have it at once. The token is worth nothing any more."""

    # --- states -------------------------------------------------------------------------------------------------------

    async def rollouts(self) -> tuple[str, ...]:
        """Names of all that have a state."""

    async def read(self, rollout: str) -> State | None:
        """Its state, or `None` where none was ever written, or the store lost it."""

    async def write(
        self, token: int, rollout: str, expected: int, document: bytes, transitions: Sequence[Transition] = ()
    ) -> int:
        """Put a state in the place of version `expected` (0: there is none), with what led to it; its new version.

        Raises `FencedError` and `ConflictError`, and has then written nothing.
        """

    async def history(self, rollout: str, *, before: int | None = None, limit: int = 100) -> list[Recorded]:
        """The newest transitions, the newest first; `before` a number, for the next page."""

    def watch(self, rollout: str) -> AsyncIterator[State | None]:
        """The state as it is, and then each time that it has changed, within 2 s; not every one in between.

        Ends never, and raises nothing while the store is lost. `None` says that there is no state (any more).
        """

    # --- evidence -----------------------------------------------------------------------------------------------------

    async def add(self, batch: Batch) -> Added:
        """Count a batch, unless it was. Raises `ValueError` for one that makes no sense, or is too large."""

    async def evidence(self, rollout: str, run: int) -> dict[Cell, Counts]:
        """All that was counted in a run."""

    async def counted(self, rollout: str, run: int, source: str) -> int:
        """Number of the last batch of a source that was counted; 0 for none."""

    async def forget(self, rollout: str, run: int) -> None:
        """Remove evidence, sightings and sources of a run. State and history stay; late batches count nothing."""
