"""Reads a file as the description of one model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stepdown_adapters.contract.mistakes import listed, unknown
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.contract.reading import Lines, read
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.contract.source import load_contract
from stepdown_adapters.description.declared import DescribedVersion, Description
from stepdown_adapters.description.notes import At, Notes, place
from stepdown_adapters.description.steps import Steps
from stepdown_adapters.errors import ContractError, ModelError
from stepdown_adapters.json_values import kind
from stepdown_adapters.versions import Range, Version, VersionError

MODEL_KEYS = frozenset({"versions", "adapters", "default_version"})
VERSION_KEYS = frozenset({"schema", "input"})
SERVING_KEYS = frozenset(
    {"accept_latest", "clients", "repeatable"}
    | {"active", "deprecated", "endpoints", "health", "link", "retired", "sunset", "switch", "validate"}
)
"""Keys of a model and its versions that are about servers and clients, and not looked at here."""


def describe(file: Path, name: str | None = None) -> Description:
    """What a file declares of the model `name`, which may be left out where there is one only.

    Importing the hooks that it names runs their modules.

    Raises:
        ModelError: the file cannot be read, has no such model, or has mistakes: all that are found, each with its line.
    """
    try:
        value = read(file, str(file))
    except ContractError as error:
        raise ModelError(error.place, error.sentence) from None
    reader = _Reader(file)
    found = reader.found(value, name)
    described = reader.described(*found) if found is not None else None
    reader.notes.refuse()
    assert described is not None
    return described


class _Reader:
    """One file that is read."""

    __slots__ = ("file", "notes")

    def __init__(self, file: Path) -> None:
        self.file = file
        self.notes = Notes(file)

    def found(self, value: Any, name: str | None) -> tuple[str, At, dict[str, Any]] | None:
        """The model's name, where it stands, and its members."""
        root = self.notes.members(value, (), "a description of a model")
        if root is None:
            return None
        if "models" not in root:
            if "include" in root:
                self.notes.wrong(
                    ("include",), "what a configuration includes is not read: name the file that has the model"
                )
            elif name not in (None, self.file.stem):
                self.notes.wrong((), f"describes one model, {self.file.stem!r}, so that {name!r} is not in it")
            return self.file.stem, (), root
        models = self.notes.members(root["models"], ("models",), "models by name")
        if models == {}:
            self.notes.wrong(("models",), "has no model")
        if not models:
            return None
        if name is None and len(models) > 1:
            self.notes.wrong(("models",), f"has several models; say which: {listed(models)}")
            return None
        name = name if name is not None else next(iter(models))
        if name not in models:
            hint = "; what it includes is not read: name the file that has the model" if "include" in root else ""
            self.notes.wrong(("models",), unknown("model", name, models) + hint)
            return None
        section = self.notes.members(models[name], ("models", name), "a model")
        return None if section is None else (name, ("models", name), section)

    def described(self, name: str, at: At, section: Mapping[str, Any]) -> Description:
        """The model; only to be used when no mistake was noted."""
        self.notes.keys(section, at, MODEL_KEYS | SERVING_KEYS)
        versions = self.versions(section.get("versions"), (*at, "versions"))
        steps = Steps(versions, self.notes)
        adapters = section.get("adapters") or []
        for index, adapter in enumerate(adapters if isinstance(adapters, list) else [adapters]):
            steps.adapter(adapter, (*at, "adapters", index))
        plan = steps.planned()
        default = self.default(section.get("default_version"), (*at, "default_version"), versions)
        lines = Lines(self.file) if steps.at and not self.notes else None
        return Description(
            name=name,
            file=str(self.file),
            versions=versions,
            default=default,
            steps=steps.steps,
            places={ends: place(self.file, lines.of(at)) for ends, at in steps.at.items()} if lines else {},
            plan=plan,
        )

    def default(self, text: Any, at: At, versions: Mapping[str, DescribedVersion]) -> str | None:
        """The version for clients that say nothing: the newest that `default_version` allows."""
        if text is None or not versions:
            return None
        if text == "latest":
            return list(versions)[-1]
        try:
            newest = Range.parse(text).newest(one.version for one in versions.values())
        except (VersionError, AttributeError):
            self.notes.wrong(at, f"is a version or a range in quotes such as '1.1.0' or '^1.0', not {text!r}")
            return None
        if newest is None:
            self.notes.wrong(at, f"no version is {text!r}; there is {listed(versions)}")
        return None if newest is None else str(newest)

    def versions(self, value: Any, at: At) -> dict[str, DescribedVersion]:
        """All versions that can be read, oldest first."""
        found: list[DescribedVersion] = []
        for text, section in (self.notes.members(value, at, "'versions'") or {}).items():
            here = (*at, text)
            try:
                version = Version.parse(text)
            except VersionError as error:
                self.notes.wrong(here, str(error))
                continue
            if any(one.version == version for one in found):
                self.notes.wrong(here, f"{text} is declared twice (build metadata does not count)")
                continue
            members = self.notes.members({} if section is None else section, here, "a version") or {}
            self.notes.keys(members, here, VERSION_KEYS | SERVING_KEYS)
            output = self.contract(members.get("schema"), (*here, "schema"), "output")
            asked = self.contract(members.get("input"), (*here, "input"), "input")
            found.append(DescribedVersion(version, output, asked))
        if value == {}:
            self.notes.wrong(at, "has no version")
        return {str(one.version): one for one in sorted(found, key=lambda one: one.version)}

    def contract(self, reference: Any, at: At, side: Side) -> Contract | None:
        """The contract that a version names."""
        if reference is None:
            return None
        texts = reference.values() if isinstance(reference, dict) else [reference]
        if any("${" in text for text in texts if isinstance(text, str)):
            self.notes.wrong(at, "'${...}' is filled in by the sidecar only; write what it stands for")
        elif isinstance(reference, dict) and "registry" in reference:
            self.notes.wrong(
                at, "contracts of a registry are found by the sidecar only; name the contract's file there"
            )
        elif not isinstance(reference, str | dict):
            self.notes.wrong(
                at, f"a contract is a text such as contracts/1.0.0.json or a mapping, not {kind(reference)}"
            )
        else:
            try:
                return load_contract(reference, self.file.parent, side=side)
            except ContractError as error:
                self.notes.wrong(at, f"is no usable contract: {error}")
        return None
