"""Loads a contract from wherever it is declared: the one door to all reading rooms.

A reference is a text or, in a configuration, a mapping; files are relative to a folder.

    contracts/churn.json                        {json_schema: contracts/churn.json}
    api.yaml::predict/200/application/json      {openapi: api.yaml, operation: predict, status: "200", media_type: ...}
    api.yaml::POST /predict                     {openapi: api.yaml, operation: POST /predict, side: input}
    churn.proto::shop.v1.Answer                 {protobuf: churn.proto, message: shop.v1.Answer}
    churn.binpb::shop.v1.Answer                 {protobuf: churn.binpb, message: shop.v1.Answer}
    shop.models:Answer                          {pydantic: "shop.models:Answer"}
                                                {catalogue: openai/chat}, one that comes with the library (`catalogue`)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stepdown_adapters.contract.mistakes import Mistakes, listed, unknown
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.errors import CatalogueError, ContractError
from stepdown_adapters.json_values import kind as kind_of

SCHEMA_SUFFIXES = (".json", ".yaml", ".yml")
PROTOBUF_SUFFIXES = (".proto", ".binpb", ".pb", ".desc")
_FORMS = (
    "FILE.json, FILE.yaml::operationId[/status[/media-type]], FILE.proto::package.Message, "
    "FILE.binpb::package.Message, or package.module:Model"
)
_OPERATION = re.compile(
    r"(?P<operation>.+?)(?:/(?P<status>[1-5](?:[0-9]{2}|XX)|default)(?:/(?P<media_type>[^/]+/[^/]+))?)?"
)
_IMPORT_PATH = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")
_OPTIONAL: Mapping[str, Mapping[str, bool]] = {
    "json_schema": {},
    "openapi": {"operation": True, "status": False, "media_type": False, "side": False},
    "protobuf": {"message": True},
    "pydantic": {"side": False},
    "catalogue": {"side": False},
}
"""The members beside the one that says what kind of source it is, and whether each is required."""


def load_contract(reference: str | Mapping[str, Any], folder: Path, *, side: Side = "output") -> Contract:
    """The contract that `reference` declares.

    `side` is whose it is where the reference does not say: `input` for what a model is asked. It matters to OpenAPI,
    Pydantic and the catalogue, where the two sides of one declaration differ.

    Raises:
        ContractError: with the place of each mistake: file and line, or file and JSON Pointer.
    """
    parts = _of_text(reference) if isinstance(reference, str) else _of_mapping(reference)
    side = parts.get("side", side)
    if "pydantic" in parts:
        from stepdown_adapters.contract import pydantic_models  # noqa: PLC0415 - each room brings what only it needs

        return pydantic_models.contract_of(parts["pydantic"], side=side)
    if "openapi" in parts:
        from stepdown_adapters.contract import openapi  # noqa: PLC0415

        return openapi.contract_of(
            folder / parts["openapi"],
            parts["operation"],
            status=parts.get("status"),
            media_type=parts.get("media_type"),
            side=side,
        )
    if "protobuf" in parts:
        from stepdown_adapters.contract import protobuf  # noqa: PLC0415

        return protobuf.contract_of(folder / parts["protobuf"], parts["message"], folder)
    from stepdown_adapters.contract import json_schema  # noqa: PLC0415

    if "catalogue" in parts:
        from stepdown_adapters.catalogue.entries import contract_file  # noqa: PLC0415

        try:
            return json_schema.contract_of(contract_file(parts["catalogue"], side))
        except CatalogueError as error:
            raise ContractError(str(dict(parts)), str(error)) from None
    return json_schema.contract_of(folder / parts["json_schema"])


def _of_text(reference: str) -> dict[str, Any]:
    """The mapping that a reference's text stands for."""
    file, separator, inside = reference.partition("::")
    suffix = Path(file).suffix.lower()
    if suffix in SCHEMA_SUFFIXES:
        if not separator:
            return {"json_schema": file}
        match = _OPERATION.fullmatch(inside)
        if match is None:
            raise ContractError(reference, "an operation belongs after '::', such as 'predict/200/application/json'")
        return {"openapi": file, **{name: text for name, text in match.groupdict().items() if text is not None}}
    if suffix in PROTOBUF_SUFFIXES:
        if not inside:
            raise ContractError(reference, f"a message belongs behind it, such as '{file}::package.Message'")
        return {"protobuf": file, "message": inside}
    if not separator and _IMPORT_PATH.fullmatch(reference):
        return {"pydantic": reference}
    raise ContractError(reference or "''", f"is no contract; write {_FORMS}")


def _of_mapping(reference: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping itself, when it has what one of its kind needs; all that is wrong with it is said at once."""
    place = str(dict(reference)) if isinstance(reference, Mapping) else repr(reference)
    kinds = [name for name in _OPTIONAL if name in reference] if isinstance(reference, Mapping) else []
    if len(kinds) != 1:
        raise ContractError(place, f"a contract has exactly one of {listed(_OPTIONAL)}")
    known = _OPTIONAL[kinds[0]]
    mistakes = Mistakes()
    for name in reference:
        if name not in known and name != kinds[0]:
            mistakes.add(place, unknown("member", str(name), [*known, *kinds]))
    for name in (kinds[0], *(name for name, required in known.items() if required)):
        if reference.get(name) is None:
            beside = "a value" if name == kinds[0] else f"the member {name!r} beside it"
            mistakes.add(place, f"{kinds[0]!r} needs {beside}")
    parts = {name: value for name, value in reference.items() if value is not None}
    if type(parts.get("status")) is int:  # YAML writes 200 without quotes
        parts["status"] = str(parts["status"])
    for name, value in parts.items():
        if name in (*known, *kinds) and not (isinstance(value, str) and value):
            mistakes.add(place, f"{name!r} is a text, not {kind_of(value)}")
    if isinstance(parts.get("side"), str) and parts["side"] not in ("input", "output"):
        mistakes.add(place, f"'side' is 'input' or 'output', not {parts['side']!r}")
    mistakes.refuse()
    return parts
