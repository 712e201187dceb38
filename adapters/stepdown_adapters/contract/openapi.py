"""Reads the contract of one operation from an OpenAPI 3.0 or 3.1 document.

The operation is found by its `operationId` or as `POST /predict`, its answer by status (`200`, else `2XX`, else
`default`) and media type. All its statuses, media types and headers become the contract's `Envelope`. On the output
side `writeOnly` properties are left out, on the input side `readOnly` ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepdown_adapters.contract import nodes
from stepdown_adapters.contract.bundle import Bundle, Target, declared_dialect
from stepdown_adapters.contract.dialects import BY_URI, Dialect
from stepdown_adapters.contract.documents import Documents
from stepdown_adapters.contract.keywords import Schema, pointer
from stepdown_adapters.contract.mistakes import Mistakes, listed, unknown
from stepdown_adapters.contract.model import Answer, Contract, Envelope, Header
from stepdown_adapters.contract.nodes import Node
from stepdown_adapters.contract.openapi_dialects import BASE_DIALECT_3_1, OPENAPI_3_0, OPENAPI_3_1
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.errors import ContractError

MAX_BYTES = 8 * 1024 * 1024
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def contract_of(
    path: Path, operation: str, *, status: str | None = None, media_type: str | None = None, side: Side = "output"
) -> Contract:
    """The contract of an operation's answer (`output`) or request body (`input`).

    `status` is the first of the 2xx by default, `media_type` is JSON.

    Raises:
        ContractError: the document is unreadable or no OpenAPI 3.0 or 3.1, has no such operation, status or media
            type, or its schemas have mistakes, as many as can be found at once.
    """
    documents = Documents(path, MAX_BYTES)
    reader = _Reader(documents, side)
    found = _operation(nodes.root(documents), operation)
    envelope: Envelope | None = None
    if side == "input":
        body = found.child("requestBody")
        if body is None:
            raise ContractError(found.place, f"the operation {operation!r} has no 'requestBody'")
        chosen = _media_type(body, media_type)
        contents = reader.contents(body)
    else:
        answers = found.child("responses")
        if answers is None:
            raise ContractError(found.place, f"the operation {operation!r} has no 'responses'")
        answer = _answer(answers, status)
        chosen = _media_type(answer, media_type)
        envelope = Envelope({name: reader.answer(one) for name, one in answers.children()})
        contents = reader.contents(answer)
    reader.mistakes.refuse()
    return Contract(contents[chosen.name], "openapi", chosen.place, envelope, reader.mistakes.warnings)


class _Reader:
    """Makes schemas of what one document says of an operation."""

    def __init__(self, documents: Documents, side: Side) -> None:
        self.mistakes = Mistakes()
        self._documents = documents
        self._side = side
        self._dialect = _dialect(documents)
        schemas = documents.first.value.get("components", {})
        schemas = schemas.get("schemas") if isinstance(schemas, dict) else None
        for name, schema in schemas.items() if isinstance(schemas, dict) else ():
            documents.first.index(schema, pointer("components", "schemas", name))
        self._made: dict[tuple[str, str], Schema] = {}

    def answer(self, response: Node) -> Answer:
        """All that a Response Object declares."""
        headers = response.child("headers")
        found = {
            name.lower(): Header(header.members.get("required") is True, self._of_header(header))
            for name, header in (headers.children() if headers is not None else ())
            if name.lower() != "content-type"  # OpenAPI: it shall be ignored; the media types say it
        }
        return Answer(self.contents(response), found)

    def contents(self, node: Node) -> dict[str, Schema]:
        """The schema of each media type of a Response or a Request Body Object."""
        content = node.child("content")
        return {name: self._schema(media) for name, media in (content.children() if content is not None else ())}

    def _of_header(self, header: Node) -> Schema:
        content = self.contents(header)
        return next(iter(content.values())) if content else self._schema(header)

    def _schema(self, node: Node) -> Schema:
        """The `schema` of a Media Type or Header Object, in one piece; `True` where it has none."""
        if "schema" not in node.members:
            return True
        key = node.file.name, node.at
        if key not in self._made:
            dialect = declared_dialect(node.file, self.mistakes) or self._dialect
            target = Target(node.file, node.at + "/schema", dialect)
            self._made[key] = Bundle(self._documents, self.mistakes, self._side).schema(target)
        return self._made[key]


def _dialect(documents: Documents) -> Dialect:
    """The dialect of a document's schemas; raises `ContractError` when it is no OpenAPI 3.0 or 3.1."""
    file = documents.first
    value: Any = file.value
    if not isinstance(value, dict):
        raise ContractError(file.place(""), "an OpenAPI document is an object")
    if "swagger" in value:
        raise ContractError(file.place("/swagger"), "is Swagger 2.0; convert the document to OpenAPI 3.0 or 3.1")
    if "openapi" not in value:
        raise ContractError(file.place(""), "has no member 'openapi', so it is no OpenAPI document")
    version = value["openapi"]
    if isinstance(version, str) and version.startswith("3.0."):
        return OPENAPI_3_0
    if not isinstance(version, str) or not version.startswith("3.1."):
        raise ContractError(file.place("/openapi"), f"{version!r} is neither OpenAPI 3.0 nor 3.1, such as '3.1.0'")
    uri = value.get("jsonSchemaDialect", BASE_DIALECT_3_1)
    if uri == BASE_DIALECT_3_1:
        return OPENAPI_3_1
    if not isinstance(uri, str) or uri.removesuffix("#") not in BY_URI:
        raise ContractError(file.place("/jsonSchemaDialect"), f"{uri!r} is neither JSON Schema 2020-12 nor draft 7")
    return BY_URI[uri.removesuffix("#")]


def _operation(document: Node, wanted: str) -> Node:
    """The Operation Object with the `operationId` or of the form `POST /predict`."""
    paths = document.child("paths")
    if paths is None:
        raise ContractError(document.place, "has no 'paths', so it has no operations")
    by_id: dict[str, Node] = {}
    by_way: dict[str, Node] = {}
    for path, item in paths.children():
        for method in METHODS:
            operation = item.child(method)
            if operation is None:
                continue
            by_way[f"{method.upper()} {path}"] = operation
            name = operation.members.get("operationId")
            if not isinstance(name, str):
                continue
            if name in by_id and name == wanted:
                raise ContractError(operation.place, f"has the operationId {name!r}, and so has {by_id[name].place}")
            by_id[name] = operation
    found = by_id.get(wanted) or by_way.get(wanted)
    if found is None:
        known = by_way if " /" in wanted or not by_id else [*by_id, *by_way]
        raise ContractError(paths.place, unknown("operation", wanted, known))
    return found


def _answer(responses: Node, status: str | None) -> Node:
    """The Response Object of a status, or the first that says success."""
    known = [name for name in responses.members if not name.startswith("x-")]
    if status is not None:
        tried = [status, f"{status[:1]}XX", "default"]
    else:
        tried = [*sorted(name for name in known if name.startswith("2")), "default"]  # digits come before `X`
    for name in tried:
        if name in known:
            answer = responses.child(name)
            assert answer is not None
            return answer
    raise ContractError(responses.place, unknown("status", status or "2XX", known))


@dataclass(frozen=True, slots=True)
class _Chosen:
    name: str
    place: str


def _media_type(node: Node, wanted: str | None) -> _Chosen:
    """Which media type of a Response or Request Body Object is meant, and where its schema stands."""
    content = node.child("content")
    names = dict(content.children()) if content is not None else {}
    if not names:
        raise ContractError(node.place, "has no 'content', so there is nothing to make a contract of")
    for name in _candidates(names, wanted):
        media = names[name]
        return _Chosen(name, media.place + ("/schema" if "schema" in media.members else ""))
    if wanted is None:
        raise ContractError(node.place + "/content", f"there is no JSON media type; name one of {listed(names)}")
    raise ContractError(node.place + "/content", unknown("media type", wanted, names))


def _candidates(names: Mapping[str, Node], wanted: str | None) -> Iterator[str]:
    """The names that fit, the best first: as it is written, then without parameters, then by a range."""
    plain = {name: name.partition(";")[0].strip().lower() for name in names}
    if wanted is None:
        yield from (name for name, bare in plain.items() if bare == "application/json")
        yield from (name for name, bare in plain.items() if bare.endswith("+json"))
        yield from (name for name, bare in plain.items() if bare in ("application/*", "*/*"))
        return
    bare_wanted = wanted.partition(";")[0].strip().lower()
    ranges = (bare_wanted.partition("/")[0] + "/*", "*/*")
    yield from (name for name in names if name == wanted)
    yield from (name for name, bare in plain.items() if bare == bare_wanted)
    yield from (name for one in ranges for name, bare in plain.items() if bare == one)
