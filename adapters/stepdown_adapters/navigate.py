"""Writes the code that walks a path through a lazy document, opening it on the way.

Two walks: `every` visits all the places that a path leads to, as loops; `single` goes to the one place of a path
without `*`, straight on. Where a missing place fails, the code needs no question: `document["outputs"]` itself raises,
and the emitted function turns that into an `AdaptError`. Where it may be missing, each step asks first.
"""

from __future__ import annotations

from collections.abc import Callable

from stepdown_adapters.code import Code, literal
from stepdown_adapters.paths import Every, Member, Path, Segment, Where

Visit = Callable[[str], None]


def opened(code: Code, spot: str, following: Segment | None = None, hint: str = "value", *, fails: bool = False) -> str:
    """Code that opens the value at `spot`; returns the name of a variable that holds it.

    With `fails`, what cannot have the `following` segment may raise here already.
    """
    opener = "items" if isinstance(following, Every | Where) else "opened"
    if fails and isinstance(following, Member) and following.index is None:
        opener = "object_of"
    if code.is_open(spot):
        return spot
    if spot.isidentifier():
        with code.block(f"if {spot}.__class__ is Raw:"):
            code.assign(spot, f"{opener}({spot})")
        return spot
    name = _variable(code, spot, hint)
    code.line(f"if {name}.__class__ is Raw: {name} = {spot} = {opener}({name})")
    return name


def _variable(code: Code, spot: str, hint: str) -> str:
    """A variable that holds what is at `spot`."""
    name = code.known(spot)
    if name is None:
        name = code.fresh(hint)
        code.line(f"{name} = {spot}")
    return name


def held(code: Code, spot: str, path: Path) -> str:
    """Code that keeps the opened value at `spot`, where `path` led, in a variable; returns its name."""
    if spot.isidentifier():
        return opened(code, spot)
    name = _variable(code, spot, "item")
    if not isinstance(path.last, Where):  # `matching` has opened what it found
        code.line(f"if {name}.__class__ is Raw: {name} = {spot} = opened({name})")
    code.alias(name, spot)
    return name


def every(code: Code, spot: str, path: Path, visit: Visit, *, fails: bool, hint: str = "document") -> None:
    """Code that runs what `visit` writes for every place; the place exists and is not opened yet."""
    if not path.segments:
        visit(spot)
        return
    segment, rest = path.segments[0], Path(path.segments[1:])
    container = opened(code, spot, segment, hint, fails=fails)
    if isinstance(segment, Member):
        below = segment.name
        if fails:
            every(code, _member(code, container, segment), rest, visit, fails=fails, hint=below)
            _learn(code, container, segment)
            return
        condition, key = asked(code, container, segment)
        with code.block(f"if {condition}:"):
            every(code, f"{container}[{key}]", rest, visit, fails=fails, hint=below)
        return
    index = code.fresh("index")
    spot = f"{container}[{index}]"
    if isinstance(segment, Every):
        item = code.fresh("item")
        code.know(spot, item)
        others = f"{'entries_of' if fails else 'entries_if_any'}({container})"
        entries = f"enumerate({container}) if {container}.__class__ is list else {others}"
        header = f"for {index}, {item} in {entries}:"
    else:
        keys = f"matching({container}, {code.constant(segment, f'where_{segment.name}')}, {fails})"
        header = f"for {index} in {keys}:"
    with code.block(header):
        every(code, spot, rest, visit, fails=fails, hint="item")


def single(code: Code, spot: str, path: Path, visit: Visit, *, fails: bool, hint: str = "document") -> None:
    """Code that runs what `visit` writes for the one place of a path without `*`."""
    if not path.segments:
        visit(spot)
        return
    segment, rest = path.segments[0], Path(path.segments[1:])
    container = opened(code, spot, segment, hint, fails=fails)
    if isinstance(segment, Member):
        if fails:
            single(code, _member(code, container, segment), rest, visit, fails=fails, hint=segment.name)
            _learn(code, container, segment)
            return
        condition, key = asked(code, container, segment)
        with code.block(f"if {condition}:"):
            single(code, f"{container}[{key}]", rest, visit, fails=fails, hint=segment.name)
        return
    assert isinstance(segment, Where)
    index = code.fresh("index")
    where = code.constant(segment, f"where_{segment.name}")
    code.line(f"{index} = only(matching({container}, {where}, {fails}), {where})")
    if fails:
        single(code, f"{container}[{index}]", rest, visit, fails=fails, hint="item")
        return
    with code.block(f"if {index} >= 0:"):
        single(code, f"{container}[{index}]", rest, visit, fails=fails, hint="item")


def made(code: Code, spot: str, path: Path) -> str:
    """Code that goes to the one place of `path` and makes missing members on the way; returns its expression."""
    for segment in path.segments:
        container = opened(code, spot, segment, "target")
        if isinstance(segment, Member):
            name = literal(segment.name)
            condition = "" if code.is_object(container) else f"if isinstance({container}, dict): "
            code.line(f"{condition}{container}.setdefault({name}, {{}})")
            spot = _member(code, container, segment)
        else:
            index, where = code.fresh("index"), code.constant(segment, "where")
            code.line(f"{index} = only(matching({container}, {where}, True), {where})")
            spot = f"{container}[{index}]"
    return spot


def asked(code: Code, container: str, segment: Member) -> tuple[str, str]:
    """A condition that holds where the member is there, and the expression of its key."""
    name = literal(segment.name)
    if segment.index is None:
        certain = "" if code.is_object(container) else f"isinstance({container}, dict) and "
        return f"{certain}{name} in {container}", name
    key = code.fresh("key")
    return f"({key} := key_if_any({container}, {name}, {segment.index})) is not MISSING", key


def _learn(code: Code, container: str, segment: Member) -> None:
    """Whatever was emitted for a place that must exist has read it, so its container is an object by now."""
    if segment.index is None:
        code.learn_object(container)


def _member(code: Code, container: str, segment: Member) -> str:
    """The expression for a member that must be there; reading it raises where it is not."""
    name = literal(segment.name)
    if segment.index is None:
        return f"{container}[{name}]"
    key = code.fresh("key")
    code.line(f"{key} = key_of({container}, {name}, {segment.index})")
    return f"{container}[{key}]"
