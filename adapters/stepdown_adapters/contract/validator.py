"""Says where a live document breaks its contract, in words that may be logged and counted.

What it says is private, and its paths and keywords are few enough to be labels: a path has only names that the
contract declares, a message only what the contract says, so the document's own values appear in neither. `format` is
an annotation, as in JSON Schema 2020-12.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson

from stepdown_adapters import codec
from stepdown_adapters.contract.breaches import sentence
from stepdown_adapters.contract.declared import generic_path
from stepdown_adapters.contract.keywords import Schema, pointer
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import flaw

NOT_JSON = "json"
"""The keyword of a violation by something that is no JSON document at all."""

_OTHERWISE_NAMED = frozenset({"additionalProperties", "dependentRequired"})
"""The library calls them `falseSchema` (where nothing else is declared) and `required`."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a document breaks its contract."""

    path: str
    """Where: `/outputs/*/data/*`; items, and members that the contract does not declare, are `*`."""
    keyword: str
    """What: a keyword of JSON Schema, `falseSchema` where nothing is allowed, or `json`."""
    message: str
    """Half a sentence without anything of the document's content: `is a string, not a number`."""


class Validator:
    """A contract's schema, compiled once; may be used by several threads."""

    __slots__ = ("_compiled", "_schema")

    def __init__(self, schema: Schema, *, formats: bool = False) -> None:
        """`formats` makes `format` decide too; `schema` is a `Contract`'s."""
        self._schema = schema
        self._compiled = jsonschema_rs.Draft202012Validator(schema, validate_formats=formats, offline=True)

    def is_valid(self, document: Any) -> bool:
        """Whether a document, or the JSON text of one as bytes, keeps the contract."""
        return not self.violations(document, 1)

    def violations(self, document: Any, limit: int = 20, *, exact: bool = False) -> list[Violation]:
        """The first `limit` ways in which a document, or the JSON text of one as bytes, breaks the contract.

        `exact` paths lead to the very item and member, and so hold names of the document's own.
        """
        if isinstance(document, bytes | bytearray | memoryview):
            try:
                codec.checked(bytes(document))
                document = orjson.loads(document)
            except Refusal as error:
                return [Violation("", NOT_JSON, str(error))]
            except orjson.JSONDecodeError as error:
                return [Violation("", NOT_JSON, f"is no JSON: {error.msg} at character {error.pos}")]
        else:
            found = flaw(document)
            if found is not None:
                return [Violation("", NOT_JSON, found)]
        return [self._violation(error, exact) for error in islice(self._compiled.iter_errors(document), limit)]

    def _violation(self, error: jsonschema_rs.ValidationError, exact: bool) -> Violation:
        keyword = error.kind.name
        if error.schema_path and error.schema_path[-1] in _OTHERWISE_NAMED:
            keyword = str(error.schema_path[-1])
        message = sentence(keyword, error.kind.as_dict(), error.instance)
        tokens = error.instance_path
        path = pointer(*map(str, tokens)) if exact else generic_path(self._schema, tokens)
        return Violation(path, keyword, message)
