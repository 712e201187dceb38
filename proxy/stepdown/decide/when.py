"""Conditions as plain, typed data: what a rule's `when` and a segment are in a snapshot's specification.

A condition is a tree. Its inner nodes are `All`, `Any` and `Not`, its leaves each test one thing about a request, and
`InSegment` stands for the condition of that name. Everything is resolved: names of headers are in lower case, times are
Unix seconds, files of ids are named by what they hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Union

import msgspec


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="is"):
    """Base of all nodes: frozen, strict when decoded, told apart by the member `is`."""


class All(Node, frozen=True, tag="all"):
    """Every one of these holds; without any it holds always."""

    tests: tuple[When, ...] = ()


class Any(Node, frozen=True, tag="any"):
    """At least one of these holds."""

    tests: tuple[When, ...]


class Not(Node, frozen=True, tag="not"):
    """This does not hold."""

    test: When


class InSegment(Node, frozen=True, tag="segment"):
    """The segment of this name holds."""

    name: str


class MethodIs(Node, frozen=True, tag="method"):
    """The method is one of these."""

    any_of: tuple[str, ...]


class HostIs(Node, frozen=True, tag="host"):
    """The host is one of these: lower case, without port; `*.example.com` is every host below."""

    any_of: tuple[str, ...]


class PathIs(Node, frozen=True, tag="path"):
    """The whole path is this, or fits it where it has `{name}`s."""

    path: str


class PathUnder(Node, frozen=True, tag="path_prefix"):
    """The path begins with these whole segments."""

    path: str


Scalar = Union[str, bool, int, float]  # noqa: UP007 - msgspec reads it at run time


class KeyList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list of ids in a file."""

    file: str
    """As the configuration names it, for messages."""
    digest: str
    """Of the table (`keysets`) that the file was compiled to."""


class FieldIs(Node, frozen=True, kw_only=True, tag="field"):
    """A named part of the request; exactly one test besides `source` and `name` is set. What is absent fails them all.

    Values are compared as bytes in UTF-8. Of a JSON body, `equals` and `any_of` compare with the type, numbers by what
    they are worth; all other tests hold for strings only.
    """

    source: Literal["header", "query", "cookie", "param", "json"]
    name: str
    """A header's in lower case; of a path's `{name}` without braces; of a body a JSON Pointer."""
    equals: Scalar | None = None
    any_of: tuple[Scalar, ...] = ()
    sha256: tuple[str, ...] = ()
    """Hex digests in lower case: API keys that the file must not show."""
    prefix: str | None = None
    suffix: str | None = None
    regex: str | None = None
    """RE2's syntax; it has to match the whole value."""
    semver: str | None = None
    """A range in which the value, a complete version, has to be."""
    cidr: tuple[str, ...] = ()
    """Networks; the value is an address in one of them."""
    key_in: KeyList | None = None
    exists: bool | None = None


class ClientIn(Node, frozen=True, tag="client"):
    """The client's address is in one of these networks."""

    networks: tuple[str, ...]


class TimeIn(Node, frozen=True, kw_only=True, tag="time"):
    """The time is in all parts of this window that are given."""

    since: int | None = None
    """Unix seconds, inclusive."""
    until: int | None = None
    """Unix seconds, exclusive."""
    zone: str = "UTC"
    """Of the tz database; weekdays and hours are on its clocks."""
    weekdays: tuple[int, ...] = ()
    """0 is Monday; none given: every day."""
    hours: tuple[int, int] | None = None
    """Minutes of the day, the second exclusive. Where it is less than the first, the window goes over midnight and
    belongs to the day on which it begins."""


class PinIs(Node, frozen=True, kw_only=True, tag="pin"):
    """The version that the client pins; one of the two is set."""

    semver: str | None = None
    """A range; of several versions that the pin allows, the newest counts. Who pins nothing has the default."""
    exists: bool | None = None
    """Whether the client, its path or the table of clients says a version."""


class Percent(Node, frozen=True, tag="percent"):
    """The key is in this share of all keys; without a key it is not."""

    share: float
    """0 to 1; who is in a share is in every greater one with the same salt."""
    salt: str


class KeyIn(Node, frozen=True, tag="key_in"):
    """The key is in a list of ids."""

    ids: KeyList


class FlagIs(Node, frozen=True, kw_only=True, tag="flag"):
    """A feature flag is on, or has this variant."""

    flag: str
    variant: str | None = None
    """`None`: the flag's value is `true`."""


When = Union[  # noqa: UP007 - msgspec reads it at run time
    All,
    Any,
    Not,
    InSegment,
    MethodIs,
    HostIs,
    PathIs,
    PathUnder,
    FieldIs,
    ClientIn,
    TimeIn,
    PinIs,
    Percent,
    KeyIn,
    FlagIs,
]

EVERYONE = All()


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A condition with a name."""

    name: str
    when: When


def leaves(when: When) -> Iterator[When]:
    """All leaves of a condition, segments by name."""
    if isinstance(when, All | Any):
        for test in when.tests:
            yield from leaves(test)
    elif isinstance(when, Not):
        yield from leaves(when.test)
    else:
        yield when
