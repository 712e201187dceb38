"""A model as a user of the library holds it: its versions, their contracts, and the adapters between them."""

from __future__ import annotations

from pathlib import Path

from stepdown_adapters.adapter import Adapter, adapter_of
from stepdown_adapters.contract.checked import Contract
from stepdown_adapters.contract.mistakes import listed
from stepdown_adapters.description import DescribedVersion, Description, describe
from stepdown_adapters.errors import ModelError


class Model:
    """What a file declares of one model, checked as a whole; immutable, and may be used by several threads."""

    __slots__ = ("_adapters", "_contracts", "_description")

    def __init__(self, description: Description) -> None:
        self._description = description
        self._adapters: dict[tuple[str, str], Adapter] = {}
        self._contracts: dict[tuple[str, str], Contract] = {}

    @classmethod
    def load(cls, file: str | Path, model: str | None = None) -> Model:
        """The model that a file describes, a file of its own or a configuration of Stepdown.

        `model` is its name, which may be left out where the file has one only.

        Raises:
            ModelError: with all mistakes of the file, each at its line.
        """
        return cls(describe(Path(file), model))

    @property
    def name(self) -> str:
        """What clients call it."""
        return self._description.name

    @property
    def versions(self) -> tuple[str, ...]:
        """All versions, oldest first."""
        return tuple(self._description.versions)

    @property
    def default(self) -> str | None:
        """The version for clients that say nothing, where the file names one."""
        return self._description.default

    def version(self, text: str) -> str:
        """The newest version that `text` stands for: `1.0.0`, `v1.0.0`, a range such as `^1.0`, or `latest`.

        Raises:
            VersionError: `text` is neither a version nor a range.
            ModelError: the model has no such version.
        """
        return self._description.version(text)

    def matching(self, text: str) -> tuple[str, ...]:
        """All versions that `text` stands for, newest first; raises `VersionError`."""
        return self._description.matching(text)

    def contract(self, version: str) -> Contract:
        """The contract of a version's answers; raises `ModelError` where it has none."""
        return self._contract(version, "schema")

    def input(self, version: str) -> Contract:
        """The contract of a version's requests; raises `ModelError` where it has none."""
        return self._contract(version, "input")

    def reaches(self, newer: str, older: str) -> bool:
        """Whether an answer of `newer` can be stepped down to `older`."""
        newer, older = self.version(newer), self.version(older)
        return newer == older or (newer, older) in self._description.plan.chains

    def adapter(self, newer: str, older: str) -> Adapter:
        """The adapter from a newer version to an older one; between a version and itself, it changes nothing.

        Raises:
            VersionError, ModelError: there are no such versions, or no way between them: the adapter that is missing.
        """
        ends = self.version(newer), self.version(older)
        if ends not in self._adapters:
            self._adapters[ends] = adapter_of(self._description, *ends)
        return self._adapters[ends]

    def _contract(self, version: str, key: str) -> Contract:
        name = self.version(version)
        if (name, key) not in self._contracts:
            found: DescribedVersion = self._description.versions[name]
            contract = found.output if key == "schema" else found.asked
            if contract is None:
                declared = [text for text, one in self._description.versions.items() if getattr(one, _SIDES[key])]
                sentence = f"{name} declares no {key!r}; those that do: {listed(declared)}"
                raise ModelError(self._description.file, sentence)
            self._contracts[name, key] = Contract.of(contract)
        return self._contracts[name, key]


_SIDES = {"schema": "output", "input": "asked"}
