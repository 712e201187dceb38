"""Conversions of arrays and objects as wholes; what they only carry around stays as it is."""

from __future__ import annotations

from itertools import chain
from math import exp, prod
from typing import Any

from stepdown_adapters.codec import Codec
from stepdown_adapters.effects import collections as effects
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind, require_array, require_object
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Structural
from stepdown_adapters.operations.options import Options, is_count, is_name, is_names
from stepdown_adapters.operations.scalars import as_float
from stepdown_adapters.paths import Member, Path
from stepdown_adapters.runtime import MISSING, copied


def _wrap(options: Options) -> Structural:
    name = options.get("as", "the name of a member", is_name, None)
    return Structural(lambda value, _: [value] if name is None else {name: value}, effects.wrapped(name))


def _head(_options: Options) -> Structural:
    def convert(value: Any, codec: Codec) -> Any:
        array = require_array(codec.opened(value))
        if len(array) != 1:
            raise Refusal(f"the array has {len(array)} items, and exactly one is needed")
        return array[0]

    return Structural(convert, effects.HEAD)


def _project(options: Options) -> Structural:
    keep = frozenset(options.need("keep", "a list of the members that stay", is_names, []))

    def convert(value: Any, codec: Codec) -> dict[str, Any]:
        members = require_object(codec.opened(value))
        for name in [name for name in members if name not in keep]:
            del members[name]
        return members

    return Structural(convert, effects.projected(keep))


def _slice(options: Options) -> Structural:
    start = options.get("start", "a whole number from 0 on", is_count, 0)
    end = options.get("end", "a whole number from 0 on", is_count, None)
    if not options.has("start") and not options.has("end"):
        options.problem(None, "needs start or end")
    effect = effects.sliced(start, end)
    return Structural(lambda value, codec: require_array(codec.opened(value))[start:end], effect)


def _sort_by(options: Options) -> Structural:
    by = _by(options)
    descending = options.choice("order", ("ascending", "descending"), "ascending") == "descending"
    effect = effects.reordered(None)
    return Structural(lambda value, codec: ordered(value, by, descending, codec), effect)


def _top_k(options: Options) -> Structural:
    count = options.need("k", "a whole number from 0 on", is_count, 0)
    by = _by(options)
    effect = effects.reordered(count)
    return Structural(lambda value, codec: ordered(value, by, True, codec)[:count], effect)


def _by(options: Options) -> Path:
    path = options.path("by", required=False)
    if any(not isinstance(segment, Member) for segment in path.segments):
        options.problem("by", "leads to one member of each item")
    return path


def ordered(value: Any, by: Path, descending: bool, codec: Codec) -> list[Any]:
    """The items in the order of what `by` leads to in each; equal ones keep their order."""
    array = list(require_array(codec.opened(value)))
    keys = [codec.plain(_lookup(item, by, codec)) for item in array]
    if not all(isinstance(key, str) for key in keys):
        keys = [as_float(key) if not isinstance(key, int) or isinstance(key, bool) else key for key in keys]
    order = sorted(range(len(array)), key=keys.__getitem__, reverse=descending)
    return [array[index] for index in order]


def _lookup(item: Any, path: Path, codec: Codec) -> Any:
    for segment in path.segments:
        item = codec.opened(item)
        assert isinstance(segment, Member)
        member = item.get(segment.name, MISSING) if isinstance(item, dict) else MISSING
        if member is MISSING:
            raise Refusal(f"{kind(item)} has no member {segment.name!r} to sort by")
        item = member
    return item


def _to_entries(options: Options) -> Structural:
    key, value = _entry_names(options)

    def convert(given: Any, codec: Codec) -> list[dict[str, Any]]:
        return [{key: name, value: member} for name, member in require_object(codec.opened(given)).items()]

    return Structural(convert, effects.to_entries(key, value))


def _from_entries(options: Options) -> Structural:
    key, value = _entry_names(options)

    def convert(given: Any, codec: Codec) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for index, item in enumerate(require_array(codec.items(given))):
            entry = require_object(codec.opened(item))
            if entry.keys() != {key, value}:
                raise Refusal(f"item {index} has the members {sorted(entry)}, not {sorted((key, value))}")
            name = codec.plain(entry[key])
            if not isinstance(name, str):
                raise Refusal(f"item {index}: {kind(name)} cannot name a member; cast it first")
            if name in result:
                raise Refusal(f"item {index}: {name!r} is there twice")
            result[name] = entry[value]
        return result

    return Structural(convert, effects.from_entries(key, value))


def _entry_names(options: Options) -> tuple[str, str]:
    key = options.get("key", "the name of a member", is_name, "key")
    value = options.get("value", "the name of a member", is_name, "value")
    if key == value:
        options.problem("value", "key and value have the same name")
    return key, value


def _softmax(_options: Options) -> Structural:
    return Structural(lambda value, codec: softmax(codec.plain(value)), effects.SOFTMAX)


def softmax(value: Any) -> list[Any]:
    """`e^x / sum(e^x)` over an array of numbers, or over each innermost array."""
    array = require_array(value)
    if array and all(isinstance(item, list) for item in array):
        return [softmax(item) for item in array]
    if not array:
        raise Refusal("an empty array has no softmax")
    numbers = [as_float(item) for item in array]
    highest = max(numbers)  # taken off first, so that no power overflows
    powers = [exp(x - highest) for x in numbers]
    total = sum(powers)
    return [power / total for power in powers]


def _argmax(options: Options) -> Structural:
    labels = options.get("labels", "a list of labels", lambda v: isinstance(v, list) and bool(v), None)

    def convert(value: Any, codec: Codec) -> Any:
        return argmax(codec.plain(value), labels)

    return Structural(convert, effects.highest(labels))


def argmax(value: Any, labels: list[Any] | None) -> Any:
    """Index, or label, of the highest number of an array (the first of equals), or of each innermost array."""
    array = require_array(value)
    if array and all(isinstance(item, list) for item in array):
        return [argmax(item, labels) for item in array]
    if not array:
        raise Refusal("an empty array has no highest item")
    if labels is not None and len(labels) != len(array):
        raise Refusal(f"{len(array)} numbers for {len(labels)} labels")
    numbers = [as_float(item) for item in array]
    index = numbers.index(max(numbers))
    return index if labels is None else copied(labels[index])


def _flatten(_options: Options) -> Structural:
    return Structural(lambda value, codec: flattened(require_array(codec.opened(value)), codec), effects.FLATTENED)


def flattened(array: list[Any], codec: Codec) -> list[Any]:
    """All items that are no arrays, in order, however deep."""
    opened = [codec.opened(item) for item in array]
    if not any(isinstance(item, list) for item in opened):
        return array
    parts = zip(array, opened, strict=True)
    return list(chain.from_iterable(flattened(o, codec) if isinstance(o, list) else [a] for a, o in parts))


def _reshape(options: Options) -> Structural:
    shape = options.need("shape", "a list of sizes, one of them perhaps -1", _is_shape, [-1])

    def convert(value: Any, codec: Codec) -> list[Any]:
        return reshaped(flattened(require_array(codec.opened(value)), codec), shape)

    return Structural(convert, effects.reshaped(shape))


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(is_count(size) or (size == -1 and not isinstance(size, bool)) for size in value)
        and value.count(-1) <= 1
    )


def reshaped(flat: list[Any], shape: list[int]) -> list[Any]:
    """The items of a flat array as nested arrays of these sizes, row by row."""
    known = prod(size for size in shape if size >= 0)
    fits = len(flat) == known if -1 not in shape else known > 0 and len(flat) % known == 0
    if not fits:
        raise Refusal(f"{len(flat)} items do not fill the shape {shape}")
    sizes = [size if size >= 0 else len(flat) // known for size in shape]
    rows = flat
    for depth in range(len(sizes) - 1, 0, -1):
        size = sizes[depth]
        if size == 0:
            rows = [[] for _ in range(prod(sizes[:depth]))]
        elif size > 1 or rows:
            rows = [rows[start : start + size] for start in range(0, len(rows), size)]
    return rows


ROWS = (
    Row("wrap", _wrap, Loss.LOSSLESS, "head, or a move, undoes it", whole=True),
    Row("head", _head, Loss.LOSSLESS, "only an array of one item is unwrapped", whole=True),
    Row("project", _project, Loss.LOSSY, "what is not kept is lost", whole=True, fills=False),
    Row(
        "slice",
        _slice,
        Loss.LOSSY,
        "items outside of the slice are lost",
        whole=True,
        operands={"start": 0, "end": 1},
        late_effect=effects.fewer(),
    ),
    Row("sort_by", _sort_by, Loss.LOSSY, "the old order is lost", whole=True),
    Row(
        "top_k",
        _top_k,
        Loss.LOSSY,
        "all but k items are lost",
        whole=True,
        operands={"k": 1},
        late_effect=effects.fewer(),
    ),
    Row("to_entries", _to_entries, Loss.LOSSLESS, "from_entries undoes it", whole=True),
    Row("from_entries", _from_entries, Loss.LOSSY, "the order of the items is lost", whole=True),
    Row("softmax", _softmax, Loss.LOSSY, "logits are lost up to a constant", whole=True),
    Row("argmax", _argmax, Loss.LOSSY, "scores become an index or a label", whole=True),
    Row("flatten", _flatten, Loss.LOSSY, "the shape is lost", whole=True),
    Row("reshape", _reshape, Loss.LOSSY, "the old shape is lost", whole=True),
)
