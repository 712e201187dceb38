"""Contracts in a registry: copied in as a JSON Schema in one piece, read back, and found for a configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stepdown.registry import layout, verifying
from stepdown.registry.digest import sha256_of_json
from stepdown.registry.errors import BadInputError, DamagedError, NotFoundError
from stepdown.registry.manifest import ContractRecord, Manifest
from stepdown.registry.names import SIDES, Side
from stepdown_adapters.contract.model import Answer, Contract, Envelope, Header
from stepdown_adapters.errors import AdaptersError

Reference = str | Mapping[str, Any]


def read(reference: Reference, folder: Path, side: Side) -> Contract:
    """The contract that a reference names, relative to `folder`; raises `BadInputError`."""
    from stepdown_adapters.contract.source import load_contract  # noqa: PLC0415 - who only loads models needs none of it

    try:
        contract = load_contract(reference, folder, side=side)
        sha256_of_json(contract.schema)
    except AdaptersError as error:
        raise BadInputError(str(reference), f"is no usable contract: {error}") from error
    except ValueError as error:
        raise BadInputError(str(reference), f"cannot be written as JSON: {error}") from error
    return contract


def written(side: Side, contract: Contract) -> dict[str, bytes]:
    """The files that keep a contract, by name."""
    files = {f"{side}.json": _text(contract.schema)}
    if contract.envelope is not None:
        files[f"{side}.envelope.json"] = _text(asdict(contract.envelope))
    return files


def record(side: Side, contract: Contract, reference: Reference) -> ContractRecord:
    """What the manifest says of those files."""
    envelope = f"{side}.envelope.json" if contract.envelope is not None else None
    return ContractRecord(f"{side}.json", contract.kind, _source(reference), envelope)


def kept(folder: Path, manifest: Manifest, side: Side) -> Contract | None:
    """The contract of a version as it was when that was added; `None` where it has none on that side.

    Raises:
        DamagedError: its file is not as it was added.
    """
    found = manifest.contracts.get(side)
    if found is None:
        return None
    schema = json.loads(_checked(folder, manifest, found.file))
    envelope = _envelope(json.loads(_checked(folder, manifest, found.envelope))) if found.envelope else None
    return Contract(schema, found.kind, str(folder / found.file), envelope)  # type: ignore[arg-type]


def contract_file(folder: str | Path, model: str, version: str, side: Side = "output") -> Path:
    """The file of a version's contract, a JSON Schema 2020-12 in one piece, for a configuration to use as `schema`.

    `folder` is the registry; `version` is exact, a range or `latest`. The manifest and the file are verified.

    Raises:
        RegistryError: there is no such registry, model, version or side, or it is not as it was added.
    """
    if side not in SIDES:
        raise BadInputError(f"side {side!r}", f"found neither {' nor '.join(SIDES)}")
    _, at = layout.find(Path(folder), model, version)
    manifest = verifying.believed(at)
    found = manifest.contracts.get(side)
    if found is None:
        raise NotFoundError(at, f"{model} {manifest.version} was added without a contract of its {side}")
    _checked(at, manifest, found.file)
    return at / found.file


def _checked(folder: Path, manifest: Manifest, name: str) -> bytes:
    pieces: list[bytes] = []
    if damages := tuple(verifying.check_file(folder, manifest, name, pieces.append)):
        raise DamagedError(folder, damages)
    return b"".join(pieces)


def same(one: Contract, other: Contract) -> bool:
    """Whether two contracts say the same, in whatever order."""
    schemas, envelopes = (one.schema, other.schema), (one.envelope, other.envelope)
    written = [asdict(envelope) if envelope is not None else None for envelope in envelopes]
    return len(set(map(sha256_of_json, schemas))) == len(set(map(sha256_of_json, written))) == 1


def _source(reference: Reference) -> str:
    """The reference as it was given, without the folders of an absolute path, which mean nothing elsewhere."""
    if not isinstance(reference, str):
        return json.dumps(dict(reference), ensure_ascii=False)
    file, separator, rest = reference.partition("::")
    return (Path(file).name if Path(file).is_absolute() else file) + separator + rest


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _envelope(value: dict[str, Any]) -> Envelope:
    return Envelope(
        {
            status: Answer(
                answer["media_types"], {name: Header(**header) for name, header in answer["headers"].items()}
            )
            for status, answer in value["answers"].items()
        }
    )
