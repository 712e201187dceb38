"""What `stepdown registry` prints: tables and colour in a terminal, plain text in a pipe, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from stepdown.cli.output import show_tables
from stepdown.cli.summary import Table
from stepdown.registry import contracts, verifying
from stepdown.registry.errors import Damage, DamagedError, RefusedError, RegistryError
from stepdown.registry.fields import fields
from stepdown.registry.manifest import Manifest, plain
from stepdown.registry.names import SIDES
from stepdown.registry.verifying import Report

if TYPE_CHECKING:
    from stepdown.registry.adding import Added

EXIT_REFUSED = 1
EXIT_IMPOSSIBLE = 2


@contextmanager
def answering(as_json: bool) -> Iterator[None]:
    """Prints an error of the registry and exits: with 1 where it was judged and refused, with 2 where it cannot be."""
    try:
        yield
    except RegistryError as error:
        if as_json:
            kind = type(error).__name__.removesuffix("Error").lower()
            more: dict[str, Any] = {}
            if isinstance(error, DamagedError):
                more["damages"] = [asdict(damage) for damage in error.damages]
            if isinstance(error, RefusedError):
                more["reasons"] = list(error.reasons)
            show_json({"ok": False, "error": kind, "place": error.place, "sentence": error.sentence, **more})
        else:
            _say("error", "red", str(error))
        raise typer.Exit(EXIT_REFUSED if isinstance(error, DamagedError | RefusedError) else EXIT_IMPOSSIBLE) from error


def show_json(value: Any) -> None:
    """One JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def show_added(added: Added, *, as_json: bool) -> None:
    """What became of an addition."""
    manifest, said = added.manifest, {"warnings": list(added.warnings)}
    if as_json:
        show_json({"ok": True, "new": added.new, "folder": str(added.folder), "manifest": _with_seal(manifest), **said})
        return
    for sentence in added.warnings:
        _say("warning", "yellow", sentence)
    name = f"{manifest.model} {manifest.version}"
    if not added.new:
        print(f"{name} is there already with the same content, added {manifest.added}; nothing was done")
        return
    print(f"{name} was added: {added.folder / manifest.artifact.name}")
    print(f"  SHA-256 {manifest.artifact.sha256}")
    if manifest.step is not None:
        print(f"  {_step(manifest)}")
        if manifest.step.allowed is not None:
            _say("warning", "yellow", f"the step is smaller than needed, and allowed: {manifest.step.allowed}")


def show_list(root: Path, folders: Sequence[Path], *, as_json: bool) -> None:
    """One row for each version, also where its manifest is damaged."""
    rows: list[tuple[str, ...]] = []
    listed: list[dict[str, Any]] = []
    for folder in folders:
        try:
            manifest = verifying.believed(folder)
        except DamagedError as error:
            rows.append((folder.parent.name, folder.name, "damaged: see `stepdown registry verify`", "", "", ""))
            damages = [str(damage) for damage in error.damages]
            listed.append({"model": folder.parent.name, "version": folder.name, "damages": damages})
            continue
        listed.append(_with_seal(manifest))
        artifact = manifest.artifact
        rows.append(
            (manifest.model, manifest.version, artifact.name, _size(manifest.size), manifest.added, _step(manifest))
        )
    if as_json:
        show_json({"registry": str(root), "versions": listed})
    elif rows:
        show_tables([Table(str(root), (("model", "version", "artifact", "size", "added", "step"), *rows))])
    else:
        print(f"{root}: no versions yet; `stepdown registry add` adds one")


def show_manifest(manifest: Manifest, *, as_json: bool) -> None:
    """All that is known of one version."""
    if as_json:
        show_json(_with_seal(manifest))
        return
    artifact, code, step = manifest.artifact, manifest.preprocessing, manifest.step
    facts = [
        ("added", manifest.added),
        ("artifact", artifact.name),
        ("kind", artifact.kind),
        ("size", _size(manifest.size)),
        ("sha256", artifact.sha256),
        *((side, f"{record.source} ({record.kind})") for side, record in manifest.contracts.items()),
        *([("preprocessing", code.source), ("its sha256", code.sha256)] if code is not None else []),
        ("step", _step(manifest)),
        *([("allowed", step.allowed)] if step is not None and step.allowed is not None else []),
        ("manifest", manifest.sha256),
    ]
    tables = [Table(f"{manifest.model} {manifest.version}", (("what", "value"), *facts))]
    if step is not None and step.changes:
        rows = ((change,) for change in step.changes)
        tables.append(Table(f"changes since {step.since}", (("change",), *rows)))
    if manifest.training:
        told = ((name, _text(value)) for name, value in manifest.training.items())
        tables.append(Table("training", (("what", "value"), *told)))
    show_tables(tables)


def show_report(report: Report, *, as_json: bool) -> None:
    """Each version with what is wrong with it, then what is wrong beside them."""
    if as_json:
        show_json(
            {
                "ok": not report.damages,
                "versions": [_checked(one.folder, report.of(one.folder)) for one in report.checked],
                "damages": [asdict(damage) for damage in report.damages],
                "leftovers": [str(path) for path in report.leftovers],
            }
        )
        return
    for checked in report.checked:
        name = f"{checked.folder.parent.name} {checked.folder.name}"
        if not report.of(checked.folder):
            count = len(checked.manifest.files) if checked.manifest is not None else 0
            _say("good", "green", f"{name}: {count} files are as they were added", sys.stdout)
    for damage in report.damages:
        _say("damaged", "red", str(damage), sys.stdout)
    for path in report.leftovers:
        _say("note", "yellow", f"{path}: is left over from an addition that was cut off; the next one removes it")
    if not report.checked and not report.damages:
        print("there are no versions yet")


def show_loaded(
    path: Path, manifest: Manifest, found: object, said: Sequence[str], *, unpickled: bool, as_json: bool
) -> None:
    """Where the artifact lies, and what it is where it was loaded; warnings go to standard error."""
    kind = f"{type(found).__module__}.{type(found).__qualname__}" if unpickled else None
    if as_json:
        answer = {"ok": True, "model": manifest.model, "version": manifest.version, "path": str(path)}
        show_json({**answer, "sha256": manifest.artifact.sha256, "type": kind, "warnings": list(said)})
        return
    for sentence in said:
        _say("warning", "yellow", sentence)
    print(path if kind is None else f"{path}: {kind}")


def show_fields(folder: Path, manifest: Manifest) -> None:
    """A version's fields and step as JSON."""
    kept = ((side, contracts.kept(folder, manifest, side)) for side in SIDES)
    listed = {side: [asdict(field) for field in fields(one.schema)] for side, one in kept if one is not None}
    step = asdict(manifest.step) if manifest.step is not None else None
    show_json({"model": manifest.model, "version": manifest.version, **listed, "step": step})


def _checked(folder: Path, damages: Sequence[Damage]) -> dict[str, Any]:
    return {"model": folder.parent.name, "version": folder.name, "ok": not damages}


def _with_seal(manifest: Manifest) -> dict[str, Any]:
    return {**plain(manifest), "manifest_sha256": manifest.sha256}


def _step(manifest: Manifest) -> str:
    step = manifest.step
    if step is None:
        return "the first release"
    return f"{step.made.upper()} since {step.since}, needed {step.needed.upper()}"


def _size(count: int) -> str:
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _say(word: str, colour: str, sentence: str, stream: Any = None) -> None:
    """`word: sentence`, the word coloured in a terminal."""
    stream = stream or sys.stderr
    if not stream.isatty():
        print(f"{word}: {sentence}", file=stream)
        return
    from rich.console import Console  # noqa: PLC0415 - costs a third of the start-up, and only terminals want it
    from rich.text import Text  # noqa: PLC0415

    line = Text.assemble((f"{word}:", f"bold {colour}"), " ", sentence)
    Console(file=stream, highlight=False).print(line, soft_wrap=True)
