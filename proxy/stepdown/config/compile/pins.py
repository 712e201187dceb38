"""Which versions' shapes clients get: the default, `latest`, and the table of clients, all as exact versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.matches import match_of
from stepdown.config.compile.versions import Declared, DraftModel, Versions
from stepdown.config.findings import listed
from stepdown.config.tree import Path
from stepdown.decide import spec
from stepdown_adapters.versions import Range, Version

Reaches = Callable[[str, str], bool]
"""Whether a server of the first version can answer in the shape of the second."""


@dataclass(frozen=True, slots=True)
class Served:
    """Versions whose servers may answer the requests for a model, and which of them by a route's last rule."""

    anyhow: frozenset[str]
    by_default: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pins:
    """The pins of a model that its file fixes."""

    default: str
    latest: str
    clients: tuple[spec.ClientEntry, ...]


def pins_of(model: DraftModel, served: Served, reaches: Reaches, checker: Checker) -> Pins | None:
    """Resolve all pins of a model; `None` after noting why one names no version."""
    path, section, versions = model.path, model.section, model.versions
    latest = latest_of(versions, served.by_default, reaches)
    always = [one for one in versions if all(reaches(version, one.id) for version in served.anyhow)]

    def resolve(text: str, at: Path) -> str | None:
        return latest if text == "latest" else _resolve(text, at, versions, always, checker)

    if section.default_version is not None:
        default = resolve(section.default_version, (*path, "default_version"))
    elif len(versions.ids) == 1:
        default = _resolve(versions.ids[0], (*path, "versions"), versions, always, checker)
    else:
        allowed = f"the shape for clients that pin nothing: {listed(versions.ids)}"
        checker.error(path, 'found no "default_version"', allowed, of_key=True)
        default = None
    clients: list[spec.ClientEntry] = []
    for index, client in enumerate(section.clients):
        at = (*path, "clients", index)
        version = resolve(client.version, (*at, "version"))
        if client.match.is_empty:
            checker.error((*at, "match"), "found no condition", "at least one; everyone else gets default_version")
        if version is not None:
            clients.append(spec.ClientEntry(match=match_of(client.match), version=version))
    return Pins(default, latest, tuple(clients)) if default is not None else None


def latest_of(versions: Versions, by_default: frozenset[str], reaches: Reaches) -> str:
    """The newest version that every version of the default rules can deliver; a prerelease only if there is no other.

    Without rules, the newest that is served at all.
    """
    current = [one for one in versions if not one.section.retired] or list(versions)
    if by_default:
        able = [one for one in current if all(reaches(version, one.id) for version in by_default)]
    else:
        able = [one for one in current if one.is_served]
    candidates = able or current
    released = [one for one in candidates if not one.version.prerelease]
    return (released or candidates)[-1].id


def _resolve(text: str, path: Path, versions: Versions, always: Iterable[Declared], checker: Checker) -> str | None:
    """The newest version in a range that can always be delivered; if none can, the newest, which coverage refuses."""
    wanted = Range.parse(text)
    matching = [one for one in versions if wanted.allows(one.version)]
    usable = [one for one in matching if not one.section.retired]
    if not matching:
        versions.unknown(path, text, checker)
        return None
    if not usable:
        problem = f'found "{text}": {matching[-1].id} is retired'
        left = [one.id for one in versions if not one.section.retired]
        allowed = (
            f"a version that is not retired: {listed(left)}" if left else "a version that is not retired; none is left"
        )
        checker.error(path, problem, allowed)
        return None
    preferred = [one for one in usable if one in always]
    return (preferred or usable)[-1].id


def check_latest(model: DraftModel, latest: str, previous: str | None, checker: Checker) -> None:
    """A reload must not change what `latest` means in a breaking way, unless the file says that it may."""
    path: Path = (*model.path, "accept_latest")
    accepted, known = model.section.accept_latest, model.versions
    if accepted is not None and known.get(accepted) is None:
        known.unknown(path, accepted, checker)
        return
    if previous is None or Version.parse(previous).major == Version.parse(latest).major:
        return
    if checker.is_damaged("routes"):  # rules are missing, so `latest` is not what the file means it to be
        return
    if accepted is None or Version.parse(accepted) != Version.parse(latest):
        problem = f"latest would move from {previous} to {latest}, across a MAJOR"
        checker.error(path, problem, f'accept_latest: "{latest}" to agree to it', of_key=True)
