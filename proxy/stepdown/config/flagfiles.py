"""Flag files as they were read: whole or not at all, and cut to the flags that a configuration asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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

    content: Mapping[str, Any] = field(repr=False)
    flags: FlagSet = field(repr=False)
    fractional: int
    stamp: Stamp | None
    """How the file looked just before it was read."""
    warnings: tuple[Finding, ...] = ()

    def only(self, names: Iterable[str]) -> str:
        """The file as JSON text with these of its flags, in its own order."""
        wanted = set(names)
        flags = {name: flag for name, flag in self.content["flags"].items() if name in wanted}
        return _text({**self.content, "flags": flags})

    def of_generation(self, fractional: int) -> FlagFile:
        """The same file with another generation of `fractional`."""
        flags = compile_flags(self.content, fractional=fractional, remembered=0)
        return FlagFile(self.content, flags, fractional, self.stamp, self.warnings)


def read_flags(data: bytes, fractional: int, stamp: Stamp | None) -> FlagFile:
    """Compile a file; raises `FlagsError` with every mistake in it."""
    try:
        flags = compile_flags(data, fractional=fractional, remembered=0)
        content = json.loads(data)
        _text(content)
    except FlagFileError as error:
        raise FlagsError(error.findings) from None
    except (ValueError, RecursionError):
        raise FlagsError(["#: it holds a number that JSON cannot carry, or is nested too deeply"]) from None
    return FlagFile(content, flags, fractional, stamp, flags.warnings)


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), allow_nan=False)
