"""What the file takes from elsewhere, read before it is compiled: contracts, secrets, certificates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TypeVar

import msgspec
from pydantic import SecretStr

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.conditions import id_files
from stepdown.config.file import EndpointSection, RootFile
from stepdown.config.file.contract import ContractSection
from stepdown.config.file.flags import FlagsSection
from stepdown.config.file.metrics import PrometheusSection, ServerSection, WebhookSection
from stepdown.config.file.model import SecretSection
from stepdown.config.flagfiles import FlagFile, FlagsError
from stepdown.config.idlists import IdList
from stepdown.config.sources import Contract, Disk, FileError, Source
from stepdown.config.tree import Path
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.errors import CatalogueError

_IMPORT_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
Content = TypeVar("Content")


@dataclass(slots=True)
class Resources:
    """Contents by the path of the value that names them."""

    contracts: dict[Path, Contract] = field(default_factory=dict)
    secrets: dict[Path, SecretStr] = field(default_factory=dict)
    lists: dict[Path, IdList] = field(default_factory=dict)
    """Lists of ids."""
    lists_by_file: dict[str, IdList] = field(default_factory=dict)
    flags: FlagFile | None = None
    flags_ok: bool | None = None
    """Whether that is the file as it is now; `None` where there is none."""


@dataclass(slots=True)
class _Gathering:
    checker: Checker
    disk: Disk
    environ: Mapping[str, str]
    sources: Mapping[str, Source]
    lists: Mapping[str, IdList]
    """Those in force, by file."""
    found: Resources = field(default_factory=Resources)

    def read(self, path: Path, name: str, read: Callable[[FilePath], Content], allowed: str) -> Content | None:
        """A file named at `path`, through the source that names it; notes an error if it cannot be used."""
        file = self.checker.folder(path) / name
        return self.remembered(path, f"the file {name}", str(file), lambda: read(file), allowed)

    def remembered(self, path: Path, what: str, key: str, read: Callable[[], Content], allowed: str) -> Content | None:
        """What `read` gives, once for each key and source; notes an error if it cannot be used."""
        try:
            return self.sources[self.checker.file(path)].content(key, read)
        except FileError as error:
            self.checker.error(path, f"{what} {error}", allowed)
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

    def server(self, section: ServerSection | WebhookSection, path: Path) -> None:
        """One that is asked for numbers."""
        for name, value in section.set_headers.items():
            if isinstance(value, SecretSection):
                self.secret(value, (*path, "set_headers", name))
        if section.ca_file is not None:
            self.read((*path, "ca_file"), section.ca_file, self.disk.exists, "a file of certificates (PEM)")

    def ids(self, path: Path, name: str) -> None:
        """A list of ids; where the file cannot be used any more, the list in force stays in force."""
        file = self.checker.folder(path) / name
        kept = self.lists.get(str(file))
        try:
            source = self.sources[self.checker.file(path)]
            found = source.content(f"ids {file}", lambda: self.disk.ids(file, kept))
        except FileError as error:
            if kept is None:
                self.checker.error(path, f"the file {name} {error}", "a file with one id a line")
                return
            stays = f"the list that was read before, of {kept.count} ids, stays in force"
            self.checker.warn(path, f"the file {name} {error}; {stays}", "a file with one id a line")
            found = kept
        if not found.count:
            self.checker.warn(path, f"the file {name} has no ids in it", "one id a line")
        self.found.lists[path] = self.found.lists_by_file[str(file)] = found

    def flags(self, section: FlagsSection, kept: FlagFile | None) -> None:
        """The flag file; where it cannot be used, the one in force stays in force."""
        if section.file is None:
            return
        path: Path = ("flags", "file")
        file = self.checker.folder(path) / section.file
        kept = kept if kept is not None and kept.path == file else None
        mistakes: tuple[str, ...] = ()
        try:
            self.found.flags = self.disk.flags(file, section.fractional, kept)
        except FileError as error:
            mistakes = (f"the file {section.file} {error}",)
        except FlagsError as error:
            mistakes = tuple(f"the file {section.file} cannot be used: {mistake}" for mistake in error.mistakes)
        self.found.flags_ok = not mistakes
        for mistake in mistakes:
            if kept is None:
                self.checker.error(path, mistake, "a flag file in flagd's format")
            else:
                self.checker.warn(path, f"{mistake}; the flags that were read before stay in force")
        if mistakes and kept is not None:
            same = kept.fractional == section.fractional
            self.found.flags = kept if same else kept.of_generation(section.fractional)

    def contract(self, given: str | ContractSection, path: Path, default: tuple[str, str]) -> None:
        """The contract that `schema` or `input` names; `default` are the model and version to look up in a registry."""
        side: Side = "input" if path[-1] == "input" else "output"
        folder = self.checker.folder(path)
        allowed = "a contract such as a JSON Schema file"
        try:
            reference, file, what = contract_reference(given, default, folder, side)
        except FileError as error:
            self.checker.error(path, str(error), "a contract that is there")
            return
        key = f"{side} {folder} {reference}"
        contract = self.remembered(path, what, key, lambda: self.disk.contract(reference, file, folder, side), allowed)
        if contract is None:
            return
        if msgspec.json.decode(msgspec.json.encode(contract)) != contract:  # 1e999 was read as infinity
            self.checker.error(path, f"{what} holds a number that JSON cannot carry", allowed)
            return
        self.found.contracts[path] = contract


def _in_registry(folder: FilePath, model: str, version: str, side: Side) -> FilePath:
    """The file of a contract in a registry; raises `FileError`."""
    from stepdown.registry.contracts import contract_file  # noqa: PLC0415 - few configurations name a registry
    from stepdown.registry.errors import RegistryError  # noqa: PLC0415

    try:
        return contract_file(folder, model, version, side)
    except RegistryError as error:
        raise FileError(str(error)) from None


def _in_catalogue(name: str, side: Side) -> FilePath:
    """The file of a contract that comes with the library; raises `FileError`."""
    from stepdown_adapters.catalogue.entries import contract_file  # noqa: PLC0415 - few configurations name one

    try:
        return contract_file(name, side)
    except CatalogueError as error:
        raise FileError(str(error)) from None


def contract_reference(
    given: str | ContractSection, default: tuple[str, str], folder: FilePath, side: Side
) -> tuple[str | dict[str, str], str | None, str]:
    """What `load_contract` is asked for, the file that it is in, and what messages call it; raises `FileError`."""
    if isinstance(given, str):
        file = None if _IMPORT_PATH.fullmatch(given) else given.partition("::")[0]
        return given, file, f"the file {file}" if file else f"the model {given}"
    if given.registry is not None:
        path = _in_registry(folder / given.registry, given.name or default[0], given.version or default[1], side)
        return {"json_schema": str(path)}, str(path), f"the registry's {path.name}"
    if given.catalogue is not None:
        path = _in_catalogue(given.catalogue, side)
        return {"json_schema": str(path)}, str(path), f"the catalogue's {given.catalogue}"
    return given.reference, given.file, f"the file {given.file}" if given.file else f"the model {given.pydantic}"


def gather(  # noqa: PLR0917 - a file and all that it may be made from
    file: RootFile,
    checker: Checker,
    disk: Disk,
    environ: Mapping[str, str],
    sources: Mapping[str, Source],
    lists: Mapping[str, IdList],
    flags: FlagFile | None,
) -> Resources:
    """Read all that `file` names; `lists` are the lists of ids in force, by file, and `flags` the flags in force."""
    gathering = _Gathering(checker, disk, environ, sources, lists)
    for secret, at in _secrets(file):
        gathering.secret(secret, at)
    for index, endpoint in enumerate(file.passthrough_to):
        gathering.endpoint(endpoint, ("passthrough_to", index))
    for at, server in _metric_servers(file):
        gathering.server(server, at)
    if file.flags is not None:
        gathering.flags(file.flags, flags)
    for at, name in _id_files(file):
        gathering.ids(at, name)
    for model_name, model in file.models.items():
        for version_name, version in model.versions.items():
            path: Path = ("models", model_name, "versions", version_name)
            for source, side in ((version.schema_source, "schema"), (version.input, "input")):
                if source is not None:
                    gathering.contract(source, (*path, side), (model_name, version_name))
            for below, endpoint in version.servers:
                gathering.endpoint(endpoint, (*path, *below))
    return gathering.found


def _secrets(file: RootFile) -> Iterator[tuple[SecretSection, Path]]:
    """Every secret that is no part of an endpoint, with its path."""
    for index, token in enumerate(file.admin.tokens if file.admin else ()):
        yield token.token, ("admin", "tokens", index, "token")
    place = file.rollout_state
    if place is not None and isinstance(place.redis, SecretSection):
        yield place.redis, ("state", "rollouts", "redis")
    tokens = file.overrides.tokens if file.overrides is not None else None
    for index, secret in enumerate(tokens.secret if tokens is not None else ()):
        yield secret, ("overrides", "tokens", "secret", index)
    if file.feedback is not None:
        for index, secret in enumerate(file.feedback.secrets):
            yield secret, ("feedback", "secrets", index)
        for index, holder in enumerate(file.feedback.keys):
            yield holder.key, ("feedback", "keys", index, "key")
    for name, route in file.routes.items():
        for index, key in enumerate(route.key):
            for number, secret in enumerate(key.cookie.secrets if key.cookie is not None else ()):
                yield secret, ("routes", name, "key", index, "cookie", "secrets", number)
        for index, shadow in enumerate(route.shadow):
            for header, value in shadow.headers.set_headers.items():
                if isinstance(value, SecretSection):
                    yield value, ("routes", name, "shadow", index, "headers", "set", header)


def _metric_servers(file: RootFile) -> Iterator[tuple[Path, ServerSection | WebhookSection]]:
    """Everybody who is asked for what guards are judged by."""
    asked: list[tuple[Path, PrometheusSection | None]] = [(("prometheus",), file.prometheus)]
    for name, rollout in file.rollouts.items():
        for index, guard in enumerate(rollout.guards or ()):
            path: Path = ("rollouts", name, "guards", index)
            asked.append(((*path, "prometheus"), guard.prometheus))
            if guard.webhook is not None:
                yield (*path, "webhook"), guard.webhook
    for path, section in asked:
        for index, server in enumerate(section.servers if section is not None else ()):
            yield (*path, "servers", index), server


def _id_files(file: RootFile) -> Iterator[tuple[Path, str]]:
    """Every file of ids, with the path of its name."""
    for segment, condition in file.segments.items():
        yield from id_files(condition, ("segments", segment))
    for name, route in file.routes.items():
        for index, rule in enumerate(route.rules or ()):
            if rule.when is not None:
                yield from id_files(rule.when, ("routes", name, "rules", index, "when"))
        for index, shadow in enumerate(route.shadow):
            if shadow.when is not None:
                yield from id_files(shadow.when, ("routes", name, "shadow", index, "when"))
        if route.record is not None and route.record.when is not None:
            yield from id_files(route.record.when, ("routes", name, "record", "when"))
