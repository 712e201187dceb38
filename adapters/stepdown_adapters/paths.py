"""Paths into a document: JSON Pointer (RFC 6901) extended by `*` and `[member=value]`.

A path is a list of segments, each after a `/`; the empty path is the whole document.

    /outputs/0/data             a member, then an item by its index, then a member
    /outputs/*/data             every item of an array, or every member of an object
    /outputs/[name=score]/data  the items of an array that are objects whose member `name` equals `score`
    /rows/-                     the place after the last item; only where an operation adds

In a name, `~` is written `~0` and `/` is written `~1` (RFC 6901 section 3); a member that is really called `*` is
written `~2`, and `~3` stands for a leading `[`. In the name inside of brackets `=` is `~4` and `]` is `~5`. In
`[member=value]` the value runs to the closing bracket and may hold `/`. Bare, it equals the string of that text, and
also the number, `true`, `false` or `null` that it reads as; in quotes (a JSON string), only the string.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.errors import PathError

INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r"[^\"\]/]+")
_ESCAPES = {"~0": "~", "~1": "/", "~2": "*", "~3": "[", "~4": "=", "~5": "]"}
LAST = "-"
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object by name; on an array, a canonical index names an item."""

    name: str

    @property
    def index(self) -> int | None:
        """The index that the name reads as, or `None`."""
        return int(self.name) if INDEX.fullmatch(self.name) else None

    def __str__(self) -> str:
        name = self.name.replace("~", "~0").replace("/", "~1")
        if name == "*":
            return "~2"
        return "~3" + name[1:] if name.startswith("[") else name


@dataclass(frozen=True, slots=True)
class Every:
    """Every item of an array or every member of an object."""

    def __str__(self) -> str:
        return "*"


@dataclass(frozen=True, slots=True)
class Where:
    """The items of an array whose member `name` equals `text`, or the scalar that bare `text` reads as."""

    name: str
    text: str
    quoted: bool = False

    @property
    def literal(self) -> Any:
        """The number, boolean or null that the text reads as; the text itself when there is none."""
        if self.quoted or not _SCALAR.fullmatch(self.text):
            return self.text
        return json.loads(self.text)

    def accepts(self, value: Any) -> bool:
        """Whether a member's value is the one that is looked for (`1` and `1.0` are equal, `1` and `true` are not)."""
        if isinstance(value, str):
            return value == self.text
        literal = self.literal
        return isinstance(value, bool) == isinstance(literal, bool) and bool(value == literal)

    def __str__(self) -> str:
        value = json.dumps(self.text, ensure_ascii=False) if self.quoted else self.text
        name = self.name.replace("~", "~0").replace("/", "~1").replace("=", "~4").replace("]", "~5")
        return f"[{name}={value}]"


def where(name: str, value: Any) -> Where:
    """The segment for items whose member `name` is the scalar `value`, in quotes only where it has to be."""
    text = value if isinstance(value, str) else json.dumps(value)
    quoted = isinstance(value, str) and (_SCALAR.fullmatch(text) is not None or not _PLAIN.fullmatch(text))
    return Where(name, text, quoted)


Segment = Member | Every | Where


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path; `str()` gives its text back."""

    segments: tuple[Segment, ...] = ()

    def __str__(self) -> str:
        return "".join(f"/{segment}" for segment in self.segments)

    def __add__(self, other: Path) -> Path:
        return Path(self.segments + other.segments)

    @property
    def parent(self) -> Path:
        """The path without its last segment."""
        return Path(self.segments[:-1])

    @property
    def last(self) -> Segment:
        """The last segment; the path must not be empty."""
        return self.segments[-1]

    @property
    def many(self) -> bool:
        """Whether the path may name several places at once by `*`."""
        return any(isinstance(segment, Every) for segment in self.segments)


ROOT = Path()


def parse(text: Any) -> Path:
    """The path written as `text`; raises `PathError` with the position of the mistake."""
    if not isinstance(text, str):
        raise PathError(f"a path is a string such as /outputs/0, not {type(text).__name__}")
    if text and not text.startswith("/"):
        raise PathError(f"a path starts with / (or is empty, for the whole document): write /{text}")
    segments: list[Segment] = []
    segment: Segment
    at = 0
    while at < len(text):
        start = at + 1
        if text.startswith("[", start):
            segment, at = _where(text, start)
        else:
            end = text.find("/", start)
            at = len(text) if end < 0 else end
            token = text[start:at]
            segment = Every() if token == EVERY else Member(_name(token, start))
        segments.append(segment)
    return Path(tuple(segments))


def _name(token: str, start: int) -> str:
    """A segment's name with its escapes read."""
    bad = re.search(r"~(?![0-5])", token)
    if bad:
        raise PathError(f"at character {start + bad.start() + 1}: ~ is written ~0 (and / is ~1, * is ~2, [ is ~3)")
    return re.sub(r"~[0-5]", lambda match: _ESCAPES[match.group()], token)


def _where(text: str, start: int) -> tuple[Where, int]:
    """The `[member=value]` segment that starts at `start`, and where it ends."""
    place = f"at character {start + 1}"
    equals = text.find("=", start)
    if equals < 0 or "]" in text[start:equals]:
        raise PathError(f"{place}: a bracket holds [member=value]; a member whose name starts with [ is written ~3")
    name = _name(text[start + 1 : equals], start + 1)
    if not name:
        raise PathError(f"{place}: [member=value] without a member")
    if text.startswith('"', equals + 1):
        try:
            value, end = json.decoder.scanstring(text, equals + 2, True)  # type: ignore[attr-defined]
        except ValueError as error:
            raise PathError(f"{place}: the quoted value is no JSON string") from error
        if not text.startswith("]", end):
            raise PathError(f"at character {end + 1}: ] expected after the quoted value")
        return _closed(text, Where(name, value, True), end + 1)
    closing = re.compile(r"\](?=/|$)").search(text, equals + 1)
    if not closing:
        raise PathError(f"{place}: the bracket is not closed; ] is missing")
    return _closed(text, Where(name, text[equals + 1 : closing.start()]), closing.end())


def _closed(text: str, where: Where, end: int) -> tuple[Where, int]:
    if end < len(text) and text[end] != "/":
        raise PathError(f"at character {end + 1}: / expected after ]")
    return where, end
