"""What a conversion does to the schema of one value: shape by shape, by its effect or by its function itself.

Of a shape that lists its values, the function tells the result exactly. `1` in a list stands for `1.0` as well, which
a cast to a string does tell apart, so every spelling of a number is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays, meaning
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.shapes import opened
from stepdown_adapters.effects.study import Deep, Study
from stepdown_adapters.effects.unions import union
from stepdown_adapters.effects.values import MAX_CONSTANTS, Shape, constant, spellings, values_of
from stepdown_adapters.errors import Refusal

_UNFOLDED = 8


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is known of a conversion."""

    name: str
    effect: Callable[[Shape], Schema]
    function: Callable[[Any], Any] | None = None
    """The function itself, where it is one of a plain value alone."""


def converted(where: str, conversion: Conversion, schema: Schema, study: Study) -> Schema:
    """The schema of a value after the conversion by the operation at the index path `where`."""
    shapes = opened(schema, study.references)
    found = [_of_shape(conversion, shape, study.references) for shape in shapes]
    after = union(found)
    if schema is not False:
        visits = study.value(where, schema, after)
        for shape in shapes:
            told = meaning.told(shape, study.references)
            sentence = meaning.contradiction(conversion.name, told)
            if sentence is not None:
                visits.contradictions.append(sentence)
            elif told:
                visits.meaningful += 1
    return after


def _of_shape(conversion: Conversion, shape: Shape, references: References) -> Schema:
    name, effect, function = conversion.name, conversion.effect, conversion.function
    values = values_of(shape) if function is not None else None
    if function is not None and values is not None and len(values) <= MAX_CONSTANTS:
        result = union(constant(new) for value in values for new in _results(function, value))
    elif isinstance(effect, Deep):
        result = effect.function(shape, references)
    else:
        result = effect(_unfolded(shape, references))
    return meaning.after(name, shape, result, references)


def _results(function: Callable[[Any], Any], value: Any) -> list[Any]:
    found = []
    for spelling in spellings(value):
        try:
            found.append(function(spelling))
        except Refusal:
            continue
    return found


def _unfolded(shape: Shape, references: References, depth: int = 0) -> Shape:
    """The shape with the items of nested arrays opened as well, where they are of one shape."""
    if shape["type"] != "array" or depth == _UNFOLDED or "prefixItems" in shape:
        return shape
    items = opened(arrays.rest(shape), references)
    return shape if len(items) != 1 else {**shape, "items": _unfolded(items[0], references, depth + 1)}
