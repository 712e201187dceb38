"""Operations that take values from one place to another: move, copy, zip, unzip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from stepdown_adapters import navigate, places
from stepdown_adapters.code import Code, literal
from stepdown_adapters.codec import PLAIN, Codec
from stepdown_adapters.context import Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import columns as column_effects
from stepdown_adapters.effects import places as effects
from stepdown_adapters.effects.study import Study
from stepdown_adapters.effects.unions import union
from stepdown_adapters.errors import PathError, Refusal
from stepdown_adapters.json_values import require_array, require_object
from stepdown_adapters.operations.base import Loss, Operation, Use
from stepdown_adapters.operations.edits import put
from stepdown_adapters.operations.options import OnMissing, Options, is_name
from stepdown_adapters.paths import ROOT, Every, Member, Path, Where, parse
from stepdown_adapters.runtime import copied


@dataclass(frozen=True, kw_only=True)
class Transfer(Operation):
    """What move and copy share: one source, one target, inside each place of the prefix that they have in common."""

    prefix: Path
    source: Path
    target: Path
    on_missing: OnMissing
    takes: ClassVar[bool]

    @classmethod
    def parse(cls, options: Options) -> Transfer:
        """From `{from, to, on_missing}`; `*` may stand in the part that both paths begin with."""
        source, target = options.path("from"), options.path("to")
        on_missing = options.on_missing()
        # A default is put where even the members on the way are missing, so those are no place to start from.
        prefix, source, target = _common(source, target, along_members=not on_missing.fills)
        if source.many or target.many:
            options.problem("from", "needs one source and one target: * may only stand where both paths are the same")
        if target.segments and not isinstance(target.last, Member):
            options.problem("to", "puts a value at a member, an index or -")
        if target.segments[: len(source.segments)] == source.segments and options.has("from") and options.has("to"):
            options.problem("to", "lies in its own source" if target != source else "is its own source")
        return cls(where=options.where, prefix=prefix, source=source, target=target, on_missing=on_missing)

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        for outer in places.select(container, key, self.prefix, fails=self.on_missing.fails):
            spot = places.only(*outer, self.source, fails=self.on_missing.fails)
            if spot is not None:
                value = spot[0].pop(spot[1]) if self.takes else copied(spot[0][spot[1]])
            elif self.on_missing.fills:
                value = copied(self.on_missing.default)
            else:
                continue
            if not self.target.segments:
                outer[0][outer[1]] = value
                continue
            parent = places.made(*outer, self.target.parent)
            places.put(parent[0][parent[1]], self.target.last, value)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        navigate.every(code, spot, self.prefix, lambda outer: self._emit_one(code, outer), fails=self.on_missing.fails)

    def _emit_one(self, code: Code, outer: str) -> None:
        value = code.fresh("taken")
        if not self.on_missing.fails:
            code.line(f"{value} = {literal(self.on_missing.default) if self.on_missing.fills else 'MISSING'}")
        take(code, outer, self.source, value, fails=self.on_missing.fails, copies=not self.takes)
        if self.on_missing.policy == "skip":
            with code.block(f"if {value} is not MISSING:"):
                self._emit_put(code, outer, value)
        else:
            self._emit_put(code, outer, value)

    def _emit_put(self, code: Code, outer: str, value: str) -> None:
        if not self.target.segments:
            code.assign(outer, value)
        else:
            put(code, navigate.made(code, outer, self.target.parent), self.target.last, value)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        fails = self.on_missing.fails

        def change(outer: Schema) -> Schema:
            return self._effect_on_one(outer, study)

        return effects.along(schema, self.prefix.segments, change, study.references, fails=fails)

    def _effect_on_one(self, outer: Schema, study: Study) -> Schema:
        found: list[Schema] = []
        fails, references = self.on_missing.fails, study.references
        for one in effects.taken(outer, self.source.segments, references, fails=fails, removes=self.takes):
            if one.missing and not self.on_missing.fills:
                found.append(one.rest)
                continue
            value: Schema = {"const": self.on_missing.default} if one.missing else one.value
            found.append(_placed(one.rest, self.target, value, study))
        return union(found)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.prefix + self.source, keeps=not self.takes)
        yield Use(self.prefix + self.target, writes=True)


@dataclass(frozen=True, kw_only=True)
class Move(Transfer):
    """Renames, hoists or nests: the source's name ends absent, duplicates of it in the text included."""

    name: ClassVar[str] = "move"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "the value is kept; one that was at the target is overwritten, as in RFC 6902"
    takes: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Copy(Transfer):
    """Puts a copy of a value at a second place."""

    name: ClassVar[str] = "copy"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "a value that was at the target is overwritten, as in RFC 6902"
    takes: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Zip(Operation):
    """Makes one array of objects out of parallel arrays, which end absent."""

    name: ClassVar[str] = "zip"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "unzip gives the arrays back"
    sources: Mapping[str, Path]
    target: Path

    @classmethod
    def parse(cls, options: Options) -> Zip:
        """From `{from: {member: path, ...}, to}`."""
        sources = _paths(options, "from", Member | Where)
        return cls(where=options.where, sources=sources, target=place_of_result(options))

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        columns = {}
        for member, path in self.sources.items():
            spot = places.only(container, key, path, fails=True)
            assert spot is not None
            columns[member] = spot[0].pop(spot[1])
        parent = places.made(container, key, self.target.parent)
        places.put(parent[0][parent[1]], self.target.last, zipped(columns, PLAIN))

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        taken = {}
        for member, path in self.sources.items():
            taken[member] = code.fresh(member)
            take(code, spot, path, taken[member], fails=True)
        columns = ", ".join(f"{literal(member)}: {name}" for member, name in taken.items())
        rows = code.fresh("rows")
        code.line(f"{rows} = {code.constant(zipped, 'zipped')}({{{columns}}}, codec)")
        put(code, navigate.made(code, spot, self.target.parent), self.target.last, rows)

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        columns = column_effects.taken(schema, self.sources, study.references)
        return union(_placed(rest, self.target, rows, study) for rest, rows in columns)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        for path in self.sources.values():
            yield Use(path)
        yield Use(self.target, writes=True)


@dataclass(frozen=True, kw_only=True)
class Unzip(Operation):
    """Makes parallel arrays out of an array of objects, which ends absent."""

    name: ClassVar[str] = "unzip"
    loss: ClassVar[Loss] = Loss.LOSSLESS
    note: ClassVar[str] = "every object must have exactly the named members, so zip gives the array back"
    source: Path
    targets: Mapping[str, Path]

    @classmethod
    def parse(cls, options: Options) -> Unzip:
        """From `{from, to: {member: path, ...}}`."""
        source = options.path("from")
        if source.many or not source.segments:
            options.problem("from", "needs one array, below the document")
            source = Path((Member("?"),))
        return cls(where=options.where, source=source, targets=_paths(options, "to", Member))

    def apply(self, container: Any, key: Any, scene: Scene) -> None:
        """See the base."""
        spot = places.only(container, key, self.source, fails=True)
        assert spot is not None
        columns = unzipped(spot[0].pop(spot[1]), list(self.targets), PLAIN)
        for path, column in zip(self.targets.values(), columns, strict=True):
            parent = places.made(container, key, path.parent)
            places.put(parent[0][parent[1]], path.last, column)

    def emit(self, code: Code, spot: str) -> None:
        """See the base."""
        taken, columns = code.fresh("taken"), code.fresh("columns")
        take(code, spot, self.source, taken, fails=True)
        names = literal(list(self.targets))
        code.line(f"{columns} = {code.constant(unzipped, 'unzipped')}({taken}, {names}, codec)")
        for index, path in enumerate(self.targets.values()):
            put(code, navigate.made(code, spot, path.parent), path.last, f"{columns}[{index}]")

    def effect(self, schema: Schema, study: Study) -> Schema:
        """See the base."""
        found: list[Schema] = []
        for one in effects.taken(schema, self.source.segments, study.references, fails=True, removes=True):
            rest = one.rest
            for member, path in self.targets.items():
                column = column_effects.column(one.value, member, study.references)
                rest = _placed(rest, path, column, study)
            found.append(rest)
        return union(found)

    def uses(self) -> Iterator[Use]:
        """See the base."""
        yield Use(self.source)
        for path in self.targets.values():
            yield Use(path, writes=True)


def zipped(columns: Mapping[str, Any], codec: Codec) -> list[dict[str, Any]]:
    """Objects whose members are the items of equally long arrays."""
    arrays = {name: require_array(codec.opened(column)) for name, column in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise Refusal("arrays of different lengths: " + ", ".join(f"{name} {n}" for name, n in lengths.items()))
    return [dict(zip(arrays, row, strict=True)) for row in zip(*arrays.values(), strict=True)]


def unzipped(value: Any, names: list[str], codec: Codec) -> list[list[Any]]:
    """One array for each name, of that member of every object."""
    rows = [require_object(codec.opened(item)) for item in require_array(codec.opened(value))]
    for index, row in enumerate(rows):
        if row.keys() != set(names):
            raise Refusal(f"item {index} has the members {sorted(row)}, not {sorted(names)}")
    return [[row[name] for row in rows] for name in names]


def _placed(schema: Schema, target: Path, value: Schema, study: Study) -> Schema:
    """The schema after a value was put at the target."""
    if not target.segments:
        return False if schema is False else value
    return effects.put(schema, target.parent.segments, target.last, value, study.references)


def take(code: Code, spot: str, source: Path, value: str, *, fails: bool, copies: bool = False) -> None:
    """Code that assigns what is at `source` to the variable `value`, and removes it there unless it `copies`."""
    if copies:
        navigate.single(code, spot, source, lambda place: code.line(f"{value} = copied({place})"), fails=fails)
        return
    last = source.last

    def visit(parent: str) -> None:
        holder = navigate.opened(code, parent, last, "holder", fails=fails)
        if isinstance(last, Member) and not fails:
            condition, key = navigate.asked(code, holder, last)
            code.line(f"if {condition}: {value} = {holder}.pop({key})")
        elif isinstance(last, Member):
            if last.index is None:
                code.line(f"{value} = {holder}.pop({literal(last.name)})")
                code.learn_object(holder)
            else:
                code.line(f"{value} = {holder}.pop(key_of({holder}, {literal(last.name)}, {last.index}))")
        else:
            index, where = code.fresh("index"), code.constant(last, "where")
            code.line(f"{index} = only(matching({holder}, {where}, {fails}), {where})")
            code.line(f"if {index} >= 0: {value} = {holder}.pop({index})")

    navigate.single(code, spot, source.parent, visit, fails=fails)


def _common(source: Path, target: Path, *, along_members: bool) -> tuple[Path, Path, Path]:
    """The part that both paths begin with, to the last `*` and perhaps members after it, and what is left of each."""
    cut = 0
    shortest = min(len(source.segments), len(target.segments))
    for index, (one, other) in enumerate(zip(source.segments, target.segments, strict=False), 1):
        if one != other:
            break
        member = along_members and isinstance(one, Member) and cut == index - 1 and index < shortest
        if isinstance(one, Every) or member:
            cut = index
    return Path(source.segments[:cut]), Path(source.segments[cut:]), Path(target.segments[cut:])


def _paths(options: Options, key: str, ends: Any) -> dict[str, Path]:
    """A mapping of members to paths that each lead to one place, with a last segment of the types `ends`."""
    raw = options.need(
        key,
        "a mapping of member names to paths",
        lambda v: isinstance(v, dict) and bool(v) and all(map(is_name, v)),
        {},
    )
    found: dict[str, Path] = {}
    for member, text in raw.items():
        try:
            path = parse(text)
        except PathError as error:
            options.problem(key, f"{member}: {error}")
            continue
        if path == ROOT or path.many or not isinstance(path.last, ends):
            options.problem(key, f"{member}: needs one place, below the document")
            continue
        found[member] = path
    return found


def place_of_result(options: Options) -> Path:
    """The option `to`: one place below the document, where something is put."""
    """The option `to` of operations that make something new: one place below the document."""
    path = options.path("to")
    if path.many or not path.segments or not isinstance(path.last, Member):
        if options.has("to"):
            options.problem("to", "puts the result at one member, index or -, below the document")
        return Path((Member("?"),))
    return path
