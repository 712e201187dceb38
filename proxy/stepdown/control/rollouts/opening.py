"""A store for what the file says; Redis' client is an extra, and loaded here only, where it is used."""

from __future__ import annotations

from pathlib import Path

from stepdown.config.settings import StoreSettings
from stepdown.control.stores.errors import StoreRefusedError
from stepdown.control.stores.store import Store


def store_of(settings: StoreSettings, retention: float) -> Store:
    """One that is not open yet; `retention` seconds are how long an event may come late.

    Raises `StoreRefusedError` where it can be no store whatever happens.
    """
    if settings.file is not None:
        from stepdown.control.stores.sqlite_store import SqliteStore  # noqa: PLC0415 - one of both is used

        return SqliteStore(Path(settings.file))
    try:
        from stepdown.control.stores.redis_store import RETENTION, RedisStore  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        said = "the state of rollouts is to be kept in Redis, and its client is not installed: install stepdown[redis]"
        raise StoreRefusedError(said) from None
    assert settings.redis is not None
    # However soon nothing can be reported any more: a user who comes back after a quiet night is no new one.
    return RedisStore(settings.redis, settings.namespace, retention=max(retention, RETENTION))
