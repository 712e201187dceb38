"""What is wrong with a configuration and where: a finding is a place, a key, what was found, what is allowed.

Values that came from the environment or from a secret never enter a finding: `tree.describe` shows a value as it is
written in the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from stepdown.config.watched import NOTHING, Watched
from stepdown.errors import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something is written; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (`error`) or doubtful (`warning`)."""

    place: Place
    key: str
    """Path of keys such as `models.churn.versions."1.0.0".schema`; empty where the file itself is meant."""
    problem: str
    """What is wrong, most often `found X`."""
    allowed: str = ""
    """What would be right, without the word "allowed"."""
    nearest: str = ""
    """The right name that is most like the wrong one."""
    severity: Literal["error", "warning"] = "error"

    @property
    def message(self) -> str:
        """The sentence without the place: `found X; allowed Y; did you mean "Z"?`."""
        parts = [self.problem]
        if self.allowed:
            parts.append(f"allowed {self.allowed}")
        if self.nearest:
            parts.append(f'did you mean "{self.nearest}"?')
        return "; ".join(parts)

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        warning = "warning: " if self.severity == "warning" else ""
        return f"{self.place}: {warning}{key}{self.message}"

    def as_json(self) -> dict[str, Any]:
        """Flat dictionary for machines: `file line column key severity problem allowed nearest message`."""
        flat = asdict(self)
        return {**flat.pop("place"), **flat, "message": self.message}


class RefusedError(ConfigError):
    """The file is refused; `findings` are in the order of their places, `watched` is what was read for it."""

    def __init__(self, findings: Iterable[Finding], watched: Watched = NOTHING) -> None:
        self.findings = in_order(findings)
        self.watched = watched
        super().__init__("\n".join(str(finding) for finding in self.findings))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by place, each once."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: (finding.place, finding.key, finding.problem)))


def nearest_name(name: str, names: Iterable[str]) -> str:
    """The one of `names` that `name` was most likely meant to be, or an empty text."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return close[0] if close and close[0] != name else ""


def listed(names: Iterable[str]) -> str:
    """Names for a message, in the given order and bounded: `"a", "b"`."""
    shown = [f'"{name}"' for name in names]
    if len(shown) > 12:
        shown[12:] = [f"and {len(shown) - 12} more"]
    return ", ".join(shown)
