"""Adds a version: everything is read and judged first, then written in one step.

The order matters. What was given is read without the lock, because reading may take long; whether the version is there
already, and whether its number is large enough, is judged under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stepdown.registry import bump, contracts, layout, preprocessing, training, verifying
from stepdown.registry.bump import Judgement
from stepdown.registry.contracts import Reference
from stepdown.registry.digest import NotPlainError, files_below, sha256_of_file, sha256_of_listing
from stepdown.registry.errors import BadInputError, RefusedError, storage
from stepdown.registry.manifest import NAME, Artifact, Code, Manifest, Step
from stepdown.registry.names import SIDES, Kind, Side, artifact_kind, artifact_name, check_model, parse_version
from stepdown.registry.page import page
from stepdown.registry.writing import Draft, locked
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.diff import Client, lint
from stepdown_adapters.versions import Version


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an addition."""

    manifest: Manifest
    folder: Path
    new: bool
    """False where the same version with the same content was there already, and nothing was done."""
    warnings: tuple[str, ...] = ()
    """What in its contracts is probably not meant."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version as it was given, read and hashed."""

    model: str
    version: Version
    source: Path
    artifact: Artifact
    hashes: Mapping[str, str]
    """Of the files of the artifact, by their path in its folder, or by `""` where it is a file."""
    contracts: dict[Side, Contract]
    references: Mapping[Side, Reference]
    preprocessing: Code | None
    training: Mapping[str, Any]


def read(
    model: str,
    version: str,
    artifact: Path,
    *,
    output: Reference,
    input: Reference | None,
    code: str | Path | None,
    metadata: Mapping[str, Any] | None,
    beside: Path,
) -> Candidate:
    """Everything that was given, or one `BadInputError` that names every mistake in it."""
    mistakes: list[BadInputError] = []

    def tried(read: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return read(*arguments)
        except BadInputError as error:
            mistakes.append(error)
            return None

    tried(check_model, model)
    parsed = tried(parse_version, version)
    hashed = tried(_artifact, artifact)
    given: dict[Side, Reference | None] = {"output": output, "input": input}
    references = {side: reference for side, reference in given.items() if reference is not None}
    found = {side: tried(contracts.read, reference, beside, side) for side, reference in references.items()}
    recorded = tried(preprocessing.code, code, beside) if code is not None else None
    told = tried(training.completed, metadata, beside)
    if mistakes:
        raise (
            mistakes[0]
            if len(mistakes) == 1
            else BadInputError(
                f"{model} {version}", "cannot be added:" + "".join(f"\n  {mistake}" for mistake in mistakes)
            )
        )
    kind, sha256, hashes = hashed
    named = Artifact(artifact_name(model, parsed, sha256, kind), kind, sha256)
    return Candidate(model, parsed, artifact, named, hashes, found, references, recorded, told)


def add(root: Path, candidate: Candidate, *, client: Client, allow: str | None, seconds: float) -> Added:
    """Puts a candidate into the registry in `root`, which is made where it is missing.

    Raises:
        RefusedError: the version is there with another content, or its number says less than its contracts changed.
        DamagedError: the version that it must be compared with is not as it was added.
        BusyError, StorageError: the lock cannot be had within `seconds`; the file system refuses.
    """
    with locked(root, seconds):
        there = layout.versions(root, candidate.model)
        if candidate.version in there:
            return _same(candidate, there[candidate.version])
        below, above = bump.neighbours(candidate.version, there)
        step, judgement = (None, None) if below is None else _step_from(there[below], below, candidate, client)
        _refuse(candidate, [judgement, *_step_to(there, above, candidate, client)], allow)
        allowed = allow if judgement is not None and not judgement.holds else None
        if step is not None:
            step = replace(step, allowed=allowed)
        return _write(root, candidate, step, judgement)


def _artifact(path: Path) -> tuple[Kind, str, dict[str, str]]:
    """Kind, hash, and the hash of each file."""
    kind = artifact_kind(path)
    try:
        with storage(path):
            if kind != "savedmodel":
                sha256, size = sha256_of_file(path.resolve())
                if size == 0:
                    raise BadInputError(path, "is empty")
                return kind, sha256, {"": sha256}
            hashes = {name: sha256_of_file(file)[0] for name, file in files_below(path)}
    except NotPlainError as error:
        raise BadInputError(path, f"holds something that {error}") from None
    strange = [name for name in hashes if any(ord(letter) < 32 for letter in name)]
    if strange:
        raise BadInputError(path, f"has a file whose name holds a control character: {strange[0]!r}")
    return kind, sha256_of_listing(hashes), hashes


def _same(candidate: Candidate, folder: Path) -> Added:
    """The version that is there, if it is the same; raises `RefusedError` with everything that differs."""
    found = verifying.sound(folder)
    differing = []
    if found.artifact.sha256 != candidate.artifact.sha256:
        hashes = f"{found.artifact.sha256[:12]}... is there, {candidate.artifact.sha256[:12]}... was given"
        differing.append(f"other bytes: {hashes}")
    for side in SIDES:
        kept, given = contracts.kept(folder, found, side), candidate.contracts.get(side)
        if (kept is None) != (given is None):
            what = "there, and none was given" if given is None else "given, and none is there"
            differing.append(f"{side}: a contract is {what}")
        elif kept is not None and given is not None and not contracts.same(kept, given):
            differing.append(f"{side}: another contract")
    hashes_of_code = [code.sha256 if code else None for code in (found.preprocessing, candidate.preprocessing)]
    if hashes_of_code[0] != hashes_of_code[1]:
        differing.append("other preprocessing code")
    if differing:
        place = f"{candidate.model} {found.version}"
        raise RefusedError(place, "is there already and never changes; give the model a new version. It has", differing)
    return Added(found, folder, new=False)


def _step_from(folder: Path, below: Version, candidate: Candidate, client: Client) -> tuple[Step, Judgement]:
    manifest = verifying.believed(folder)
    judged = bump.judge(below, _kept(folder, manifest), candidate.version, candidate.contracts, client)
    return Step(str(below), manifest.sha256, client, judged.made, judged.needed, judged.changes), judged


def _step_to(
    there: Mapping[Version, Path], above: Version | None, candidate: Candidate, client: Client
) -> list[Judgement]:
    """The step from the candidate to the release above it, where there is one."""
    if above is None:
        return []
    manifest = verifying.believed(there[above])
    after = _kept(there[above], manifest)
    return [bump.judge(candidate.version, candidate.contracts, above, after, client)]


def _kept(folder: Path, manifest: Manifest) -> dict[Side, Contract]:
    kept = {side: contracts.kept(folder, manifest, side) for side in SIDES}
    return {side: contract for side, contract in kept.items() if contract is not None}


def _refuse(candidate: Candidate, judgements: list[Judgement | None], allow: str | None) -> None:
    for judged in judgements:
        if judged is None or judged.holds or allow is not None:
            continue
        raise RefusedError(
            f"{candidate.model} {candidate.version}",
            f"{judged} ({judged.advice}; or give a reason with --allow-bump), because of",
            judged.least,
        )


def _write(root: Path, candidate: Candidate, step: Step | None, judgement: Judgement | None) -> Added:
    name, version = candidate.artifact.name, str(candidate.version)
    with Draft(root / candidate.model) as draft:
        for inner, sha256 in candidate.hashes.items():
            source = candidate.source / inner if inner else candidate.source.resolve()
            draft.copy(f"{name}/{inner}" if inner else name, source, sha256)
        records = {}
        for side, contract in candidate.contracts.items():
            records[side] = contracts.record(side, contract, candidate.references[side])
            for file, data in contracts.written(side, contract).items():
                draft.write(file, data)
        text = page(
            candidate.model,
            version,
            candidate.contracts,
            judgement,
            allowed=step.allowed if step is not None else None,
            artifact=candidate.artifact,
            preprocessing=candidate.preprocessing,
            training=candidate.training,
        )
        draft.write(layout.PAGE, text.encode())
        manifest = Manifest(
            model=candidate.model,
            version=version,
            added=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            artifact=candidate.artifact,
            contracts=records,
            preprocessing=candidate.preprocessing,
            training=candidate.training,
            step=step,
            files=dict(draft.files),
        )
        draft.write(NAME, manifest.text().encode())
        return Added(manifest, draft.publish(version), True, tuple(_warnings(candidate.contracts)))


def _warnings(found: Mapping[Side, Contract]) -> Iterator[str]:
    for side, contract in found.items():
        yield from contract.warnings
        yield from (f"{side} {warning}" for warning in lint(contract))
