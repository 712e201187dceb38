"""Runs operations over a contract: what can come out of them, as a contract."""

from __future__ import annotations

from collections.abc import Iterable

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.references import rooted
from stepdown_adapters.effects.study import Study
from stepdown_adapters.operations.base import Operation


def after(operations: Iterable[Operation], schema: Schema) -> Schema:
    """A schema that contains every document that the operations make of one that is valid under `schema`.

    `schema` is JSON Schema 2020-12 in one piece, as `Contract.schema`, and so is the result. A document that an
    operation refuses does not come out; `False` says that every document is refused.
    """
    return studied(operations, schema)[0]


def studied(operations: Iterable[Operation], schema: Schema) -> tuple[Schema, Study]:
    """The same, with what was noted on the way."""
    state, references = rooted(schema)
    study = Study(references)
    for operation in operations:
        state = study.step(operation, state)
    return references.closed(True if state == {} else state), study
