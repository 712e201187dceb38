"""Reads the section `fold`: names, each with a rule or a list of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stepdown_adapters import paths
from stepdown_adapters.errors import PathError, Problem
from stepdown_adapters.json_values import kind
from stepdown_adapters.operations.conditions import conditions
from stepdown_adapters.operations.options import Options, is_name, is_number
from stepdown_adapters.stream.adapting.folds import HOWS, Fold
from stepdown_adapters.stream.adapting.selectors import ANY, By, Selector, selector

_STARTS: dict[str, Any] = {"sum": 0, "count": 0, "join": "", "list": []}
"""What is folded before the first value, unless `start` says otherwise; of the others there is nothing yet."""


@dataclass
class Folds:
    """What the section says."""

    rules: tuple[Fold, ...] = ()
    starts: dict[str, Any] = field(default_factory=dict)


def fold_rules(raw: Any, problems: list[Problem]) -> Folds:
    """The rules of all names; mistakes are noted, each with its place below `raw`."""
    if not isinstance(raw, dict):
        problems.append(Problem("", f"is a mapping of names to what is folded, not {kind(raw)}"))
        return Folds()
    folds = Folds()
    rules: list[Fold] = []
    for name, given in raw.items():
        if not is_name(name) or not name:
            problems.append(Problem("", f"a fold has a name, not {kind(name)}"))
            continue
        listed = given if isinstance(given, list) else [given]
        own: list[Fold] = []
        for index, one in enumerate(listed):
            noted: list[Problem] = []
            own.append(_rule(name, one, f"fold/{name}[{index}]", folds.starts, noted))
            place = (name, index) if isinstance(given, list) else (name,)
            problems += [Problem(each.where, each.sentence, each.nearest, place) for each in noted]
        problems += _mixed(name, own)
        rules += own
    folds.rules = tuple(rules)
    return folds


def _rule(name: str, raw: Any, where: str, starts: dict[str, Any], problems: list[Problem]) -> Fold:
    options = Options("", "fold", raw, problems)
    if isinstance(raw, str):
        options.has("path")
    hows = [how for how in HOWS if options.has(how)]
    if len(hows) != 1:
        options.problem(None, f"needs one of {', '.join(HOWS)}: what becomes of the values")
    how = hows[0] if hows else "set"
    is_constant = how == "set"
    path = paths.ROOT if is_constant else options.path(how)
    if path.many:
        options.problem(how, "takes one value of an event, so * cannot stand in its path")
    start = options.value("start") if options.has("start") else _STARTS.get(how)
    if options.has("start") or how in _STARTS:
        if name in starts and options.has("start") and "start" in options.raw and starts[name] != start:
            options.problem("start", "is said twice, or is another one than that of the rule before")
        starts.setdefault(name, start)
        _check_start(how, start, options)
    fold = Fold(
        name=name,
        where=where,
        selectors=_selectors(options),
        how=how,
        path=path,
        constant=options.value("set") if hows and is_constant else None,
        conditions=conditions(options, "where") if options.has("where") else (),
    )
    options.finish()
    return fold


def _check_start(how: str, start: Any, options: Options) -> None:
    wrong = {
        "sum": not is_number(start),
        "count": not isinstance(start, int) or isinstance(start, bool),
        "join": not isinstance(start, str),
        "list": not isinstance(start, list),
    }.get(how, False)
    if wrong:
        options.problem("start", f"{kind(start)} is nothing that {how} could go on from")


def _selectors(options: Options) -> tuple[Selector, ...]:
    raw = options.raw["on"] if options.has("on") else ANY
    found: list[Selector] = []
    for text in raw if isinstance(raw, list) else [raw]:
        try:
            one = selector(text)
        except PathError as error:
            options.problem("on", str(error))
            continue
        if one.by is By.DONE:
            options.problem("on", "[DONE] has no values that could be folded")
        found.append(one)
    return tuple(found)


def _mixed(name: str, rules: Sequence[Fold]) -> list[Problem]:
    """Rules of one name go on from each other's values, so they have to be of one kind."""
    hows = {"last" if one.how in ("last", "first", "set") else one.how for one in rules}
    if len(hows) < 2:
        return []
    sentence = f"has rules by {' and '.join(sorted(hows))}, which cannot go on from each other"
    return [Problem("", sentence, within=(name,))]
