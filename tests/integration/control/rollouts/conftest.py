"""Both stores, as fixtures."""

from tests.kit.store_fixtures import place, redis_server

__all__ = ["place", "redis_server"]
