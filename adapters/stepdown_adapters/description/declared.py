"""What is declared of a model, once it holds together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.contract.mistakes import unknown
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.errors import ModelError
from stepdown_adapters.plan import Plan
from stepdown_adapters.step import Step
from stepdown_adapters.versions import Range, Version


@dataclass(frozen=True, slots=True)
class DescribedVersion:
    """One version of a model."""

    version: Version
    output: Contract | None
    asked: Contract | None

    @property
    def contract(self) -> Schema | None:
        """The schema of its answers."""
        return None if self.output is None else self.output.schema

    @property
    def input(self) -> Schema | None:
        """The schema of its requests."""
        return None if self.asked is None else self.asked.schema


@dataclass(frozen=True, slots=True)
class Description:
    """A model whose declarations hold together."""

    name: str
    file: str
    versions: Mapping[str, DescribedVersion]
    """By canonical text, oldest first."""
    default: str | None
    """The version for clients that say nothing, where the file names one."""
    steps: Mapping[tuple[str, str], Step]
    """Declared and implied, by newer and older version."""
    places: Mapping[tuple[str, str], str]
    """`file:line` of the declared ones."""
    plan: Plan

    def version(self, text: str) -> str:
        """The newest version that `text` stands for: `1.0.0`, `v1.0.0`, a range such as `^1.0`, or `latest`.

        Raises:
            VersionError: `text` is neither a version nor a range.
            ModelError: the model has no such version.
        """
        found = self.matching(text)
        if not found:
            raise ModelError(self.file, unknown("version", text, self.versions))
        return found[0]

    def matching(self, text: str) -> tuple[str, ...]:
        """All versions that `text` stands for, newest first; raises `VersionError` where it stands for nothing."""
        newest_first = tuple(self.versions)[::-1]
        if text.strip(" ") == "latest":
            return newest_first[:1]
        wanted = Range.parse(text)
        return tuple(name for name in newest_first if wanted.allows(self.versions[name].version))
