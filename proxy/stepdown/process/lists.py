"""Lists of ids as a worker has them: memory that the parent holds, mapped, by digest.

They come over the tether, before the controller asks for a specification that names them; but tether and channel are
two ways, so a specification may be here first, and then its lists are waited for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping

from stepdown.decide.keysets import KeySet
from stepdown.errors import ConfigError
from stepdown.process import held

PREFIX = "list "
"""What stands before the digest in the name of a descriptor that a worker is introduced with."""

PATIENCE = 10.0
"""Seconds that a list may be behind the specification which names it."""


class Lists:
    """Fills `tables` with what is given to the worker."""

    def __init__(self, tables: dict[str, KeySet]) -> None:
        self._tables = tables
        self._came = asyncio.Event()

    def take(self, fds: Mapping[str, int]) -> None:
        """Map these tables, and close their descriptors; raises `KeySetError`."""
        for name, fd in fds.items():
            try:
                self._tables[name] = KeySet(held.mapped(fd))
            finally:
                os.close(fd)
        self._came.set()

    def keep(self, names: Collection[str]) -> None:
        """Let go of all others; a specification that uses one of them keeps it as long as it lives."""
        for name in self._tables.keys() - set(names):
            del self._tables[name]

    async def wait_for(self, names: Collection[str]) -> None:
        """Return when all of these are here; raises `ConfigError` when they do not come."""
        try:
            async with asyncio.timeout(PATIENCE):
                while missing := [name for name in names if name not in self._tables]:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise ConfigError(f"the lists of ids {', '.join(missing)} have not come") from None
