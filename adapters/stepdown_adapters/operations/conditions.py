"""Conditions on a value: what `filter` keeps and `refuse` refuses.

    {path: /type, equals: text}          also not_equals, in: [...], not_in: [...]
    {path: /score, at_least: 0.5}        also over, at_most, under; of numbers
    {path: /tool_calls/1, exists: true}

Several tests in one condition, or several conditions in a list, have to hold together. Without a path it is the value
itself that is tested. Where the path leads nowhere, `exists: false`, `not_equals` and `not_in` hold and nothing else
does (as in RFC 9535 section 2.3.5.2.2); a comparison of what is no number is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepdown_adapters import navigate, paths
from stepdown_adapters.code import Code
from stepdown_adapters.codec import Codec
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.narrowing import equal_to
from stepdown_adapters.effects.places import along
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.unions import union
from stepdown_adapters.errors import PathError
from stepdown_adapters.json_values import equal, flaw, kind
from stepdown_adapters.operations.members import look
from stepdown_adapters.operations.options import Options, is_number
from stepdown_adapters.operations.scalars import number
from stepdown_adapters.paths import Member, Path
from stepdown_adapters.runtime import MISSING

Test = Callable[[Any, Any], bool]

_VALUES: dict[str, Test] = {
    "equals": lambda value, wanted: value is not MISSING and equal(value, wanted),
    "not_equals": lambda value, wanted: value is MISSING or not equal(value, wanted),
}
_LISTS: dict[str, Test] = {
    "in": lambda value, wanted: value is not MISSING and any(equal(value, one) for one in wanted),
    "not_in": lambda value, wanted: value is MISSING or not any(equal(value, one) for one in wanted),
}
_COMPARISONS: dict[str, Test] = {
    "at_least": lambda value, bound: value is not MISSING and number(value) >= bound,
    "over": lambda value, bound: value is not MISSING and number(value) > bound,
    "at_most": lambda value, bound: value is not MISSING and number(value) <= bound,
    "under": lambda value, bound: value is not MISSING and number(value) < bound,
}
_EXISTS: dict[str, Test] = {"exists": lambda value, wanted: (value is not MISSING) == wanted}
TESTS = {**_VALUES, **_LISTS, **_COMPARISONS, **_EXISTS}


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests of what is at one path."""

    path: Path
    tests: tuple[tuple[str, Any], ...]
    """Names of tests, each with what it compares with."""

    def holds(self, value: Any, codec: Codec) -> bool:
        """Whether all tests hold; `value` may be lazy."""
        found = look(value, self.path, codec)
        plain = MISSING if found is MISSING else codec.plain(found)
        return all(TESTS[name](plain, wanted) for name, wanted in self.tests)

    def emitted(self, code: Code, spot: str) -> str:
        """An expression of the same about the opened value at `spot`; whether a member is there needs no call."""
        match self:
            case Condition(path=Path(segments=(Member(index=None) as member,)), tests=(("exists", wanted),)):
                there, _ = navigate.asked(code, spot, member)
                return f"({there})" if wanted else f"not ({there})"
        return f"{code.constant(self.holds, 'holds')}({spot}, codec)"

    def narrowed(self, schema: Schema, references: References) -> Schema:
        """Of the schema, what may fulfil the condition: of some tests, only the values that they ask for."""
        for name, wanted in self.tests:
            if name in ("equals", "in"):
                values = [wanted] if name == "equals" else wanted
                schema = along(schema, self.path.segments, _one_of(values, references), references, fails=True)
        return schema


def _one_of(values: list[Any], references: References) -> Callable[[Schema], Schema]:
    return lambda place: union(equal_to(place, value, references) for value in values)


def conditions(options: Options, key: str) -> tuple[Condition, ...]:
    """The conditions of a required option: one, or a list of them."""
    if not options.has(key):
        options.problem(None, f"needs {key}: a condition such as {{path: /type, equals: text}}, or a list of them")
        return ()
    raw = options.raw[key]
    listed = raw if isinstance(raw, list) else [raw]
    if not listed:
        options.problem(key, f"{key} is a condition, or a list of at least one")
    found = [_condition(options, key, item) for item in listed]
    return tuple(condition for condition in found if condition is not None)


def _condition(options: Options, key: str, raw: Any) -> Condition | None:
    if not isinstance(raw, dict) or not raw.keys() - {"path"} or not raw.keys() - {"path"} <= TESTS.keys():
        shown = ", ".join(map(str, raw)) if isinstance(raw, dict) else kind(raw)
        options.problem(key, f"a condition is a mapping of path and {', '.join(TESTS)}, not {shown}")
        return None
    try:
        path = paths.parse(raw.get("path", ""))
    except PathError as error:
        options.problem(key, str(error))
        return None
    if path.many:
        options.problem(key, "a condition tests one place, so * cannot stand in its path")
    tests = tuple((name, wanted) for name, wanted in raw.items() if name != "path")
    for name, wanted in tests:
        wrong = flaw(wanted)
        if name in _LISTS and not isinstance(wanted, list):
            wrong = f"{kind(wanted)} is no list of values"
        elif name in _COMPARISONS and not is_number(wanted):
            wrong = wrong or f"{kind(wanted)} is not a number"
        elif name in _EXISTS and not isinstance(wanted, bool):
            wrong = "true or false is needed"
        if wrong:
            options.problem(key, f"{name}: {wrong}")
    return Condition(path, tests)
