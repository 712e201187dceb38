"""What a route's decisions read of a request, and how closely: what has to be on record to decide again.

A value that is only compared as a whole can be told by its digest; one that is looked into (its beginning, its order
among versions, whether a list has it) or that is a sticky key cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stepdown.decide import spec
from stepdown.decide.driving import in_effect
from stepdown.decide.flag_context import KEY, Reads
from stepdown.decide.flag_view import SnapshotFlags, compiled_flags
from stepdown.decide.pins import HEADER
from stepdown.decide.when import ClientIn, FieldIs, FlagIs, InSegment, KeyIn, Percent, When, leaves

Name = tuple[str, str]
"""Where a value is (`header`, `cookie`, `query`, `json`), and its name there."""


@dataclass
class Needs:
    """Of one route, or of several together. Dictionaries are sets that keep their order."""

    names: dict[Name, None] = field(default_factory=dict)
    """All values that are read, the first ones first."""
    whole: dict[Name, set[str]] = field(default_factory=dict)
    """Texts that a value is compared with as a whole."""
    inside: set[Name] = field(default_factory=set)
    """Values that are looked into."""
    client: bool = False
    """The client's address is read."""
    key: bool = False
    """Conditions read the sticky key."""

    def of(self, source: str) -> tuple[str, ...]:
        """Names of the values in one place."""
        return tuple(name for place, name in self.names if place == source)

    def add(self, other: Needs) -> None:
        """What another route needs, too."""
        self.names |= other.names
        for name, texts in other.whole.items():
            self.whole.setdefault(name, set()).update(texts)
        self.inside |= other.inside
        self.client |= other.client
        self.key |= other.key

    def read_match(self, match: spec.Match) -> None:
        """What a condition on heads reads."""
        for header in match.headers:
            name = ("header", header.name)
            self.names[name] = None
            texts = [*([header.equals] if header.equals is not None else []), *header.any_of]
            self.whole.setdefault(name, set()).update(texts)
            if header.prefix is not None:
                self.inside.add(name)

    def read_condition(self, when: When, segments: Mapping[str, When], flags: SnapshotFlags) -> None:
        """What the condition of a rule reads, segments included, which are no circles."""
        for leaf in leaves(when):
            match leaf:
                case InSegment(name=name):
                    self.read_condition(segments[name], segments, flags)
                case FieldIs():
                    self._read_field(leaf)
                case ClientIn():
                    self.client = True
                case Percent() | KeyIn():
                    self.key = True
                case FlagIs(flag=flag):
                    self.read_flag(flags.recalled([flag]))

    def _read_field(self, leaf: FieldIs) -> None:
        if leaf.source == "param":
            return  # a part of the path
        name = (leaf.source, leaf.name)
        self.names[name] = None
        texts = [leaf.equals, *leaf.any_of] if leaf.equals is not None else leaf.any_of
        self.whole.setdefault(name, set()).update(text for text in texts if isinstance(text, str))
        looked_into = (leaf.prefix, leaf.suffix, leaf.regex, leaf.semver, leaf.key_in)
        if leaf.cidr or any(one is not None for one in looked_into) or len(self.whole[name]) < len(set(texts)):
            self.inside.add(name)

    def read_flag(self, reads: Reads) -> None:
        """What the targeting of a flag reads, which may do anything with it."""
        places = {"header": reads.headers, "cookie": reads.cookies, "query": reads.queries}
        for place, names in places.items():
            written = sorted(names | reads.of(place))
            found = dict.fromkeys((place, name.lower() if place == "header" else name) for name in written)
            self.names |= found
            self.inside |= found.keys()
        self.client |= "client" in reads.names
        self.key |= KEY in reads.names

    def read_keys(self, sources: Iterable[spec.KeySource]) -> None:
        """What sticky keys are read from; Stepdown's own cookie is recorded apart."""
        for source in sources:
            if source.header is not None:
                self.names["header", source.header] = None
            elif source.json is not None:
                self.names["json", source.json] = None
            elif source.cookie is not None and source.set_cookie is None:
                self.names["cookie", source.cookie] = None
            self.client |= source.client_ip


def needs_of(route: spec.Route, model: spec.Model, segments: Mapping[str, When], flags: SnapshotFlags) -> Needs:
    """What a route reads once it has matched."""
    needs = Needs({("header", HEADER.decode()): None})
    for entry in model.clients:
        needs.read_match(entry.match)
    for rule in route.rules:
        needs.read_condition(rule.when, segments, flags)
        if rule.flag is not None:
            needs.read_flag(flags.recalled([rule.flag.flag]))
    needs.read_keys(route.key)
    return needs


def needs_of_all(specification: spec.SnapshotSpec) -> Needs:
    """What a configuration reads of any request: to find its route, and on every route."""
    segments = {segment.name: segment.when for segment in specification.segments}
    models = {model.name: model for model in specification.models}
    flags = compiled_flags(specification.flags)
    needs = Needs()
    for route in in_effect(specification):
        needs.read_match(route.match)
        needs.add(needs_of(route, models[route.model], segments, flags))
    return needs
