"""Reads a flag file: its JSON, its shape, its sizes; collects every mistake that makes flagd refuse the file.

As with flagd, a file is taken whole or refused whole: one flag with a wrong `state` keeps all others from changing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stepdown.decide.flags.findings import Finding, FlagFileError, pointer, quoted

LARGEST_FILE = 8 * 1024 * 1024
"""Bytes of a flag file."""

MOST_FLAGS = 10_000

MOST_FINDINGS = 100
"""Mistakes that are listed; a file with more is wrong in another way."""

_MEMBERS = frozenset({"state", "variants", "defaultVariant", "targeting", "metadata", "source", "selector"})
_STATES = ("ENABLED", "DISABLED")


@dataclass(frozen=True, slots=True)
class FlagDefinition:
    """One flag as the file has it."""

    key: str
    enabled: bool
    variants: dict[str, Any]
    default_variant: str | None
    targeting: Any
    metadata: dict[str, Any]


@dataclass(slots=True)
class FlagDocument:
    """A whole file; `findings` are the mistakes that refuse it."""

    flags: list[FlagDefinition] = field(default_factory=list)
    evaluators: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def refuse(self, problem: str, *tokens: str | int) -> None:
        """Note a mistake, and give up where there are too many."""
        self.findings.append(Finding(pointer(*tokens), problem))
        if len(self.findings) >= MOST_FINDINGS:
            self.findings.append(Finding("#", f"{MOST_FINDINGS} mistakes found; the rest was not looked at"))
            raise FlagFileError(tuple(self.findings))


def read_document(source: bytes | str | Mapping[str, Any]) -> FlagDocument:
    """Read JSON text, or what YAML or another reader made of it; raises `FlagFileError` where nothing can be read."""
    document = FlagDocument()
    content = source if isinstance(source, Mapping) else _decode(source, document)
    if not isinstance(content, Mapping):
        raise FlagFileError(
            (Finding("#", f'a flag file is an object such as {{"flags": {{}}}}, not {quoted(content)}'),)
        )
    _read_metadata(document, content.get("metadata"), document.metadata, "metadata")
    evaluators = content.get("$evaluators")
    if evaluators is not None and not isinstance(evaluators, dict):
        document.refuse(f"shared evaluators are an object, not {quoted(evaluators)}", "$evaluators")
    elif evaluators:
        document.evaluators = evaluators
    flags = content.get("flags")
    if not isinstance(flags, dict):
        document.refuse(f'flags are an object by name, {{"new-model": {{...}}}}, not {quoted(flags)}', "flags")
    elif len(flags) > MOST_FLAGS:
        document.refuse(f"{len(flags)} flags; at most {MOST_FLAGS} are read", "flags")
    else:
        for key, flag in flags.items():
            _read_flag(document, key, flag)
    return document


def _decode(source: bytes | str, document: FlagDocument) -> Any:
    if len(source) > LARGEST_FILE:
        problem = f"the file has {len(source)} bytes; at most {LARGEST_FILE} are read"
        raise FlagFileError((Finding("#", problem),))

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            document.warnings.append(Finding("#", f"a member {quoted(twice)} is there twice; the last one counts"))
        return made

    try:
        return json.loads(source, object_pairs_hook=members, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        problem = f"no JSON at line {error.lineno}, column {error.colno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        problem = f"no JSON: {'nested too deeply' if isinstance(error, RecursionError) else error}"
    raise FlagFileError((Finding("#", problem),))


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _read_flag(document: FlagDocument, key: Any, flag: Any) -> None:
    place = ("flags", str(key))
    before = len(document.findings)
    if not isinstance(key, str) or not isinstance(flag, dict):
        document.refuse(f"a flag is an object with a state and variants, not {quoted(flag)}", *place)
        return
    for member in sorted(str(name) for name in flag.keys() - _MEMBERS):
        document.refuse(f"a flag has no member of this name; there are {', '.join(sorted(_MEMBERS))}", *place, member)
    state = flag.get("state")
    if state not in _STATES:
        document.refuse(f"a state is ENABLED or DISABLED, not {quoted(state)}", *place, "state")
    variants = flag.get("variants")
    if not isinstance(variants, dict) or not variants or not all(isinstance(name, str) for name in variants):
        document.refuse("variants are an object of at least one name with its value", *place, "variants")
        variants = {}
    default = _read_default(document, flag.get("defaultVariant"), variants, place)
    metadata = dict(document.metadata)
    _read_metadata(document, flag.get("metadata"), metadata, *place, "metadata")
    if len(document.findings) == before:
        targeting = flag.get("targeting")
        document.flags.append(FlagDefinition(key, state == "ENABLED", variants, default, targeting, metadata))


def _read_default(document: FlagDocument, default: Any, variants: dict[str, Any], place: tuple[str, str]) -> str | None:
    """The default variant's name; none where it is null or empty: the default of whoever evaluates the flag counts."""
    if default is None or default == "":
        return None
    name = ("true" if default else "false") if isinstance(default, bool) else default
    if not isinstance(name, str):
        document.refuse(
            f"a default variant is a variant's name or null, not {quoted(default)}", *place, "defaultVariant"
        )
        return None
    if variants and name not in variants:
        known = ", ".join(sorted(variants)[:12])
        document.refuse(f"there is no variant {quoted(name)}; there are {known}", *place, "defaultVariant")
    return name


def _read_metadata(document: FlagDocument, metadata: Any, into: dict[str, Any], *place: str) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        document.refuse(f"metadata is an object, not {quoted(metadata)}", *place)
        return
    for name, value in metadata.items():
        if not isinstance(name, str) or not name or not isinstance(value, str | int | float):
            document.refuse(
                f"metadata has texts, numbers and booleans under names, not {quoted(value)}", *place, str(name)
            )
        else:
            into[name] = value
