"""One Python function for all rules of a route, which says the first that holds.

Ten closures cost ten times three calls, most of them to find out that a header is not there. So the conditions of a
route are written as one function: header fields are read once into local variables, comparisons stand in place, and
only what is more than a comparison is called. A route with rules on a header and on a list of ids becomes

    def pick(asked):
        head = asked.facts
        get = head.get
        h0 = get(c8)
        if (h0 == c0) and (head.method in c1): return c2
        if h0 in c3: return c4
        if c5(asked): return c6
        if True: return c7
        return None

where every `c` is a constant: nothing that a configuration says becomes code. What it returns is what the closures of
the same conditions would have chosen (a property test holds one against the other).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from stepdown.decide import leaves, when
from stepdown.decide.conditions import Condition, Conditions

Result = TypeVar("Result")

_INDENT = "    "


def picker(
    rules: Iterable[tuple[when.When, Condition, Result]], conditions: Conditions, *, views: bool
) -> Callable[[Any], Result | None]:
    """The function: from a request to the result of the first condition that holds, or `None`.

    Requests are views, or, where no condition needs one, heads.
    """
    writer = _Writer(conditions)
    branches = [
        f"if {writer.condition(node, condition)}: return {writer.constant(result)}" for node, condition, result in rules
    ]
    source = "\n".join(
        [
            "def pick(asked):",
            *(
                _INDENT + line
                for line in [f"head = asked{'.facts' if views else ''}", *writer.reads(), *branches, "return None"]
            ),
        ]
    )
    namespace: dict[str, Any] = dict(writer.constants)
    exec(compile(source, "<stepdown rules>", "exec"), namespace)  # noqa: S102 - names and constants only
    pick: Callable[[Any], Result | None] = namespace["pick"]
    return pick


class _Writer:
    """Writes conditions as expressions; remembers what they need."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._headers: dict[str, str] = {}
        self.constants: dict[str, Any] = {}

    def constant(self, value: Any) -> str:
        """A name that stands for the value."""
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def reads(self) -> list[str]:
        """The lines that read the header fields which the expressions name."""
        if not self._headers:
            return []
        fields = [f"{variable} = get({self.constant(name.encode())})" for name, variable in self._headers.items()]
        return ["get = head.get", *fields]

    def condition(self, node: when.When, condition: Condition) -> str:
        """A whole condition; one that is nothing but a call stays the closure that it is."""
        return self._written(node) or f"{self.constant(condition.holds)}(asked)"

    def _written(self, node: when.When) -> str:
        """The expression; empty where it would be no more than a call."""
        match node:
            case when.All():
                return " and ".join(f"({self._part(one)})" for one in node.tests) or "True"
            case when.Any():
                return " or ".join(f"({self._part(one)})" for one in node.tests)
            case when.Not():
                return f"not ({self._part(node.test)})"
            case when.MethodIs():
                return f"head.method in {self.constant(frozenset(one.encode() for one in node.any_of))}"
            case when.FieldIs(source="header"):
                return self._header(node)
            case when.FieldIs(source="cookie") if node.exists is not False:
                field, needle = self._variable("cookie"), self.constant(f"{node.name}=".encode())
                cookies_hold = leaves.cookie_value_test(node, self._conditions.tools)
                return f"{field} is not None and {needle} in {field} and {self.constant(cookies_hold)}({field})"
            case when.FieldIs(source="query") if node.exists is not False:
                holds = leaves.query_value_test(node, self._conditions.tools)
                return f"head.query and {self.constant(holds)}(head.query)"
            case when.HostIs():
                return f"{self.constant(leaves.host_value_test(node.any_of))}(head.host)"
            case when.ClientIn():
                holds_for = leaves.client_value_test(node.networks, self._conditions.tools.addresses)
                return f"{self.constant(holds_for)}(asked.client)"
            case _:
                return ""

    def _part(self, node: when.When) -> str:
        return self._written(node) or self._call(node)

    def _call(self, node: when.When) -> str:
        return f"{self.constant(self._conditions.condition(node).holds)}(asked)"

    def _variable(self, header: str) -> str:
        return self._headers.setdefault(header, f"h{len(self._headers)}")

    def _header(self, field: when.FieldIs) -> str:
        value = self._variable(field.name)
        if field.exists is not None:
            return f"{value} is {'not ' if field.exists else ''}None"
        if field.equals is not None:
            return f"{value} == {self.constant(str(field.equals).encode())}"
        if field.any_of:
            return f"{value} in {self.constant(frozenset(str(one).encode() for one in field.any_of))}"
        if field.prefix is not None:
            return f"{value} is not None and {value}.startswith({self.constant(field.prefix.encode())})"
        if field.suffix is not None:
            return f"{value} is not None and {value}.endswith({self.constant(field.suffix.encode())})"
        holds = leaves.value_test(field, self._conditions.tools)
        return f"{value} is not None and {self.constant(holds)}({value})"
