"""Reads what is emitted: `"[DONE]"`, or a mapping of `data`, `envelope`, `do`, `event`, `each` and `when`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepdown_adapters.errors import Problem
from stepdown_adapters.operations import Operation
from stepdown_adapters.operations.conditions import conditions
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.options import Options, is_name
from stepdown_adapters.operations.parsing import parse_one
from stepdown_adapters.stream.adapting.rules import Emit
from stepdown_adapters.stream.adapting.selectors import DONE
from stepdown_adapters.stream.adapting.templates import Make, Node, template


def emission(raw: Any, where: str, problems: list[Problem], envelope: Mapping[str, Node]) -> Emit:
    """The emission, whose `data` begins with the envelope; mistakes are noted, each with its place below `raw`."""
    if raw == DONE:
        return Emit(where, payload=DONE.encode())
    noted: list[Problem] = []
    options = Options("", "emit", raw, noted)
    if isinstance(raw, str):
        noted.append(Problem("", f"emits {DONE!r}, or what a mapping of data, envelope, do, event, each and when says"))
        options.has("path")
    made: list[Operation] = []
    if options.has("data"):
        data = template(options, "data")
        if options.get("envelope", "true or false", lambda value: isinstance(value, bool), True) and isinstance(
            data, dict
        ):
            data = {**envelope, **data}
        made.append(Make(where=f"{where}/data", template=data))
    listed = options.get("do", "a list of operations", lambda value: isinstance(value, list), [])
    for index, item in enumerate(listed):
        made += _operation(item, where, index, noted)
    each = options.path("each") if options.has("each") else None
    emit = Emit(
        where=where,
        operations=tuple(made),
        event=options.get("event", "a name without a line break", _is_type, None),
        fresh="data" in options.raw,
        each=each,
        conditions=conditions(options, "when") if options.has("when") else (),
    )
    options.finish()
    problems += noted
    return emit


def _operation(raw: Any, where: str, index: int, noted: list[Problem]) -> list[Operation]:
    """One operation of `do`; its place is said in full, and that of its mistakes below `emit`."""
    if isinstance(raw, dict) and raw.keys() & HEAD_EDITS.keys():
        noted.append(Problem(f"/do/{index}", "acts on the head of an answer, and events have none"))
        return []
    found: list[Problem] = []
    operation = parse_one(raw, f"{where}/do/{index}", found)
    noted += [Problem(one.where.removeprefix(where), one.sentence, one.nearest) for one in found]
    return [] if operation is None else [operation]


def _is_type(value: Any) -> bool:
    return is_name(value) and not {"\r", "\n", "\0"} & set(value)
