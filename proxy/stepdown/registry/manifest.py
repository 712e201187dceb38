"""The manifest of one version: what was added, when, from what, and the hash of every file.

It is JSON, for people to read and for nobody to edit: `manifest_sha256` is the hash of all else in it (canonical:
sorted names, no white space), so an edit is found. Somebody who edits and hashes anew is found by the next version's
manifest, which names the hash, or by a hash that was kept elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from stepdown.registry.digest import NotPlainError, open_plain, sha256_of_json
from stepdown.registry.errors import Damage, Harm
from stepdown.registry.names import KINDS, SIDES, Kind, Side

FORMAT = 1
NAME = "manifest.json"
SEAL = "manifest_sha256"
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Recorded:
    """One file as it was written: hash in hexadecimal, size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Artifact:
    """The model itself; `sha256` is the file's, or that of the listing of a folder."""

    name: str
    kind: Kind
    sha256: str


@dataclass(frozen=True, slots=True)
class ContractRecord:
    """A contract as it was copied in: a JSON Schema 2020-12 in one piece."""

    file: str
    kind: str
    source: str
    """Where it was read from, for people."""
    envelope: str | None = None
    """The file with statuses, media types and headers, where an OpenAPI document declared them."""


@dataclass(frozen=True, slots=True)
class Code:
    """The preprocessing code that a version was trained with."""

    source: str
    """A path, or a Python import path, as it was given."""
    sha256: str
    files: Mapping[str, str]
    """The hash of each file, by its path in the folder."""


@dataclass(frozen=True, slots=True)
class Step:
    """The way from the release before, judged when the version was added."""

    since: str
    since_manifest: str
    """`manifest_sha256` of the release before."""
    client: str
    """Whose eyes it was judged with: `strict` or `tolerant`."""
    made: str
    needed: str
    changes: tuple[str, ...]
    allowed: str | None = None
    """Why a smaller step than needed was let through."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known of one version."""

    model: str
    version: str
    added: str
    """UTC, RFC 3339."""
    artifact: Artifact
    contracts: Mapping[Side, ContractRecord]
    preprocessing: Code | None
    training: Mapping[str, Any]
    step: Step | None
    files: Mapping[str, Recorded] = field(repr=False)
    """Every file of the version but the manifest, by its path in the version's folder."""

    @property
    def sha256(self) -> str:
        """The hash of the whole, which stands in the file as `manifest_sha256`."""
        return sha256_of_json(plain(self))

    @property
    def size(self) -> int:
        """Bytes of the artifact."""
        inside = f"{self.artifact.name}/"
        return sum(file.size for name, file in self.files.items() if f"{name}/".startswith(inside))

    def text(self) -> str:
        """The manifest as it is written."""
        return _text({**plain(self), SEAL: self.sha256})


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain(manifest: Manifest) -> dict[str, Any]:
    """The manifest as JSON values."""
    written: dict[str, Any] = _plain(manifest)
    return {"format": FORMAT, **written}


def _plain(value: Any) -> Any:
    if isinstance(value, Artifact | Code | ContractRecord | Manifest | Recorded | Step):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


class UnreadableError(Exception):
    """A manifest cannot be believed; `damage` says why."""

    def __init__(self, path: Path, harm: Harm, sentence: str) -> None:
        self.damage = Damage(str(path), harm, sentence)
        super().__init__(str(self.damage))


def read(path: Path) -> Manifest:
    """The manifest in a file; raises `UnreadableError` when it is not there, no manifest, or edited."""
    try:
        with open_plain(path) as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise UnreadableError(path, "missing", "the manifest is missing") from None
    except NotPlainError as error:
        raise UnreadableError(path, "symlink", f"the manifest {error}") from None
    except OSError as error:
        raise UnreadableError(path, "unreadable", f"cannot be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise UnreadableError(path, "changed", f"is longer than {_MOST_BYTES} bytes, which no manifest is")
    try:
        value = json.loads(data.decode(), object_pairs_hook=_pairs)
        as_written = _text(value).encode() == data
    except (ValueError, RecursionError) as error:
        raise UnreadableError(path, "changed", f"is not the JSON that was written: {error}") from None
    found = _believed(path, value)
    if not as_written:
        raise UnreadableError(path, "changed", "was edited: the content is the same, the text is not")
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _believed(path: Path, value: Any) -> Manifest:
    if not isinstance(value, dict) or not isinstance(value.get(SEAL), str):
        raise UnreadableError(path, "changed", f"was edited: there is no {SEAL}")
    if isinstance(value.get("format"), int) and value["format"] > FORMAT:
        raise UnreadableError(path, "unreadable", f"has format {value['format']}; this release reads up to {FORMAT}")
    seal = value.pop(SEAL)
    try:
        found = sha256_of_json(value)
    except ValueError as error:
        raise UnreadableError(path, "changed", f"was edited: {error}") from None
    if found != seal:
        raise UnreadableError(
            path, "changed", f"was edited: it says {SEAL} {seal[:12]}..., its content has {found[:12]}..."
        )
    try:
        return _manifest(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableError(path, "unreadable", f"is sealed and yet no manifest: {error!r}") from None


def _manifest(value: dict[str, Any]) -> Manifest:
    """Raises one of the errors above for anything that `plain` would not have written."""
    if value.pop("format") != FORMAT:
        raise ValueError(f"the format is not {FORMAT}")
    contracts = {side: ContractRecord(**value["contracts"][side]) for side in SIDES if side in value["contracts"]}
    code, step = value["preprocessing"], value["step"]
    manifest = Manifest(
        **{
            **value,
            "artifact": Artifact(**value["artifact"]),
            "contracts": contracts,
            "preprocessing": Code(**code) if code is not None else None,
            "step": Step(**{**step, "changes": tuple(step["changes"])}) if step is not None else None,
            "files": {name: Recorded(**recorded) for name, recorded in value["files"].items()},
        }
    )
    if manifest.artifact.kind not in KINDS:
        raise ValueError(f"an artifact of kind {manifest.artifact.kind!r}")
    texts = (manifest.model, manifest.version, manifest.added, manifest.artifact.name, manifest.artifact.sha256)
    sizes = (recorded.size for recorded in manifest.files.values())
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(size, int) for size in sizes):
        raise TypeError("a name is no string, or a size no number")
    return manifest
