"""Versions and ranges of versions: SemVer 2.0.0 (semver.org), with the range notation that npm made common.

A `Version` is complete: `1.2.3`, `1.2.3-rc.1`, `1.2.3+build`, each with an optional leading `v`. Everything less is a
`Range`. These are the forms, `x` and `*` standing for "any", which an absent part means as well:

    1.2.3     that version                     ^1.2.3    up to the next change of the leftmost part that is not 0
    1.2 1.2.x every 1.2                        ~1.2.3    every later 1.2
    1 v1 1.x  every 1                          ~1        every 1
    * x       every version                    >=1 <2    comparators; a space means "and"

Build metadata never counts. A prerelease belongs to a range only if the range names a prerelease of the same
`major.minor.patch`, so that nobody who asks for `^1.2` is given `1.3.0-alpha`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_LONGEST = 256
"""Characters of the longest text that is read; int() of unbounded digits is a denial of service."""

_NUMBER = r"(?:0|[1-9][0-9]*)"
_NAME = r"(?:[0-9]*[A-Za-z-][0-9A-Za-z-]*|0|[1-9][0-9]*)"
_TAIL = rf"(?:-(?P<prerelease>{_NAME}(?:\.{_NAME})*))?(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
_VERSION = re.compile(rf"[vV]?(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER}){_TAIL}")

_PART = rf"(?:{_NUMBER}|[xX*])"
_COMPARATOR = re.compile(
    r"(?P<operator>>=|<=|>|<|=|\^|~|) *[vV]?"
    rf"(?P<major>{_PART})(?:\.(?P<minor>{_PART}))?(?:\.(?P<patch>{_PART}){_TAIL})?"
)

_Precedence = tuple[int, int, int, tuple[int, ...], tuple[tuple[int, int, str], ...]]


class VersionError(ValueError):
    """A text is no version, or no range of versions; `str()` is a sentence that quotes it."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One version, ordered and equal by SemVer precedence (section 11), so `1.0.0+a == 1.0.0+b`."""

    major: int = field(compare=False)
    minor: int = field(compare=False)
    patch: int = field(compare=False)
    prerelease: str = field(default="", compare=False)
    build: str = field(default="", compare=False)
    _precedence: _Precedence = field(init=False, repr=False)

    def __post_init__(self) -> None:
        identifiers = self.prerelease.split(".") if self.prerelease else []
        names = tuple((0, int(name), "") if name.isdigit() else (1, 0, name) for name in identifiers)
        released = () if names else (1,)  # `(1,) > ()`: a release comes after all of its prereleases
        object.__setattr__(self, "_precedence", (self.major, self.minor, self.patch, released, names))

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a complete version, with or without a leading `v`; raises `VersionError`."""
        found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            raise VersionError(f"{_quoted(text)} is no version such as 1.2.3 or 2.0.0-rc.1")
        major, minor, patch, prerelease, build = found.group("major", "minor", "patch", "prerelease", "build")
        return cls(int(major), int(minor), int(patch), prerelease or "", build or "")

    def __str__(self) -> str:
        prerelease = f"-{self.prerelease}" if self.prerelease else ""
        build = f"+{self.build}" if self.build else ""
        return f"{self.major}.{self.minor}.{self.patch}{prerelease}{build}"

    @property
    def triple(self) -> tuple[int, int, int]:
        """`(major, minor, patch)`."""
        return self.major, self.minor, self.patch


@dataclass(frozen=True, slots=True)
class _Bound:
    """One side of a comparator: versions above or below `limit`, or equal to it where `closed`."""

    above: bool
    limit: Version
    closed: bool

    def holds(self, version: Version) -> bool:
        if self.closed and version == self.limit:
            return True
        return version > self.limit if self.above else version < self.limit


@dataclass(frozen=True, slots=True)
class Range:
    """A set of versions; see the module's text for the notation."""

    text: str
    _bounds: tuple[_Bound, ...] = field(repr=False)
    exact: Version | None = None
    """The version, where the range is written as exactly one (`1.2.3`, `=1.2.3`)."""

    @classmethod
    def parse(cls, text: str) -> Range:
        """Read a range; raises `VersionError` on anything that is neither a range nor a version."""
        stripped = text.strip(" ")
        bounds: list[_Bound] = []
        exact: list[Version | None] = []
        rest = stripped
        while rest or not exact:
            found = _COMPARATOR.match(rest) if len(rest) <= _LONGEST else None
            if found is None:
                raise VersionError(f"{_quoted(text)} is no version and no range such as 1, ^1.2, ~1.2.3 or >=1 <2")
            sides, version = _read_comparator(found, text)
            bounds += sides
            exact.append(version)
            left_over = rest[found.end() :]
            rest = left_over.lstrip(" ")
            if rest == left_over != "":
                raise VersionError(f"{_quoted(text)} is no range: {_quoted(rest)} is left over")
        return cls(stripped, tuple(bounds), exact[0] if len(exact) == 1 else None)

    def allows(self, version: Version) -> bool:
        """Whether `version` is in the range."""
        if version.prerelease and not any(
            bound.limit.prerelease and bound.limit.triple == version.triple for bound in self._bounds
        ):
            return False
        return all(bound.holds(version) for bound in self._bounds)

    def newest(self, versions: Iterable[Version]) -> Version | None:
        """The newest of `versions` that the range allows; `None` if it allows none of them."""
        return max((version for version in versions if self.allows(version)), default=None)

    def __str__(self) -> str:
        return self.text


def _read_comparator(found: re.Match[str], text: str) -> tuple[tuple[_Bound, ...], Version | None]:
    """The bounds that one comparator stands for, and the version if it names exactly one."""
    operator = found["operator"]
    parts = _known_parts(found, text)
    if not parts:
        if operator in {"<", ">"}:
            raise VersionError(f"{_quoted(text)} is a range that no version is in")
        return (), None
    padded = [*parts, 0, 0][:3]
    low = Version(padded[0], padded[1], padded[2], found["prerelease"] or "", found["build"] or "")
    complete = len(parts) == 3
    floor = _Bound(above=True, limit=low, closed=True)
    if operator == ">=":
        return (floor,), None
    if operator == "<":
        return (_Bound(above=False, limit=low, closed=False),), None
    if operator == ">":
        return (_Bound(above=True, limit=low if complete else _after(parts), closed=not complete),), None
    if operator == "<=":
        return (_Bound(above=False, limit=low if complete else _after(parts), closed=complete),), None
    if operator in {"", "="} and complete:
        return (floor, _Bound(above=False, limit=low, closed=True)), low
    fixed = parts
    if operator == "^":
        leftmost = next((place for place, part in enumerate(parts) if part), len(parts) - 1)
        fixed = parts[: leftmost + 1]
    elif operator == "~":
        fixed = parts[:2]
    return (floor, _Bound(above=False, limit=_after(fixed), closed=False)), None


def _known_parts(found: re.Match[str], text: str) -> list[int]:
    """The numbers before the first `x`, `*` or absent part; numbers after one make no sense."""
    parts: list[int] = []
    written = [part for part in found.group("major", "minor", "patch") if part is not None]
    for place, part in enumerate(written):
        if part in "xX*":
            if found["prerelease"] or any(later not in "xX*" for later in written[place:]):
                raise VersionError(f"{_quoted(text)} is no range: a part after {part!r} must be {part!r} too")
            break
        parts.append(int(part))
    return parts


def _after(parts: list[int]) -> Version:
    """The first release after every version that begins with `parts`: `[1]` gives 2.0.0, `[1, 2]` gives 1.3.0."""
    raised = [*parts[:-1], parts[-1] + 1, 0, 0][:3]
    return Version(raised[0], raised[1], raised[2])


def _quoted(text: str) -> str:
    """The text as a message shows it: escaped, and cut where it is long."""
    return repr(text if len(text) <= 40 else text[:40] + "...")
