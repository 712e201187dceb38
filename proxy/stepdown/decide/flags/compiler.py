"""Compiles targeting, which is JSONLogic with flagd's own operators, to closures.

An object with one member is an operator with its arguments, a list is a list of expressions, and all else stands for
itself, objects of none or several members included. What can be decided while compiling is: paths are split, the flag's
key is put in, versions and weights that are constants are read once.

Mistakes do not make a file unusable, since to flagd they are errors of the one evaluation that reaches them: an unknown
operator in a branch that is never taken does no harm. They are compiled to expressions that raise, and noted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepdown.decide.flags import bucketing, iteration, plain, reading
from stepdown.decide.flags.findings import Finding, pointer, quoted
from stepdown.decide.flags.nodes import Compute, Needs, Node, Run, UnknownOperatorError, constant
from stepdown.decide.flags.operators import OPERATORS
from stepdown.decide.flags.values import truthy

DEEPEST = 64
"""Levels of lists and operators in one flag's targeting, shared evaluators put in."""

LARGEST = 10_000
"""Expressions in one flag's targeting, shared evaluators put in. A list of plain values, however long, is one."""

Place = tuple[str | int, ...]


class TooComplexError(Exception):
    """The targeting is over `DEEPEST` or `LARGEST`; `str()` is a sentence."""


class Compiler:
    """Compiles the targeting of one flag, and notes what it reads and what is wrong with it."""

    def __init__(self, flag_key: str, evaluators: Mapping[str, Any], generation: int) -> None:
        self.flag_key = flag_key
        self.generation = generation
        self.paths: set[str] = set()
        self.reads_time = False
        self.reads_everything = False
        self.size = 0
        self.findings: list[Finding] = []
        self._evaluators = evaluators
        self._open: list[str] = []  # shared evaluators that are being put in, outermost first
        self._depth = 0
        self._in_item = 0  # iterations around: `var` reads their item, not the context

    @property
    def needs(self) -> Needs:
        """What the compiled targeting reads."""
        return Needs(frozenset(self.paths), self.reads_time, self.reads_everything)

    @property
    def in_item(self) -> bool:
        """Whether the expression being compiled is evaluated for an item of a list."""
        return self._in_item > 0

    def note(self, place: Place, problem: str) -> None:
        """Remember a mistake that will be an error when it is evaluated."""
        self.findings.append(Finding(pointer(*place), problem))

    def compile(self, expression: Any, place: Place) -> Node:
        """One expression; raises `TooComplexError`."""
        self.size += 1
        if self.size > LARGEST:
            raise TooComplexError(f"more than {LARGEST} expressions, shared evaluators put in")
        if self._depth >= DEEPEST:
            raise TooComplexError(f"nested deeper than {DEEPEST} levels, shared evaluators put in")
        self._depth += 1
        try:
            if isinstance(expression, list):
                if not any(isinstance(item, list | dict) for item in expression):
                    return plain.literal(expression)
                return plain.listed([self.compile(item, (*place, index)) for index, item in enumerate(expression)])
            if isinstance(expression, dict) and len(expression) == 1:
                [(operator, arguments)] = expression.items()
                return self._operation(operator, arguments, (*place, operator))
            return constant(expression)
        finally:
            self._depth -= 1

    def compile_item(self, expression: Any, place: Place) -> Node:
        """An expression that is evaluated with an item as its data."""
        self._in_item += 1
        try:
            return self.compile(expression, place)
        finally:
            self._in_item -= 1

    def _operation(self, operator: str, arguments: Any, place: Place) -> Node:
        if operator == "$ref" and isinstance(arguments, str):
            return self._reference(arguments, place)
        written = arguments if isinstance(arguments, list) else [arguments]
        special = _ITERATIONS.get(operator)
        if special is not None:
            return special(self, written, place)
        nodes = [
            self.compile(argument, (*place, index) if isinstance(arguments, list) else place)
            for index, argument in enumerate(written)
        ]
        if operator in _BRANCHES:
            return _BRANCHES[operator](nodes)
        if operator in _READERS:
            return _READERS[operator](self, nodes)
        if operator in OPERATORS:
            return plain.operation(operator, nodes)
        return self._unknown(operator, nodes, place)

    def _reference(self, name: str, place: Place) -> Node:
        if name in self._evaluators and name not in self._open:
            self._open.append(name)
            try:
                return self.compile(self._evaluators[name], ("$evaluators", name))
            finally:
                self._open.pop()
        why = "refers to itself" if name in self._open else "is not under $evaluators"
        self.note(place, f"the shared evaluator {quoted(name)} {why}; evaluating this is a PARSE_ERROR")
        return _raising(f"unknown $ref {quoted(name)}", [constant(name)])

    def _unknown(self, operator: str, nodes: list[Node], place: Place) -> Node:
        self.note(place, f"there is no operator {quoted(operator)}; evaluating this is a PARSE_ERROR")
        return _raising(f"unknown operator {quoted(operator)}", nodes)


def _raising(message: str, nodes: list[Node]) -> Node:
    """An operator that there is not: its arguments are evaluated first, so it is the first mistake that is told."""
    computes = [node.compute for node in nodes if not node.constant]

    def fail(data: Any, run: Run) -> Any:
        for compute in computes:
            compute(data, run)
        raise UnknownOperatorError(message)

    return Node(fail, 1 + sum(node.size for node in nodes))


def _branches(nodes: list[Node]) -> Node:
    """`if`: pairs of a condition and a result, then what holds otherwise (null where it is left out)."""
    pairs = tuple((nodes[at].compute, nodes[at + 1].compute) for at in range(0, len(nodes) - 1, 2))
    otherwise = nodes[-1].compute if len(nodes) % 2 else constant(None).compute
    size = 1 + sum(node.size for node in nodes)
    if len(pairs) == 1:
        [(condition, result)] = pairs

        def choose(data: Any, run: Run) -> Any:
            holds = condition(data, run)
            if holds is True or (holds is not False and truthy(holds)):
                return result(data, run)
            return otherwise(data, run)

        return Node(choose, size)

    def choose_first(data: Any, run: Run) -> Any:
        for condition, result in pairs:
            holds = condition(data, run)
            if holds is True or (holds is not False and truthy(holds)):
                return result(data, run)
        return otherwise(data, run)

    return Node(choose_first, size)


def _first(nodes: list[Node], wanted: bool) -> Node:
    """`or` (`wanted` true): the first true value, else the last; `and`: the first false one, else the last."""
    computes: tuple[Compute, ...] = tuple(node.compute for node in nodes)

    def choose(data: Any, run: Run) -> Any:
        value: Any = None
        for compute in computes:
            value = compute(data, run)
            if (value if value is True or value is False else truthy(value)) is wanted:
                return value
        return value

    return Node(choose, 1 + sum(node.size for node in nodes))


_BRANCHES: dict[str, Callable[[list[Node]], Node]] = {
    "if": _branches,
    "?:": _branches,
    "and": lambda nodes: _first(nodes, False),
    "or": lambda nodes: _first(nodes, True),
}

_READERS: dict[str, Callable[[Compiler, list[Node]], Node]] = {
    "var": reading.variable,
    "missing": reading.missing_keys,
    "missing_some": reading.missing_some,
    "fractional": bucketing.fractional_node,
}

_ITERATIONS: dict[str, Callable[[Compiler, list[Any], Place], Node]] = {
    "map": iteration.mapped,
    "filter": iteration.filtered,
    "reduce": iteration.reduced,
    "all": iteration.all_hold,
    "some": iteration.some_hold,
    "none": iteration.none_holds,
}

SPECIAL = frozenset({*_BRANCHES, *_READERS, *_ITERATIONS})
"""Operators that do not just take the values of their arguments."""
