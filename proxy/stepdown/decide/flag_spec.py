"""Feature flags as plain, typed data: the flags of a snapshot, and the rule that takes its version from one."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec


class NamedFact(NamedTuple):
    """A fact that targeting knows by a name of its own, such as `email`."""

    name: str
    source: Literal["header", "query", "cookie", "param"]
    of: str
    """The name there; a header's in lower case."""


class Flags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The flags that conditions and rules ask."""

    document: str
    """flagd's format as JSON text, with the flags in it that are asked and no others."""
    fractional: int = 2
    """Generation of `fractional` (`decide.flags.fractional`)."""
    context: tuple[NamedFact, ...] = ()
    """Facts with names of their own."""

    def __repr__(self) -> str:
        """Without the document, which is long."""
        return f"Flags({len(self.document)} characters, fractional={self.fractional})"


class FlagRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule's version by what a flag says; the versions are those of the rule's split."""

    flag: str
    versions: tuple[tuple[str, str], ...]
    """(variant, version) in the file's order."""
    default: str
    """The version where the flag gives none of these variants."""
