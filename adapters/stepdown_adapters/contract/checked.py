"""A contract as users of the library hold it: loaded by a reference or made in memory, and held against documents.

The validator behind it is compiled when the first document comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stepdown_adapters.contract import json_schema, model
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.contract.source import load_contract
from stepdown_adapters.contract.validator import Validator, Violation
from stepdown_adapters.diff import Client, Diff, Direction, Enums, Formats, compare
from stepdown_adapters.errors import AdaptersError


class BrokenContractError(AdaptersError):
    """A document breaks a contract; the message has a line for each of `violations`, the first that were found."""

    def __init__(self, place: str, violations: Sequence[Violation]) -> None:
        lines = [f"  {violation.path or 'the document'} {violation.message}" for violation in violations]
        super().__init__("\n".join([f"the document breaks the contract {place}:", *lines]))
        self.place = place
        self.violations = tuple(violations)


class Contract(model.Contract):
    """The schema of a version's output or input; see `stepdown_adapters.contract.model.Contract` for its fields."""

    __slots__ = ("_validator",)
    _validator: Validator | None

    @classmethod
    def load(
        cls, reference: str | Path | Mapping[str, Any], folder: str | Path = ".", *, side: Side = "output"
    ) -> Contract:
        """The contract that a reference names: `churn.json`, `api.yaml::predict/200`, `churn.proto::shop.v1.Answer`,
        `shop.models:Answer`, or one of the mappings of `stepdown_adapters.contract.source`.

        Files are relative to `folder`. `side` is `input` for what a model is asked, where the reference does not say.

        Raises:
            ContractError: with the place of each mistake.
        """  # noqa: D205 - the four forms belong together
        reference = str(reference) if isinstance(reference, Path) else reference
        return cls.of(load_contract(reference, Path(folder), side=side))

    @classmethod
    def of(cls, schema: model.Contract | Mapping[str, Any] | bool, place: str = "schema") -> Contract:
        """The contract that a JSON Schema in memory is, or any contract in this form; raises `ContractError`."""
        found = schema if isinstance(schema, model.Contract) else json_schema.contract_of_value(schema, place)
        return cls(found.schema, found.kind, found.place, found.envelope, found.warnings)

    def violations(self, document: Any, limit: int = 20, *, exact: bool = False) -> list[Violation]:
        """The first `limit` ways in which a document, or the JSON text of one as bytes, breaks the contract.

        Neither paths nor messages hold anything of the document, so both may be logged; `exact` paths lead to the very
        item and member instead.
        """
        try:
            validator = self._validator
        except AttributeError:
            validator = None
        if validator is None:
            validator = Validator(self.schema)
            object.__setattr__(self, "_validator", validator)
        return validator.violations(document, limit, exact=exact)

    def is_valid(self, document: Any) -> bool:
        """Whether a document, or the JSON text of one as bytes, keeps the contract."""
        return not self.violations(document, 1)

    def validate(self, document: Any) -> None:
        """Raise `BrokenContractError` with every violation, up to 20, if the document breaks the contract."""
        found = self.violations(document)
        if found:
            raise BrokenContractError(self.place, found)

    def compare(
        self,
        newer: model.Contract,
        *,
        direction: Direction = "response",
        client: Client = "strict",
        enums: Enums = "closed",
        formats: Formats = "annotation",
    ) -> Diff:
        """Every difference from this contract to a newer one, judged as `stepdown_adapters.diff.compare` does."""
        return compare(self, newer, direction=direction, client=client, enums=enums, formats=formats)
