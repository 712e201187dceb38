"""What the walk writes down: differences as they are met, not judged yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stepdown_adapters.paths import ROOT, Path

Flat = dict[str, Any]


@dataclass(slots=True)
class Found:
    """One difference. The schemas are flat ones, of the place that `path` leads to (or of its alternative)."""

    kind: str
    path: Path
    holder: Path = ROOT
    """The place whose keywords were compared: that of `path`, or the object that a member came to or left."""
    before: Any = None
    after: Any = None
    keyword: str = ""
    """The keyword that says it, or what the sentence calls by that name."""
    older: Flat = field(default_factory=dict)
    newer: Flat = field(default_factory=dict)
    proved: bool | None = None
    """What was proved of the place: `True`, nothing new is allowed; `False`, `witness` is."""
    witness: Any = None
    guess: bool = False
    required: bool = False
    """Whether a removed or added member was always there."""
    target: Path | None = None
    """Where a member went that was renamed or moved."""
    refilled: bool = False
    """Whether it is a removed object of which some members live on elsewhere, and are put back by their own repairs."""
    place: str = ""
