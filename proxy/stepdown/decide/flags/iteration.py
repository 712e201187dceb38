"""Closures for the operators that go through a list: `map`, `filter`, `reduce`, `all`, `some`, `none`.

The inner expression sees the item and nothing else (`reduce`: `current` and `accumulator`). What is no list counts as
an empty one. Each step is paid for out of the evaluation's `Run` before it is made, so that a long list in a request
cannot hold anybody up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stepdown.decide.flags.nodes import Compute, Node, Run, constant
from stepdown.decide.flags.values import truthy

if TYPE_CHECKING:
    from stepdown.decide.flags.compiler import Compiler

Place = tuple[str | int, ...]

Visit = Callable[[list[Any], Compute, Run], Any]


def _over_items(
    compiler: Compiler, written: list[Any], place: Place, visit: Visit, *, empty: Any, fewest: int = 2
) -> Node:
    """An iteration over the first argument with the second inside; `empty` stands for what is no list.

    Arguments that are left out make `empty` without evaluating anything, and arguments too many are never evaluated.
    """
    if len(written) < fewest:
        return Node(lambda data, run: _fresh(empty), 1)
    items = compiler.compile(written[0], (*place, 0))
    inner = compiler.compile_item(written[1], (*place, 1)) if len(written) > 1 else constant(None)
    source, step, cost = items.compute, inner.compute, inner.size

    def iterate(data: Any, run: Run) -> Any:
        found = source(data, run)
        if not isinstance(found, list):
            return _fresh(empty)
        run.spend(len(found) * cost)
        return visit(found, step, run)

    return Node(iterate, 1 + items.size + inner.size)


def _fresh(empty: Any) -> Any:
    return [] if empty == [] else empty


def mapped(compiler: Compiler, written: list[Any], place: Place) -> Node:
    """`map`: what the inner expression makes of each item."""

    def visit(items: list[Any], step: Compute, run: Run) -> Any:
        return [step(item, run) for item in items]

    return _over_items(compiler, written, place, visit, empty=[], fewest=1)


def filtered(compiler: Compiler, written: list[Any], place: Place) -> Node:
    """`filter`: the items for which the inner expression is true."""

    def visit(items: list[Any], step: Compute, run: Run) -> Any:
        return [item for item in items if truthy(step(item, run))]

    return _over_items(compiler, written, place, visit, empty=[])


def all_hold(compiler: Compiler, written: list[Any], place: Place) -> Node:
    """`all`: true for each item; false where there is none."""

    def visit(items: list[Any], step: Compute, run: Run) -> Any:
        return bool(items) and all(truthy(step(item, run)) for item in items)

    return _over_items(compiler, written, place, visit, empty=False)


def some_hold(compiler: Compiler, written: list[Any], place: Place) -> Node:
    """`some`: true for at least one item."""

    def visit(items: list[Any], step: Compute, run: Run) -> Any:
        return any(truthy(step(item, run)) for item in items)

    return _over_items(compiler, written, place, visit, empty=False)


def none_holds(compiler: Compiler, written: list[Any], place: Place) -> Node:
    """`none`: true for no item."""

    def visit(items: list[Any], step: Compute, run: Run) -> Any:
        return not any(truthy(step(item, run)) for item in items)

    return _over_items(compiler, written, place, visit, empty=True)


def reduced(compiler: Compiler, written: list[Any], place: Place) -> Node:
    """`reduce`: the accumulator, which starts as the third argument (as it is written, not evaluated)."""
    start = written[2] if len(written) > 2 else None

    def visit(items: list[Any], step: Compute, run: Run) -> Any:
        scope = {"accumulator": start}
        for item in items:
            scope["current"] = item
            scope["accumulator"] = step(scope, run)
        return scope["accumulator"]

    return _over_items(compiler, written, place, visit, empty=start, fewest=1)
