"""The versions of one model: canonical, in order of precedence, found by any way of writing them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.resources import Resources
from stepdown.config.file import ModelSection, VersionSection
from stepdown.config.findings import listed
from stepdown.config.sources import Contract
from stepdown.config.tree import Path
from stepdown_adapters.versions import Version


@dataclass(frozen=True, slots=True)
class Declared:
    """One version of a model."""

    version: Version
    id: str
    """Canonical text."""
    path: Path
    """Where the file has it."""
    section: VersionSection
    contract: Contract | None
    """Of its answers."""
    input: Contract | None
    """Of its requests."""

    @property
    def is_served(self) -> bool:
        """Whether servers run it."""
        return bool(self.section.endpoints)


class Versions:
    """All versions of a model, oldest first."""

    def __init__(self, model: str, declared: list[Declared]) -> None:
        self._model = model
        self._by_version = {one.version: one for one in sorted(declared, key=lambda one: one.version)}

    def __iter__(self) -> Iterator[Declared]:
        return iter(self._by_version.values())

    def get(self, text: str) -> Declared | None:
        """The declared version that `text` (`1.0.0`, `v1.0.0`) stands for."""
        return self._by_version.get(Version.parse(text))

    def unknown(self, path: Path, text: str, checker: Checker, *, of_key: bool = False) -> None:
        """Note that `text`, written at `path`, is no declared version; nothing, if declarations were refused."""
        if not checker.has_lost_names("models", self._model, "versions"):
            checker.unknown(path, text, self.ids, f"a declared version: {listed(self.ids)}", of_key=of_key)

    def are_damaged(self, checker: Checker) -> bool:
        """Whether declarations were refused, so that what is missing here may well be in the file."""
        return checker.is_damaged("models", self._model, "versions")

    @property
    def ids(self) -> tuple[str, ...]:
        """Canonical texts, oldest first."""
        return tuple(one.id for one in self)

    @property
    def served(self) -> tuple[str, ...]:
        """Those that servers run, oldest first."""
        return tuple(one.id for one in self if one.is_served)


@dataclass(frozen=True, slots=True)
class DraftModel:
    """A model as far as its versions."""

    name: str
    section: ModelSection
    versions: Versions

    @property
    def path(self) -> Path:
        """Where the file has it."""
        return ("models", self.name)


def draft_model(name: str, section: ModelSection, resources: Resources, checker: Checker) -> DraftModel:
    """Read the keys of `versions`; two that are equal by SemVer precedence are refused."""
    declared: dict[Version, Declared] = {}
    for text, version_section in section.versions.items():
        path: Path = ("models", name, "versions", text)
        version = Version.parse(text)
        if version in declared:
            problem = f'found "{text}", which is the same version as "{declared[version].path[-1]}"'
            checker.error(path, problem, "each version once (build metadata does not count)", of_key=True)
            continue
        contracts = (resources.contracts.get((*path, key)) for key in ("schema", "input"))
        declared[version] = Declared(version, str(version), path, version_section, *contracts)
    return DraftModel(name, section, Versions(name, list(declared.values())))
