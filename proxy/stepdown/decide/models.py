"""Models as decisions see them: which shapes can be had from which servers, and what a client of the model pins."""

from __future__ import annotations

import math
from typing import NamedTuple

from stepdown.decide import spec
from stepdown.decide.digests import Digests
from stepdown.decide.pins import Pinned, Pins
from stepdown.decide.rows import Rows


class VersionKey(NamedTuple):
    """Name of a version in a whole snapshot."""

    model: str
    version: str


class Model:
    """One model of a snapshot."""

    __slots__ = (
        "_chains",
        "_first",
        "_places",
        "_refused",
        "client_matches",
        "clients",
        "default",
        "name",
        "pins",
        "versions",
    )

    def __init__(self, model: spec.Model, first: int, digests: Digests, room: int) -> None:
        self.name = model.name
        self.versions = {version.id: version for version in model.versions}
        self._first = first
        self._places = {version.id: place for place, version in enumerate(model.versions)}
        self._chains = {(chain.served, chain.pinned): chain for chain in model.chains}
        self._refused = {(one.served, one.pinned): one.why for one in model.refused}
        self.pins = Pins(model, room)
        self.default: Pinned = (self.pins.exactly(model.default_version), "default")
        rows: list[tuple[spec.Match, Pinned]] = [
            (entry.match, (self.pins.exactly(entry.version), f"clients row {number}"))
            for number, entry in enumerate(model.clients, 1)
        ]
        self.clients = Rows(rows, digests) if rows else None
        self.client_matches = tuple(entry.match for entry in model.clients)

    def index(self, version: str) -> int:
        """Place of a version in `Snapshot.versions`."""
        return self._first + self._places[version]

    def reaches(self, served: str, pinned: str) -> bool:
        """Whether an answer of `served` can be given the shape of `pinned`."""
        return served == pinned or (served, pinned) in self._chains

    def chain(self, served: str, pinned: str) -> spec.Chain | None:
        """The steps between two versions; `None` where they are the same one."""
        return None if served == pinned else self._chains[served, pinned]

    def why_not(self, served: str, pinned: str) -> str:
        """The refusal that keeps a server from a shape, as a sentence; empty where none is declared."""
        return self._refused.get((served, pinned), "")

    def is_served(self, version: str) -> bool:
        """Whether any server runs the version."""
        return bool(self.versions[version].endpoints)

    def recovery(self, version: str) -> int:
        """Whole seconds after which a version that is down may be up again, if all goes well."""
        health = self.versions[version].health
        seconds = health.interval * health.rise if health.path is not None else health.eject_base
        return max(1, math.ceil(seconds))
