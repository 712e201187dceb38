"""The operation behind most rows of the table: it replaces each value that a path leads to by a function of it.

A *scalar* conversion reads a plain value, and may give its code for a `float` in one expression, which is then written
into the loop over an array's items; everything else, errors included, goes to its function. A *structural* conversion
reads lazy values through a codec, so that the parts which it only carries stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stepdown_adapters import navigate, places
from stepdown_adapters.code import Code, literal
from stepdown_adapters.codec import PLAIN, Codec
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import objects
from stepdown_adapters.effects.conversions import Conversion, converted
from stepdown_adapters.effects.places import along
from stepdown_adapters.effects.shapes import opened
from stepdown_adapters.effects.study import Study
from stepdown_adapters.effects.unions import union
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.late import Late, late
from stepdown_adapters.operations.operand import Operand
from stepdown_adapters.operations.options import OnMissing, Options
from stepdown_adapters.paths import Every, Member, Path
from stepdown_adapters.runtime import copied

Effect = Callable[[dict[str, Any]], Schema]
"""What a function `f` does to its value's schema: for every `v` valid under `s`, `f(v)` is valid under `effect(s)`.

The schema given has one `type`, and no reference or combination at its top (see `effects.shapes`). Below, references
are into the contract that it is from; an effect that has to follow them is an `effects.study.Deep`.
"""


def anything(_schema: Schema) -> Schema:
    """The effect of which nothing is known."""
    return True


@dataclass(frozen=True)
class Scalar:
    """A function of one plain value; raises `Refusal` on what it cannot convert."""

    function: Callable[[Any], Any]
    inline: str = ""
    """An expression over `x`, exactly an `inline_for`, that equals the function; `convert(x)` in it is the function."""
    constants: dict[str, Any] = field(default_factory=dict)
    """Objects that the expression uses, by name."""
    effect: Effect = anything
    inline_for: type = float
    removes: bool = False
    """Whether a result of `MISSING` takes the value away from where it is."""


@dataclass(frozen=True)
class Structural:
    """A function of a lazy value; raises `Refusal` on what it cannot convert."""

    function: Callable[[Any, Codec], Any]
    effect: Effect = anything
    likely: Callable[[Any], Any] | None = None
    """Gives a value like another one that the function refuses more rarely."""


@dataclass(frozen=True)
class Row:
    """One row of the table of conversions."""

    name: str
    build: Callable[[Options], Scalar | Structural]
    loss: Loss
    note: str
    whole: bool = False
    """Whether the path may be left out, meaning the whole document."""
    fills: bool = True
    """Whether `on_missing: default` makes sense."""
    reads_whole: bool = False
    """Whether it decodes an unopened document faster itself."""
    operands: Mapping[str, Any] = field(default_factory=dict)
    """The options that may be references, each with a sample that fits all others, for the check when it is loaded."""
    late_effect: Effect | None = anything
    """The effect where options are references; `None` where it does not depend on their values."""


@dataclass(frozen=True, kw_only=True)
class Convert(Operation):
    """A row of the table with its options."""

    row: Row
    path: Path
    conversion: Scalar | Structural
    """Where options are references, the one that their samples give; only its kind and effect count."""
    late: Late | None
    on_missing: OnMissing

    @property
    def name(self) -> str:  # type: ignore[override]
        """The row's."""
        return self.row.name

    @property
    def loss(self) -> Loss:  # type: ignore[override]
        """The row's."""
        return self.row.loss

    @property
    def note(self) -> str:  # type: ignore[override]
        """The row's."""
        return self.row.note

    @classmethod
    def parse(cls, row: Row, options: Options) -> Convert:
        """From `{path, on_missing}` and the row's own options."""
        path = options.path(required=not row.whole)
        on_missing = options.on_missing(fills=row.fills)
        if on_missing.fills and not (path.segments and isinstance(path.last, Member)):
            options.problem("on_missing", "a default needs a path that ends in a member")
        later = late(options, row.build, row.operands)
        conversion = row.build(options)
        if later is not None and row.late_effect is not None:
            conversion = replace(conversion, effect=row.late_effect)
        return cls(where=options.where, row=row, path=path, conversion=conversion, late=later, on_missing=on_missing)

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        conversion = self.conversion
        if self.late is not None:
            found = [reference.get(container, key, scene) for reference in self.late.references.values()]
            conversion = self.late.conversion(found)
        for holder, name in places.select(container, key, self._above, fails=self.on_missing.fails):
            if self.on_missing.fills and isinstance(holder[name], dict):
                assert isinstance(self.path.last, Member)
                if self.path.last.name not in holder[name]:
                    holder[name][self.path.last.name] = copied(self.on_missing.default)
                    continue
            for parent, last in places.select(holder, name, self._below, fails=self.on_missing.fails):
                if isinstance(conversion, Scalar):
                    parent[last] = conversion.function(parent[last])
                else:
                    parent[last] = conversion.function(parent[last], PLAIN)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        function = ""
        if self.late is not None:
            found = [f"plain({reference.emit(code, spot)})" for reference in self.late.references.values()]
            function = code.fresh(self.name)
            code.line(f"{function} = {code.constant(self.late.function, f'build_{self.name}')}({', '.join(found)})")
        navigate.every(
            code, spot, self._above, lambda place: self._emit_below(code, place, function), fails=self.on_missing.fails
        )

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        above, references, fails = self._above.segments, study.references, self.on_missing.fails
        if self.on_missing.fills:
            return along(schema, above, lambda place: self._effect_filled(place, study), references, fails=fails)
        path = self.path.segments
        return along(schema, path, lambda place: self._effect_on_value(place, study), references, fails=fails)

    def _effect_filled(self, schema: Schema, study: Study) -> Schema:
        """Of a place whose last member is filled in where it is missing, and converted where it is not."""
        assert isinstance(self.path.last, Member)
        name, default = self.path.last.name, {"const": self.on_missing.default}
        found: list[Schema] = []
        for shape in opened(schema, study.references):
            if shape["type"] != "object":
                below, references = self._below.segments, study.references
                found.append(
                    along(shape, below, lambda value: self._effect_on_value(value, study), references, fails=False)
                )
                continue
            inner = objects.member(shape, name)
            after = False if inner is False else self._effect_on_value(inner, study)
            filled = after if objects.is_required(shape, name) else union([after, default])
            if filled is not False:
                found.append(objects.with_member(shape, name, filled))
        return union(found)

    def _effect_on_value(self, schema: Schema, study: Study) -> Schema:
        known = Conversion(self.name, self.conversion.effect)
        if isinstance(self.conversion, Scalar) and self.late is None:
            known = replace(known, function=self.conversion.function)
        return converted(self.where, known, schema, study)

    def likely(self, document: Any) -> Any:
        """See the base; nothing is known of what is inside of a document."""
        likely = None if self.path.segments or isinstance(self.conversion, Scalar) else self.conversion.likely
        return document if likely is None else likely(document)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.path)
        for reference in self.operands:
            yield from reference.uses()

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See the base."""
        return () if self.late is None else tuple(self.late.references.values())

    @property
    def reads_whole(self) -> bool:
        """See the base."""
        return self.row.reads_whole and not self.path.segments

    @property
    def _above(self) -> Path:
        """The path to where one visit begins: above the last segment, when that is treated here."""
        return self.path.parent if self._treats_last else self.path

    @property
    def _below(self) -> Path:
        return Path(self.path.segments[-1:]) if self._treats_last else Path()

    @property
    def _treats_last(self) -> bool:
        if self.on_missing.fills:
            return True
        return bool(self.path.segments) and isinstance(self.path.last, Every) and isinstance(self.conversion, Scalar)

    def _emit_below(self, code: Code, place: str, function: str) -> None:
        """The code at one place; `function` is the variable of a late conversion's function, or nothing."""
        if self.on_missing.fills:
            assert isinstance(self.path.last, Member)
            holder, key = navigate.opened(code, place, self.path.last, "holder"), literal(self.path.last.name)
            with code.block(f"if isinstance({holder}, dict) and {key} not in {holder}:"):
                code.line(f"{holder}[{key}] = {literal(self.on_missing.default)}")
            with code.block("else:"):
                navigate.every(
                    code,
                    holder,
                    self._below,
                    lambda spot: code.assign(spot, self._call(code, spot, function)),
                    fails=False,
                )
        elif self._treats_last:
            self._emit_items(code, place, function)
        else:
            self._emit_value(code, place, function)

    def _emit_value(self, code: Code, place: str, late_function: str) -> None:
        """The conversion of one value, with that of the usual type written into the line."""
        if late_function or not isinstance(self.conversion, Scalar):
            code.assign(place, self._call(code, place, late_function))
            return
        function = code.constant(self.conversion.function, self.name)
        code.line(f"x = {code.just_put(place)}")
        code.line("if x.__class__ is Raw: x = decode(x)")
        code.line("elif isinstance(x, (dict, list)): x = plain(x)")
        code.assign(place, self._inlined(code, function))

    def _inlined(self, code: Code, function: str) -> str:
        """The expression that converts `x`, for the usual type without a call."""
        assert isinstance(self.conversion, Scalar)
        if not self.conversion.inline:
            return f"{function}(x)"
        expression = self.conversion.inline.replace("convert(", f"{function}(")
        for name, value in self.conversion.constants.items():
            expression = expression.replace(f"<{name}>", code.constant(value, name))
        return f"({expression}) if x.__class__ is {self.conversion.inline_for.__name__} else {function}(x)"

    def _call(self, code: Code, place: str, function: str) -> str:
        function = function or code.constant(self.conversion.function, self.name)
        return f"{function}(plain({place}))" if isinstance(self.conversion, Scalar) else f"{function}({place}, codec)"

    def _emit_items(self, code: Code, place: str, late_function: str) -> None:
        """The loop over all items, with the conversion of a float written into it."""
        assert isinstance(self.conversion, Scalar)
        function, reader = self.conversion.function, code.namespace["plain"]
        if late_function:
            convert = f"(lambda value: {late_function}(plain(value)))"
        else:
            convert = code.constant(lambda value: function(reader(value)), self.name)
        values = code.fresh("values")
        code.line(f"{values} = {place}")
        code.line(f"if {values}.__class__ is Raw: {values} = decode({values})")
        if not self.on_missing.fails:
            with code.block(f"if isinstance({values}, (dict, list)):"):
                code.assign(place, f"each({values}, {convert})")
            return
        if late_function or not self.conversion.inline:
            code.assign(place, f"each({values}, {convert})")
            return
        with code.block(f"if {values}.__class__ is list:"):
            code.assign(place, f"[{self._inlined(code, convert)} for x in {values}]")
        with code.block("else:"):
            code.assign(place, f"each({values}, {convert})")
