"""What a condition wants, in words: `header x-plan is 'beta' and not (the client is in 10.0.0.0/8)`."""

from __future__ import annotations

from collections.abc import Mapping

from stepdown.decide.when import (
    All,
    Any,
    ClientIn,
    FieldIs,
    FlagIs,
    HostIs,
    InSegment,
    KeyIn,
    MethodIs,
    Not,
    PathIs,
    PathUnder,
    Percent,
    PinIs,
    TimeIn,
    When,
)
from stepdown.decide.windows import window_sentence

_SOURCES = {
    "header": "header",
    "query": "query parameter",
    "cookie": "cookie",
    "param": "path part",
    "json": "body field",
}


def sentence_of(when: When, segments: Mapping[str, str] | None = None) -> str:
    """The sentence; `segments` has those of the segments, which are told with it then."""
    match when:
        case All():
            return " and ".join(_inner(one, segments, Any) for one in when.tests) or "always"
        case Any():
            return " or ".join(_inner(one, segments, All) for one in when.tests)
        case Not():
            return f"not ({sentence_of(when.test, segments)})"
        case InSegment():
            told = f" ({segments[when.name]})" if segments is not None else ""
            return f"the request is in segment {when.name}{told}"
        case FieldIs():
            return f"{_SOURCES[when.source]} {when.name} {_wanted(when)}"
        case TimeIn():
            return window_sentence(when)
        case _:
            return _leaf(when)


def _inner(when: When, segments: Mapping[str, str] | None, other: type[All] | type[Any]) -> str:
    """A part of a condition, in parentheses where it would else be read as a part of another."""
    sentence = sentence_of(when, segments)
    return f"({sentence})" if isinstance(when, other) and len(when.tests) > 1 else sentence


def _leaf(when: When) -> str:
    match when:
        case MethodIs():
            return f"the method is {one_of(when.any_of)}"
        case HostIs():
            return f"the host is {one_of(when.any_of)}"
        case PathIs():
            return f"the path is {when.path}"
        case PathUnder():
            return f"the path is under {when.path}"
        case ClientIn():
            return f"the client's address is in {' or '.join(when.networks)}"
        case PinIs(semver=str()):
            return f"the pinned version is in {when.semver}"
        case PinIs():
            return f"{'no' if when.exists is False else 'a'} version is pinned"
        case Percent():
            return f"the key is among {100 * when.share:.10g} % of all (salt {when.salt!r})"
        case KeyIn():
            return f"the key is in {when.ids.file}"
        case FlagIs():
            return f"flag {when.flag} is {'on' if when.variant is None else repr(when.variant)}"
        case _:
            raise TypeError(f"{when!r} has no sentence")


def _wanted(when: FieldIs) -> str:
    if when.equals is not None:
        return f"is {_shown(when.equals)}"
    if when.any_of:
        return f"is {one_of(tuple(one if isinstance(one, str) else _shown(one) for one in when.any_of))}"
    if when.sha256:
        digests = [f"{digest[:8]}..." for digest in when.sha256]
        return f"has the SHA-256 {' or '.join(digests)}"
    if when.prefix is not None:
        return f"begins with {when.prefix!r}"
    if when.suffix is not None:
        return f"ends with {when.suffix!r}"
    if when.regex is not None:
        return f"matches {when.regex!r}"
    if when.semver is not None:
        return f"is a version in {when.semver}"
    if when.cidr:
        return f"is an address in {' or '.join(when.cidr)}"
    if when.key_in is not None:
        return f"is in {when.key_in.file}"
    return f"is {'absent' if when.exists is False else 'present'}"


def _shown(value: str | bool | float) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def one_of(names: tuple[str, ...]) -> str:
    """`a`, or `one of a, b`."""
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"
