"""Reads a list of operations from the file's form, and reports all of its mistakes at once.

An operation is a mapping with one key, its name: `{sigmoid: "/data/*"}`, `{replace: {path: /name, value: score}}`. The
one with more keys is `{in: "/outputs/*", do: [...]}`, which may also have `where` and `on_missing`; `in` and `case`
have lists of operations inside of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepdown_adapters.errors import OperationError, Problem, nearest
from stepdown_adapters.json_values import kind
from stepdown_adapters.operations.base import Operation
from stepdown_adapters.operations.case import Case
from stepdown_adapters.operations.conditions import conditions
from stepdown_adapters.operations.convert import Convert
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.options import Options, is_name
from stepdown_adapters.operations.sifting import sifting
from stepdown_adapters.operations.table import CONVERSIONS, EDITS, NAMES
from stepdown_adapters.operations.within import In

MAX_NESTING = 16
"""How deep `in` may stand in `in`; Python itself allows 20 nested loops in a function."""


def parse(raw: Sequence[Any], missing: str = "fail") -> tuple[Operation, ...]:
    """The operations of a list; `missing` is the `on_missing` of those that say none and have no default of their own.

    Raises:
        OperationError: with one `Problem` for each mistake; its `where` is an index path such as `[1]/do/0/sigmoid`.
    """
    problems: list[Problem] = []
    listed = _listed(raw, "", problems)
    operations = [_operation(item, f"[{index}]", problems, 0, missing) for index, item in enumerate(listed)]
    if problems:
        raise OperationError(problems)
    return tuple(operation for operation in operations if operation is not None)


def parse_one(raw: Any, where: str, problems: list[Problem]) -> Operation | None:
    """One operation of a list in which other things stand too; `None` where it cannot be read, noted in `problems`."""
    return _operation(raw, where, problems, 0, "fail")


def _listed(raw: Any, where: str, problems: list[Problem]) -> Sequence[Any]:
    if isinstance(raw, list | tuple):
        return raw
    problems.append(Problem(where or "[]", f"a list of operations is needed, not {kind(raw)}"))
    return ()


def _operation(raw: Any, where: str, problems: list[Problem], depth: int, missing: str) -> Operation | None:
    if not isinstance(raw, dict) or not raw:
        problems.append(Problem(where, f"an operation is a mapping such as {{remove: /x}}, not {kind(raw)}"))
        return None
    if "in" in raw or "do" in raw:
        return _within(raw, where, problems, depth, missing)
    if len(raw) > 1:
        names = ", ".join(str(name) for name in raw)
        problems.append(Problem(where, f"one operation has one name, not {names}; write one list entry for each"))
        return None
    name, given = next(iter(raw.items()))
    if name == Case.name:
        return _case(given, f"{where}/case", problems, depth, missing)
    options = Options(f"{where}/{name}", str(name), given, problems, missing, takes_list=name in HEAD_EDITS)
    if name in EDITS:
        operation: Operation = EDITS[name].parse(options)
    elif name in HEAD_EDITS:
        operation = HEAD_EDITS[name].parse(options)
        if depth:
            options.problem(None, "acts on the head of the answer, so it stands outside of in")
    elif name in CONVERSIONS:
        operation = sifting(Convert.parse(CONVERSIONS[name], options), options)
    else:
        problems.append(Problem(f"{where}/{name}", f"there is no operation {str(name)!r}", nearest(str(name), NAMES)))
        return None
    options.finish()
    return operation


def _within(raw: dict[str, Any], where: str, problems: list[Problem], depth: int, missing: str) -> Operation | None:
    options = Options(where, "in", raw, problems, missing)
    path = options.path("in")
    on_missing = options.on_missing(fills=False)
    if not options.has("do"):
        options.problem("in", "needs do: a list of operations")
    wanted = conditions(options, "where") if options.has("where") else ()
    if depth == MAX_NESTING:
        options.problem("in", f"stands in more than {MAX_NESTING} others")
        return None
    options.finish()
    operations = _inner(raw.get("do", ()), f"{where}/do", problems, depth, missing)
    return In(where=where, path=path, operations=operations, on_missing=on_missing, conditions=wanted)


def _case(given: Any, where: str, problems: list[Problem], depth: int, missing: str) -> Operation | None:
    options = Options(where, Case.name, given, problems, missing)
    path = options.path()
    if path.many:
        options.problem("path", "has one discriminator, so * cannot stand in its path; use in for several places")
    on_missing = options.on_missing(fills=False)
    when = options.need("when", "a mapping of values to lists of operations", _is_branches, {})
    otherwise = options.raw.get("otherwise", "fail") if options.has("otherwise") else "fail"
    if not isinstance(otherwise, list | tuple) and otherwise not in ("fail", "skip"):
        options.problem("otherwise", f"otherwise is fail, skip or a list of operations, not {otherwise!r}")
    if depth == MAX_NESTING:
        options.problem(None, f"stands in more than {MAX_NESTING} others")
        return None
    options.finish()
    branches = {
        value: _inner(listed, f"{where}/when/{value}", problems, depth, missing) for value, listed in when.items()
    }
    rest: tuple[Operation, ...] | None = () if otherwise == "skip" else None
    if isinstance(otherwise, list | tuple):
        rest = _inner(otherwise, f"{where}/otherwise", problems, depth, missing)
    return Case(where=where, path=path, branches=branches, otherwise=rest, on_missing=on_missing)


def _is_branches(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(is_name, value))


def _inner(raw: Any, where: str, problems: list[Problem], depth: int, missing: str) -> tuple[Operation, ...]:
    """The operations of a list inside of another operation."""
    found = [
        _operation(item, f"{where}/{index}", problems, depth + 1, missing)
        for index, item in enumerate(_listed(raw, where, problems))
    ]
    return tuple(operation for operation in found if operation is not None)
