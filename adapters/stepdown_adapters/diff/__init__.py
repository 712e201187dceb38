"""What differs between two contracts, and what follows from it.

The names below are loaded when they are asked for: a configuration that is started needs `project` and `prune` of this
room, and not the walk and the proofs of a diff.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepdown_adapters.diff.catalogue import BUMPS, KINDS, Bump, Kind
    from stepdown_adapters.diff.change import Change, Diff
    from stepdown_adapters.diff.comparison import compare
    from stepdown_adapters.diff.linting import Warning, lint
    from stepdown_adapters.diff.policy import Client, Direction, Enums, Formats, Policy
    from stepdown_adapters.diff.semver import bump_between, enough, next_version

__all__ = [
    "BUMPS",
    "KINDS",
    "Bump",
    "Change",
    "Client",
    "Diff",
    "Direction",
    "Enums",
    "Formats",
    "Kind",
    "Policy",
    "Warning",
    "bump_between",
    "compare",
    "enough",
    "lint",
    "next_version",
]
_ROOMS = {
    "catalogue": ("BUMPS", "KINDS", "Bump", "Kind"),
    "change": ("Change", "Diff"),
    "comparison": ("compare",),
    "linting": ("Warning", "lint"),
    "policy": ("Client", "Direction", "Enums", "Formats", "Policy"),
    "semver": ("bump_between", "enough", "next_version"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Loads an exported name (PEP 562)."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
