"""Overrides and records of decisions: no secret that can be guessed, no file that cannot be written."""

from __future__ import annotations

import os
from ipaddress import ip_network

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.resources import Resources
from stepdown.config.file.people import STDOUT, DecisionsSection, OverridesSection
from stepdown.config.tree import Path
from stepdown.decide import spec

_SHORTEST_SECRET = 16


def overrides_of(section: OverridesSection | None, resources: Resources, checker: Checker) -> spec.Overrides | None:
    """Who may choose a server; `None` where nobody may."""
    if section is None:
        return None
    for index, network in enumerate(section.allow):
        if ip_network(network).prefixlen == 0:
            problem = "found a network that is everybody: any client may choose a server"
            checker.warn(("overrides", "allow", index), problem, "the networks of those who test")
    keys = tuple(spec.OverrideKey(header=key.header.lower(), sha256=key.sha256.lower()) for key in section.keys)
    for index, key in enumerate(keys):
        if key in keys[:index]:
            checker.error(("overrides", "keys", index), "found the same key a second time", "each key once")
    return spec.Overrides(allow=tuple(section.allow), keys=keys, secrets=_secrets(section, resources, checker))


def _secrets(section: OverridesSection, resources: Resources, checker: Checker) -> tuple[str, ...]:
    secrets: list[str] = []
    for index, _ in enumerate(section.tokens.secret if section.tokens is not None else ()):
        path: Path = ("overrides", "tokens", "secret", index)
        found = resources.secrets.get(path)
        if found is None:
            continue  # could not be read, which was noted then
        text = found.get_secret_value()
        if text in secrets:
            checker.error(path, "found the same secret a second time", "another secret, or one only")
        elif len(text) < _SHORTEST_SECRET:
            problem = f"found a secret of fewer than {_SHORTEST_SECRET} characters: who guesses it makes tokens"
            checker.error(path, problem, "a long random one, such as `openssl rand -hex 32` prints")
        secrets.append(text)
    return tuple(secrets)


def decisions_of(section: DecisionsSection | None, checker: Checker) -> spec.Decisions | None:
    """What is recorded; the file's folder has to be there, since a typing mistake would else record nothing."""
    if section is None:
        return None
    path: Path = ("decisions", "file")
    file: str | None = None
    if section.file != STDOUT:
        named = (checker.folder(path) / section.file).absolute()
        file = str(named)
        if not named.parent.is_dir():
            checker.error(path, f'found "{section.file}", whose folder is not there', "a file in a folder that is")
        elif named.is_dir():
            checker.error(path, f'found "{section.file}", which is a folder', "a file")
        elif not os.access(named if named.exists() else named.parent, os.W_OK):
            checker.error(path, f'found "{section.file}", which may not be written', "a file that may be written")
    return spec.Decisions(
        sample=section.sample,
        file=file,
        max_size=section.max_size,
        headers=tuple(dict.fromkeys(name.lower() for name in section.headers)),
        redact=tuple(dict.fromkeys(name.lower() for name in section.redact)),
    )
