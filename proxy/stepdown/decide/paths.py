"""Paths: templates of a route, and the paths that two servers could read differently.

Routes match the raw path, and it is forwarded byte for byte. A model server may decode, merge or resolve parts of it
before it routes on its own, and so reach what no rule of ours matched. So a path that a template or a prefix matches
must have one reading only, the part after a prefix too; `is_unambiguous` says whether it has. A path that equals a
route's exact path byte for byte needs no such check.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stepdown.errors import BadRequestError

# No possessive group: Python before 3.11.5 goes on after a half-matched repetition of one (gh-106052).
_UNAMBIGUOUS = re.compile(
    rb"""
    (?=/)
    (?:
        / (?! (?:\.|%2[eE]){1,2} (?:/|\Z) )                  # no segment that is . or .., written either way
        (?: [^/%;\\]++                                       # no path parameters, no backslash
          | % (?! 00 | 2[fF] | 5[cC] ) [0-9a-fA-F]{2}        # whole escapes, none of NUL, slash or backslash
        )+
    )*
    /?                                                       # no empty segment but the last
    """,
    re.VERBOSE,
)


def is_unambiguous(path: bytes) -> bool:
    """Whether every server reads this raw path alike."""
    return _UNAMBIGUOUS.fullmatch(path) is not None


def refuse_ambiguous(path: bytes) -> None:
    """Raise `BadRequestError` (400) if a path that a rule matches has more than one reading."""
    if _UNAMBIGUOUS.fullmatch(path) is None:
        raise BadRequestError(
            "the path has a dot segment, an empty segment, a path parameter, an escaped or back slash, "
            "a NUL or a broken escape, which servers read differently"
        )


class Part(NamedTuple):
    """A `{name}`, any one segment that is not empty, or with a verb behind it one that has more than that verb."""

    verb: bytes
    """With its colon, as in `:predict`; empty where there is none."""

    def value(self, segment: bytes) -> bytes:
        """What the name stands for in a segment; empty where it does not fit."""
        return segment.removesuffix(self.verb) if segment.endswith(self.verb) else b""


@dataclass(frozen=True, slots=True)
class Template:
    """A path cut into segments."""

    segments: tuple[bytes | Part, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read `/v2/models/{model}/infer`; `/` at the end of a prefix has to be removed before."""
        segments: list[bytes | Part] = []
        names: list[str] = []
        for segment in split_path(text.encode()):
            name, brace, verb = segment.partition(b"}")
            if brace and name[:1] == b"{":
                segments.append(Part(verb))
                names.append(name[1:].decode())
            else:
                segments.append(segment)
        return cls(tuple(segments), tuple(names))

    def begins(self, segments: Sequence[bytes]) -> bool:
        """Whether the path's first segments are these."""
        if len(segments) < len(self.segments):
            return False
        pairs = zip(self.segments, segments, strict=False)
        return all(one.value(segment) if isinstance(one, Part) else one == segment for one, segment in pairs)

    def fits(self, segments: Sequence[bytes]) -> bool:
        """Whether these are all of the path's segments."""
        return len(segments) == len(self.segments) and self.begins(segments)

    def values(self, segments: Sequence[bytes]) -> tuple[bytes, ...]:
        """What the names stand for in a path that begins so, in their order."""
        pairs = zip(self.segments, segments, strict=False)
        return tuple(one.value(segment) for one, segment in pairs if isinstance(one, Part))


def split_path(path: bytes) -> list[bytes]:
    """`/a/b` to `[a, b]`, `/a/` to `[a, ""]`; a path that does not begin with a slash has no segments."""
    return path[1:].split(b"/") if path[:1] == b"/" else []
