"""The catalogue of change kinds: what each is called, whom it breaks, and which part of a version it moves.

Everything derives from one criterion: a change is compatible if and only if every document that may be *sent* after
it is one that the other side *accepted* before it. Of a response the server sends, so every document valid under the
newer contract has to be valid under the older one; of a request the client sends, and it is the mirror image.

`strict` is a client that validates, or was generated from a closed contract; `tolerant` is one that ignores members
and values which it does not know. Letters of an outcome: C compatible, B breaking, D dangerous (compatible only for
a tolerant client whose contract says that it may happen). A kind that has no outcome for requests is not named there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stepdown_adapters.diff import sections

Bump = Literal["none", "patch", "minor", "major"]
BUMPS: tuple[Bump, ...] = ("none", "patch", "minor", "major")
"""In rising order."""
Verdict = Literal["compatible", "breaking", "dangerous"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change of one kind means for both sorts of client, and the bump that each makes necessary."""

    strict: Verdict
    tolerant: Verdict
    bump: Bump
    tolerant_bump: Bump


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue."""

    id: str
    section: str
    sentence: str
    """With `{path}`, `{before}` and `{after}` to fill in."""
    response: Outcome
    request: Outcome
    source: str


_VERDICTS: dict[str, Verdict] = {"C": "compatible", "B": "breaking", "D": "dangerous"}


def _outcome(text: str) -> Outcome:
    """From `B/C major/minor`."""
    verdicts, bumps = text.split()
    strict, tolerant = verdicts.split("/")
    bump, _, tolerant_bump = bumps.partition("/")
    assert bump in BUMPS
    return Outcome(_VERDICTS[strict], _VERDICTS[tolerant], bump, tolerant_bump or bump)  # type: ignore[arg-type]


def _kinds() -> dict[str, Kind]:
    rows: dict[str, Kind] = {}
    for section, table in sections.SECTIONS.items():
        for identifier, response, request, source, sentence in table:
            assert identifier not in rows, identifier
            rows[identifier] = Kind(identifier, section, sentence, _outcome(response), _outcome(request), source)
    return rows


KINDS = _kinds()
"""By id, in the order of the catalogue."""


NOT_OF_REQUESTS = frozenset({"required-removed"}) | {row.id for row in KINDS.values() if row.section == "HTTP envelope"}
"""A request that needs a member no longer has two other changes, `became-optional` and `optional-removed/...`."""


def highest(bumps: list[Bump]) -> Bump:
    """The largest of several bumps; `none` of none."""
    return max(bumps, key=BUMPS.index, default="none")
