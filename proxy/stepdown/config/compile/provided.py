"""Flags that an OpenFeature provider is asked: whether each is declared, and whether the provider is to be found.

Nothing of the provider is imported here: a module is looked for as the import system does, and its source is read for
the name. What a module only has once it runs is believed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.flags import asked_by, facts_of
from stepdown.config.file import RootFile
from stepdown.config.file.flags import FlagsSection
from stepdown.config.findings import listed, nearest_name
from stepdown.config.tree import Path
from stepdown.decide import when
from stepdown.decide.flag_spec import FlagRule, Flags, Provided, ProvidedFlag

if TYPE_CHECKING:
    from stepdown.config.compile.rules import DraftRoute

_PROVIDER: Path = ("flags", "provider")


class ProvidedFlagCompiler:
    """The declared flags of one configuration (`flags.AskedFlags`)."""

    def __init__(self, section: FlagsSection, checker: Checker) -> None:
        self._section = section
        self._checker = checker
        self._context = tuple(facts_of(section))
        self._variants: dict[str, dict[str, None]] = {}
        """By flag that is asked, those that the configuration names."""
        problem = missing(section.provider or "")
        if problem:
            checker.error(_PROVIDER, *problem)

    def condition(self, name: str, variant: str | None, path: Path) -> when.FlagIs:
        """As in `AskedFlags`."""
        kind = self._kind(name, path, of_key=True)
        if variant is not None:
            self._variants[name][variant] = None
        elif kind not in {None, "boolean"}:
            problem = f'found "{name}", which is declared as {kind} and never true'
            self._checker.error(path, problem, f"one of its variants: {{{name}: VARIANT}}")
        return when.FlagIs(flag=name, variant=variant)

    def check_rule(self, rule: FlagRule, path: Path) -> None:
        """As in `AskedFlags`."""
        kind = self._kind(rule.flag, (*path, "name"))
        self._variants[rule.flag] |= dict.fromkeys(variant for variant, _version in rule.versions)
        if kind == "boolean" and not {"true", "false"} & {variant for variant, _version in rule.versions}:
            problem = f"{rule.flag} is boolean: its variants are true and false where the provider names none"
            self._checker.warn((*path, "versions"), problem, of_key=True)

    def compiled(self) -> Flags | None:
        """As in `AskedFlags`."""
        section, declared = self._section, self._section.declare
        if not self._variants:
            return None
        flags = (
            ProvidedFlag(name, declared[name], tuple(variants))
            for name, variants in self._variants.items()
            if name in declared
        )
        provided = Provided(
            provider=section.provider or "",
            flags=tuple(flags),
            ttl=section.ttl,
            first_wait=section.first_wait,
            timeout=section.timeout,
        )
        return Flags(context=self._context, provided=provided)

    def check_uses(self, routes: Iterable[DraftRoute], segments: Mapping[str, when.When], file: RootFile) -> None:
        """As in `AskedFlags`."""
        params = [fact for fact in self._context if fact.source == "param"]
        for route in routes:
            for path, names in asked_by(route, segments):
                if names and not route.section.key and not self._checker.is_damaged(*route.path, "key"):
                    problem = (
                        f"{listed(sorted(names))} is asked without a targetingKey: the route {route.name} has no key"
                    )
                    self._checker.warn(path, problem, "a route with a key: where a request says whose it is")
                template = route.section.match.path or route.section.match.path_prefix or ""
                for fact in params:
                    if names and f"{{{fact.of}}}" not in template:
                        problem = f"the path of the route {route.name} has no {{{fact.of}}}, which flags.context names"
                        self._checker.warn(path, problem)

    def _kind(self, name: str, path: Path, *, of_key: bool = False) -> str | None:
        self._variants.setdefault(name, {})
        declared = self._section.declare
        if name in declared:
            return declared[name]
        if not self._checker.has_lost_names("flags", "declare"):
            problem = f'found "{name}"' if of_key else ""
            allowed = f"one of flags.declare: {listed(sorted(declared)) or 'there are none'}"
            self._checker.error(path, problem, allowed, nearest_name(name, declared))
        return None


def missing(import_path: str) -> tuple[str, str] | tuple[str, str, str] | None:
    """What is wrong with an import path, what is allowed, and the name that is nearest; `None`: nothing to be seen."""
    if _found("openfeature.api") is None:
        return "the package openfeature-sdk is not installed", "pip install 'stepdown[openfeature]'"
    module, _, name = import_path.partition(":")
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        if _found(".".join(parts[:depth])) is None:
            return (
                f"there is no module {'.'.join(parts[:depth])}",
                "a module on PYTHONPATH or installed beside stepdown",
            )
    first = name.partition(".")[0]
    names = _names_in(_found(module))
    if names is None or first in names:
        if names is not None and not names[first] and "." not in name:
            return f"{name} in {module} is neither callable nor a provider", "a class, a function, or an instance"
        return None
    return f"{module} has no {first}", f"a name in {module}", nearest_name(first, names)


def _found(module: str) -> ModuleSpec | None:
    """Where a module would be loaded from; nothing is imported."""
    top, *below = module.split(".")
    finders = (finder for finder in sys.meta_path if hasattr(finder, "find_spec"))
    spec = next((found for finder in finders if (found := finder.find_spec(top, None)) is not None), None)
    for name in below:
        if spec is None or spec.submodule_search_locations is None:
            return None
        # By its last name alone: for the whole one, a package without a file of its own would have to be imported.
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return spec


def _names_in(spec: ModuleSpec | None) -> dict[str, bool] | None:
    """The names that a module's source defines, and whether each can be a provider; `None` where nobody can say."""
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    try:
        tree = ast.parse(FilePath(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None  # importing it will say so
    names: dict[str, bool] = {}
    for node in _statements(tree.body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names[name] = not isinstance(node, ast.AsyncFunctionDef)
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                names |= {(one.asname or one.name.partition(".")[0]): True for one in imported}
            case ast.Assign(targets=targets, value=value):
                found = (one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
                names |= dict.fromkeys(found, not _is_plain(value))
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                names[name] = not _is_plain(value)
    return None if {"*", "__getattr__"} & names.keys() else names


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Those that define a module's names, also where they stand under a condition."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For):
            yield from _statements(one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt))
            if isinstance(node, ast.Try):
                yield from _statements(one for handler in node.handlers for one in handler.body)


def _is_plain(value: ast.expr | None) -> bool:
    """Whether a value is written out and so no provider."""
    return isinstance(value, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.Set | ast.JoinedStr)
