"""Closures for lists and for operators that evaluate all of their arguments; the most common ones have shorter ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepdown.decide.flags.nodes import Compute, Node, Run
from stepdown.decide.flags.operators import OPERATORS
from stepdown.decide.flags.values import equal, text


def listed(nodes: list[Node]) -> Node:
    """A list; new each time, as the engine makes it, because lists are equal only to themselves."""
    size = 1 + sum(node.size for node in nodes)
    computes = tuple(node.compute for node in nodes)
    if not all(node.constant for node in nodes):
        return Node(lambda data, run: [compute(data, run) for compute in computes], size)
    return literal([node.value for node in nodes])


def literal(values: list[Any]) -> Node:
    """A list of constants."""
    return Node(lambda data, run: values.copy(), 1, True, values)


def operation(operator: str, nodes: list[Node]) -> Node:
    """An operator of `OPERATORS` with its arguments."""
    short = _SHORT.get(operator)
    compute = short(nodes) if short is not None and len(nodes) == 2 else None
    size = 1 + sum(node.size for node in nodes)
    return Node(compute or _apply(OPERATORS[operator], nodes), size, makes_list=operator in ("merge", "log"))


def _apply(function: Callable[..., Any], nodes: list[Node]) -> Compute:
    computes = tuple(node.compute for node in nodes)
    if len(computes) == 1:
        [only] = computes
        return lambda data, run: function(only(data, run))
    if len(computes) == 2:
        first, second = computes
        return lambda data, run: function(first(data, run), second(data, run))
    if len(computes) == 3:
        one, two, three = computes
        return lambda data, run: function(one(data, run), two(data, run), three(data, run))
    return lambda data, run: function(*[compute(data, run) for compute in computes])


def _equal_to_text(nodes: list[Node]) -> Compute | None:
    """`{"==": [{"var": "plan"}, "beta"]}`, either way round."""
    left, right = nodes
    if left.constant and isinstance(left.value, str):
        left, right = right, left
    if not right.constant or not isinstance(right.value, str):
        return None
    compute, wanted = left.compute, right.value

    def compare(data: Any, run: Run) -> Any:
        value = compute(data, run)
        return value == wanted if type(value) is str else equal(value, wanted)

    return compare


def _in_constants(nodes: list[Node]) -> Compute | None:
    """`{"in": [{"var": "country"}, ["de", "fr", ...]]}`: a look-up, however many there are."""
    needle, haystack = nodes
    if not haystack.constant or not isinstance(haystack.value, list):
        return None
    if not all(type(item) is str for item in haystack.value):
        return None
    compute, among = needle.compute, frozenset(haystack.value)

    def contained(data: Any, run: Run) -> Any:
        value = compute(data, run)
        return type(value) is str and value in among

    return contained


def _ends(method: str) -> Callable[[list[Node]], Compute | None]:
    def compile_ends(nodes: list[Node]) -> Compute | None:
        if not nodes[1].constant or not isinstance(nodes[1].value, str):
            return None
        compute, affix = nodes[0].compute, nodes[1].value
        if method == "startswith":
            return lambda data, run: value.startswith(affix) if isinstance(value := compute(data, run), str) else None
        return lambda data, run: value.endswith(affix) if isinstance(value := compute(data, run), str) else None

    return compile_ends


def _joined(nodes: list[Node]) -> Compute | None:
    """A short constant text before or after a value, as in keys: `{"cat": ["canary:", {"var": "user"}]}`."""
    left, right = nodes
    if not left.constant or not isinstance(left.value, str) or len(left.value) > 256:
        return None
    prefix, compute = left.value, right.compute
    cat = OPERATORS["cat"]

    def join(data: Any, run: Run) -> Any:
        value = compute(data, run)
        return prefix + value if type(value) is str and len(value) < 4096 else cat(prefix, text(value))

    return join


_SHORT: dict[str, Callable[[list[Node]], Compute | None]] = {
    "==": _equal_to_text,
    "in": _in_constants,
    "starts_with": _ends("startswith"),
    "ends_with": _ends("endswith"),
    "cat": _joined,
}
