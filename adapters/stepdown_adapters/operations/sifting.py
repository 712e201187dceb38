"""A conversion that may take a value away instead of converting it, with the member or item that held it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stepdown_adapters import navigate, places
from stepdown_adapters.code import Code, literal
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays, objects
from stepdown_adapters.effects.conversions import Conversion, converted
from stepdown_adapters.effects.places import along
from stepdown_adapters.effects.shapes import opened
from stepdown_adapters.effects.study import Study
from stepdown_adapters.effects.unions import union
from stepdown_adapters.effects.values import Shape
from stepdown_adapters.operations.convert import Convert, Scalar
from stepdown_adapters.operations.options import Options
from stepdown_adapters.paths import Every, Member, Path
from stepdown_adapters.runtime import MISSING


@dataclass(frozen=True, kw_only=True)
class Sifting(Convert):
    """A scalar conversion whose function may give `MISSING`."""

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        assert isinstance(self.conversion, Scalar)
        fails = self.on_missing.fails
        for holder, name in places.select(container, key, self.path.parent, fails=fails):
            keys = [last for _, last in places.select(holder, name, Path(self.path.segments[-1:]), fails=fails)]
            sift(holder[name], keys, self.conversion.function)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        assert isinstance(self.conversion, Scalar)
        function, reader = self.conversion.function, code.namespace["plain"]
        convert = code.constant(lambda value: function(reader(value)), self.name)
        sifted, last, fails = code.constant(sift, "sift"), self.path.last, self.on_missing.fails

        def visit(parent: str) -> None:
            holder = navigate.opened(code, parent, last, "holder")
            if isinstance(last, Member):
                look = "key_of" if fails else "key_if_any"
                keys = f"[{look}({holder}, {literal(last.name)}, {last.index})]"
            elif isinstance(last, Every):
                keys = f"{'keys_of' if fails else 'keys_if_any'}({holder})"
            else:
                keys = f"matching({holder}, {code.constant(last, f'where_{last.name}')}, {fails})"
            code.line(f"{sifted}({holder}, {keys}, {convert})")

        navigate.every(code, spot, self.path.parent, visit, fails=fails)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""

        def change(holder: Schema) -> Schema:
            return union(self._effect_on_holder(shape, study) for shape in opened(holder, study.references))

        fails = self.on_missing.fails
        return along(schema, self.path.parent.segments, change, study.references, fails=fails)

    def _effect_on_holder(self, shape: Shape, study: Study) -> Schema:
        """What is left of an object or array; a scalar, which holds nothing, may only be passed over."""
        last = self.path.last
        if shape["type"] not in ("array", "object"):
            return False if self.on_missing.fails else shape
        if isinstance(last, Member) and shape["type"] == "object":
            inner = objects.member(shape, last.name)
            after = False if inner is False else self._effect_on_value(inner, study)
            kept = False if after is False else objects.with_member(shape, last.name, after)
            return union([kept, objects.without_member(shape, last.name)])
        if isinstance(last, Every) and shape["type"] == "array":
            return arrays.array(self._effect_on_value(arrays.any_item(shape), study), 0, arrays.sizes(shape)[1])
        return {"type": shape["type"]}

    def _effect_on_value(self, schema: Schema, study: Study) -> Schema:
        # Without the function: for the values that it takes away it has no result.
        return converted(self.where, Conversion(self.name, self.conversion.effect), schema, study)


def sifting(conversion: Convert, options: Options) -> Convert:
    """The operation itself, or the one that also takes values away."""
    if not isinstance(conversion.conversion, Scalar) or not conversion.conversion.removes:
        return conversion
    if not conversion.path.segments:
        options.problem("path", "cannot remove the whole document")
    return Sifting(
        where=conversion.where,
        row=conversion.row,
        path=conversion.path if conversion.path.segments else Path((Every(),)),
        conversion=conversion.conversion,
        late=None,
        on_missing=conversion.on_missing,
    )


def sift(holder: Any, keys: Iterable[Any], function: Callable[[Any], Any]) -> None:
    """Converts what is at the keys of a container, and removes what the function has no result for."""
    for key in reversed(list(keys)):
        if key is MISSING:
            continue
        found = function(holder[key])
        if found is MISSING:
            del holder[key]
        else:
            holder[key] = found
