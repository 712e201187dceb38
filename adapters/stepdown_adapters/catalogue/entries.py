"""What the catalogue holds, and how a section that names an entry of it becomes one that stands for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stepdown_adapters.contract.mistakes import unknown
from stepdown_adapters.contract.reading import read
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.errors import CatalogueError

USED = ("request", "response", "errors", "stream")
"""What an entry brings to the section that names it; a member that the section has itself stays as it is."""

_HERE = Path(__file__).parent
_ADAPTERS, _CONTRACTS = _HERE / "adapters", _HERE / "contracts"
_REQUEST = ".request"


@dataclass(frozen=True, slots=True)
class Entry:
    """One adapter of the catalogue."""

    name: str
    """`openai/responses-to-chat`."""
    title: str
    """What it does, in one line."""
    newer: str
    """Contract of what it takes, in the catalogue: `openai/responses`."""
    older: str
    """Contract of what it makes."""
    lost: tuple[str, ...]
    """What an older client does not get to know, one sentence each."""
    refused: tuple[str, ...]
    """What has no older shape, so that the client gets an error, one sentence each."""
    brings: Mapping[str, Any]
    """Those of `USED` that it has."""


@cache
def names() -> tuple[str, ...]:
    """Of all adapters."""
    return tuple(sorted(_name(file, _ADAPTERS) for file in _ADAPTERS.glob("*/*.yaml")))


@cache
def contracts() -> tuple[str, ...]:
    """Names of all contracts."""
    found = (_name(file, _CONTRACTS) for file in _CONTRACTS.glob("*/*.yaml"))
    return tuple(sorted(name for name in found if not name.endswith(_REQUEST)))


@cache
def entry(name: str) -> Entry:
    """The adapter of that name; raises `CatalogueError`."""
    if name not in names():
        raise CatalogueError(unknown("adapter", name, names()))
    found = read(adapter_file(name), name)
    return Entry(
        name=name,
        title=found["title"],
        newer=found["from"],
        older=found["to"],
        lost=tuple(found.get("lost", ())),
        refused=tuple(found.get("refused", ())),
        brings={key: found[key] for key in USED if key in found},
    )


def adapter_file(name: str) -> Path:
    """Where the adapter of that name is; it may not be there."""
    return _ADAPTERS / f"{name}.yaml"


def contract_file(name: str, side: Side = "output") -> Path:
    """The file of a contract; raises `CatalogueError` where there is none, or none of requests."""
    if name not in contracts():
        raise CatalogueError(unknown("contract", name, contracts()))
    file = _CONTRACTS / f"{name}{_REQUEST if side == 'input' else ''}.yaml"
    if not file.exists():
        raise CatalogueError(f"the contract {name!r} is of answers only")
    return file


def expanded(section: Mapping[str, Any]) -> dict[str, Any]:
    """The section of an adapter with what its `use` brings; raises `CatalogueError`."""
    brings = entry(section["use"]).brings if section.get("use") is not None else {}
    return {**brings, **{key: value for key, value in section.items() if key != "use"}}


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()
