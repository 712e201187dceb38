"""Holds what the chains of a model do with streams against each other: what rules read, and steps that end them."""

from __future__ import annotations

from collections.abc import Mapping

from stepdown.config.compile.checker import Checker
from stepdown.config.tree import Path
from stepdown.decide import spec
from stepdown_adapters import operations
from stepdown_adapters.errors import OperationError
from stepdown_adapters.operations.carry import names
from stepdown_adapters.plan import Edge, Plan
from stepdown_adapters.stream.adapting.compiling import compile_stream, uncarried_in_stream
from stepdown_adapters.stream.adapting.failures import NoStreamAdapterError

Ends = tuple[str, str]


def check_streams(plan: Plan, steps: Mapping[Ends, spec.Step], places: Mapping[Ends, Path], checker: Checker) -> None:
    """Note what rules read that nothing carries or folds, and chains whose streams are refused for one of their steps.

    Steps with mistakes of their own are not for this.
    """
    if not any(step.streams for step in steps.values()):
        return
    noted: set[Path] = set()
    checked: set[tuple[Ends, frozenset[str]]] = set()
    carried = {ends: names(operations.parse(step.request, "skip")) for ends, step in steps.items()}
    for edges in plan.chains.values():
        chain = [steps[_ends(edge)] for edge in edges]
        if any(step.streams for step in chain):
            known = frozenset(name for edge in edges for name in carried[_ends(edge)])
            # A step is in many chains, and nearly all of them carry the same.
            fresh = [step for step in chain if step.streams and ((step.source, step.target), known) not in checked]
            checked |= {((step.source, step.target), known) for step in fresh}
            _check_reads(fresh, known, chain, places, noted, checker)
            _check_whole(chain, places, noted, checker)


def _check_reads(  # noqa: PLR0917 - steps of one chain, and where their mistakes are noted
    fresh: list[spec.Step],
    carried: frozenset[str],
    chain: list[spec.Step],
    places: Mapping[Ends, Path],
    noted: set[Path],
    checker: Checker,
) -> None:
    for step in fresh:
        for problem in uncarried_in_stream(step, set(carried)):
            path = (*places[step.source, step.target], "stream", *problem.steps)
            if path not in noted:
                noted.add(path)
                sentence = f"{problem.sentence} (in the chain from {chain[0].source} to {chain[-1].target})"
                checker.error(path, sentence, nearest=problem.nearest or "")


def _check_whole(chain: list[spec.Step], places: Mapping[Ends, Path], noted: set[Path], checker: Checker) -> None:
    """Warn of a step without a section among others that have one: the section is then of no use to its chain."""
    without = (places.get((step.source, step.target)) for step in chain if not step.streams)
    if all(path is None or path in noted for path in without):
        return
    try:
        compile_stream(chain)
    except NoStreamAdapterError as error:
        step = next(step for step in chain if f"{step.source} -> {step.target}" == error.step)
        path = places.get((step.source, step.target))
        if path is not None and path not in noted:
            noted.add(path)
            problem = f"streams from {chain[0].source} to {chain[-1].target} are refused here: found no stream section"
            checker.warn(path, problem, "a stream section, `stream: {on: {}}` where events stay as they are")
    except OperationError:
        return  # it was noted where it stands


def _ends(edge: Edge) -> Ends:
    return edge.source, edge.target
