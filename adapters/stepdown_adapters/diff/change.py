"""What a diff consists of: one `Change` for each difference, and the `Diff` that folds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.diff.catalogue import Bump, Verdict, highest
from stepdown_adapters.diff.policy import Policy
from stepdown_adapters.proof.verdicts import Inclusion


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contracts."""

    kind: str
    """Id of a row in `catalogue.KINDS`."""
    path: str
    """Where in the document, in the notation of `paths`; `""` is the whole."""
    before: Any
    """The older value of what changed (a keyword's value, or a schema), or `None` where there was nothing."""
    after: Any
    compatible: bool
    """For the client that the diff was asked about."""
    strict: Verdict
    tolerant: Verdict
    bump: Bump
    sentence: str
    """Half a sentence whose subject is the place: `may be null now`."""
    repair: Mapping[str, Any] | None = None
    """The operation that turns what is sent into what is accepted, in the form of the file."""
    guess: bool = False
    """Whether this is only probably what happened."""
    place: str = ""
    """Which answer of an operation: `404 application/json`; `""` is the contract's own."""
    reason: str = ""
    """What decided, where it was more than the kind: a proof, or a document as counter-example."""

    def __str__(self) -> str:
        where = " ".join(part for part in (self.place, self.path) if part) or "the document"
        return f"{where}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Diff:
    """All differences between an older and a newer contract."""

    changes: tuple[Change, ...]
    policy: Policy
    proved: Inclusion
    """What was proved of the two schemas as wholes: that all that is sent is accepted, or a document that is not."""

    @property
    def inclusion(self) -> str:
        """The same in a word: `included`, `excluded` or `undecided`."""
        return type(self.proved).__name__.lower()

    @property
    def bump(self) -> Bump:
        """The part of the version that has to move."""
        return highest([change.bump for change in self.changes])

    @property
    def compatible(self) -> bool:
        """Whether the client that was asked about can do without an adapter."""
        return all(change.compatible for change in self.changes)

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break this client, or move MAJOR for another reason."""
        return tuple(change for change in self.changes if not change.compatible or change.bump == "major")

    @property
    def repairs(self) -> tuple[Mapping[str, Any], ...]:
        """The operations that repair the breaking changes, in an order in which they can run."""
        wanted = [change.repair for change in self.breaking if change.repair is not None]
        distinct = [repair for index, repair in enumerate(wanted) if repair not in wanted[:index]]
        return tuple(sorted(distinct, key=_turn))


_FIRST = ("move", "remove", "project")
"""What has moved is no stray any more when strays go."""
_LAST = ("replace",)
"""A constant may be what a path such as `/outputs/[name=score]` looks for, so it changes when the rest is done."""


def _turn(repair: Mapping[str, Any]) -> int:
    name = next(iter(repair))
    return _FIRST.index(name) if name in _FIRST else len(_FIRST) + (name in _LAST)
