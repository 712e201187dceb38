"""The closure for `fractional`: constant weights are added up while compiling, so that only the key is hashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepdown.decide.flags.fractional import Pick, fractional, pick_of, shares_of, shorthand_key
from stepdown.decide.flags.nodes import Compute, Node, Run

if TYPE_CHECKING:
    from stepdown.decide.flags.compiler import Compiler


def fractional_node(compiler: Compiler, nodes: list[Node]) -> Node:
    """`{"fractional": [key, [variant, weight], ...]}`, or without a key."""
    size = 1 + sum(node.size for node in nodes)
    if nodes and all(node.constant for node in nodes):
        values = [node.value for node in nodes]
        if isinstance(values[0], list):
            pick = pick_of(shares_of(values, compiler.generation), compiler.generation)
            return Node(_shorthand(compiler, pick), size)
    elif nodes and all(node.constant for node in nodes[1:]):
        pick = pick_of(shares_of([node.value for node in nodes[1:]], compiler.generation), compiler.generation)
        return Node(_by_key(compiler, nodes, pick), size)
    return Node(_general(compiler, nodes), size)


def _shorthand(compiler: Compiler, pick: Pick) -> Compute:
    generation, flag_key = compiler.generation, compiler.flag_key
    if compiler.in_item:

        def pick_for_item(data: Any, run: Run) -> Any:
            key = shorthand_key(data, generation)
            return None if key is None else pick(key)

        return pick_for_item
    compiler.paths.add("targetingKey")

    def pick_for_targeting_key(data: Any, run: Run) -> Any:
        targeting_key = data.get("targetingKey")
        if not targeting_key or (generation == 3 and not isinstance(targeting_key, str)):
            return None
        return pick([flag_key, targeting_key] if generation == 3 else flag_key + targeting_key)

    return pick_for_targeting_key


def _by_key(compiler: Compiler, nodes: list[Node], pick: Pick) -> Compute:
    """The variants are constants. A key that turns out to be a list is the first of the variants, and the rest is slow.

    Any other key that is no text makes null. (With one, the engine fails on a `targetingKey` that is no text either.)
    """
    compute, generation = nodes[0].compute, compiler.generation
    slow = _from_values(compiler, reads_key=nodes[0].makes_list)
    rest = [node.value for node in nodes[1:]]
    always = generation == 3 or compiler.in_item  # an item that is no object has no key to fall back to: an error

    def pick_for_key(data: Any, run: Run) -> Any:
        key = compute(data, run)
        if type(key) is str:
            return pick(key) if key or generation == 3 else None
        return slow(data, [key, *rest]) if always or isinstance(key, list) else None

    return pick_for_key


def _general(compiler: Compiler, nodes: list[Node]) -> Compute:
    computes, slow = tuple(node.compute for node in nodes), _from_values(compiler, reads_key=True)
    return lambda data, run: slow(data, [compute(data, run) for compute in computes])


def _from_values(compiler: Compiler, reads_key: bool) -> Any:
    """The operator over evaluated arguments; the shorthand's key comes from the context, or from the item."""
    generation = compiler.generation
    if compiler.in_item:
        return lambda data, values: fractional(data, values, generation)
    if reads_key:
        compiler.paths.add("targetingKey")
    flagd = {"flagKey": compiler.flag_key}

    def from_values(data: Any, values: list[Any]) -> Any:
        return fractional({"$flagd": flagd, "targetingKey": data.get("targetingKey")}, values, generation)

    return from_values
