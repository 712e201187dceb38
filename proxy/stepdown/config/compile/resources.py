"""What the file takes from elsewhere, read before it is compiled: contracts, secrets, certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TypeVar

import msgspec
from pydantic import SecretStr

from stepdown.config.compile.checker import Checker
from stepdown.config.file import EndpointSection, RootFile
from stepdown.config.file.model import SecretSection
from stepdown.config.sources import Contract, Disk, FileError, Source
from stepdown.config.tree import Path

Content = TypeVar("Content")


@dataclass(slots=True)
class Resources:
    """Contents by the path of the value that names them."""

    contracts: dict[Path, Contract] = field(default_factory=dict)
    secrets: dict[Path, SecretStr] = field(default_factory=dict)


@dataclass(slots=True)
class _Gathering:
    checker: Checker
    disk: Disk
    environ: Mapping[str, str]
    sources: Mapping[str, Source]
    found: Resources = field(default_factory=Resources)

    def read(self, path: Path, name: str, read: Callable[[FilePath], Content], allowed: str) -> Content | None:
        """A file named at `path`, through the source that names it; notes an error if it cannot be used."""
        source = self.sources[self.checker.file(path)]
        try:
            return source.content(self.checker.folder(path) / name, read)
        except FileError as error:
            self.checker.error(path, f"the file {name} {error}", allowed)
        return None

    def secret(self, section: SecretSection, path: Path) -> None:
        value: SecretStr | None = None
        if section.file is not None:
            value = self.read((*path, "file"), section.file, self.disk.secret, "a file that holds the secret")
        elif section.env is not None and section.env in self.environ:
            value = SecretStr(self.environ[section.env])
        else:
            self.checker.error(
                (*path, "env"), f"the environment variable {section.env} is not set", "a variable that is set"
            )
        if value is not None and not value.get_secret_value():
            self.checker.error(path, "found an empty secret", "a secret that is not empty")
        elif value is not None:
            self.found.secrets[path] = value

    def endpoint(self, section: EndpointSection, path: Path) -> None:
        for name, value in section.set_headers.items():
            if isinstance(value, SecretSection):
                self.secret(value, (*path, "set_headers", name))
        if section.tls is not None and section.tls.ca_file is not None:
            self.read((*path, "tls", "ca_file"), section.tls.ca_file, self.disk.exists, "a file of certificates (PEM)")

    def contract(self, name: str, path: Path) -> None:
        contract = self.read(path, name, self.disk.contract, "a JSON Schema file")
        if contract is None:
            return
        if msgspec.json.decode(msgspec.json.encode(contract)) != contract:  # 1e999 was read as infinity
            self.checker.error(path, f"the file {name} holds a number that JSON cannot carry", "a JSON Schema file")
            return
        self.found.contracts[path] = contract


def gather(
    file: RootFile, checker: Checker, disk: Disk, environ: Mapping[str, str], sources: Mapping[str, Source]
) -> Resources:
    """Read all that `file` names."""
    gathering = _Gathering(checker, disk, environ, sources)
    for index, token in enumerate(file.admin.tokens if file.admin else ()):
        gathering.secret(token.token, ("admin", "tokens", index, "token"))
    for index, endpoint in enumerate(file.passthrough_to):
        gathering.endpoint(endpoint, ("passthrough_to", index))
    for model_name, model in file.models.items():
        for version_name, version in model.versions.items():
            path: Path = ("models", model_name, "versions", version_name)
            if version.schema_file is not None:
                gathering.contract(version.schema_file, (*path, "schema"))
            for index, endpoint in enumerate(version.endpoints):
                gathering.endpoint(endpoint, (*path, "endpoints", index))
    return gathering.found
