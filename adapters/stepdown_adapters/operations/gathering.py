"""Operations that bring values of several places to one: concat, sum, count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from stepdown_adapters import navigate, paths, places
from stepdown_adapters.code import Code
from stepdown_adapters.codec import PLAIN, Codec
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays
from stepdown_adapters.effects import places as effects
from stepdown_adapters.effects.shapes import opened
from stepdown_adapters.effects.study import Study
from stepdown_adapters.effects.unions import union
from stepdown_adapters.errors import PathError, Refusal
from stepdown_adapters.json_values import kind, require_array
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.edits import put
from stepdown_adapters.operations.moves import place_of_result, take
from stepdown_adapters.operations.options import OnMissing, Options
from stepdown_adapters.operations.selecting import total
from stepdown_adapters.paths import Every, Path
from stepdown_adapters.runtime import MISSING

_MAX_STATES = 64


@dataclass(frozen=True, kw_only=True)
class Gather(Operation):
    """What they share: sources, and the place of the result, which is made where it is missing."""

    sources: tuple[Path, ...]
    target: Path
    on_missing: OnMissing

    @classmethod
    def parse(cls, options: Options) -> Gather:
        """From `{from, to, on_missing}`."""
        sources, target = cls._sources(options), place_of_result(options)
        return cls(where=options.where, sources=sources, target=target, on_missing=options.on_missing(fills=False))

    @classmethod
    def _sources(cls, options: Options) -> tuple[Path, ...]:
        raise NotImplementedError

    def _effect_of_put(self, schema: Schema, value: Schema, study: Study) -> Schema:
        """The schema after a value was put at the target."""
        return (
            False
            if value is False
            else effects.put(schema, self.target.parent.segments, self.target.last, value, study.references)
        )

    def _put(self, container: Any, key: Any, value: Any) -> None:
        if value is not MISSING:
            parent = places.made(container, key, self.target.parent)
            places.put(parent[0][parent[1]], self.target.last, value)

    def _emit_put(self, code: Code, spot: str, value: str) -> None:
        if self.on_missing.fails:
            put(code, navigate.made(code, spot, self.target.parent), self.target.last, value)
            return
        with code.block(f"if {value} is not MISSING:"):
            put(code, navigate.made(code, spot, self.target.parent), self.target.last, value)


@dataclass(frozen=True, kw_only=True)
class Concat(Gather):
    """The items of several arrays, which end absent, in one; of missing arrays there are none."""

    name: ClassVar[str] = "concat"
    loss: ClassVar[Loss] = Loss.LOSSY
    note: ClassVar[str] = "where one array ends and the next begins is lost"

    @classmethod
    def _sources(cls, options: Options) -> tuple[Path, ...]:
        sources = _paths(options, single=True)
        if any(not path.segments for path in sources):
            options.problem("from", "takes arrays below the document")
        if len(set(sources)) < len(sources):
            options.problem("from", "takes each array once")
        return sources

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        parts = []
        for source in self.sources:
            spot = places.only(container, key, source, fails=self.on_missing.fails)
            parts.append(MISSING if spot is None else spot[0].pop(spot[1]))
        self._put(container, key, concatenated(parts, PLAIN))

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        parts = []
        for source in self.sources:
            part = code.fresh("part")
            if not self.on_missing.fails:
                code.line(f"{part} = MISSING")
            take(code, spot, source, part, fails=self.on_missing.fails)
            parts.append(part)
        whole = code.fresh("whole")
        code.line(f"{whole} = {code.constant(concatenated, 'concatenated')}([{', '.join(parts)}], codec)")
        self._emit_put(code, spot, whole)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        states: list[tuple[Schema, tuple[Schema, ...]]] = [(schema, ())]
        for source in self.sources:
            states = [
                (one.rest, parts if one.missing else (*parts, one.value))
                for rest, parts in states
                for one in effects.taken(
                    rest, source.segments, study.references, fails=self.on_missing.fails, removes=True
                )
            ]
            if len(states) > _MAX_STATES:
                return True
        return union(
            self._effect_of_put(rest, _joined(parts, study), study) if parts else rest for rest, parts in states
        )

    def uses(self) -> Iterator[Use]:
        """See the base."""
        for source in self.sources:
            yield Use(source)
        yield Use(self.target, writes=True)


def concatenated(parts: Sequence[Any], codec: Codec) -> Any:
    """The items of all arrays that are there, in order; `MISSING` for none."""
    arrays = [require_array(codec.opened(part)) for part in parts if part is not MISSING]
    return [item for array in arrays for item in array] if arrays else MISSING


def _joined(parts: Sequence[Schema], study: Study) -> Schema:
    """The schema of the items of arrays of these schemas, one after the other."""
    low, high, items = 0, 0, []
    bounded = True
    for part in parts:
        shapes = [shape for shape in opened(part, study.references) if shape["type"] == "array"]
        if not shapes:
            return False
        sizes = [arrays.sizes(shape) for shape in shapes]
        items += [arrays.any_item(shape) for shape in shapes]
        low += min(least for least, _ in sizes)
        bounded = bounded and all(most is not None for _, most in sizes)
        high += max(most or 0 for _, most in sizes)
    return arrays.array(union(items), low, high if bounded else None)


@dataclass(frozen=True, kw_only=True)
class Sum(Gather):
    """The sum of the numbers at several places, which stay."""

    name: ClassVar[str] = "sum"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "the numbers stay; what was at the target is overwritten"

    @classmethod
    def _sources(cls, options: Options) -> tuple[Path, ...]:
        return _paths(options, single=False)

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        numbers: list[Any] = []
        for source in self.sources:
            numbers += [holder[name] for holder, name in places.select(container, key, source, fails=self._fails)]
        self._put(container, key, total(numbers) if numbers or self._fails else MISSING)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        numbers, result = code.fresh("numbers"), code.fresh("total")
        code.line(f"{numbers} = []")

        def visit(place: str) -> None:
            code.line(f"{numbers}.append(plain({place}))")

        for source in self.sources:
            navigate.every(code, spot, source, visit, fails=self._fails)
        added = f"{code.constant(total, 'add_up')}({numbers})"
        code.line(f"{result} = {added}" if self._fails else f"{result} = {added} if {numbers} else MISSING")
        self._emit_put(code, spot, result)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        after = self._effect_of_put(schema, {"type": "number"}, study)
        return after if self._fails else union([schema, after])

    def uses(self) -> Iterator[Use]:
        """See the base."""
        for source in self.sources:
            yield Use(source, keeps=True)
        yield Use(self.target, writes=True)

    @property
    def _fails(self) -> bool:
        return self.on_missing.fails


@dataclass(frozen=True, kw_only=True)
class Count(Gather):
    """The number of items of an array, or of members of an object, which stays."""

    name: ClassVar[str] = "count"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "what is counted stays; what was at the target is overwritten"

    @classmethod
    def _sources(cls, options: Options) -> tuple[Path, ...]:
        path = options.path("from")
        if path.many:
            options.problem("from", "counts one array or object; sum adds numbers up")
        return (path,)

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        spot = places.only(container, key, self.sources[0], fails=self.on_missing.fails)
        self._put(container, key, MISSING if spot is None else counted(spot[0][spot[1]], PLAIN))

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        result, count = code.fresh("number"), code.constant(counted, "counted")
        if not self.on_missing.fails:
            code.line(f"{result} = MISSING")

        def visit(place: str) -> None:
            code.line(f"{result} = {count}({place}, codec)")

        navigate.single(code, spot, self.sources[0], visit, fails=self.on_missing.fails)
        self._emit_put(code, spot, result)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        after = self._effect_of_put(schema, {"type": "integer", "minimum": 0}, study)
        return after if self.on_missing.fails else union([schema, after])

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.sources[0], keeps=True)
        yield Use(self.target, writes=True)


def counted(value: Any, codec: Codec) -> int:
    """How many items or members."""
    opened = codec.opened(value)
    if isinstance(opened, list | dict):
        return len(opened)
    raise Refusal(f"{kind(opened)} has neither items nor members")


def _paths(options: Options, *, single: bool) -> tuple[Path, ...]:
    """The paths of `from`."""
    raw = options.need("from", "a list of paths", lambda v: isinstance(v, list) and bool(v), [])
    found = []
    for item in raw:
        try:
            path = paths.parse(item)
        except PathError as error:
            options.problem("from", str(error))
            continue
        if single and any(isinstance(segment, Every) for segment in path.segments):
            options.problem("from", f"{path} is not one place, because of its *")
            continue
        found.append(path)
    return tuple(found)
