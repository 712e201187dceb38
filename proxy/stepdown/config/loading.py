"""Loading: the file with all that it includes and names, accepted whole or refused whole.

On a reload each included file has a last good copy. When the whole would be refused, included files with errors in them
are replaced by their copies and the rest is tried again; where that does not help (what others need was taken away), so
are all that were changed. So one team's mistake does not hold up another's change, and what is wrong is a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from stepdown.config.assemble import Assembly
from stepdown.config.compile.checker import Checker
from stepdown.config.compile.process import process_settings_of, provider_of, store_of, tokens_of
from stepdown.config.compile.resources import gather
from stepdown.config.compile.snapshot import compile_snapshot_spec
from stepdown.config.file import RootFile
from stepdown.config.findings import Finding, Place, RefusedError, in_order
from stepdown.config.flagfiles import FlagFile
from stepdown.config.idlists import IdList
from stepdown.config.settings import Loaded, ProcessSettings, ProviderSettings, StoreSettings, Token
from stepdown.config.sources import Disk, Source
from stepdown.config.validate import validate
from stepdown.decide.spec import SnapshotSpec


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What came of one way to read the files."""

    findings: tuple[Finding, ...]
    sources: Mapping[str, Source]
    result: tuple[SnapshotSpec, ProcessSettings, tuple[Token, ...]] | None = None
    overlay: str | None = None
    lists: Mapping[str, IdList] = field(default_factory=dict)
    flags: FlagFile | None = None
    flags_ok: bool | None = None
    provider: ProviderSettings | None = None
    store: StoreSettings | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


def load(path: Path, environ: Mapping[str, str], previous: Loaded | None = None) -> Loaded:
    """Load a configuration file.

    `environ` fills in `${NAME}` and `{env: NAME}`. `previous` is the configuration in force: it gives the last good
    copies of included files, and what `latest` has meant so far.

    Raises:
        RefusedError: (a `ConfigError`) with every finding; nothing else is raised for what is in files.
    """
    disk = Disk()
    copies = {str(source.path): source for source in previous.sources[1:]} if previous else {}
    kept: dict[str, Source] = {}
    first = attempt = _attempt(path, disk, environ, previous, kept)
    while attempt.errors:
        left = copies.keys() - kept.keys()
        broken = {finding.place.file for finding in attempt.errors} & left
        broken = broken or {name for name in left if first.sources.get(name) != copies[name]}
        if not broken:
            raise RefusedError(first.findings, disk.watched)
        kept |= {name: copies[name] for name in broken}
        attempt = _attempt(path, disk, environ, previous, kept)
    assert attempt.result is not None
    spec, process, tokens = attempt.result
    watched = disk.watched
    return Loaded(
        spec=spec,
        process=process,
        tokens=tokens,
        files=(path, *(file for file in watched.stamps if file != path)),
        warnings=in_order([*attempt.findings, *_about_kept(first, kept)]),
        watched=watched,
        sources=tuple(attempt.sources.values()),
        lists=attempt.lists,
        flags=attempt.flags,
        flags_ok=attempt.flags_ok,
        provider=attempt.provider,
        store=attempt.store,
        overlay=path.absolute().parent / attempt.overlay if attempt.overlay is not None else None,
    )


def _attempt(
    path: Path, disk: Disk, environ: Mapping[str, str], previous: Loaded | None, kept: Mapping[str, Source]
) -> _Attempt:
    assembly = Assembly(path, disk, environ, kept)
    if assembly.root is None:
        return _Attempt(in_order(assembly.findings), assembly.sources)
    valid = validate(assembly.root, RootFile)
    findings = [*assembly.findings, *_unless_said(valid.findings, assembly)]
    if valid.file is None:
        return _Attempt(in_order(findings), assembly.sources)
    checker = Checker(valid.root, valid.removed)
    flags = previous.flags if previous is not None else None
    resources = gather(valid.file, checker, disk, environ, assembly.sources, previous.lists if previous else {}, flags)
    models = {model.name: model for model in previous.spec.models} if previous else {}
    spec = compile_snapshot_spec(valid.file, resources, models, checker)
    process = process_settings_of(valid.file, checker)
    tokens = tokens_of(valid.file, resources, checker)
    store = store_of(valid.file, resources, checker)
    if not (spec.routes or spec.passthrough_to or findings or checker.findings):
        checker.warn((), "nothing is routed: every request will be answered with 404", "routes or passthrough_to")
    overlay = valid.file.state.overlay if valid.file.state is not None else None
    found = in_order([*findings, *checker.findings])
    return _Attempt(
        found,
        assembly.sources,
        (spec, process, tokens),
        overlay,
        resources.lists_by_file,
        resources.flags,
        resources.flags_ok,
        provider_of(valid.file) if spec.flags is not None else None,
        store,
    )


def _unless_said(findings: list[Finding], assembly: Assembly) -> list[Finding]:
    """Without those about a value of which it was said already why it cannot be read."""
    said = {(finding.place, finding.key) for finding in assembly.findings}
    return [finding for finding in findings if (finding.place, finding.key) not in said]


def _about_kept(first: _Attempt, kept: Mapping[str, Source]) -> list[Finding]:
    """What is wrong with the files whose last good copy is used, as warnings."""
    said = "the last good copy of this file stays in force"
    return [
        *(replace(finding, severity="warning") for finding in first.errors if finding.place.file in kept),
        *(Finding(Place(name, 1, 1), "", said, severity="warning") for name in kept),
    ]
