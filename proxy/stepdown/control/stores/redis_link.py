"""The way to Redis: calls that end soon, and while it is lost, end at once.

After a call that failed, the next ones are refused without a journey until a pause is over, which grows from 0.1 s to
2 s; then the next call tries again. Nothing is tried again by itself: whether a write was done is the caller's to find
out. With each new beginning it is checked whom we speak with, since another Redis may have come in the place of the one
that was lost.

One Redis is spoken with, directly. Cluster and Sentinel are not supported: the scripts use keys of many slots, and a
failover to a replica loses what it had not been sent yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stepdown.control.stores.errors import StoreError, StoreRefusedError, StoreUnavailableError

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
FIRST_PAUSE, LAST_PAUSE = 0.1, 2.0
CONNECTIONS = 8
OLDEST = 7
"""Major version of Redis that knows what the scripts need."""
FAILURES = (exceptions.RedisError, OSError, TimeoutError)
"""What the client raises where it cannot do something."""


class Link:
    """A client and what is known of the other side; lives on a loop."""

    def __init__(self, url: str, schema_key: str, seconds: float) -> None:
        """`seconds` bounds each step of a call; twice as much bounds the call. Raises `StoreRefusedError`."""
        self._schema_key = schema_key
        self._seconds = seconds
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=seconds,
                socket_timeout=seconds,
                socket_connect_timeout=seconds,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        except ValueError as error:
            raise StoreRefusedError(f"the state's address is none of Redis: {error}") from None
        self.client: Redis = Redis(connection_pool=pool)
        self.name = _name(pool.connection_kwargs)
        self._known = False
        self._pause, self._again, self._why = 0.0, float("-inf"), ""

    async def close(self) -> None:
        """Close all connections."""
        await self.client.aclose()
        await self.client.connection_pool.disconnect()

    async def call(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Its result. Raises `StoreError`."""
        if asyncio.get_running_loop().time() < self._again:
            raise StoreUnavailableError(self._why)
        task = asyncio.current_task()
        assert task is not None
        cancelled = task.cancelling()
        try:
            async with asyncio.timeout(2 * self._seconds):
                if not self._known:
                    await self._check()
                result = await work(self.client)
        except FAILURES as error:
            raise self._failed(self._mapped(error)) from error
        except StoreError as error:
            raise self._failed(error) from None
        finally:
            if task.cancelling() > cancelled:
                raise asyncio.CancelledError  # which the client may have swallowed while it connected
        if self._pause:
            self._pause, self._again = 0.0, float("-inf")
            logger.info("%s answers again", self.name)
        return result

    def _failed(self, error: StoreError) -> StoreError:
        self._known = False
        if not self._pause:
            logger.error("%s", error)
        self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LAST_PAUSE)
        self._again = asyncio.get_running_loop().time() + self._pause
        self._why = str(error)
        return error

    def _mapped(self, error: Exception) -> StoreError:
        if isinstance(error, exceptions.AuthenticationError | exceptions.NoPermissionError):
            return StoreRefusedError(f"{self.name} refuses us: {error}")
        if isinstance(error, exceptions.OutOfMemoryError):
            return StoreUnavailableError(f"{self.name} has no room: {error}")
        if isinstance(error, exceptions.ResponseError) and not isinstance(error, exceptions.ReadOnlyError):
            return StoreRefusedError(f"{self.name} cannot be used: {error}")
        return StoreUnavailableError(f"{self.name} does not answer: {str(error) or type(error).__name__}")

    async def _check(self) -> None:
        """Whether it is new enough, keeps what it is given, and holds nothing of a newer version."""
        client: Any = self.client
        info = await client.info()
        version = str(info.get("redis_version", "0"))
        if int(version.partition(".")[0]) < OLDEST:
            raise StoreRefusedError(f"{self.name} is Redis {version}; at least {OLDEST}.0 is needed")
        policy = str(info.get("maxmemory_policy", ""))
        if info.get("maxmemory") and policy != "noeviction":
            raise StoreRefusedError(
                f"{self.name} throws data away when memory is short (maxmemory-policy {policy}), and with it what "
                "must count once; set it to noeviction"
            )
        found = await client.get(self._schema_key)
        if found is None:  # only then, for a Redis without room takes nothing but can be read
            await client.set(self._schema_key, SCHEMA_VERSION, nx=True)
            found = await client.get(self._schema_key)
        schema = int(found)
        if schema > SCHEMA_VERSION:
            raise StoreRefusedError(
                f"{self.name} has state of a newer Stepdown (schema {schema}, this one knows {SCHEMA_VERSION}); use "
                "that one, or another namespace"
            )
        self._known = True


def _name(settings: dict[str, Any]) -> str:
    """Where it is, without its password."""
    place = settings.get("path") or f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"
    return f"Redis at {place}/{settings.get('db') or 0}"
