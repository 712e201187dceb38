"""Operands: the value that an option gives, as a constant or as a reference to the document or the request.

A mapping whose only key besides `default` is one of these is a reference; `{literal: ...}` is a constant that would be
taken for one.

    {field: /image/width}      in the document of the operation: inside of `in`, the place that it is at
    {document: /image/width}   from the root of the document as it is at that moment
    {request: /parameters/k}   in the JSON body of the request as the client sent it
    {param: model}             a `{name}` part of the route's path
    {header: x-image-width}    a header field of the request
    {carried: width}           what an operation `carry` has put aside

A reference is looked up once, when its operation begins. Where it leads nowhere, the document is refused unless there
is a `default:`; parts of the path and header fields are strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from stepdown_adapters import navigate, paths, places
from stepdown_adapters.code import Code, literal
from stepdown_adapters.context import Context, Scene
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import PathError, Refusal
from stepdown_adapters.json_values import flaw, kind
from stepdown_adapters.operations.base import Use
from stepdown_adapters.operations.options import Options, is_name
from stepdown_adapters.paths import Path
from stepdown_adapters.runtime import MISSING, copied

_BY_PATH = ("field", "document", "request")
_NEEDS = {"request": "body", "param": "params", "header": "headers", "carried": "carried"}
SOURCES = (*_BY_PATH, "param", "header", "carried")


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the adapter itself says."""

    value: Any
    needs: ClassVar[frozenset[str]] = frozenset()

    def get(self, container: Any, key: Any, scene: Scene) -> Any:
        """A copy of the value."""
        return copied(self.value)

    def emit(self, code: Code, spot: str) -> str:
        """An expression of the value, new each time that it is evaluated."""
        return literal(self.value)

    @property
    def schema(self) -> Schema:
        """The schema of the value."""
        return {"const": self.value}

    def uses(self) -> Iterator[Use]:
        """No paths."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that each document or request says itself."""

    source: str
    """One of `SOURCES`."""
    path: Path = paths.ROOT
    """Where `source` is a document."""
    name: str = ""
    """Where it is not."""
    default: Any = MISSING

    def __str__(self) -> str:
        """Half a sentence, such as `the request's /parameters/k`."""
        place = str(self.path)
        return {
            "field": f"the field {place}" if place else "the value itself",
            "document": f"the document's {place}" if place else "the document",
            "request": f"the request's {place}" if place else "the request",
            "param": f"the part {self.name!r} of the request's path",
            "header": f"the request's header field {self.name!r}",
            "carried": f"what is carried as {self.name!r}",
        }[self.source]

    @property
    def schema(self) -> Schema:
        """A schema of the value: one from the request's head is text, of others nothing is known."""
        if self.source not in ("param", "header"):
            return True
        text = {"type": "string"}
        return text if self.default is MISSING else {"anyOf": [text, {"const": self.default}]}

    @property
    def needs(self) -> frozenset[str]:
        """What of the request has to be kept for it: `body`, `params`, `headers`, `carried`."""
        return frozenset({_NEEDS[self.source]}) if self.source in _NEEDS else frozenset()

    def get(self, container: Any, key: Any, scene: Scene) -> Any:
        """A copy of the value; raises `Refusal` where there is none and no default."""
        if self.source not in ("field", "document"):
            return self.of_request(scene.context)
        holder, name = (container, key) if self.source == "field" else (scene.holder, 0)
        spot = places.only(holder, name, self.path, fails=False)
        return self._or_default(MISSING if spot is None else spot[0][spot[1]])

    def of_request(self, context: Context) -> Any:
        """The same for a source that is not the document."""
        if self.source == "request":
            return self._or_default(_at(context.request(), self.path))
        if self.source == "header":
            return self._or_default(context.headers.get(self.name.lower(), MISSING))
        return self._or_default((context.params if self.source == "param" else context.carried).get(self.name, MISSING))

    def emit(self, code: Code, spot: str) -> str:
        """Code that looks the value up; the expression returned is a new lazy value each time that it is evaluated."""
        name = code.fresh("operand")
        if self.source not in ("field", "document"):
            code.line(f"{name} = {code.constant(self.of_request, self.source)}(context)")
            return f"copied({name})"
        code.line(f"{name} = MISSING")
        start = spot if self.source == "field" else "document"
        navigate.single(code, start, self.path, lambda place: code.line(f"{name} = copied({place})"), fails=False)
        with code.block(f"if {name} is MISSING:"):
            if self.default is MISSING:
                code.line(f"raise Refusal({self._sentence!r})")
            else:
                code.line(f"{name} = {literal(self.default)}")
        return f"copied({name})"

    def uses(self) -> Iterator[Use]:
        """The path, where it leads into the document."""
        if self.source in ("field", "document"):
            yield Use(self.path, keeps=True, absolute=self.source == "document")

    def _or_default(self, found: Any) -> Any:
        if found is not MISSING:
            return copied(found)
        if self.default is MISSING:
            raise Refusal(self._sentence)
        return copied(self.default)

    @property
    def _sentence(self) -> str:
        return f"{self} is needed, and is not there"


Operand = Constant | Reference


def operand(options: Options, key: str = "value") -> Operand:
    """The operand of a required option; a usable one even after a mistake."""
    return read(options, key, options.value(key))


def read(options: Options, key: str, raw: Any) -> Operand:
    """The operand that `raw`, from the option `key`, is; mistakes are noted in `options`."""
    if not isinstance(raw, dict):
        return Constant(raw)
    if raw.keys() == {"literal"}:
        return Constant(raw["literal"])
    found = raw.keys() & set(SOURCES)
    if len(found) != 1 or not raw.keys() <= {*found, "default"}:
        return Constant(raw)
    source = found.pop()
    default = raw.get("default", MISSING)
    wrong = None if default is MISSING else flaw(default)
    if wrong:
        options.problem(key, f"default: {wrong}")
    if source in _BY_PATH:
        return Reference(source, _path(options, key, source, raw[source]), default=default)
    name = raw[source]
    if not is_name(name) or not name:
        _problem(options, key, source, f"{source} is a name, not {kind(name)}")
        name = ""
    return Reference(source, name=name, default=default)


def _path(options: Options, key: str, source: str, raw: Any) -> Path:
    try:
        path = paths.parse(raw)
    except PathError as error:
        _problem(options, key, source, f"{source}: {error}")
        return paths.ROOT
    if path.many:
        _problem(options, key, source, f"{source} leads to one place, so * cannot stand in it")
    return path


def _problem(options: Options, key: str, source: str, sentence: str) -> None:
    options.problem(key, f"{sentence} (a constant with the member {source!r} is written {{literal: ...}})")


def _at(document: Any, path: Path) -> Any:
    holder = [document]
    spot = places.only(holder, 0, path, fails=False)
    return MISSING if spot is None else spot[0][spot[1]]
