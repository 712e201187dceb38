"""What can be wrong with a registry: each error names the place and says what to do.

These are errors of commands and of programs that train or load models; none of them ever answers a request, so they
carry no problem type.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


class RegistryError(Exception):
    """Root of all errors of the registry; `place` is a file or a name, `sentence` says what is wrong with it."""

    def __init__(self, place: str | Path, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}")
        self.place = str(place)
        self.sentence = sentence


class NotFoundError(RegistryError):
    """There is no such registry, model or version."""


class BadInputError(RegistryError):
    """What was given cannot be used: a name, an artifact, a contract, training metadata."""


class BusyError(RegistryError):
    """Somebody else has been adding for too long."""


class StorageError(RegistryError):
    """The file system refuses: read-only, full, not allowed."""


class RefusedError(RegistryError):
    """A version may not be added; `reasons` names everything that speaks against it."""

    def __init__(self, place: str | Path, sentence: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(place, "\n  ".join((sentence, *reasons)))
        self.reasons = tuple(reasons)


Harm = Literal["missing", "truncated", "changed", "extra", "symlink", "unreadable", "misnamed", "replaced"]


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was when its version was added."""

    place: str
    harm: Harm
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


class DamagedError(RegistryError):
    """A version is not what was added, so nothing of it is used; `damages` names all that was found."""

    def __init__(self, place: str | Path, damages: Sequence[Damage]) -> None:
        found = "".join(f"\n  {damage}" for damage in damages)
        super().__init__(place, f"is not what was added, so nothing of it is used:{found}")
        self.damages = tuple(damages)


class PickleRiskWarning(UserWarning):
    """An artifact is about to be unpickled, which runs whatever code it names."""


class PreprocessingDriftWarning(UserWarning):
    """The preprocessing code at hand is not the code that a version was trained with."""


_SENTENCES = {
    errno.EROFS: "the file system is read-only; mount it writable to add versions (reading needs no write access)",
    errno.ENOSPC: "the disk is full; nothing was added",
    errno.EDQUOT: "the quota of the disk is used up; nothing was added",
    errno.EFBIG: "the file is larger than may be written here; nothing was added",
    errno.EACCES: "this user may not do that here; see the owner and the mode of the folder",
    errno.EPERM: "this user may not do that here; see the owner and the mode of the folder",
}


@contextmanager
def storage(place: Path) -> Iterator[None]:
    """Turns what the file system says into a `StorageError` that names the file, or else `place`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        known = _SENTENCES.get(error.errno or 0)
        raise StorageError(
            error.filename if isinstance(error.filename, str) else place, f"{reason}: {known}" if known else reason
        ) from error
