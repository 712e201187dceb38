"""The feature flags of a configuration and who asks them, for `stepdown check`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stepdown.cli import copying
from stepdown.config import Loaded
from stepdown.decide import spec
from stepdown.decide.flag_context import KEY, Reads, reads_of
from stepdown.decide.flag_spec import NamedFact, Provided
from stepdown.decide.flag_view import SnapshotFlags
from stepdown.decide.provided import ProvidedFlags
from stepdown.decide.records import FlagSaid
from stepdown.decide.view import FlagAnswer, FlagView, View
from stepdown.decide.when import FlagIs, When, leaves

Row = tuple[str, ...]


def users_of(snapshot: spec.SnapshotSpec) -> Mapping[str, tuple[str, ...]]:
    """By flag, the rules (`route/rule`), segments (`segment NAME`) and what is copied that ask it."""
    users: dict[str, dict[str, None]] = {}
    for segment in snapshot.segments:
        for name in _named_in(segment.when):
            users.setdefault(name, {})[f"segment {segment.name}"] = None
    for route in snapshot.routes:
        for rule in route.rules:
            names = [*_named_in(rule.when), *([rule.flag.flag] if rule.flag is not None else [])]
            for name in names:
                users.setdefault(name, {})[f"{route.name}/{rule.name}"] = None
    for user, condition in copying.conditions(snapshot).items():
        for name in _named_in(condition):
            users.setdefault(name, {})[user] = None
    return {name: tuple(found) for name, found in users.items()}


def rows(loaded: Loaded) -> tuple[Row, ...]:
    """A head, one row for each flag that is asked, and how many others the file has."""
    provided = _provided(loaded)
    if provided is not None:
        users, context = users_of(loaded.spec), ", ".join(_context(loaded))
        asked = [(flag.name, flag.kind, context, ", ".join(users[flag.name])) for flag in sorted(provided.flags)]
        return (("flag", "type", f"{provided.provider} is told", "asked by"), *asked)
    if loaded.flags is None:
        return ()
    users, flags, named = users_of(loaded.spec), loaded.flags.flags, _named(loaded)
    found = [
        (name, ", ".join(flags.variants(name)), _told(reads_of(flags.needs(name), named)), ", ".join(by))
        for name, by in sorted(users.items())
    ]
    others = len(flags.names - users.keys())
    if others:
        found.append((f"{others} other{'s' if others > 1 else ''}", "", "", "-"))
    return (("flag", "variants", "reads", "asked by"), *found)


def as_json(loaded: Loaded) -> Mapping[str, Any]:
    """All flags of the file, or those that the provider is asked, for machines."""
    provided = _provided(loaded)
    if provided is not None:
        users, context = users_of(loaded.spec), _context(loaded)
        return {
            flag.name: {"type": flag.kind, "told": context, "asked_by": list(users[flag.name])}
            for flag in sorted(provided.flags)
        }
    if loaded.flags is None:
        return {}
    users, flags, named = users_of(loaded.spec), loaded.flags.flags, _named(loaded)
    return {
        name: {
            "variants": list(flags.variants(name)),
            "reads": _names(reads_of(flags.needs(name), named)),
            "asked_by": list(users.get(name, ())),
        }
        for name in sorted(flags.names)
    }


def _provided(loaded: Loaded) -> Provided | None:
    return loaded.spec.flags.provided if loaded.spec.flags is not None else None


def _context(loaded: Loaded) -> list[str]:
    return [KEY, *(f"{fact.name} ({fact.source} {fact.of})" for fact in _named(loaded))]


def _names(reads: Reads) -> list[str]:
    groups = {"header": reads.headers, "query": reads.queries, "cookie": reads.cookies, "param": reads.params}
    grouped = [f"{group}.{name}" for group, names in groups.items() for name in sorted(names)]
    named = [f"{fact.name} ({fact.source} {fact.of})" for fact in sorted(reads.named)]
    return [*sorted(reads.names), *named, *grouped, *(["the time"] if reads.clock else []), *sorted(reads.unknown)]


def _named(loaded: Loaded) -> tuple[NamedFact, ...]:
    return loaded.spec.flags.context if loaded.spec.flags is not None else ()


def _told(reads: Reads) -> str:
    return ", ".join(_names(reads)) or "nothing"


def _named_in(condition: When) -> list[str]:
    return [leaf.flag for leaf in leaves(condition) if isinstance(leaf, FlagIs)]


class _Supposed:
    """A flag view in which a provider has said what the command line says."""

    def __init__(self, flags: SnapshotFlags, said: Mapping[str, FlagSaid]) -> None:
        self._flags = flags
        self._said = said

    def flag(self, name: str, view: View) -> FlagAnswer:
        """What this flag says."""
        return self._said.get(name) or self._flags.flag(name, view)


def supposed(flags: SnapshotFlags, given: Iterable[str]) -> FlagView:
    """The flags of a snapshot, but for those of which a text `NAME=VARIANT` says what a provider said.

    Raises `ValueError` for a text about a flag that no provider is asked.
    """
    said: dict[str, FlagSaid] = {}
    for text in given:
        name, equals, variant = text.partition("=")
        if not equals:
            raise ValueError(f"--flag {text}: found no NAME=VARIANT")
        if not isinstance(flags, ProvidedFlags):
            raise ValueError(f"--flag {text}: there is no provider; flags of a file are evaluated")
        if name not in flags.declared:
            raise ValueError(f"--flag {text}: no such flag is asked; there are {', '.join(sorted(flags.declared))}")
        is_on = flags.declared[name].kind == "boolean" and variant in {"true", "on"}
        said[name] = FlagSaid(True if is_on else variant, variant, "as --flag has it")
    return _Supposed(flags, said)
