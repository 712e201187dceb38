"""Operations of RFC 6902 that act on one path: add, remove, replace, test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from stepdown_adapters import navigate, places
from stepdown_adapters.code import Code, literal
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import places as effects
from stepdown_adapters.effects.narrowing import equal_to
from stepdown_adapters.effects.study import Study
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import equal
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.operand import Constant, Operand, Reference, operand
from stepdown_adapters.operations.options import SKIP, OnMissing, Options
from stepdown_adapters.paths import LAST, Every, Member, Path, Where
from stepdown_adapters.runtime import copied


@dataclass(frozen=True, kw_only=True)
class Add(Operation):
    """Sets a member, or inserts an item; objects that are missing on the way are made."""

    name: ClassVar[str] = "add"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "a constant is added; a member of that name is overwritten, as in RFC 6902"
    path: Path
    value: Operand

    @classmethod
    def parse(cls, options: Options) -> Add:
        """From `{path, value}`."""
        path = options.path()
        if path.segments and not isinstance(path.last, Member):
            options.problem("path", "adds at a member, an index or -; use in for several places")
        return cls(where=options.where, path=path, value=operand(options))

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        value = self.value.get(container, key, scene)
        if not self.path.segments:
            container[key] = value
            return
        split = _prefix_with_star(self.path.parent)
        for outer in places.select(container, key, split[0], fails=True):
            spot = places.made(*outer, split[1])
            places.put(spot[0][spot[1]], self.path.last, copied(value))

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        value = self.value.emit(code, spot)
        if not self.path.segments:
            code.assign(spot, value)
            return
        split = _prefix_with_star(self.path.parent)

        def visit(outer: str) -> None:
            put(code, navigate.made(code, outer, split[1]), self.path.last, value)

        navigate.every(code, spot, split[0], visit, fails=True)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        value = self.value.schema
        if not self.path.segments:
            return value
        many, one = (part.segments for part in _prefix_with_star(self.path.parent))

        def change(outer: Schema) -> Schema:
            return effects.put(outer, one, self.path.last, value, study.references)

        return effects.along(schema, many, change, study.references, fails=True)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.path, writes=True)
        yield from self.value.uses()

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See the base."""
        return (self.value,)


@dataclass(frozen=True, kw_only=True)
class Remove(Operation):
    """Takes away members or items. What is not there is gone already, so that is no failure unless asked for."""

    name: ClassVar[str] = "remove"
    loss: ClassVar[Loss] = Loss.LOSSY
    note: ClassVar[str] = "what is removed is lost"
    path: Path
    on_missing: OnMissing = SKIP

    @classmethod
    def parse(cls, options: Options) -> Remove:
        """From `{path, on_missing}` or a path."""
        path = options.path()
        if options.has("path") and not path.segments:
            options.problem("path", "cannot remove the whole document")
        on_missing = options.on_missing("skip", fills=False)
        return cls(where=options.where, path=path if path.segments else Path((Every(),)), on_missing=on_missing)

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        for holder, name in reversed(places.select(container, key, self.path, fails=self.on_missing.fails)):
            del holder[name]

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        last, fails = self.path.last, self.on_missing.fails

        def visit(parent: str) -> None:
            holder = navigate.opened(code, parent, last, "holder")
            if isinstance(last, Member) and fails and last.index is None:
                code.line(f"del {holder}[{literal(last.name)}]")
            elif isinstance(last, Member) and fails:
                code.line(f"del {holder}[key_of({holder}, {literal(last.name)}, {last.index})]")
            elif isinstance(last, Member) and last.index is None and code.is_object(holder):
                code.line(f"{holder}.pop({literal(last.name)}, None)")
            elif isinstance(last, Member):
                condition, key = navigate.asked(code, holder, last)
                code.line(f"if {condition}: del {holder}[{key}]")
            elif isinstance(last, Where):
                where, index = code.constant(last, f"where_{last.name}"), code.fresh("index")
                with code.block(f"for {index} in reversed(matching({holder}, {where}, {fails})):"):
                    code.line(f"del {holder}[{index}]")
            else:
                code.line(f"if keys_{'of' if fails else 'if_any'}({holder}): {holder}.clear()")

        navigate.every(code, spot, self.path.parent, visit, fails=fails)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        fails, references = self.on_missing.fails, study.references

        def change(parent: Schema) -> Schema:
            return effects.removed(parent, self.path.last, references, fails=fails)

        return effects.along(schema, self.path.parent.segments, change, references, fails=fails)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.path)


@dataclass(frozen=True, kw_only=True)
class Replace(Operation):
    """Puts a constant in the place of what is there."""

    name: ClassVar[str] = "replace"
    loss: ClassVar[Loss] = Loss.LOSSY
    note: ClassVar[str] = "what was there is lost, unless it was a constant too"
    path: Path
    value: Operand
    on_missing: OnMissing

    @classmethod
    def parse(cls, options: Options) -> Replace:
        """From `{path, value, on_missing}`."""
        path, value = options.path(), operand(options)
        return cls(where=options.where, path=path, value=value, on_missing=options.on_missing(fills=False))

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        value = self.value.get(container, key, scene)
        for holder, name in places.select(container, key, self.path, fails=self.on_missing.fails):
            holder[name] = copied(value)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        value = self.value.emit(code, spot)

        def visit(place: str) -> None:
            if self.on_missing.fails and not place.isidentifier():
                code.line(place)  # raises where it is missing
            code.assign(place, value)

        navigate.every(code, spot, self.path, visit, fails=self.on_missing.fails)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        value, fails = self.value.schema, self.on_missing.fails
        return effects.along(schema, self.path.segments, lambda _: value, study.references, fails=fails)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.path)
        yield from self.value.uses()

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See the base."""
        return (self.value,)


@dataclass(frozen=True, kw_only=True)
class Test(Operation):
    """Refuses a document that does not hold the expected value."""

    name: ClassVar[str] = "test"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "nothing changes"
    path: Path
    value: Operand
    on_missing: OnMissing

    @classmethod
    def parse(cls, options: Options) -> Test:
        """From `{path, value, on_missing}`."""
        path, value = options.path(), operand(options)
        return cls(where=options.where, path=path, value=value, on_missing=options.on_missing(fills=False))

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        value = self.value.get(container, key, scene)
        for holder, name in places.select(container, key, self.path, fails=self.on_missing.fails):
            expected(holder[name], value)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        test, value = code.constant(expected, "expected"), self.value.emit(code, spot)
        if isinstance(self.value, Reference):
            value = f"plain({value})"
        navigate.every(
            code,
            spot,
            self.path,
            lambda place: code.line(f"{test}(plain({place}), {value})"),
            fails=self.on_missing.fails,
        )

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        references, fails = study.references, self.on_missing.fails

        def change(place: Schema) -> Schema:
            return equal_to(place, self.value.value, references) if isinstance(self.value, Constant) else place

        return effects.along(schema, self.path.segments, change, references, fails=fails)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.path, keeps=True)
        yield from self.value.uses()

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See the base."""
        return (self.value,)


def expected(value: Any, wanted: Any) -> None:
    """Refuses a value that is not the one wanted."""
    if not equal(value, wanted):
        shown = literal(wanted)
        raise Refusal(f"the value is not {shown if len(shown) <= 60 else shown[:57] + '...'}")


def put(code: Code, parent: str, last: Member | Every | Where, value: str) -> None:
    """Code that adds the expression `value` to the container at `parent`."""
    assert isinstance(last, Member)
    holder, name = navigate.opened(code, parent, None, "holder"), literal(last.name)
    if last.index is None and last.name != LAST:
        code.put(f"{holder}[{name}]", value)
    else:
        code.line(f"put({holder}, {name}, {last.index}, {value})")


def _prefix_with_star(path: Path) -> tuple[Path, Path]:
    """The path up to its last `*`, and the rest, which leads to one place."""
    stars = [index for index, segment in enumerate(path.segments) if isinstance(segment, Every)]
    cut = stars[-1] + 1 if stars else 0
    return Path(path.segments[:cut]), Path(path.segments[cut:])
