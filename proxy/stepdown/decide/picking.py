"""One Python function for all rules of a route, which says the first that holds.

Ten closures cost ten times three calls, most of them to find out that a header is not there. So the conditions of a
route are written as one function: a header field is read once, by the first test that needs it, comparisons stand in
place, and only what is more than a comparison is called. Neighbouring rules that compare one header with texts are one
look-up in a dictionary. A route with rules on headers and on a list of ids becomes

    def pick(asked, client):
        head = asked.facts
        get = head.get
        if ((h0 := get(c0)) == c1) and (head.method in c2): return c3
        if h0 is not None and h0.startswith(c4) and ((h1 := get(c5)) in c6): return c7
        if (found := c8.get(h0)) is not None: return found
        if c9(client) or c10(asked): return c11
        return None

where every `c` is a constant, a global of this function alone: nothing that a configuration says becomes code, and what
is alike but for its constants is compiled once. A segment is a function of the same kind, one for all routes. What it
returns is what the closures of the same conditions would have chosen (a property test holds one against the other).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeVar

from stepdown.decide import leaves, when
from stepdown.decide.conditions import Condition, Conditions

Result = TypeVar("Result")

_INDENT = "    "
_NONE: frozenset[str] = frozenset()
_LEAST = 3
"""So many neighbouring rules at least are worth a dictionary."""


class Branch(NamedTuple):
    """A rule as far as picking goes."""

    node: when.When
    condition: Condition
    result: Any
    """Anything but `None`."""


def picker(
    rules: Iterable[tuple[when.When, Condition, Result]], conditions: Conditions, *, views: bool
) -> Callable[[Any, str], Result | None]:
    """The function: from a request and its client's address to the result of the first condition that holds, or `None`.

    Requests are views, or, where no condition needs one, heads.
    """
    writer = _Writer(conditions, views=views)
    lines = (
        f"head = asked{'.facts' if views else ''}",
        "get = head.get",
        *_statements([Branch(*rule) for rule in rules], writer),
        "return None",
    )
    source = "\n".join(["def pick(asked, client):", *(_INDENT + line for line in lines)])
    return FunctionType(_compiled(source).replace(), writer.constants)


@lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    """Compiled once for all rules that are alike but for their constants: of a thousand routes, and after a reload.

    Each function has a copy, since what the interpreter notes in a function's code is about that function's constants.
    """
    namespace: dict[str, Any] = {}
    exec(compile(source, "<stepdown rules>", "exec"), namespace)  # noqa: S102 - names only
    code: CodeType = namespace["pick"].__code__
    return code


def _statements(branches: Sequence[Branch], writer: _Writer) -> Iterator[str]:
    """A line for each rule, or for all of several neighbours that compare one header."""
    known: frozenset[str] = _NONE
    for header, group in groupby(branches, lambda branch: _compared(branch.node)):
        neighbours = list(group)
        if header is not None and len(neighbours) >= _LEAST:
            value, read = writer.header(header, known)
            yield f"if (found := {writer.constant(_by_value(neighbours))}.get({value})) is not None: return found"
            known |= read
            continue
        for node, condition, result in neighbours:
            expression, read = writer.condition(node, condition, known)
            yield f"if {expression}: return {writer.constant(result)}"
            known |= read


def _compared(node: when.When) -> str | None:
    """The header that a condition compares with one text or several, if that is all it does."""
    if isinstance(node, when.FieldIs) and node.source == "header" and (node.equals is not None or node.any_of):
        return node.name
    return None


def _by_value(branches: Iterable[Branch]) -> dict[bytes, Any]:
    """Results by the header's value; of several rules for one value the first counts."""
    results: dict[bytes, Any] = {}
    for node, _, result in branches:
        assert isinstance(node, when.FieldIs)
        for value in _wanted(node):
            results.setdefault(value, result)
    return results


def _wanted(field: when.FieldIs) -> tuple[bytes, ...]:
    values = field.any_of if field.equals is None else (field.equals,)
    return tuple(str(value).encode() for value in values)


class _Writer:
    """Writes conditions as expressions; remembers what they need.

    Each expression goes with the variables that are assigned once it has been evaluated, whatever came of it. `known`
    are those that are assigned when its evaluation begins; all others are assigned where they are first used.
    """

    def __init__(self, conditions: Conditions, *, views: bool) -> None:
        self._conditions = conditions
        self._views = views
        self._variables: dict[str, str] = {}
        self.constants: dict[str, Any] = {}

    def constant(self, value: Any) -> str:
        """A name that stands for the value."""
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def header(self, name: str, known: frozenset[str]) -> tuple[str, frozenset[str]]:
        """The value of a header field, and its variable, which later uses in the same expression name."""
        variable = self._variables.setdefault(name, f"h{len(self._variables)}")
        if variable in known:
            return variable, frozenset({variable})
        return f"({variable} := get({self.constant(name.encode())}))", frozenset({variable})

    def condition(self, node: when.When, condition: Condition, known: frozenset[str]) -> tuple[str, frozenset[str]]:
        """A whole condition; one that is nothing but a call stays the closure that it is."""
        expression, read = self._written(node, known)
        return expression or f"{self.constant(condition.holds)}(asked)", read

    def _written(self, node: when.When, known: frozenset[str]) -> tuple[str, frozenset[str]]:
        """The expression; empty where it would be no more than a call."""
        match node:
            case when.All():
                return self._joined(" and ", node.tests, known)
            case when.Any():
                return self._joined(" or ", node.tests, known)
            case when.Not():
                expression, read = self._part(node.test, known)
                return f"not ({expression})", read
            case when.MethodIs():
                return f"head.method in {self.constant(frozenset(one.encode() for one in node.any_of))}", _NONE
            case when.FieldIs(source="header"):
                return self._of_header(node, known)
            case when.FieldIs(source="cookie") if node.exists is not False:
                return self._of_cookie(node, known)
            case when.FieldIs(source="query") if node.exists is not False:
                holds = leaves.query_value_test(node, self._conditions.tools)
                return f"head.query and {self.constant(holds)}(head.query)", _NONE
            case when.HostIs():
                return f"{self.constant(leaves.host_value_test(node.any_of))}(head.host)", _NONE
            case when.ClientIn():
                holds_for = leaves.client_value_test(node.networks, self._conditions.tools.addresses)
                return f"{self.constant(holds_for)}(client)", _NONE
            case when.InSegment():
                return f"{self.constant(self._segment(node.name))}(asked, client)", _NONE
            case _:
                return "", _NONE

    def _joined(self, operator: str, tests: Iterable[when.When], known: frozenset[str]) -> tuple[str, frozenset[str]]:
        """Parts of which each is evaluated after all those before it, and only the first one always."""
        parts: list[str] = []
        always: frozenset[str] = _NONE
        for place, test in enumerate(tests):
            expression, read = self._part(test, known)
            parts.append(f"({expression})")
            known |= read
            always = read if place == 0 else always
        return operator.join(parts) or "True", always

    def _part(self, node: when.When, known: frozenset[str]) -> tuple[str, frozenset[str]]:
        expression, read = self._written(node, known)
        return expression or f"{self.constant(self._conditions.condition(node).holds)}(asked)", read

    def _segment(self, name: str) -> Callable[[Any, str], bool | None]:
        """The segment's function, which gives `True` or nothing."""
        written = self._conditions.written
        if (name, self._views) not in written:
            node = self._conditions.segments[name]
            rule = (node, self._conditions.condition(node), True)
            written[name, self._views] = picker([rule], self._conditions, views=self._views)
        return written[name, self._views]

    def _of_header(self, field: when.FieldIs, known: frozenset[str]) -> tuple[str, frozenset[str]]:
        value, read = self.header(field.name, known)
        (variable,) = read
        if field.exists is not None:
            return f"{value} is {'not ' if field.exists else ''}None", read
        if field.equals is not None:
            return f"{value} == {self.constant(_wanted(field)[0])}", read
        if field.any_of:
            return f"{value} in {self.constant(frozenset(_wanted(field)))}", read
        if field.prefix is not None:
            test = f"{variable}.startswith({self.constant(field.prefix.encode())})"
        elif field.suffix is not None:
            test = f"{variable}.endswith({self.constant(field.suffix.encode())})"
        else:
            test = f"{self.constant(leaves.value_test(field, self._conditions.tools))}({variable})"
        return f"{value} is not None and {test}", read

    def _of_cookie(self, field: when.FieldIs, known: frozenset[str]) -> tuple[str, frozenset[str]]:
        """The field has the cookie's name and value somewhere before it is worth looking for the pair."""
        value, read = self.header("cookie", known)
        (variable,) = read
        needles = [f"{field.name}=".encode(), *(_wanted(field) if field.equals is not None else ())]
        found = " and ".join(f"{variable}.find({self.constant(needle)}) >= 0" for needle in reversed(needles))
        holds = leaves.cookie_value_test(field, self._conditions.tools)
        return f"{value} is not None and {found} and {self.constant(holds)}({variable})", read
