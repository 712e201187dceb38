"""What a loaded file is to the rest of the sidecar: the snapshot's specification, and what only processes need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stepdown.config.findings import Finding
from stepdown.config.flagfiles import FlagFile
from stepdown.config.idlists import IdList
from stepdown.config.sources import Source
from stepdown.config.watched import Watched
from stepdown.decide.keysets import KeySet
from stepdown.decide.spec import SnapshotSpec

Address = tuple[str, int]
"""Host and port; port 0 takes a free one."""


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """What is fixed when the sidecar starts; a reload that changes it takes effect with the next start."""

    listen: Address
    status: Address | None
    admin: Address | None
    workers: int
    drain_delay: float
    """Seconds between "not ready" and the end of accepting."""
    drain_grace: float
    """Seconds that running exchanges get after that."""
    admin_hosts: tuple[str, ...] = ()
    """Names under which the admin API may be called; these hold at once."""


@dataclass(frozen=True, slots=True)
class Token:
    """Who may call the admin API. The token itself is kept nowhere."""

    name: str
    role: Literal["view", "operate"]
    sha256: bytes = field(repr=False)
    """Digest of the token's UTF-8 text (32 bytes)."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """The OpenFeature provider that is asked for flags."""

    path: str
    """`module:name`."""
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    """Keyword arguments, in which there may be secrets."""
    timeout: float = 2.0
    """Seconds for one evaluation."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the state of rollouts is kept."""

    file: str | None = None
    """Path of an SQLite file, absolute; for one replica."""
    redis: str | None = field(default=None, repr=False)
    """URL of a Redis, in which there may be a password; exactly one of both is set."""
    namespace: str = "stepdown"
    """Of all keys in Redis: replicas that share rollouts have the same one."""


@dataclass(frozen=True, slots=True, repr=False)
class Loaded:
    """A file that was accepted whole."""

    spec: SnapshotSpec
    process: ProcessSettings
    tokens: tuple[Token, ...]
    files: tuple[Path, ...]
    """Every file that was read for it, contracts and secrets too."""
    warnings: tuple[Finding, ...]
    watched: Watched
    """What to watch, and how it looked just before it was read."""
    sources: tuple[Source, ...]
    """What was read, kept as the last good copy of each included file."""
    lists: Mapping[str, IdList] = field(default_factory=dict)
    """Lists of ids by file."""
    flags: FlagFile | None = None
    """The flag file; where it could not be used, the one before it."""
    flags_ok: bool | None = None
    """Whether the flag file as it is now is in force; `None` where there is none."""
    provider: ProviderSettings | None = None
    """Who is asked for flags instead, where any are asked."""
    overlay: Path | None = None
    """Where what is switched by hand is kept across starts; `None`: nowhere."""
    store: StoreSettings | None = None
    """Where the state of rollouts is kept; `None`: nowhere, and none can be started."""

    def key_sets(self) -> dict[str, KeySet]:
        """Lists of ids by digest, mapped into this process."""
        return {one.digest: one.key_set() for one in self.lists.values() if one.is_held}

    def __repr__(self) -> str:
        models, routes = len(self.spec.models), len(self.spec.routes)
        return f"<Loaded {self.files[0]}: {models} models, {routes} routes, {len(self.warnings)} warnings>"
