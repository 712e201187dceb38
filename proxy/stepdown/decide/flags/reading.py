"""Closures for `var`, `missing` and `missing_some`, and the record of what they read.

At the top of a targeting they read the request's context, to which flagd adds `$flagd.flagKey` and `$flagd.timestamp`;
inside of an iteration they read the item. A path that is known while compiling is looked up directly; one that is
computed makes the flag need everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepdown.decide.flags.nodes import Compute, Node, Run, constant
from stepdown.decide.flags.values import number, text
from stepdown.decide.flags.variables import missing, read, walk

if TYPE_CHECKING:
    from stepdown.decide.flags.compiler import Compiler


def variable(compiler: Compiler, nodes: list[Node]) -> Node:
    """`{"var": path}` or `{"var": [path, default]}`; with more arguments it fails, as in the engine."""
    size = 1 + sum(node.size for node in nodes)
    if len(nodes) > 2:
        return Node(_after(nodes, _too_many_arguments), size)
    key = nodes[0] if nodes else constant(None)
    if not key.constant or (compiler.in_item and isinstance(key.value, int | float)):
        whole = _whole(compiler)
        computes = tuple(node.compute for node in nodes)
        return Node(lambda data, run: read(whole(data, run), *[compute(data, run) for compute in computes]), size)
    compute = _reader(compiler, key.value)
    makes_list = False
    if key.value is not None and key.value != "" and len(nodes) > 1:
        compute = _or_default(compute, nodes[1].compute)
        makes_list = not nodes[1].constant or isinstance(nodes[1].value, list)
        nodes = []
    return Node(_after(nodes, compute), size, makes_list=makes_list)


def _too_many_arguments(data: Any, run: Run) -> Any:
    raise TypeError("var takes a path and a default")


def _after(nodes: list[Node], compute: Compute) -> Compute:
    """Evaluate arguments that the operator ignores, since they may fail, and then the operator."""
    ignored = tuple(node.compute for node in nodes if not node.constant)
    if not ignored:
        return compute

    def compute_after(data: Any, run: Run) -> Any:
        for each in ignored:
            each(data, run)
        return compute(data, run)

    return compute_after


def _or_default(compute: Compute, default: Compute) -> Compute:
    def compute_or_default(data: Any, run: Run) -> Any:
        otherwise = default(data, run)
        value = compute(data, run)
        return otherwise if value is None else value

    return compute_or_default


def _reader(compiler: Compiler, key: Any) -> Compute:
    """The closure that reads a path known while compiling; null where there is nothing."""
    if compiler.in_item:
        if isinstance(key, str) and key:
            segments = tuple(key.split("."))
            return lambda data, run: walk(data, segments)
        return lambda data, run: read(data, key)
    if key is None or key == "":
        return _whole(compiler)
    if isinstance(key, int | float):
        return lambda data, run: None  # a context has names, no numbers
    return _top_reader(compiler, text(key))


def _top_reader(compiler: Compiler, path: str) -> Compute:
    first, *rest = path.split(".")
    if first == "$flagd":
        return _flagd_reader(compiler, rest)
    compiler.paths.add(path)
    if not rest:
        return lambda data, run: data.get(first)
    if len(rest) == 1:
        [second] = rest

        def read_second(data: Any, run: Run) -> Any:
            value = data.get(first)
            return value.get(second) if type(value) is dict else walk(value, rest)

        return read_second
    return lambda data, run: walk(data.get(first), rest)


def _flagd_reader(compiler: Compiler, rest: list[str]) -> Compute:
    flag_key = compiler.flag_key
    if rest == ["flagKey"]:
        return lambda data, run: flag_key
    compiler.reads_time = True
    if rest == ["timestamp"]:
        return lambda data, run: run.now
    return lambda data, run: walk({"flagKey": flag_key, "timestamp": run.now}, rest)


def _whole(compiler: Compiler) -> Compute:
    """All that `var` could read, in one: the item, or the context with flagd's own members."""
    if compiler.in_item:
        return lambda data, run: data
    compiler.reads_everything = compiler.reads_time = True
    flag_key = compiler.flag_key

    def whole(data: Any, run: Run) -> Any:
        flagd = {"flagKey": flag_key, "timestamp": run.now}
        return {**data, "$flagd": flagd, "targetingKey": data.get("targetingKey")}

    return whole


def missing_keys(compiler: Compiler, nodes: list[Node]) -> Node:
    """`{"missing": [keys]}`: keys one by one, or one list of them."""
    size = 1 + sum(node.size for node in nodes)
    if not all(node.constant for node in nodes):
        whole = _whole(compiler)
        computes = tuple(node.compute for node in nodes)

        def find(data: Any, run: Run) -> Any:
            values = [compute(data, run) for compute in computes]
            return missing(whole(data, run), values[0] if isinstance(values[0], list) else values)

        return Node(find, size)
    values = [node.value for node in nodes]
    return Node(_missing_of(compiler, values[0] if values and isinstance(values[0], list) else values), size)


def _missing_of(compiler: Compiler, keys: list[Any]) -> Compute:
    readers = tuple((key, _reader(compiler, key)) for key in keys)

    def find(data: Any, run: Run) -> Any:
        found = [(key, reader(data, run)) for key, reader in readers]
        return [key for key, value in found if value is None or (isinstance(value, str) and value == "")]

    return find


def missing_some(compiler: Compiler, nodes: list[Node]) -> Node:
    """`{"missing_some": [how many, [keys]]}`: nothing if so many are there, else those that are not."""
    keys = nodes[1] if len(nodes) > 1 else constant(None)
    size = 1 + sum(node.size for node in nodes)
    computes = tuple(node.compute for node in nodes)
    known = _missing_of(compiler, keys.value) if keys.constant and isinstance(keys.value, list) else None
    whole = None if keys.constant else _whole(compiler)

    def find(data: Any, run: Run) -> Any:
        values = [compute(data, run) for compute in computes]
        wanted = values[1] if len(values) > 1 else None
        if not isinstance(wanted, list):
            return []
        needed = number(values[0])
        absent = known(data, run) if known else missing(whole(data, run), wanted) if whole else []
        return [] if len(wanted) - len(absent) >= needed else absent

    return Node(find, size)
