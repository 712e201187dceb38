"""What the rules know of one state: versions with their contracts, ways between them, routes and promises."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stepdown_adapters.contract.model import Contract
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.plan import Plan
from stepdown_adapters.step import Declaration
from stepdown_adapters.versions import Version

SIDES: tuple[Side, ...] = ("output", "input")

Line = tuple[int, ...]
"""Versions that promise the same: `(1,)` is every 1.y.z; of 0.y.z, where a MINOR may break, `(0, 3)` is every 0.3.z."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something is written; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """One declared version."""

    version: Version
    place: Place
    contracts: Mapping[Side, Contract] = field(default_factory=dict)
    """Those that could be read."""
    declared: frozenset[Side] = frozenset()
    """The sides that have a contract, read or not."""
    prints: Mapping[Side, str] = field(default_factory=dict)
    """Fingerprints of `contracts` (`fingerprint`)."""
    has_endpoints: bool = False
    deprecated: datetime.date | None = None
    sunset: datetime.date | None = None
    retired: bool = False

    @property
    def id(self) -> str:
        """Canonical text."""
        return str(self.version)

    @property
    def is_release(self) -> bool:
        """Whether it promises anything: prereleases do not (SemVer 2.0, section 9)."""
        return not self.version.prerelease

    def is_supported(self, today: datetime.date) -> bool:
        """Whether clients may count on the shape: a release that is neither retired nor past its sunset."""
        return self.is_release and not self.retired and (self.sunset is None or today < self.sunset)


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """A route to a model, and the versions whose servers may answer there."""

    name: str
    place: Place
    served: Mapping[str, Place]
    pins_shapes: bool = True


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model."""

    name: str
    place: Place
    versions: Mapping[str, VersionFacts]
    """By canonical text, oldest first."""
    plan: Plan
    projections: frozenset[tuple[str, str]] = frozenset()
    steps: Mapping[tuple[str, str], Declaration] = field(default_factory=dict)
    """What each step of a chain does, by `(newer, older)`."""
    places: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """Of adapters and refusals."""
    promised: Mapping[str, str] = field(default_factory=dict)
    """Shapes that every server of a route has to give, with who relies on it."""
    routes: tuple[RouteFacts, ...] = ()

    def reaches(self, served: str, pinned: str) -> bool:
        """Whether an answer of `served` can be given the shape of `pinned`."""
        return served == pinned or (served, pinned) in self.plan.chains

    def delivers(self, route: RouteFacts, pinned: str) -> bool:
        """Whether some server of a route can answer in the shape of `pinned`."""
        return any(self.reaches(served, pinned) for served in route.served)

    def predecessor(self, version: Version) -> VersionFacts | None:
        """The newest release below a version."""
        below = [one for one in self.versions.values() if one.is_release and one.version < version]
        return below[-1] if below else None

    def supported(self, today: datetime.date) -> Iterator[VersionFacts]:
        """The versions whose shapes clients may count on, oldest first."""
        return (one for one in self.versions.values() if one.is_supported(today))


@dataclass(frozen=True, slots=True)
class Facts:
    """A whole state; without models where there is none yet."""

    models: Mapping[str, ModelFacts] = field(default_factory=dict)
    place: Place = Place("stepdown.yaml")
    """The beginning of the configuration file."""

    def find(self, model: str, version: str) -> VersionFacts | None:
        """One version, if it is declared."""
        found = self.models.get(model)
        return found.versions.get(version) if found else None


def line_of(version: Version) -> Line:
    """The line that a version belongs to."""
    return (version.major,) if version.major else (0, version.minor)


def line_name(line: Line) -> str:
    """A line for people: `1.x`, `0.3.x`."""
    return ".".join(map(str, line)) + ".x"
