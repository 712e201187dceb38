"""What an explanation says: a decision's steps as plain data, and as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from stepdown.decide.slots import SLOTS


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no choice."""

    status: int
    problem: str
    detail: str


class Alternative(msgspec.Struct, frozen=True):
    """A version of the route's rules, and whether it could have served."""

    version: str
    weight: int
    reaches: bool
    ready: bool
    steps: int
    """Adapters between it and the pinned shape."""
    why_not: str = ""
    """The refusal that keeps it from the shape, where one is declared."""
    taken_back: str = ""
    """The rollout that took it back, so that no rule names it any more."""


class Override(msgspec.Struct, frozen=True):
    """What became of a request's wish for one exact server."""

    asked: str
    """The version that was asked for."""
    ruling: str
    """One of `overrides.Ruling`."""
    detail: str
    holder: str | None = None
    """Who may ask, where it was somebody who may."""


class FlagTold(msgspec.Struct, frozen=True):
    """What a feature flag said about the request."""

    flag: str
    variant: str | None
    reason: str
    """One of OpenFeature's reasons."""
    error: str | None = None
    """One of OpenFeature's error codes, where the reason is `ERROR`."""
    message: str = ""
    """What the error is about."""


class CopyTold(msgspec.Struct, frozen=True):
    """Whether the request is recorded."""

    share: float
    """How likely it is: of such requests this share (0 to 1) is taken."""
    why: str


class ShadowTold(msgspec.Struct, frozen=True):
    """Whether a shadow gets a copy of the request."""

    name: str
    version: str
    share: float
    """How likely it is: of such requests this share (0 to 1) is copied."""
    why: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One decision; what was not reached is `None` or empty. `msgspec.json.encode` and `to_builtins` take it."""

    route: str
    model: str
    match: str
    params: dict[str, str]
    pin_source: str | None = None
    pin_value: str | None = None
    pinned: str | None = None
    passed_over: tuple[str, ...] = ()
    """Rules whose condition does not hold, each with what it wanted."""
    flags: tuple[FlagTold, ...] = ()
    """Those that were asked, in the order in which they were."""
    rule: str | None = None
    condition: str | None = None
    keys_missing: tuple[str, ...] = ()
    key_source: str | None = None
    key: str | None = None
    cookie: Literal["new", "signed", "kept"] | None = None
    """Of a key that Stepdown gave: made for this request, signed before, or of one whom a draining version keeps."""
    salt: str | None = None
    """Of the rule."""
    hash: int | None = None
    slot: int | None = None
    turn: int | None = None
    """Number of the turn, where requests without a key are given out in turn."""
    split: tuple[tuple[str, int], ...] = ()
    colour: str | None = None
    """The active one, where the rule has colours."""
    colours: str | None = None
    """Both of them, in words."""
    by_flag: str | None = None
    """The flag that gives the version, where the rule takes it from one."""
    variants: tuple[tuple[str, str], ...] = ()
    """The versions that it gives, by variant."""
    flag_default: str | None = None
    """The version where it gives none of these variants."""
    rollout: str | None = None
    """The rollout that owns the split, also of rules that are there for segments of its earlier steps."""
    walked: str | None = None
    """How far it is and what it gives, in words; and which versions stand in the place of others, taken back."""
    override: Override | None = None
    assigned: str | None = None
    served: str | None = None
    server_colour: str | None = None
    """The active one, where the endpoints of the served version have colours."""
    server_colours: str | None = None
    reason: str | None = None
    evidence: bool = False
    chain: tuple[str, ...] = ()
    chain_why: str | None = None
    """Why the chain has these steps."""
    alternatives: tuple[Alternative, ...] = ()
    shadows: tuple[ShadowTold, ...] = ()
    """Those of the route, where it was asked for (`copied.with_copies`)."""
    recorded: CopyTold | None = None
    """Likewise, where the route has a recording."""
    refusal: Refusal | None = None
    config: str | None = None
    """Digest of the configuration that decided."""

    def sentences(self) -> tuple[str, ...]:
        """The decision told from the beginning to the end, a line for each step."""
        return tuple(_tell(self))


_REASONS = {
    "split": "it is the assigned version",
    "flag": "the flag gave it the request",
    "kept": "it drains and keeps whom it had",
    "pin-forced": "the assigned version cannot be stepped down to the pinned shape",
    "taken-back": "nothing else can be stepped down to the pinned shape, although a rollout took it back",
    "unhealthy": "the assigned version has no endpoint that is up",
    "pin-server": "the client asked for its server, and the route grants that",
    "override": "the caller asked for its server and may do so",
}

_REFUSED = "The override to {} is refused and changes nothing"
_OVERRIDES = {
    "honoured": "The override to {} is honoured",
    "out-of-reach": "The override to {} changes nothing",
    "unanswerable": "The override to {} cannot be answered",
}


def _tell(one: Explanation) -> Iterator[str]:
    yield f"Route {one.route} of model {one.model} matches: {one.match}."
    if one.params:
        yield f"Parts of the path: {', '.join(f'{name} is {value!r}' for name, value in one.params.items())}."
    if one.pin_source is not None:
        asked = "" if one.pin_value is None else f", which says {one.pin_value!r}"
        shape = "" if one.pinned is None else f": the client gets the shape of {one.pinned}"
        yield f"The pin comes from: {one.pin_source}{asked}{shape}."
    for told in one.flags:
        why = told.reason if told.error is None else f"{told.reason}, {told.error}"
        why += f": {told.message}" if told.message else ""
        yield f"Flag {told.flag} says {told.variant or 'nothing of its own'} ({why})."
    for passed_over in one.passed_over:
        yield f"Passed over rule {passed_over}."
    if one.rule is not None:
        yield f"Rule {one.rule} holds ({one.condition}); its {_means(one)}."
    yield from _tell_assignment(one)
    if one.override is not None:
        yield f"{_OVERRIDES.get(one.override.ruling, _REFUSED).format(one.override.asked)}: {one.override.detail}."
    if one.served is not None:
        yield f"Served by {one.served}, because {_REASONS[one.reason or '']}."
        if one.server_colours is not None:
            yield f"The endpoints of {one.served} have the colours {one.server_colours}."
        chain = f"stepped down: {'; '.join(one.chain)}" if one.chain else "not changed: the shape is its own"
        yield f"The answer is {chain}."
        if one.chain_why:
            yield f"Why by these steps: {one.chain_why}."
        yield f"In a rollout the request {'would count' if one.evidence else 'would not count'} as evidence."
    for other in one.alternatives:
        gone = f"was taken back by the rollout {other.taken_back}" if other.taken_back else f"has weight {other.weight}"
        yield f"Version {other.version} {gone}, {_ability(other)} and is {_state(other)}."
    yield from _tell_copies(one)
    if one.refusal is not None:
        yield f"Refused with {one.refusal.status} ({one.refusal.problem}): {one.refusal.detail}."
    if one.config is not None:
        yield f"Decided by the configuration {one.config}."


def _means(one: Explanation) -> str:
    """What the rule has to find a version by, and what rollouts made of that."""
    if one.rollout is not None:
        return f"split is owned by the rollout {one.rollout}, {one.walked}"
    return f"{_finds(one)}; {one.walked}" if one.walked else _finds(one)


def _finds(one: Explanation) -> str:
    if one.by_flag is not None:
        named = ", ".join(f"{variant} is {version}" for variant, version in one.variants)
        return f"version comes from flag {one.by_flag} ({named}, else {one.flag_default})"
    if one.colours is not None:
        return f"colours are {one.colours}"
    return f"split is {', '.join(f'{version} {weight}' for version, weight in one.split)}"


def _tell_assignment(one: Explanation) -> Iterator[str]:
    if one.keys_missing:
        yield f"No key in {', '.join(one.keys_missing)}."
    if one.cookie == "new":
        yield f"No {one.key_source} that counts: the answer sets one."
    if one.by_flag is not None and one.key is not None:
        yield f"The key, which the flag reads, is {one.key!r} from {one.key_source}."
    elif one.key is not None:
        yield f"The key is {one.key!r} from {one.key_source}; with the salt {one.salt!r} its murmur3 is {one.hash}."
    if one.slot is not None:
        how = "That is" if one.key is not None else "An independent draw gave"
        gives = (
            "which the split gives to" if one.cookie != "kept" else "but the cookie says that it was given before to"
        )
        yield f"{how} slot {one.slot} of {SLOTS}, {gives} {one.assigned}."
    if one.turn is not None:
        yield f"Requests without a key are given out in turn, and it is the turn of {one.assigned}."


def _tell_copies(one: Explanation) -> Iterator[str]:
    for shadow in one.shadows:
        yield f"Shadow {shadow.name} ({shadow.version}) {_odds(shadow.share)} a copy: {shadow.why}."
    if one.recorded is not None:
        yield f"The recording {_odds(one.recorded.share)} a copy: {one.recorded.why}."


def _odds(share: float) -> str:
    if share <= 0:
        return "does not get"
    return "gets" if share >= 1 else "may get"


def _ability(other: Alternative) -> str:
    if not other.reaches:
        return f"cannot reach the shape{f' ({other.why_not})' if other.why_not else ''}"
    if not other.steps:
        return "has the shape itself"
    return f"reaches the shape in {other.steps} step{'s' if other.steps > 1 else ''}"


def _state(other: Alternative) -> str:
    return "up" if other.ready else "down"
