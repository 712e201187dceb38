"""Decides again what is on record, under another configuration: what would become of the same requests.

Nothing is guessed. Where a decision needs a value that is not on record, or of which only a digest is,
`NotRecordedError` says which one. In five places something stands for what the request had:

- A hidden value is replaced by the text that the new configuration compares with and that has its digest; where there
  is none, it is equal to nothing. Comparisons with a digest (`sha256`) hold as they did.
- A sticky key that is hidden keeps its slot while the rule's salt and the key's source are those that were recorded.
- A request without a key keeps the slot that was drawn for it, and its number where they are given out in turn.
- Versions that were down are down, and all others are up.
- Feature flags of the new configuration are asked; one whose answers come from elsewhere says what it said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from stepdown.decide import cookies, spec
from stepdown.decide.choice import Choice
from stepdown.decide.digests import Digests
from stepdown.decide.driving import in_effect
from stepdown.decide.facts import Facts
from stepdown.decide.flag_view import SnapshotFlags, compiled_flags
from stepdown.decide.keys import tokens_of
from stepdown.decide.keysets import KeySet
from stepdown.decide.needs import Name, Needs, needs_of, needs_of_all
from stepdown.decide.plans import Plan
from stepdown.decide.records import Hidden, Record, is_hidden_in
from stepdown.decide.route import Route
from stepdown.decide.rules import Rule
from stepdown.decide.slots import SLOTS, slot_of
from stepdown.decide.snapshot import Snapshot, compile_snapshot
from stepdown.decide.view import FlagAnswer, View
from stepdown.errors import StepdownError

_HIDDEN = b"sha256:"
"""What a hidden value is replaced by, with its digest behind, where no known text has it."""


class NotRecordedError(Exception):
    """The new configuration needs to know what is not on record; the text names it."""


class Outcome(NamedTuple):
    """What became of a request, or would."""

    route: str = ""
    """Empty where none matched."""
    rule: str = ""
    model: str = ""
    assigned: str = ""
    pinned: str = ""
    error: str = ""
    """The problem with which it is refused."""
    drawn: bool = False
    """It has no key."""

    @property
    def to(self) -> str:
        """The assigned version, or what there is instead of one."""
        return f"refused: {self.error}" if self.error else self.assigned or "passed through"

    @property
    def shape(self) -> str:
        """The shape of the answer, or what there is instead of one."""
        return f"refused: {self.error}" if self.error else self.pinned or "its own"


def recorded_outcome(record: Record) -> Outcome:
    """What became of a request."""
    was = record.decided
    drawn = was.slot is not None or was.turn is not None
    return Outcome(
        was.route, was.rule, was.model, was.assigned, was.pinned, was.error, drawn and was.key_source == "none"
    )


class Replay:
    """Decides under one configuration."""

    def __init__(self, specification: spec.SnapshotSpec, lists: Mapping[str, KeySet]) -> None:
        self.snapshot: Snapshot = compile_snapshot(specification, lists, _Recalled())
        segments = {segment.name: segment.when for segment in specification.segments}
        models = {model.name: model for model in specification.models}
        self._flags = compiled_flags(specification.flags)
        self._needs = {
            route.name: needs_of(route, models[route.model], segments, self._flags)
            for route in in_effect(specification)
        }
        everything = needs_of_all(specification)
        self._texts = {
            (name, hashlib.sha256(text.encode()).hexdigest()): text
            for name, texts in everything.whole.items()
            for text in texts
        }
        self._inside = everything.inside
        self._passes = bool(specification.passthrough_to)

    def decide(self, record: Record) -> Outcome:
        """What would become of a recorded request; raises `NotRecordedError`."""
        for part in ("host", "path"):
            if part in record.cut:
                raise NotRecordedError(f"the {part}, which was too long")
        facts = _Facts(record, self._texts, self._inside)
        try:
            found = self.snapshot.match(facts)
        except StepdownError as error:
            return Outcome(error=error.problem)
        if found is None:
            return Outcome() if self._passes else Outcome(error="no-route")
        route, params = found
        try:
            choice = self._choose(route, params, record, facts)
        except StepdownError as error:
            return Outcome(route=route.name, model=route.model.name, error=error.problem)
        by_flag = any(rule.name == choice.rule and rule.flag is not None for rule in route.rules)
        drawn = choice.key_source == "none" and choice.reason != "pin-server" and not by_flag
        return Outcome(route.name, choice.rule, route.model.name, choice.assigned, choice.pinned, "", drawn)

    def _choose(self, route: Route, params: tuple[bytes, ...], record: Record, facts: _Facts) -> Choice:
        needs = self._needs[route.name]
        _check(needs, record, facts)
        body = facts.body(needs)
        visitor = _visitor(route, record, facts, body)
        drawn = _dice(record)
        view = route.view(facts, params, body, record.client, record.seconds, visitor, _Flags(self._flags, record))
        hidden = _hidden_key(route, facts, body, record.client) if visitor is None else None
        if hidden is None:
            return route.choose(view, params, body, record.client, self._ready(record), drawn, visitor)
        if needs.key:
            raise NotRecordedError(f"the key in {hidden} (only its digest is on record)")
        pin, source = route.pinned(view, params)
        rule = route.rule_for(view, record.client)
        if source != "default" and route.spec.pin == "server":
            return rule.server(pin, self._ready(record))
        if rule.flag is not None:  # which does not read the key
            return route.choose(view, params, body, record.client, self._ready(record), drawn, visitor)
        was = record.decided
        if rule.salt != was.salt or hidden != was.key_source or was.slot is None:
            raise NotRecordedError(f"the key in {hidden} (only its digest is on record, and no slot for this salt)")
        return _assigned(route, rule, rule.plan(pin), hidden, was.slot, self._ready(record))

    def _ready(self, record: Record) -> list[bool]:
        down = {(record.decided.model, version) for version in record.down}
        models = self.snapshot.models
        return [key not in down and models[key.model].is_served(key.version) for key in self.snapshot.versions]


def _assigned(  # noqa: PLR0917 - as `Route.assign`, whose end this is
    route: Route, rule: Rule, plan: Plan, label: str, slot: int, ready: Sequence[bool]
) -> Choice:
    """The choice for a key of which the slot is known."""
    source, arm = route.labels.index(label), rule.table[slot]
    choice = plan.ready_choices[source][arm]
    return choice if choice is not None and ready[choice.served_index] else plan.instead(source, arm, slot, ready)


def _dice(record: Record) -> _Dice:
    """What the request was given; where it was given nothing, a slot that is as good as any, and always the same."""
    slot, turn = record.decided.slot, record.decided.turn
    if slot is None and turn is None:
        slot = slot_of(f"{record.time} {record.path} {record.headers}".encode())
    return _Dice(slot, turn)


class _Dice:
    """Gives a request what it was given: a slot, or the number of its turn."""

    def __init__(self, slot: int | None, turn: int | None) -> None:
        self._slot = (turn or 0) % SLOTS if slot is None else slot
        self._turn = self._slot if turn is None else turn

    def __call__(self, rotation: object = None) -> int:
        return self._slot if rotation is None else self._turn


class _Flags:
    """The flags of a configuration, and for others what is on record (`view.FlagView`)."""

    def __init__(self, flags: SnapshotFlags, record: Record) -> None:
        self._flags = flags
        self._said = record.flags

    def flag(self, name: str, view: View) -> FlagAnswer:
        """What this flag says; raises `NotRecordedError`."""
        if name in self._flags.names:
            return self._flags.flag(name, view)
        if name not in self._said:
            raise NotRecordedError(f"what the flag {name} said")
        return self._said[name]


class _Recalled(Digests):
    """Digests of values of which some are digests already."""

    def hex(self, value: bytes) -> str:
        return value[len(_HIDDEN) :].decode() if value.startswith(_HIDDEN) else super().hex(value)


class _Facts:
    """A recorded request as decisions see it (`facts.Facts`)."""

    def __init__(self, record: Record, texts: Mapping[tuple[Name, str], str], inside: set[Name]) -> None:
        self.method = record.method.encode()
        self.path = record.path.encode("latin-1")
        self.query = record.query.encode("latin-1")
        self.host = record.host.encode("latin-1")
        self._record = record
        self._texts = texts
        self._inside = inside

    def get(self, name: bytes, /) -> bytes | None:
        """A header field; raises `NotRecordedError` where nobody knows."""
        text = name.decode("latin-1")
        if text == "cookie" and text not in self._record.headers:
            return self._cookies()
        if text not in self._record.headers:
            raise NotRecordedError(f"header {text}")
        return self._value(("header", text), self._record.headers.get(text))

    def is_hidden(self, name: Name) -> bool:
        """Whether only the digest of a value is on record."""
        source, text = name
        if source == "json":
            return bytes(self._record.body.get(text, b"")).startswith(b"{")
        values = self._record.headers if source == "header" else self._record.cookies
        return isinstance(values.get(text), Hidden)

    def body(self, needs: Needs) -> bytes | None:
        """A body with the recorded members in it; they are named by pointers, so each container may be an object."""
        whole: dict[str, object] = {}
        for pointer in sorted(needs.of("json"), key=len):
            raw = self._record.body[pointer]
            value: object = raw
            if self.is_hidden(("json", pointer)):
                digest = msgspec.json.decode(raw, type=Hidden).sha256
                value = self._text(("json", pointer), digest).decode("latin-1")
            if bytes(raw) != b"null":
                *way, last = tokens_of(pointer)
                place = whole
                for token in way:
                    inner = place.get(token)
                    if not isinstance(inner, dict):
                        inner = place[token] = {}
                    place = inner
                place[last] = value
        return msgspec.json.encode(whole) if whole else None

    def _cookies(self) -> bytes | None:
        values = {name: self._value(("cookie", name), value) for name, value in self._record.cookies.items()}
        pairs = [f"{name}=".encode() + value for name, value in values.items() if value is not None]
        return b"; ".join(pairs) if pairs else None

    def _value(self, name: Name, value: str | Hidden | None) -> bytes | None:
        if isinstance(value, Hidden):
            return self._text(name, value.sha256)
        return value.encode("latin-1") if value is not None else None

    def _text(self, name: Name, digest: str) -> bytes:
        if name in self._inside:
            raise NotRecordedError(f"{name[0]} {name[1]} (only its digest is on record)")
        text = self._texts.get((name, digest))
        return text.encode() if text is not None else _HIDDEN + digest.encode()


def _check(needs: Needs, record: Record, facts: _Facts) -> None:
    """Refuse what a route reads and nobody has looked at."""
    places: dict[str, Mapping[str, object]] = {"cookie": record.cookies, "json": record.body}
    for source, name in needs.names:
        if source in places and name not in places[source]:
            raise NotRecordedError(f"{'body' if source == 'json' else source} {name}")
        if source == "query" and ("query" in record.cut or is_hidden_in(record.query, name)):
            raise NotRecordedError(f"query {name}")
        if source == "json" and (source, name) in needs.whole and facts.is_hidden((source, name)):
            raise NotRecordedError(f"body {name} (only its digest is on record)")
    if needs.client and not record.client:
        raise NotRecordedError("the client's address")


def _visitor(route: Route, record: Record, facts: Facts, body: bytes | None) -> cookies.Visitor | None:
    """Whose request it was by Stepdown's own cookie; `None` where nobody knows, and the recorded slot has to do."""
    known = record.visitor
    if route.cookie is None or known is None:
        return None
    visitor = route.visitor(facts, body, record.client, record.seconds, lambda: b"")
    if visitor is None:
        return None
    return visitor._replace(id=known.id.encode(), record=known.record.encode(), is_new=known.new)


def _hidden_key(route: Route, facts: _Facts, body: bytes | None, client: str) -> str | None:
    """The label of the key that counts, where only its digest is on record."""
    found = route.key(facts, body, client)
    if found is None:
        return None
    source = route.spec.key[found[0]]
    for place, name in (("header", source.header), ("cookie", source.cookie), ("json", source.json)):
        if name is not None and facts.is_hidden((place, name)):
            return route.labels[found[0]]
    return None
