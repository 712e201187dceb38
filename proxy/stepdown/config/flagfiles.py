"""Flag files as they were read: whole or not at all, and cut to the flags that a configuration asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stepdown.config.watched import Stamp
from stepdown.decide.flags import FlagFileError, FlagSet, compile_flags
from stepdown.decide.flags.findings import Finding


class FlagsError(Exception):
    """The file is no flag file; `mistakes` say why, each with its JSON Pointer."""

    def __init__(self, mistakes: Iterable[object]) -> None:
        self.mistakes = tuple(str(mistake) for mistake in mistakes)
        super().__init__("; ".join(self.mistakes))


@dataclass(frozen=True, slots=True)
class FlagFile:
    """One file that was accepted."""

    path: Path
    content: Mapping[str, Any] = field(repr=False)
    flags: FlagSet = field(repr=False)
    fractional: int
    stamp: Stamp | None
    """How the file looked just before it was read."""
    warnings: tuple[Finding, ...] = ()

    def only(self, names: Iterable[str]) -> str:
        """JSON text with these of its flags, in its own order, and what decides about them.

        Workers compile it between two requests. So shared evaluators that nobody refers to, metadata and what is in
        variants that are objects are left out, of which none can decide anything here.
        """
        wanted = set(names)
        flags = {name: _cut(flag) for name, flag in self.content["flags"].items() if name in wanted}
        evaluators = self.content.get("$evaluators") or {}
        named = _references(flags, evaluators)
        return _text({"flags": flags, "$evaluators": {name: evaluators[name] for name in evaluators if name in named}})

    def of_generation(self, fractional: int) -> FlagFile:
        """The same file with another generation of `fractional`."""
        flags = compile_flags(self.content, fractional=fractional, remembered=0)
        return replace(self, flags=flags, fractional=fractional)


def read_flags(path: Path, data: bytes, fractional: int, stamp: Stamp | None) -> FlagFile:
    """Compile a file; raises `FlagsError` with every mistake in it."""
    try:
        flags = compile_flags(data, fractional=fractional, remembered=0)
        content = json.loads(data)
        _text(content)
    except FlagFileError as error:
        raise FlagsError(error.findings) from None
    except (ValueError, RecursionError):
        raise FlagsError(["#: it holds a number that JSON cannot carry, or is nested too deeply"]) from None
    return FlagFile(path, content, flags, fractional, stamp, flags.warnings)


def _cut(flag: Mapping[str, Any]) -> dict[str, Any]:
    """A flag without what decides nothing."""
    members = ("state", "defaultVariant", "targeting") if flag["state"] == "ENABLED" else ("state", "defaultVariant")
    values = {
        name: type(value)() if isinstance(value, dict | list) else value for name, value in flag["variants"].items()
    }
    return {**{name: flag[name] for name in members if name in flag}, "variants": values}


def _references(flags: Mapping[str, Any], evaluators: Mapping[str, Any]) -> set[str]:
    """Shared evaluators that these flags refer to, and those that they do."""
    named: set[str] = set()
    waiting: list[Any] = [flag.get("targeting") for flag in flags.values()]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            name = part.get("$ref")
            if isinstance(name, str) and name in evaluators and name not in named:
                named.add(name)
                waiting.append(evaluators[name])
    return named


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), allow_nan=False)
