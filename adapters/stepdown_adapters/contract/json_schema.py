"""Reads a JSON Schema file, 2020-12 or draft 7, with everything that it refers to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stepdown_adapters.contract.bundle import Bundle, Target, declared_dialect
from stepdown_adapters.contract.dialects import DRAFT_2020
from stepdown_adapters.contract.documents import Documents, File
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.contract.mistakes import Mistakes
from stepdown_adapters.contract.model import Contract


def load_schema(path: Path) -> Schema:
    """The schema in `path` (JSON or YAML): JSON Schema 2020-12 in one piece.

    Raises:
        ContractError: as `contract_of`.
    """
    return contract_of(path).schema


def contract_of(path: Path) -> Contract:
    """The contract that the schema in `path` is.

    Raises:
        ContractError: the file or one that it refers to is unreadable, no JSON Schema 2020-12 or draft 7, refers to
            something remote, missing or outside the folder, or is over a bound. It names every such mistake, each
            with its file and JSON Pointer.
    """
    return _contract(Documents(path), str(path))


def contract_of_value(schema: Any, place: str = "schema") -> Contract:
    """The contract that a schema in memory is, which can refer to itself only; raises `ContractError` likewise."""
    file = File(place, schema)
    file.index(schema)
    return _contract(Documents(file), place)


def _contract(documents: Documents, place: str) -> Contract:
    mistakes = Mistakes()
    file = documents.first
    root = Target(file, "", declared_dialect(file, mistakes) or DRAFT_2020)
    schema = Bundle(documents, mistakes).schema(root)
    mistakes.refuse()
    return Contract(schema, "json-schema", place, warnings=mistakes.warnings)
