"""Conversions that choose, merge and rename the items and members of a collection: filter, unique, group, map_keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum
from typing import Any

from stepdown_adapters.codec import Codec
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import collections as effects
from stepdown_adapters.effects.places import along
from stepdown_adapters.effects.references import References
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import require_array, require_object
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.conditions import conditions
from stepdown_adapters.operations.convert import Row, Structural
from stepdown_adapters.operations.members import identity, member_path, need
from stepdown_adapters.operations.options import Options, is_name
from stepdown_adapters.operations.scalars import finite, in_range, number
from stepdown_adapters.paths import Member, Path

Number = int | float


def _filter(options: Options) -> Structural:
    wanted = conditions(options, "where")

    def convert(value: Any, codec: Codec) -> list[Any]:
        array = require_array(codec.items(value))
        return [item for item in array if all(condition.holds(item, codec) for condition in wanted)]

    def narrowed(item: Schema, references: References) -> Schema:
        for condition in wanted:
            item = condition.narrowed(item, references)
        return item

    return Structural(convert, effects.each_item(narrowed))


def _unique(options: Options) -> Structural:
    by = member_path(options, "by")

    def convert(value: Any, codec: Codec) -> list[Any]:
        firsts: dict[Any, Any] = {}
        for item in require_array(codec.items(value)):
            firsts.setdefault(identity(need(item, by, codec, "to be told apart by")), item)
        return list(firsts.values())

    return Structural(convert, effects.fewer(1))


def total(numbers: Sequence[Any]) -> Number:
    """The sum; of integers an integer."""
    read = [number(value) for value in numbers]
    integers = [value for value in read if isinstance(value, int)]
    if len(integers) == len(read):
        return in_range(sum(integers))
    return _finite(lambda: fsum(read))


def mean(numbers: Sequence[Any]) -> Number:
    """The sum divided by how many there are."""
    read = [number(value) for value in numbers]
    return _finite(lambda: fsum(read) / len(read))


def _finite(calculate: Callable[[], float]) -> Number:
    try:
        return finite(calculate())
    except OverflowError:
        raise Refusal("the result is too large for floating point") from None


MERGES: dict[str, Callable[[Sequence[Any]], Number]] = {
    "sum": total,
    "max": lambda numbers: max(number(value) for value in numbers),
    "min": lambda numbers: min(number(value) for value in numbers),
    "mean": mean,
}


def _group(options: Options) -> Structural:
    by = member_path(options, "by", required=True)
    merged = {how: member_path(options, how) for how in MERGES if options.has(how)}
    if not merged:
        options.problem(None, f"needs one of {', '.join(MERGES)}: the member that is merged")
    for how, path in merged.items():
        if not path.segments or path == by:
            options.problem(how, "merges another member of each item than the one that it is grouped by")
    if len(set(merged.values())) < len(merged):
        options.problem(None, "merges each member in one way")

    def convert(value: Any, codec: Codec) -> list[Any]:
        groups: dict[Any, list[Any]] = {}
        for item in require_array(codec.items(value)):
            groups.setdefault(identity(need(item, by, codec, "to be grouped by")), []).append(item)
        for items in groups.values():
            for how, path in merged.items():
                found = MERGES[how]([need(item, path, codec, "to be merged") for item in items])
                _put(items, path, found, codec)
        return [items[0] for items in groups.values()]

    def as_numbers(item: Schema, references: References) -> Schema:
        for path in merged.values():
            item = along(item, path.segments, lambda _: {"type": "number"}, references, fails=True)
        return item

    return Structural(convert, effects.each_item(as_numbers))


def _put(items: list[Any], path: Path, value: Any, codec: Codec) -> None:
    """Sets what the path leads to in the first item, and opens what is on the way."""
    holder: Any = items
    key: Any = 0
    for segment in path.segments:
        assert isinstance(segment, Member)
        holder[key] = codec.opened(holder[key])
        holder = holder[key]
        key = segment.name if isinstance(holder, dict) else segment.index
    holder[key] = value


def _map_keys(options: Options) -> Structural:
    table = options.need("table", "a mapping of old names to new ones", _is_renaming, {})
    policy = options.choice("on_unmapped", ("fail", "keep", "remove"), "fail")

    def convert(value: Any, codec: Codec) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, member in require_object(codec.opened(value)).items():
            if name not in table and policy == "fail":
                raise Refusal(f"the table has nothing for the member {name!r}")
            if name not in table and policy == "remove":
                continue
            new = table.get(name, name)
            if new in result:
                raise Refusal(f"two members would have the name {new!r}; group them first")
            result[new] = member
        return result

    return Structural(convert, effects.renamed(table, policy))


def _is_renaming(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(is_name(one) and is_name(two) for one, two in value.items())


ROWS = (
    Row("filter", _filter, Loss.LOSSY, "items that do not fit are lost", whole=True),
    Row("unique", _unique, Loss.LOSSY, "all but the first of equal items are lost", whole=True),
    Row("group", _group, Loss.LOSSY, "the numbers of the single items are lost", whole=True),
    Row("map_keys", _map_keys, Loss.LOSSY, "lossless where on_unmapped removes nothing", whole=True),
)
