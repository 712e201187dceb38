"""Feature flags as plain, typed data: the flags of a snapshot, and the rule that takes its version from one."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from stepdown.decide.flags.evaluation import Kind


class NamedFact(NamedTuple):
    """A fact that targeting knows by a name of its own, such as `email`."""

    name: str
    source: Literal["header", "query", "cookie", "param"]
    of: str
    """The name there; a header's in lower case."""


class ProvidedFlag(NamedTuple):
    """A flag that a provider is asked."""

    name: str
    kind: Kind
    variants: tuple[str, ...] = ()
    """Those that the configuration names, which metrics may name too."""


class Provided(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Flags that an OpenFeature provider is asked; what it is started with does not travel."""

    provider: str
    """Its import path, for people."""
    flags: tuple[ProvidedFlag, ...]
    ttl: float = 5.0
    """Seconds that an answer is used before it is asked anew."""
    first_wait: float = 0.0
    """Seconds that a request may wait for an answer that is not known."""
    timeout: float = 2.0
    """Seconds that an evaluation may take."""


class Flags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The flags that conditions and rules ask."""

    document: str = ""
    """flagd's format as JSON text, with the flags in it that are asked and no others; empty where they are provided."""
    fractional: int = 2
    """Generation of `fractional` (`decide.flags.fractional`)."""
    context: tuple[NamedFact, ...] = ()
    """Facts with names of their own."""
    provided: Provided | None = None
    """Instead of a document: who is asked."""

    def __repr__(self) -> str:
        """Without the document, which is long."""
        if self.provided is not None:
            return f"Flags(provided by {self.provided.provider})"
        return f"Flags({len(self.document)} characters, fractional={self.fractional})"


class FlagRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule's version by what a flag says; the versions are those of the rule's split."""

    flag: str
    versions: tuple[tuple[str, str], ...]
    """(variant, version) in the file's order."""
    default: str
    """The version where the flag gives none of these variants."""
