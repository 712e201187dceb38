"""Holds what the answers of each chain read of their requests against what its requests carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.places import steps_to
from stepdown.config.file import AdapterSection
from stepdown.config.tree import Path
from stepdown_adapters import operations
from stepdown_adapters.errors import OperationError, Problem
from stepdown_adapters.operations import Operation
from stepdown_adapters.operations.carry import names, uncarried
from stepdown_adapters.plan import Plan


@dataclass(frozen=True, slots=True)
class Carrying:
    """The lists of an adapter that carries something or reads what is carried."""

    path: Path
    request: tuple[Operation, ...]
    response: tuple[Operation, ...]
    errors: tuple[Operation, ...]


def carrying(adapter: AdapterSection, path: Path) -> Carrying | None:
    """The lists of an adapter; `None` where it has nothing to do with what is carried, or mistakes of its own."""
    try:
        lists = [operations.parse(raw) for raw in (adapter.request, adapter.response, adapter.errors)]
    except OperationError:
        return None
    if not any("carried" in operation.needs for listed in lists for operation in listed):
        return None
    return Carrying(path, *lists)


def check_carried(plan: Plan, adapters: Mapping[tuple[str, str], Carrying], checker: Checker) -> None:
    """Note every reference to what no request list of its chain carries, once."""
    noted: set[Path] = set()
    for (served, pinned), edges in plan.chains.items():
        found = [adapters.get((edge.source, edge.target)) for edge in edges]
        for path, problem in _uncarried([one for one in found if one is not None]):
            if path not in noted:
                noted.add(path)
                sentence = f"{problem.sentence} (in the chain from {served} to {pinned})"
                checker.error(path, sentence, nearest=problem.nearest or "")


def _uncarried(chain: Sequence[Carrying]) -> Iterator[tuple[Path, Problem]]:
    """What one chain reads and does not carry, with its place in the file; requests run from the last adapter up."""
    known: set[str] = set()
    for one in reversed(chain):
        yield from _lacking((*one.path, "request"), one.request, known)
        known |= names(one.request)
    for name in ("response", "errors"):
        carried = set(known)
        for one in chain:
            listed = one.response if name == "response" else one.errors
            yield from _lacking((*one.path, name), listed, carried)
            carried |= names(listed)


def _lacking(path: Path, listed: Sequence[Operation], known: set[str]) -> Iterator[tuple[Path, Problem]]:
    for problem in uncarried(listed, known):
        yield (*path, *steps_to(problem.where)), problem
