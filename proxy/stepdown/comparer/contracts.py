"""The contracts that answers are held against: found by a sample's subject, compiled when the first one comes."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from stepdown.decide import checks
from stepdown.decide.checks import Subject
from stepdown.decide.spec import SnapshotSpec
from stepdown.telemetry.log import fields
from stepdown_adapters.contract.validator import Validator

logger = logging.getLogger(__name__)

KEPT = 4
"""Configurations whose contracts are known: answers of the one before may still be on their way."""


class Contracts:
    """Those of the configurations that were in force lately."""

    def __init__(self) -> None:
        self._schemas: dict[str, dict[tuple[str, str], bytes]] = {}
        """By digest of the configuration: the schema of each (model, version)."""
        self._compiled: dict[bytes, Validator | None] = {}
        """By schema; `None` where it could not be compiled."""

    def adopt(self, name: str, spec: SnapshotSpec) -> None:
        """Know the contracts of a specification by its digest; what was compiled stays so as long as it is used."""
        wanted = {(model, contract) for model, _served, contract in checks.held(spec)}
        self._schemas.pop(name, None)
        self._schemas[name] = {
            (model.name, version.id): msgspec.json.encode(version.contract)
            for model in spec.models
            for version in model.versions
            if (model.name, version.id) in wanted
        }
        while len(self._schemas) > KEPT:
            del self._schemas[next(iter(self._schemas))]
        used = {schema for schemas in self._schemas.values() for schema in schemas.values()}
        self._compiled = {schema: contract for schema, contract in self._compiled.items() if schema in used}

    def knows(self, name: str) -> bool:
        """Whether the configuration with this digest is one of them."""
        return name in self._schemas

    def find(self, subject: Subject) -> Validator | None:
        """The contract of a subject; `None` where there is none that works, which was logged."""
        schema = self._schemas[subject.digest].get((subject.model, subject.contract))
        if schema is None:
            return None
        if schema not in self._compiled:
            self._compiled[schema] = compiled(subject.model, subject.contract, msgspec.json.decode(schema))
        return self._compiled[schema]


def compiled(model: str, version: str, schema: dict[str, Any] | bool) -> Validator | None:
    """The contract of a version, ready to hold answers against it; `None` where it cannot be, which is logged."""
    try:
        return Validator(schema)
    except Exception as error:
        about = fields(model=model, contract=version, reason=repr(error))
        logger.error("contract cannot be compiled: answers are not held against it", extra=about)
        return None
