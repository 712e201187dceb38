"""Which store a file names, and what is said where its client is not installed."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest

from stepdown.config.settings import StoreSettings
from stepdown.control.rollouts.opening import store_of
from stepdown.control.stores import StoreRefusedError
from stepdown.control.stores.sqlite_store import SqliteStore

REDIS = StoreSettings(redis="redis://127.0.0.1:1/0", namespace="n")


def test_a_file_is_sqlite(tmp_path: Path) -> None:
    assert isinstance(store_of(StoreSettings(file=str(tmp_path / "a.db")), 1.0), SqliteStore)


def test_a_url_is_redis_and_its_sightings_outlast_a_quiet_night() -> None:
    store = store_of(REDIS, 1.0)
    assert type(store).__name__ == "RedisStore"
    assert vars(store)["_retention"] == 14 * 86400.0
    assert vars(store_of(REDIS, 1e9))["_retention"] == 1e9


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(StoreRefusedError, match="the state's address is none of Redis"):
        store_of(StoreSettings(redis="http://host"), 1.0)


@pytest.mark.parametrize(("missing", "raised"), [("redis", StoreRefusedError), ("other", ModuleNotFoundError)])
def test_without_its_client_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, missing: str, raised: type[Exception]
) -> None:
    imported = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith("redis"):
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return imported(name, *arguments, **more)

    for name in [name for name in sys.modules if name.startswith("stepdown.control.stores.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(raised) as refused:
        store_of(REDIS, 1.0)
    if missing == "redis":
        assert str(refused.value).endswith("its client is not installed: install stepdown[redis]")
