"""The store of several replicas: one Redis, in which counts add up and one of them decides.

**Memory**: some 60 MB for each million of sightings, and nothing to speak of for the rest. A set of sightings is given
up when `retention` has passed since its last one, and by `forget`.

**What Redis keeps** is up to its configuration: `appendonly yes` loses at most the last second when it is killed, and
without it all since the last snapshot, or everything. What is lost is evidence that was acknowledged; states then are
missing, or older, which a controller must see as such.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from stepdown.control.stores import redis_scripts
from stepdown.control.stores.errors import ConflictError, FencedError
from stepdown.control.stores.redis_evidence import arguments
from stepdown.control.stores.redis_keys import Keys, counts_of
from stepdown.control.stores.redis_link import Link
from stepdown.control.stores.redis_listener import Listener
from stepdown.control.stores.store import Store
from stepdown.control.stores.values import Added, Recorded, State, Transition
from stepdown.control.stores.watching import Bells, watch
from stepdown.rollout.batch import Batch, Cell, Counts

CALL_SECONDS = 1.0
"""For each step of a call: to connect, to be answered. The whole call ends within twice as much."""
RETENTION = 14 * 86400.0
"""Seconds; at least as long as an event may come after its unit was assigned."""


class RedisStore(Store):
    """See `Store`."""

    def __init__(
        self, url: str, namespace: str = "stepdown", *, retention: float = RETENTION, seconds: float = CALL_SECONDS
    ) -> None:
        """`url` as in `redis://user:password@host:6379/0`. Raises `StoreRefusedError` where it is none."""
        self._keys = keys = Keys(f"{namespace}:")
        self._retention = retention
        self._link = Link(url, keys.schema, seconds)
        self._scripts = {
            name: self._link.client.register_script(getattr(redis_scripts, name))
            for name in ("ACQUIRE", "RENEW", "RELEASE", "WRITE", "READ", "ADD", "FORGET")
        }
        self._bells = Bells()
        self._listener: Listener | None = None

    async def open(self) -> None:
        """See `Store`."""
        if self._listener is None:
            self._listener = Listener(self._link.client, self._keys.channel, self._bells)
        await self._link.call(lambda client: client.ping())

    async def close(self) -> None:
        """See `Store`."""
        if self._listener is not None:
            await self._listener.close()
            self._listener = None
        await self._link.close()

    # --- who decides --------------------------------------------------------------------------------------------------

    async def acquire(self, holder: str, ttl: float) -> int | None:
        """See `Store`."""
        token = await self._run("ACQUIRE", self._keys.of_lease, holder, _milliseconds(ttl))
        return None if token is None else int(token)

    async def renew(self, token: int, ttl: float) -> bool:
        """See `Store`."""
        return bool(await self._run("RENEW", self._keys.of_lease, token, _milliseconds(ttl)))

    async def release(self, token: int) -> None:
        """See `Store`."""
        await self._run("RELEASE", self._keys.of_lease, token)

    # --- states -------------------------------------------------------------------------------------------------------

    async def rollouts(self) -> tuple[str, ...]:
        """See `Store`."""
        names = await self._link.call(lambda client: client.execute_command("HKEYS", self._keys.states))
        return tuple(sorted(name.decode() for name in names))

    async def read(self, rollout: str) -> State | None:
        """See `Store`."""
        version, document = await self._run("READ", [self._keys.states, self._keys.documents], rollout)
        return None if version is None or document is None else State(int(version), document)

    async def write(
        self, token: int, rollout: str, expected: int, document: bytes, transitions: Sequence[Transition] = ()
    ) -> int:
        """See `Store`."""
        keys = self._keys
        outcome, number = await self._run(
            "WRITE",
            [keys.fence, keys.states, keys.documents, keys.history(rollout)],
            *(token, rollout, expected, document, keys.channel),
            *(msgspec.msgpack.encode(transition) for transition in transitions),
        )
        if outcome == b"fenced":
            raise FencedError(f"token {token} is not the latest one, which is {int(number)}")
        if outcome == b"conflict":
            raise ConflictError(f"the state of {rollout} is at version {int(number)}, and not at {expected}")
        self._bells.ring(rollout)
        return int(number)

    async def history(self, rollout: str, *, before: int | None = None, limit: int = 100) -> list[Recorded]:
        """See `Store`."""
        key = self._keys.history(rollout)
        if before is None:
            before = 1 + int(await self._link.call(lambda client: client.execute_command("LLEN", key)))
        end = before - 2
        begin = max(0, end - limit + 1)
        if end < 0 or limit < 1:
            return []
        found = await self._link.call(lambda client: client.execute_command("LRANGE", key, begin, end))
        records = [
            Recorded(number, msgspec.msgpack.decode(one, type=Transition))
            for number, one in enumerate(found, begin + 1)
        ]
        return records[::-1]

    def watch(self, rollout: str) -> AsyncIterator[State | None]:
        """See `Store`."""
        return watch(self.read, self._bells, rollout)

    # --- evidence -----------------------------------------------------------------------------------------------------

    async def add(self, batch: Batch) -> Added:
        """See `Store`."""
        keys, values = arguments(batch, self._keys, _milliseconds(self._retention))
        outcome, new = await self._run("ADD", keys, *values)
        if outcome == b"counted":
            return Added("counted", int(new))
        return Added("repeated" if outcome == b"repeated" else "forgotten")

    async def evidence(self, rollout: str, run: int) -> dict[Cell, Counts]:
        """See `Store`."""
        counts = self._keys.of_run(rollout, run)[2]
        return counts_of(await self._link.call(lambda client: client.execute_command("HGETALL", counts)))

    async def counted(self, rollout: str, run: int, source: str) -> int:
        """See `Store`."""
        sources = self._keys.of_run(rollout, run)[1]
        return int(await self._link.call(lambda client: client.execute_command("HGET", sources, source)) or 0)

    async def forget(self, rollout: str, run: int) -> None:
        """See `Store`."""
        await self._run("FORGET", self._keys.of_run(rollout, run), run)

    async def _run(self, name: str, keys: Sequence[str], *values: str | bytes | int) -> Any:
        script: Any = self._scripts[name]
        return await self._link.call(lambda client: script(keys=keys, args=values, client=client))


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
