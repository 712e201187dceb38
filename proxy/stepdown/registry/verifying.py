"""Finds any byte of a registry that is not as it was added.

Everything is hashed anew and held against the manifest: files that are missing, cut short, changed or added, names that
do not fit their content, symbolic links (nothing in a registry is one, so none can lead outside), and a version that is
not the one with which the next was compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stepdown.registry import layout, manifest
from stepdown.registry.digest import NotPlainError, files_below, sha256_of_file, sha256_of_listing
from stepdown.registry.errors import BadInputError, Damage, DamagedError, storage
from stepdown.registry.manifest import Manifest, UnreadableError
from stepdown.registry.names import LATEST, artifact_name, check_model, parse_version

See = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Checked:
    """A version's folder as it was found; `manifest` is `None` where it cannot be believed."""

    folder: Path
    manifest: Manifest | None
    damages: tuple[Damage, ...]
    kept: bytes | None = None
    """The very bytes that were hashed, of the file that was to be kept."""


def check(folder: Path, *, keep_artifact: bool = False) -> Checked:
    """Hashes everything in a version's folder; with `keep_artifact` the artifact's bytes are kept, if it is a file."""
    try:
        found = _manifest(folder)
    except UnreadableError as error:
        return Checked(folder, None, (error.damage,))
    damages = list(_names(folder, found))
    kept: list[bytes] = []
    with storage(folder):
        there = dict(files_below(folder))
    for name in found.files:
        there.pop(name, None)
        see = kept.append if keep_artifact and name == found.artifact.name else None
        damages += check_file(folder, found, name, see)
    there.pop(manifest.NAME, None)
    extra = "was not added; nothing may be put into a version"
    damages += [Damage(str(path), "extra", extra) for path in there.values()]
    return Checked(folder, found, tuple(damages), b"".join(kept) if kept else None)


def sound(folder: Path) -> Manifest:
    """The manifest of a version in which nothing is damaged; raises `DamagedError`."""
    checked = check(folder)
    if checked.manifest is None or checked.damages:
        raise DamagedError(folder, checked.damages)
    return checked.manifest


def believed(folder: Path) -> Manifest:
    """The manifest of a version, which alone is checked; raises `DamagedError`."""
    try:
        found = _manifest(folder)
    except UnreadableError as error:
        raise DamagedError(folder, (error.damage,)) from None
    if damages := tuple(_names(folder, found)):
        raise DamagedError(folder, damages)
    return found


def _manifest(folder: Path) -> Manifest:
    """The manifest in a folder that is really in the registry; raises `UnreadableError`."""
    for path in (folder.parent, folder):
        if path.is_symlink():
            raise UnreadableError(path, "symlink", "is a symbolic link; a registry has none")
    return manifest.read(folder / manifest.NAME)


def check_file(folder: Path, found: Manifest, name: str, see: See | None = None) -> Iterator[Damage]:
    """What is wrong with one file of a version; `see` is given its content, piece by piece, as it is hashed."""
    path = folder / name
    recorded = found.files.get(name)
    if recorded is None or Path(name).is_absolute() or ".." in Path(name).parts:
        yield Damage(str(path), "misnamed", "is no file of this version")
        return
    try:
        for inner in path.relative_to(folder).parents:
            if (folder / inner).is_symlink():
                raise NotPlainError(f"lies in {inner}, which is a symbolic link")
        sha256, size = sha256_of_file(path, see)
    except FileNotFoundError:
        yield Damage(str(path), "missing", "is missing")
    except NotPlainError as error:
        yield Damage(str(path), "symlink", str(error))
    except OSError as error:
        yield Damage(str(path), "unreadable", f"cannot be read: {error.strerror}")
    else:
        if size < recorded.size:
            yield Damage(str(path), "truncated", f"is cut short: {size} of {recorded.size} bytes are there")
        elif sha256 != recorded.sha256:
            grown = f" ({size} bytes instead of {recorded.size})" if size != recorded.size else ""
            told = f"it was added with SHA-256 {recorded.sha256[:12]}..., and has {sha256[:12]}..."
            yield Damage(str(path), "changed", f"was changed{grown}: {told}")


def _names(folder: Path, found: Manifest) -> Iterator[Damage]:
    """Whether folder, manifest and artifact agree on what this is."""
    place = str(folder / manifest.NAME)
    if (found.model, found.version) != (folder.parent.name, folder.name):
        yield Damage(place, "misnamed", f"is of {found.model} {found.version}, and lies in {_end(folder)}")
    artifact = found.artifact
    name = artifact_name(found.model, found.version, artifact.sha256, artifact.kind)
    if artifact.name != name:
        yield Damage(place, "misnamed", f"names the artifact {artifact.name}; by its hash it is {name}")
        return
    if artifact.kind == "savedmodel":
        inside = f"{name}/"
        parts = {
            path.removeprefix(inside): file.sha256 for path, file in found.files.items() if path.startswith(inside)
        }
        agrees = sha256_of_listing(parts) == artifact.sha256
    else:
        agrees = name in found.files and found.files[name].sha256 == artifact.sha256
    if not agrees:
        yield Damage(place, "misnamed", f"has no file whose hash is the artifact's, {artifact.sha256[:12]}...")


def _end(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a registry, or a part of it, was found to be."""

    checked: tuple[Checked, ...]
    damages: tuple[Damage, ...]
    leftovers: tuple[Path, ...]
    """What cut-off additions left behind; harmless, and removed by the next addition."""

    def of(self, folder: Path) -> tuple[Damage, ...]:
        """What is wrong with one version."""
        inside = f"{folder}/"
        return tuple(one for one in self.damages if f"{one.place}/".startswith(inside))


def report(root: Path, model: str | None = None, wanted: str | None = None) -> Report:
    """Checks the whole registry, one model, or the one version that `wanted` means; raises `NotFoundError`."""
    if model is not None and wanted is not None:
        checked = check(layout.find(root, model, wanted)[1])
        return Report((checked,), checked.damages, ())
    if model is not None and not layout.versions(root, model):
        layout.find(root, model, LATEST)  # says what is missing
    names = [model] if model is not None else layout.models(root)
    all_checked: list[Checked] = []
    damages: list[Damage] = [] if model is not None else list(_strays(root))
    leftovers: list[Path] = []
    for name in names:
        of_model = [check(folder) for folder in layout.versions(root, name).values()]
        all_checked += of_model
        damages += [damage for one in of_model for damage in one.damages]
        damages += [*_history(of_model), *_strangers(root / name)]
        leftovers += layout.leftovers(root / name)
    return Report(tuple(all_checked), tuple(dict.fromkeys(damages)), tuple(leftovers))


def _history(checked: list[Checked]) -> Iterator[Damage]:
    """Whether each version is still beside the one with which it was compared."""
    there = {one.manifest.version: one.manifest.sha256 for one in checked if one.manifest is not None}
    broken = {one.folder.name for one in checked if one.manifest is None}
    for one in checked:
        step = one.manifest.step if one.manifest is not None else None
        if step is None or step.since in broken:
            continue
        place = str(one.folder.parent / step.since)
        if step.since not in there:
            yield Damage(place, "missing", f"is missing; {one.folder.name} was compared with it when it was added")
        elif there[step.since] != step.since_manifest:
            told = f"is not the one with which {one.folder.name} was compared when it was added"
            yield Damage(place, "replaced", told)


def _strangers(folder: Path) -> Iterator[Damage]:
    """What lies among the versions of a model and is none."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(layout.ADDING):
            continue
        try:
            named = str(parse_version(path.name)) == path.name
        except BadInputError:
            named = False
        if not named or not path.is_dir():
            yield Damage(str(path), "extra", "is no version; only versions lie here")


def _strays(root: Path) -> Iterator[Damage]:
    """Folders of the registry that are no models; a file such as README.md or .gitignore may lie beside them."""
    for path in sorted(root.iterdir()):
        if path.is_symlink() and path.is_dir():
            yield Damage(str(path), "symlink", "is a symbolic link; a registry has none")
        elif path.is_dir() and not path.name.startswith("."):
            try:
                check_model(path.name)
            except BadInputError:
                yield Damage(str(path), "extra", "is the name of no model; only models lie here")
