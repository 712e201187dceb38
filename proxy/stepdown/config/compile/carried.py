"""Holds what the answers of each chain read of their requests against what its requests carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepdown.config.compile.checker import Checker
from stepdown.config.file import AdapterSection
from stepdown.config.tree import Path
from stepdown_adapters import operations
from stepdown_adapters.errors import OperationError
from stepdown_adapters.operations import Operation
from stepdown_adapters.operations.carry import uncarried_in
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
        found = [adapters[edge.source, edge.target] for edge in edges if (edge.source, edge.target) in adapters]
        for index, name, problem in uncarried_in(found):
            path = (*found[index].path, name, *problem.steps)
            if path not in noted:
                noted.add(path)
                sentence = f"{problem.sentence} (in the chain from {served} to {pinned})"
                checker.error(path, sentence, nearest=problem.nearest or "")
