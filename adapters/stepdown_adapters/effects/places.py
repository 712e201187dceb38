"""Follows a path through a schema as `stepdown_adapters.places` follows it through a document.

Three rules make it safe to change what a path leads to.

    A member that may be missing     `fails`: documents without it are refused, so afterwards it is there.
                                     Otherwise it may still be missing, and is changed where it is there.
    `[member=value]`                 Items are divided by what their schema says of `member`. Only those that may fit
                                     are changed; an item that may also *not* fit keeps its old schema beside the new
                                     one (a weak update), and one that cannot fit only has the old.
    A value taken elsewhere          What is left and what was taken come as pairs (`taken`), one for each shape, so
                                     that an object of one shape never gets the value of another.

A shape of which nothing is left (a required member that cannot be) is a document that is always refused, and goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, NamedTuple

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays, objects
from stepdown_adapters.effects.meaning import passed_down, without_facts
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.shapes import is_possible, opened
from stepdown_adapters.effects.unions import union
from stepdown_adapters.effects.values import Shape, may_hold, values_of
from stepdown_adapters.json_values import equal
from stepdown_adapters.paths import LAST, Every, Member, Segment, Where

Change = Callable[[Schema], Schema]
"""What happens to the value of one place; `False` where every document that has it is refused."""
Segments = Sequence[Segment]
MAX_OUTCOMES = 24


def along(schema: Schema, segments: Segments, change: Change, references: References, *, fails: bool) -> Schema:
    """The schema after `change` of every place that the path leads to.

    It is the very schema that was given, with all that it says of several places together, only where no document
    changes: the path leads nowhere, or `change` gives back what it was given. So that nothing else is taken for that,
    `change` gets an object that nobody else has, and what was anything and is anything else now is `{}`, not `True`.
    """
    if not segments:
        given: Schema = dict(schema) if isinstance(schema, dict) else {} if schema else False
        after = change(given)
        return schema if after is given else _anew(after, schema)
    step, rest = segments[0], segments[1:]

    def below(inner: Schema) -> Schema:
        return along(inner, rest, change, references, fails=fails)

    return _each(schema, lambda shape: _step(shape, step, below, references, fails), references)


def _each(schema: Schema, visit: Callable[[Shape], list[Shape]], references: References) -> Schema:
    """The union of what becomes of each shape; the schema itself, and nothing else, where all shapes stay."""
    found: list[Shape] = []
    stays = True
    for shape in opened(schema, references):
        after = visit(shape)
        stays = stays and len(after) == 1 and after[0] is shape
        found += after
    return schema if stays else _anew(union(shape for shape in found if is_possible(shape)), schema)


def _anew(after: Schema, before: Schema) -> Schema:
    return {} if after is True and before is True else after


def _step(shape: Shape, step: Segment, below: Change, references: References, fails: bool) -> list[Shape]:
    absent = [] if fails else [shape]
    if shape["type"] == "object" and not isinstance(step, Where):
        return _members(shape, step, below, references, fails)
    if shape["type"] != "array":
        return absent
    if isinstance(step, Every):
        return _items(shape, lambda inner: below(passed_down(shape, inner, references)))
    if isinstance(step, Where):
        return _fitting(shape, step, below, references, fails)
    index = step.index
    if index is None or arrays.item(shape, index) is False:
        return absent
    if index >= arrays.MAX_INDEX:
        kept = _items(shape, lambda inner: union([inner, below(inner)]))
        return [arrays.longer(one, index + 1) for one in kept] if fails else kept
    first, inner = arrays.prefix(shape, index + 1), arrays.item(shape, index)
    first[index] = below(passed_down(shape, inner, references))
    if first[index] is False and not fails:  # the item cannot be there, so the array ends before it
        low, high = arrays.sizes(shape)
        kept_shape = arrays.rebuilt(shape, first[:index], True, low, index if high is None else min(high, index))
        return [kept_shape]
    result = arrays.with_items(shape, first, shape.get("items", True))
    return [arrays.longer(result, index + 1) if fails else result]


def _members(shape: Shape, step: Segment, below: Change, references: References, fails: bool) -> list[Shape]:
    """Objects after a change of one member, or of all."""
    if isinstance(step, Every):
        copy = without_facts(shape)
        copy = {keyword: value for keyword, value in copy.items() if keyword != "additionalProperties"}
        for keyword in ("properties", "patternProperties"):
            if keyword in shape:
                members = shape[keyword].items()
                copy[keyword] = {name: below(passed_down(shape, inner, references)) for name, inner in members}
        rest = shape.get("additionalProperties", True)
        if rest is not False:
            rest = below(passed_down(shape, rest, references))
        return [copy if rest is True else {**copy, "additionalProperties": rest}]
    assert isinstance(step, Member)
    inner = objects.member(shape, step.name)
    if inner is False:
        return [] if fails else [shape]
    inner = passed_down(shape, inner, references)
    after = below(inner)
    if after is False:
        refused = fails or objects.is_required(shape, step.name)
        return [] if refused else [objects.lacking(shape, step.name)]
    if after is inner and (not fails or objects.is_required(shape, step.name)):
        return [shape]
    return [objects.changed(shape, step.name, after, present=fails)]


def _items(shape: Shape, change: Change) -> list[Shape]:
    """Arrays after a change of every item."""
    high = shape.get("maxItems")
    first = [False if high is not None and at >= high else change(one) for at, one in enumerate(arrays.prefix(shape))]
    rest = arrays.rest(shape)
    rest = False if rest is False else change(rest)
    cut = next((at for at, one in enumerate(first) if one is False), None)
    if cut is not None and cut >= shape.get("minItems", 0):  # nothing can stand there, so the array ends before it
        limit = cut if high is None else min(high, cut)
        return [arrays.rebuilt(without_facts(shape), first[:cut], True, shape.get("minItems", 0), limit)]
    return [arrays.with_items(without_facts(shape), first, rest)]


def _fitting(shape: Shape, where: Where, below: Change, references: References, fails: bool) -> list[Shape]:
    """Arrays after a change of the items that fit."""
    fits: list[bool] = []  # in the order of the items; the last is for all after the prefix
    must_fit = fails and arrays.sizes(shape)[1] == 1  # the only item there can be

    def change(inner: Schema) -> Schema:
        fitting, others = divided(passed_down(shape, inner, references), where, references)
        fits.append(fitting is not False)
        if fitting is False:
            return inner
        return below(fitting) if must_fit else union([below(fitting), others])

    changed = _items(shape, change)
    if True not in fits:
        return [] if fails else [shape]
    return [arrays.longer(one, fits.index(True) + 1) for one in changed] if fails else changed


def divided(schema: Schema, where: Where, references: References) -> tuple[Schema, Schema]:
    """Schemas of the items that may fit a `[member=value]`, and of those that may not."""
    fitting: list[Schema] = []
    others: list[Schema] = []
    for shape in opened(schema, references):
        inner = objects.member(shape, where.name) if shape["type"] == "object" else False
        if inner is False:
            others.append(shape)
            continue
        accepted, refused = _divided_values(inner, where, references)
        if accepted:
            fitting.append(objects.changed(shape, where.name, {"enum": accepted}, present=True))
        rest = union(refused)
        if not accepted:
            others.append(shape)
        elif rest is not False:
            others.append(objects.changed(shape, where.name, rest, present=False))
        elif not objects.is_required(shape, where.name):
            others.append(objects.lacking(shape, where.name))
    if not fitting:
        return False, schema
    return (schema if not others else union(fitting)), union(others)


def _divided_values(schema: Schema, where: Where, references: References) -> tuple[list[Any], list[Shape]]:
    """Values of a member that fit, and shapes of those that may not."""
    accepted: list[Any] = []
    refused: list[Shape] = []
    for shape in opened(schema, references):
        values = values_of(shape)
        if values is not None:
            fitting = [value for value in values if where.accepts(value)]
            left = [value for value in values if not where.accepts(value)]
            accepted += fitting
            if left:
                refused.append(shape if not fitting else {**shape, "enum": left})
            continue
        candidates = [where.text] if equal(where.text, where.literal) else [where.text, where.literal]
        accepted += [value for value in candidates if _has_json(value) and may_hold(shape, value)]
        refused.append(shape)
    return accepted, refused


def _has_json(value: Any) -> bool:
    return not isinstance(value, float) or isfinite(value)


def removed(schema: Schema, last: Segment, references: References, *, fails: bool) -> Schema:
    """The schema after the places that one segment leads to were removed from their container."""
    return _each(schema, lambda shape: _removed(shape, last, references, fails), references)


def _removed(shape: Shape, last: Segment, references: References, fails: bool) -> list[Shape]:
    absent = [] if fails else [shape]
    if shape["type"] == "object" and isinstance(last, Member):
        if objects.member(shape, last.name) is False:
            return absent
        return [objects.without_member(shape, last.name)]
    if isinstance(last, Every) and shape["type"] in ("object", "array"):
        return [objects.EMPTY if shape["type"] == "object" else arrays.array(True, 0, 0)]
    if shape["type"] != "array":
        return absent
    if isinstance(last, Where):
        parts = [divided(inner, last, references) for inner in [*arrays.prefix(shape), arrays.rest(shape)]]
        if all(fitting is False for fitting, _ in parts):
            return absent
        low, high = arrays.left(shape, [fitting is False for fitting, _ in parts], [one is False for _, one in parts])
        fewer = arrays.sizes(shape)[1] if fails else None  # at least one goes
        high = high if fewer is None or (high is not None and high < fewer) else fewer - 1
        return [arrays.rebuilt(shape, (), union(others for _, others in parts), low, high)]
    assert isinstance(last, Member)
    if last.index is None or arrays.item(shape, last.index) is False:
        return absent
    return [_without_item(arrays.longer(shape, last.index + 1) if fails else shape, last.index)]


def _without_item(shape: Shape, index: int) -> Shape:
    """Arrays after the item at `index`, where there was one, was removed and the next ones moved up."""
    low, high = arrays.sizes(shape)
    low = low if low <= index else low - 1
    high = high if high is None or high <= index else high - 1
    if index >= arrays.MAX_INDEX:
        return arrays.rebuilt(shape, (), arrays.any_item(shape), low, high)
    first = arrays.prefix(shape, index + 1)
    del first[index]
    return arrays.rebuilt(shape, first, arrays.rest(shape), low, high)


class Taken(NamedTuple):
    """What is left of the documents of one shape, and what was at the place."""

    rest: Schema
    value: Schema
    missing: bool = False
    """Whether there was nothing at the place; `value` is then `False`."""


def taken(schema: Schema, segments: Segments, references: References, *, fails: bool, removes: bool) -> list[Taken]:
    """What comes of taking the value at the one place that the path leads to, and whether it stays there as well."""
    if not segments:
        return [Taken(schema, schema)] if schema is not False else []
    step, rest = segments[0], segments[1:]
    found: list[Taken] = []
    for shape in opened(schema, references):
        found += _taken(shape, step, rest, references, fails=fails, removes=removes)
    return _merged([one for one in found if isinstance(one.rest, dict) and is_possible(one.rest)])


def _taken(
    shape: Shape, step: Segment, rest: Segments, references: References, *, fails: bool, removes: bool
) -> list[Taken]:
    missing = [] if fails else [Taken(shape, False, True)]

    def inside(inner: Schema) -> list[Taken]:
        return taken(inner, rest, references, fails=fails, removes=removes)

    if shape["type"] == "object" and isinstance(step, Member):
        return _taken_member(shape, step.name, inside, missing, last=not rest, removes=removes)
    if shape["type"] != "array":
        return missing
    if isinstance(step, Where):
        return _taken_fitting(shape, step, inside, missing, references, last=not rest, removes=removes)
    assert isinstance(step, Member)
    index = step.index
    if index is None or arrays.item(shape, index) is False:
        return missing
    found = [] if fails or arrays.sizes(shape)[0] > index else missing
    there = arrays.longer(shape, index + 1)
    if not is_possible(there):
        return found
    inner = passed_down(shape, arrays.item(shape, index), references)
    if not rest:
        return [*found, Taken(_without_item(there, index) if removes else there, inner)]
    for one in inside(inner):
        if index >= arrays.MAX_INDEX:
            left = _items(there, lambda item, one=one: union([item, one.rest]))[0]  # type: ignore[misc]
        else:
            first = arrays.prefix(there, index + 1)
            first[index] = one.rest
            left = arrays.with_items(there, first, there.get("items", True))
        found.append(one._replace(rest=left))
    return found


def _taken_member(
    shape: Shape, name: str, inside: Callable[[Schema], list[Taken]], missing: list[Taken], *, last: bool, removes: bool
) -> list[Taken]:
    inner = objects.member(shape, name)
    if inner is False:
        return missing
    found = []
    if missing and not objects.is_required(shape, name):
        found.append(Taken(objects.lacking(shape, name), False, True))
    there = objects.changed(shape, name, inner, present=True)
    if not is_possible(there):
        return found
    if last:
        return [*found, Taken(objects.without_member(there, name) if removes else there, inner)]
    return found + [one._replace(rest=objects.changed(there, name, one.rest, present=True)) for one in inside(inner)]


def _taken_fitting(
    shape: Shape,
    where: Where,
    inside: Callable[[Schema], list[Taken]],
    missing: list[Taken],
    references: References,
    *,
    last: bool,
    removes: bool,
) -> list[Taken]:
    """From the one item that fits; documents with several are refused, so all other items do not fit."""
    inners = [*arrays.prefix(shape), arrays.rest(shape)]
    parts = [divided(passed_down(shape, inner, references), where, references) for inner in inners]
    item = union(fitting for fitting, _ in parts)
    if item is False:
        return missing
    low, high = arrays.sizes(shape)
    left = union(others for _, others in parts)
    found = [Taken(arrays.rebuilt(shape, (), left, low, high), False, True)] if missing else []
    if last and removes:
        fewer = None if high is None else high - 1
        return [*found, Taken(arrays.rebuilt(shape, (), left, max(0, low - 1), fewer), item)]
    outcomes = [Taken(item, item)] if last else inside(item)
    for one in outcomes:
        items = union([left, one.rest])
        found.append(one._replace(rest=arrays.rebuilt(shape, (), items, max(1, low), high)))
    return found


def _merged(found: list[Taken]) -> list[Taken]:
    """Few outcomes: beyond the bound, pairs are given up."""
    if len(found) <= MAX_OUTCOMES:
        return found
    merged = []
    for missing in (False, True):
        some = [one for one in found if one.missing is missing]
        if some:
            merged.append(Taken(union(one.rest for one in some), union(one.value for one in some), missing))
    return merged


def put(schema: Schema, parent: Segments, last: Segment, value: Schema, references: References) -> Schema:
    """The schema after a value was added at `last` of the container at `parent`; missing objects are made."""
    if not parent:
        return union(new for shape in opened(schema, references) for new in _put(shape, last, value))
    step, rest = parent[0], parent[1:]

    def below(inner: Schema) -> Schema:
        return put(inner, rest, last, value, references)

    found: list[Shape] = []
    for shape in opened(schema, references):
        if shape["type"] == "object" and isinstance(step, Member):
            inner = objects.member(shape, step.name)
            made = False if objects.is_required(shape, step.name) else below(objects.EMPTY)
            after = union([False if inner is False else below(inner), made])
            if after is not False:
                found.append(objects.with_member(shape, step.name, after))
        else:
            found += _step(shape, step, below, references, fails=True)
    return union(shape for shape in found if is_possible(shape))


def _put(shape: Shape, last: Segment, value: Schema) -> list[Shape]:
    assert isinstance(last, Member)
    if value is False:
        return []
    if shape["type"] == "object":
        return [objects.with_member(shape, last.name, value)]
    if shape["type"] != "array":
        return []
    low, high = arrays.sizes(shape)
    more = None if high is None else high + 1
    if last.name == LAST:
        # Where the array ends is only known from its least length on: any later item may be the new one.
        first = [one if at < low else union([one, value]) for at, one in enumerate(arrays.prefix(shape))]
        return [arrays.rebuilt(shape, first[:more], union([arrays.rest(shape), value]), low + 1, more)]
    index = last.index
    if index is None or (high is not None and index > high):
        return []
    if index >= arrays.MAX_INDEX:
        return [arrays.rebuilt(shape, (), union([arrays.any_item(shape), value]), max(low, index) + 1, more)]
    first = arrays.prefix(shape, index)
    first.insert(index, value)
    return [arrays.rebuilt(shape, first, shape.get("items", True), max(low, index) + 1, more)]
