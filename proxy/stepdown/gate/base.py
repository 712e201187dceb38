"""Where the base is: a folder, or a revision of git, whose files are written to a temporary folder.

Files come out of git by `cat-file`, as they were committed: no filter, attribute or hook of the repository is run, and
nothing but git itself. Written are files that a configuration may name (YAML, JSON, Protobuf, locks) and whatever lies
in the configuration's own folder; links only where they stay inside; no submodules, and of LFS the pointers.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_SUFFIXES = frozenset([".json", ".yaml", ".yml", ".proto", ".binpb", ".pb", ".desc", ".lock"])
_LONGEST_FILE = 8 * 1024 * 1024
_SECONDS = 120


class BaseError(Exception):
    """There is no such base; `str()` says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base that can be read."""

    file: Path
    """The configuration file; it may not exist."""
    name: str
    """For people: `main (1a2b3c4d5e6f)` or a folder."""


@dataclass(frozen=True, slots=True)
class _Blob:
    """One file of a revision."""

    path: PurePosixPath
    name: str
    is_link: bool


def repository_of(file: Path) -> Path | None:
    """The top of the repository that a file is in; `None` outside of any."""
    found = _git(_folder(file), "rev-parse", "--show-toplevel", check=False)
    return Path(os.fsdecode(found.stdout).rstrip("\n")) if found.returncode == 0 else None


@contextmanager
def opened(base: str, file: Path) -> Iterator[Base]:
    """The base that `base` names, for the configuration `file`; written files go with the context.

    Raises:
        BaseError: when there is no such revision or folder.
    """
    commit = _commit(base, file)
    is_folder = os.path.isdir(base)
    if commit is not None and is_folder and not base.startswith((".", "/")):
        raise BaseError(f"{base} is both a revision of git and a folder: write ./{base} or refs/heads/{base}")
    if is_folder and (commit is None or base.startswith((".", "/"))):
        yield Base(_in_folder(Path(base), file), base)
        return
    if commit is None:
        raise BaseError(_why_not(base, file))
    top = repository_of(file)
    assert top is not None
    inside = PurePosixPath(os.path.relpath(os.path.realpath(file), os.path.realpath(top)))
    with tempfile.TemporaryDirectory(prefix="stepdown-gate-") as folder:
        target = Path(os.path.realpath(folder))
        _write(top, commit, inside.parent, target)
        yield Base(target / inside, f"{base} ({commit[:12]})")


def _folder(file: Path) -> Path:
    folder = file.absolute().parent
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _in_folder(folder: Path, file: Path) -> Path:
    """The file in a base folder: under the path as it was given, under that inside the repository, or by its name."""
    top = repository_of(file)
    inside = [os.path.relpath(os.path.realpath(file), os.path.realpath(top))] if top else []
    names = [*([] if file.is_absolute() else [str(file)]), *inside, file.name]
    return next((path for name in names if (path := folder / name).exists()), folder / file.name)


def _commit(base: str, file: Path) -> str | None:
    found = _git(
        _folder(file), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}", check=False
    )
    return os.fsdecode(found.stdout).strip() if found.returncode == 0 else None


def _why_not(base: str, file: Path) -> str:
    folder = _folder(file)
    inside = _git(folder, "rev-parse", "--is-shallow-repository", check=False)
    if inside.returncode != 0:
        said = os.fsdecode(inside.stderr).strip()
        if "not a git repository" in said:
            return f"{folder} is in no git repository, and {base} is no folder; allowed a folder, or a revision there"
        return f"git cannot be asked about {folder}: {said.removeprefix('fatal: ')}"
    if os.fsdecode(inside.stdout).strip() == "true":
        return (
            f"{base} is no revision that this clone has, and the clone is shallow; fetch more: actions/checkout with "
            f"fetch-depth: 0, or git fetch --depth=1 origin {base.removeprefix('origin/')} and --base FETCH_HEAD"
        )
    return f"{base} is neither a revision of git nor a folder; git branch --all and git tag list the revisions' names"


def _write(top: Path, commit: str, own: PurePosixPath, target: Path) -> None:
    blobs = list(_listed(top, commit, own))
    asked = "".join(f"{blob.name}\n" for blob in blobs).encode()
    content = _git(top, "cat-file", "--batch", given=asked).stdout
    at = 0
    for blob in blobs:
        end = content.index(b"\n", at)
        size = int(content[at:end].split()[-1])
        data = content[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
        _place(target, blob, data)


def _listed(top: Path, commit: str, own: PurePosixPath) -> Iterator[_Blob]:
    listing = _git(top, "ls-tree", "-r", "-z", "--long", "--full-tree", commit).stdout
    for line in listing.split(b"\0"):
        if not line:
            continue
        head, _, name = line.partition(b"\t")
        mode, _, blob, size = head.split()
        path = PurePosixPath(os.fsdecode(name))
        wanted = path.suffix.lower() in _SUFFIXES or own in path.parents
        usual = mode in (b"100644", b"100755", b"120000") and size.isdigit() and int(size) <= _LONGEST_FILE
        if wanted and usual and not path.is_absolute() and ".." not in path.parts:
            yield _Blob(path, blob.decode(), mode == b"120000")


def _place(target: Path, blob: _Blob, data: bytes) -> None:
    path = target / blob.path
    parent = Path(os.path.realpath(path.parent))
    if not parent.is_relative_to(target):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if not blob.is_link:
        path.write_bytes(data)
    elif Path(os.path.realpath(path.parent / os.fsdecode(data))).is_relative_to(target):
        path.symlink_to(os.fsdecode(data))


def _git(folder: Path, *arguments: str, check: bool = True, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"):  # set by hooks; the folder says which
        environment.pop(name, None)
    command = ["git", "-C", str(folder), "--no-replace-objects", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - git from PATH, arguments are never options
            command, input=given, capture_output=True, check=False, env=environment, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise BaseError("git is not installed; allowed a folder as the base") from None
    except subprocess.TimeoutExpired:
        raise BaseError(f"git {arguments[0]} took longer than {_SECONDS} s") from None
    if check and done.returncode != 0:
        raise BaseError(f"git {arguments[0]} failed: {os.fsdecode(done.stderr).strip()}")
    return done
