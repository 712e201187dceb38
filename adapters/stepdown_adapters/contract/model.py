"""The one form that every contract takes, whatever it was read from.

JSON Schema (2020-12 and draft 7), OpenAPI 3.0 and 3.1, Protobuf and Pydantic all become a JSON Schema 2020-12 in one
piece: every `$ref` is `#` or `#/$defs/name`, definitions stand at the root only, and keywords that only an older
dialect has are written in the newer one's words. What a JSON Schema cannot say stays beside it: statuses and media
types of HTTP in `envelope`, numbers and names of Protobuf fields as `x-protobuf` annotations inside the schema,
meaning as `x-semantic`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from stepdown_adapters.contract.keywords import Schema

Kind = Literal["json-schema", "openapi", "protobuf", "pydantic"]


@dataclass(frozen=True, slots=True)
class Header:
    """One declared header field of a response."""

    required: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class Answer:
    """What one status of an operation may answer."""

    media_types: Mapping[str, Schema]
    """Each media type's contract, in one piece like `Contract.schema`."""
    headers: Mapping[str, Header] = field(default_factory=dict)
    """By lower-case name."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The HTTP side of a contract, which only OpenAPI declares."""

    answers: Mapping[str, Answer]
    """By status as it is written: `200`, `4XX`, `default`."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The schema of a version's output or input."""

    schema: Schema
    """JSON Schema 2020-12, in one piece."""
    kind: Kind
    place: str
    """Where it was read from, for people: `api.yaml#/paths/~1predict/post/responses/200`."""
    envelope: Envelope | None = None
    warnings: tuple[str, ...] = ()
    """What was accepted but is probably not meant, each with its place."""
