"""Who may see and choose decisions, and which of them are recorded, as plain, typed data."""

from __future__ import annotations

from stepdown.decide.spec_base import Spec


class Explain(Spec, frozen=True):
    """Addresses (CIDR) that may ask for a live explanation with the header `X-Stepdown-Explain: 1`."""

    allow: tuple[str, ...] = ()


class OverrideKey(Spec, frozen=True):
    """A key whose holders may choose a server; the key itself is kept nowhere."""

    header: str
    """Lower case."""
    sha256: str
    """Hex digest of the value."""


class Overrides(Spec, frozen=True):
    """Who may choose a server with `X-Stepdown-Serve` (`decide.overrides`); one of the three is enough."""

    allow: tuple[str, ...] = ()
    """Addresses of connections in CIDR form."""
    keys: tuple[OverrideKey, ...] = ()
    secrets: tuple[str, ...] = ()
    """What tokens are signed with: the first signs, all of them verify."""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Overrides(allow={self.allow!r}, keys={len(self.keys)}, secrets={len(self.secrets)})"


class Decisions(Spec, frozen=True):
    """Records of a share of all decisions, which `stepdown explain --replay` decides again."""

    sample: float
    """Share (0 exclusive to 1) of the requests."""
    file: str | None = None
    """Absolute path; `None` is standard output."""
    max_size: int = 256 * 1024 * 1024
    """Bytes from which on a file is renamed to `<file>.1` and a new one begun."""
    headers: tuple[str, ...] = ()
    """Lower-case names of fields that are recorded besides those that decide."""
    redact: tuple[str, ...] = ()
    """Lower-case names of fields, cookies and query parameters of which only a digest is recorded."""
