"""What only processes need of the file: addresses, workers, draining, tokens, where rollouts keep their state."""

from __future__ import annotations

import hashlib
import os
from urllib.parse import urlsplit

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.resources import Resources
from stepdown.config.file import RootFile
from stepdown.config.settings import ProcessSettings, ProviderSettings, StoreSettings, Token
from stepdown.config.tree import Path

_SHORTEST_TOKEN = 16


def process_settings_of(file: RootFile, checker: Checker) -> ProcessSettings:
    """Addresses must differ, or the second could not be bound."""
    addresses = {
        "listen": file.listen,
        "status": file.status,
        "admin.listen": file.admin.listen if file.admin else None,
    }
    seen: dict[tuple[str, int], str] = {}
    for key, address in addresses.items():
        if address is None or address[1] == 0:
            continue
        first = seen.setdefault(address, key)
        if first != key:
            checker.error(tuple(key.split(".")), allowed=f"an address other than that of {first}")
    return ProcessSettings(
        listen=file.listen,
        status=file.status,
        admin=file.admin.listen if file.admin else None,
        workers=file.workers,
        drain_delay=file.drain.delay,
        drain_grace=file.drain.grace,
        admin_hosts=_hosts_of(file, checker),
    )


def _hosts_of(file: RootFile, checker: Checker) -> tuple[str, ...]:
    """Exact names only: a pattern would let in names that somebody else may give out."""
    hosts = file.admin.hosts if file.admin is not None else []
    for index, host in enumerate(hosts):
        if host.startswith("*"):
            checker.error(("admin", "hosts", index), f'found "{host}"', "a whole name, such as stepdown.models.svc")
    return tuple(host.lower() for host in hosts)


def provider_of(file: RootFile) -> ProviderSettings | None:
    """Who is asked for flags; nothing of it travels to workers but its name."""
    flags = file.flags
    if flags is None or flags.provider is None:
        return None
    return ProviderSettings(flags.provider, flags.options, flags.timeout)


def store_of(file: RootFile, resources: Resources, checker: Checker) -> StoreSettings | None:
    """Where rollouts keep their state; a SQLite file serves one replica, and its folder is there."""
    state = file.state
    if state is None or state.rollouts is None:
        return None
    path: Path = ("state", "rollouts")
    place = state.rollouts
    if place.file is not None:
        return _sqlite_of(place.file, state.replicas, path, checker)
    if isinstance(place.redis, str):
        url = place.redis
        if urlsplit(url).password:
            checker.error(
                (*path, "redis"), "found a URL with a password in the file itself", "{env: NAME} or {file: PATH}"
            )
    else:
        secret = resources.secrets.get((*path, "redis"))
        if secret is None:
            return None  # could not be read, which was noted then
        url = secret.get_secret_value()
    if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        checker.error((*path, "redis"), "found no URL of a Redis", "redis://host:6379/0, rediss:// or unix://")
    return StoreSettings(redis=url, namespace=place.namespace)


def _sqlite_of(name: str, replicas: int, path: Path, checker: Checker) -> StoreSettings:
    at = path if checker.is_text(path) else (*path, "file")
    file = checker.folder(at) / name
    if replicas > 1:
        problem = f"found a file, and {replicas} replicas, each of which would count and decide by itself"
        checker.error(at, problem, "redis: URL, or replicas: 1")
    if not os.path.isdir(file.parent):
        checker.error(at, f"found {name}, and there is no folder {file.parent.name or '.'}", "a file in a folder")
    elif os.path.isdir(file):
        checker.error(at, f"found {name}, which is a folder", "the path of a file")
    return StoreSettings(file=str(file.absolute()))


def tokens_of(file: RootFile, resources: Resources, checker: Checker) -> tuple[Token, ...]:
    """Tokens as digests; each name and each token once."""
    if file.admin is None:
        return ()
    if not file.admin.tokens and not checker.is_damaged("admin", "tokens"):
        checker.warn(("admin",), "found no tokens: every call of the admin API is refused", "at least one", of_key=True)
    tokens: list[Token] = []
    for index, section in enumerate(file.admin.tokens):
        path: Path = ("admin", "tokens", index)
        secret = resources.secrets.get((*path, "token"))
        if secret is None:
            continue  # could not be read, which was noted then
        text = secret.get_secret_value()
        token = Token(section.name, section.role, hashlib.sha256(text.encode()).digest())
        if any(other.name == token.name for other in tokens):
            checker.error((*path, "name"), f'found the name "{token.name}" a second time', "each name once")
        if any(other.sha256 == token.sha256 for other in tokens):
            checker.error((*path, "token"), "found the same token a second time", "a token of its own for each name")
        if len(text) < _SHORTEST_TOKEN:
            problem = f"found a token of fewer than {_SHORTEST_TOKEN} characters"
            checker.warn((*path, "token"), problem, "a longer one, so that it cannot be guessed")
        tokens.append(token)
    return tuple(tokens)
