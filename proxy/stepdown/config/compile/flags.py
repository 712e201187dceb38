"""Flags that conditions and rules ask: whether they are there, what they can say, and what a route lacks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from stepdown.config.compile.checker import Checker
from stepdown.config.file import RootFile
from stepdown.config.file.match import template_names
from stepdown.config.findings import listed, nearest_name
from stepdown.config.tree import Path
from stepdown.decide import when
from stepdown.decide.flag_context import KEY, NAMES, Reads, reads_of
from stepdown.decide.flag_spec import FlagRule, Flags, NamedFact
from stepdown.decide.inputs import inputs_of

if TYPE_CHECKING:
    from stepdown.config.compile.resources import Resources
    from stepdown.config.compile.rules import DraftRoute
    from stepdown.config.file.flags import FlagsSection

_FILE: Path = ("flags", "file")


class AskedFlags(Protocol):
    """The flags of one configuration, wherever they come from, and which of them are asked."""

    def condition(self, name: str, variant: str | None, path: Path) -> when.FlagIs:
        """That a flag is on, or has a variant; notes an error where it can never say so."""

    def check_rule(self, rule: FlagRule, path: Path) -> None:
        """Note an error where a rule names a flag or a variant that there is not."""

    def check_uses(self, routes: Iterable[DraftRoute], segments: Mapping[str, when.When], file: RootFile) -> None:
        """Note what flags depend on that requests of a route do not have."""

    def compiled(self) -> Flags | None:
        """What a snapshot needs; `None` where no flag is asked."""


class FlagCompiler:
    """The flag file of one configuration, and which of its flags are asked."""

    def __init__(self, file: RootFile, resources: Resources, checker: Checker) -> None:
        self._file = resources.flags
        self._names = sorted(self._file.flags.names) if self._file is not None else []
        self._is_lost = self._file is None and (file.flags is not None or checker.is_damaged("flags"))
        self._context = tuple(facts_of(file.flags))
        self._checker = checker
        self._asked: dict[str, None] = {}

    def condition(self, name: str, variant: str | None, path: Path) -> when.FlagIs:
        """That a flag is on, or has a variant; notes an error where it can never say so."""
        if self._is_known(name, path, of_key=True) and self._file is not None:
            variants = self._file.flags.variants(name)
            if variant is not None:
                self._check_variant(name, variant, path)
            elif not any(value is True for value in variants.values()):
                problem = f'found "{name}", which has no variant with the value true'
                self._checker.error(path, problem, f"one of its variants: {{{name}: {' or '.join(variants)}}}")
        return when.FlagIs(flag=name, variant=variant)

    def check_rule(self, rule: FlagRule, path: Path) -> None:
        """Note an error where a rule names a flag or a variant that there is not."""
        if not self._is_known(rule.flag, (*path, "name")) or self._file is None:
            return
        for variant, _version in rule.versions:
            self._check_variant(rule.flag, variant, (*path, "versions", variant), of_key=True)
        variants, named = self._file.flags.variants(rule.flag), dict(rule.versions)
        left = [variant for variant in variants if variant not in named]
        if left and named.keys() <= variants.keys():
            problem = f"{listed(left)} of {rule.flag} has no version here: requests with it get {rule.default}"
            self._checker.warn((*path, "versions"), problem, "a version for each variant", of_key=True)

    def compiled(self) -> Flags | None:
        """What a snapshot needs of the file; `None` where no flag is asked."""
        if self._file is None or not self._asked:
            return None
        return Flags(document=self._file.only(self._asked), fractional=self._file.fractional, context=self._context)

    def check_uses(self, routes: Iterable[DraftRoute], segments: Mapping[str, when.When], file: RootFile) -> None:
        """Note what targeting reads that requests do not have, and mistakes in flags that are asked."""
        if self._file is None:
            return
        for warning in self._file.warnings:
            about = warning.pointer.split("/")[2:3]
            if not about or about[0].replace("~1", "/").replace("~0", "~") in self._asked:
                self._checker.warn(_FILE, str(warning))
        for name in self._asked:
            self._check_reads(name, self._reads(name))
        for route in routes:
            for path, names in asked_by(route, segments):
                for name in sorted(names & self._file.flags.names):
                    self._check_route(name, path, route, file)

    def _reads(self, name: str) -> Reads:
        return reads_of(self._file.flags.needs(name), self._context) if self._file is not None else Reads()

    def _check_reads(self, name: str, reads: Reads) -> None:
        for path in sorted(reads.unknown):
            self._checker.warn(
                _FILE,
                f'the flag {name} reads "{path}", which no request has',
                f"{listed(NAMES)}, or a name in flags.context",
            )
        if reads.everything:
            problem = f"which facts the flag {name} reads is known only when it is evaluated"
            self._checker.warn(_FILE, problem, "`var` with a text: headers and the like are null to it otherwise")

    def _check_route(self, name: str, path: Path, route: DraftRoute, file: RootFile) -> None:
        reads = self._reads(name)
        if KEY in reads.names and not route.section.key and not self._checker.is_damaged(*route.path, "key"):
            problem = f"the flag {name} reads {KEY}, and the route {route.name} has no key"
            self._checker.warn(path, problem, "a route with a key: where a request says whose it is")
        if "client" in reads.names and not reads.everything and file.trusted_hops is None:
            problem = f"the flag {name} reads client, and there is no trusted_hops"
            self._checker.warn(path, problem, "trusted_hops, 0 where no proxy is in front")
        known = template_names(route.section.match.path or route.section.match.path_prefix or "")
        for param in sorted((reads.params | reads.of("param")) - set(known)):
            problem = f"the flag {name} reads param.{param}, which the path of the route {route.name} does not have"
            self._checker.warn(path, problem, f"a {{name}} of its path: {listed(known) or 'it has none'}")

    def _is_known(self, name: str, path: Path, *, of_key: bool = False) -> bool:
        self._asked[name] = None
        if name in self._names or self._is_lost:
            return True
        if self._file is None:
            self._checker.error(path, f'found "{name}", and no flags', "`flags: {file: FILE}`, which has it")
        else:
            allowed = f"one of the flags in its file: {listed(self._names) or 'there are none'}"
            problem = f'found "{name}"' if of_key else ""
            self._checker.error(path, problem, allowed, nearest_name(name, self._names))
        return False

    def _check_variant(self, name: str, variant: str, path: Path, *, of_key: bool = False) -> None:
        variants = tuple(self._file.flags.variants(name)) if self._file is not None else ()
        if variant not in variants:
            self._checker.unknown(path, variant, variants, f"a variant of {name}: {listed(variants)}", of_key=of_key)


def asked_by(route: DraftRoute, segments: Mapping[str, when.When]) -> Iterator[tuple[Path, frozenset[str]]]:
    """The flags that a route asks, and which of its rules or copies does, as far as conditions can be followed."""
    for rule in route.rules:
        if rule.rule.flag is not None:
            yield rule.path, frozenset({rule.rule.flag.flag})
    for condition, path in route.conditions():
        if all(one in segments for one in _segments(condition)):
            yield path[:-1], inputs_of([condition], segments).flags


def facts_of(section: FlagsSection | None) -> Iterator[NamedFact]:
    """The facts with names of their own."""
    for name, fact in (section.context if section is not None else {}).items():
        if fact.header is not None:
            yield NamedFact(name, "header", fact.header.lower())
        elif fact.query is not None:
            yield NamedFact(name, "query", fact.query)
        elif fact.cookie is not None:
            yield NamedFact(name, "cookie", fact.cookie)
        elif fact.param is not None:
            yield NamedFact(name, "param", fact.param)


def _segments(condition: when.When) -> Iterable[str]:
    return (leaf.name for leaf in when.leaves(condition) if isinstance(leaf, when.InSegment))
