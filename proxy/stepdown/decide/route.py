"""Routes: a request that a route matched becomes a choice, in four steps that read top to bottom in `Route.choose`.

1. Pin: which shape the client wants (`pins`).
2. Rule: the first one whose condition holds.
3. Assignment: the version that the split gives to the key's slot, or to an independent draw where there is no key; or
   the one that a flag gives.
4. Service: that version, if it reaches the shape and is up; else another that does, with a reason (`plans`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.conditions import Conditions
from stepdown.decide.cookies import DrawId, KeyCookie, Visitor
from stepdown.decide.explain import explain
from stepdown.decide.explanation import Explanation
from stepdown.decide.facts import Facts
from stepdown.decide.flag_context import KEY
from stepdown.decide.flag_view import FlagArms
from stepdown.decide.inputs import inputs_of
from stepdown.decide.keys import label_of, reader_of
from stepdown.decide.mirror import conditions_of, mirror_of
from stepdown.decide.models import Model
from stepdown.decide.overrides import SERVE, Verdict
from stepdown.decide.paths import Template
from stepdown.decide.picking import picker
from stepdown.decide.pins import HEADER, Pinned
from stepdown.decide.plans import Choices, Plan
from stepdown.decide.rules import Rule
from stepdown.decide.slots import Tables, slot_of
from stepdown.decide.view import FlagView, View
from stepdown.errors import NoRouteError

Draw = Callable[..., int]
"""The dice: `draw()` gives a slot from 0 to 9999, `draw(rotation)` the number of the next turn of a `Rotation`."""


class Route:
    """One route of a snapshot."""

    __slots__ = (
        "_by_server",
        "_cookie_place",
        "_flags",
        "_only",
        "_pick",
        "_place_of_version",
        "_readers",
        "_records",
        "asking",
        "asks_flags",
        "cookie",
        "deciding",
        "labels",
        "mirror",
        "model",
        "name",
        "needs_body",
        "needs_view",
        "param_names",
        "reads_clock",
        "recallable",
        "rules",
        "spec",
    )

    def __init__(self, route: spec.Route, model: Model, conditions: Conditions, tables: Tables) -> None:
        self.name = route.name
        self.spec = route
        self.model = model
        self.param_names = Template.parse(route.match.path or route.match.path_prefix or "").names
        inputs = inputs_of((rule.when for rule in route.rules), conditions.segments)
        asked = inputs.flags | {rule.flag.flag for rule in route.rules if rule.flag is not None}
        read = conditions.flags.reads(asked)
        copying = inputs_of(conditions_of(route), conditions.segments)
        self._flags = conditions.flags
        self.needs_body = bool(inputs.pointers or copying.pointers) or any(key.json is not None for key in route.key)
        """Whether a key or a condition, of what is copied too, reads the request's JSON body."""
        self.needs_view = inputs.view_to_pick or bool(asked) or copying.view or bool(copying.flags)
        """Whether its conditions read more than a head (and rules an address): then a `view` stands for all `facts`."""
        self.asks_flags = bool(asked)
        """Whether deciding asks a flag; a shadow's or a recording's condition does not count, as it decides nothing."""
        self.recallable = inputs.recallable and not asked
        """Whether rule and pin of requests that are alike in path, query, peer and the `deciding` fields are equal."""
        self.reads_clock = inputs.clock or read.clock or copying.clock or conditions.flags.reads(copying.flags).clock
        """Whether a condition depends on the time."""
        reads_key = inputs.key or KEY in read.names
        self.asking = inputs.headers | read.fields | (_headers_of(route.key) if reads_key else frozenset())
        """Lower-case names of the header fields that rules read."""
        matches = (route.match, *model.client_matches)
        names = (header.name for match in matches for header in match.headers)
        self.deciding = frozenset({HEADER, SERVE, *(name.encode() for name in (*names, *self.asking))})
        """Lower-case names of the fields that can change a decision: the pin and all conditions'; no other keys."""
        self.labels = tuple(label_of(source) for source in route.key)
        """Key sources, in the order in which they are tried."""
        self.mirror = mirror_of(route, conditions, self.labels)
        """What becomes of copies of its requests; `None` where there are none."""
        self._readers = tuple(enumerate(reader_of(source) for source in route.key))
        self._cookie_place = next((place for place, one in enumerate(route.key) if one.set_cookie is not None), -1)
        self.cookie = _cookie_of(route.key[self._cookie_place]) if self._cookie_place >= 0 else None
        """The key that Stepdown gives to those who have none; requests of such a route need a `visitor`."""
        choices = Choices(route.name, model, self.labels)
        self.rules = tuple(Rule(rule, route, choices, conditions, tables) for rule in route.rules)
        self._pick = picker(
            ((rule.spec.when, rule.condition, rule) for rule in self.rules), conditions, views=self.needs_view
        )
        self._by_server = route.pin == "server"
        self._records = {
            (rule.name, version): record
            for rule in self.rules
            for (version, _), record in zip(rule.split, rule.records, strict=False)
        }
        self._only = self.rules[0] if self.rules[0].condition.always else None
        """The rule that every request gets, if there is one; the rest of the rules is then out of reach."""
        self._place_of_version = (
            self.param_names.index(route.version_param) if route.version_param is not None else None
        )

    def view(  # noqa: PLR0917 - as `choose`
        self,
        facts: Facts,
        params: tuple[bytes, ...],
        body: bytes | None,
        client: str,
        now: float,
        visitor: Visitor | None = None,
        flags: FlagView | None = None,
    ) -> View:
        """The request as conditions see it, which may stand for its `facts`; `now` are Unix seconds.

        `flags` are those that are asked, the snapshot's own if not given.
        """
        return View(self, facts, params, body, client, now, visitor, flags or self._flags)

    def choose(  # noqa: PLR0917 - the plane calls it once per request, and names cost time
        self,
        facts: Facts,
        params: tuple[bytes, ...],
        body: bytes | None,
        client: str,
        ready: Sequence[bool],
        draw: Draw,
        visitor: Visitor | None = None,
    ) -> Choice:
        """Decide about a request.

        `params` are the values of the path's `{name}`s in order, `body` the request's body where it is kept, `client`
        the client's address. `ready[i]` says whether `Snapshot.versions[i]` is up; `draw` are the dice; `visitor` is
        what the method of that name gave. Raises `BadPinError` (400), `NoRouteError` (404, no rule holds),
        `UnreachableShapeError` (406), `RetiredVersionError` (410), `TakenBackError` (503) and `NoReadyVersionError`
        (503, with `retry_after`).
        """
        pin, pin_source = self.pinned(facts, params)
        rule = self._only or self.rule_for(facts, client)
        if self._by_server and pin_source != "default":
            return rule.server(pin, ready)
        if rule.flag is not None:
            return self._assign_by_flag(rule.flag, rule.plan(pin), facts, ready)
        return self.assign(rule, rule.plan(pin), facts, body, client, ready, draw, visitor)

    def settle(self, facts: Facts, params: tuple[bytes, ...], client: str) -> tuple[Rule, Plan] | None:
        """Rule and plan of a request: all of `choose` that depends on nothing but `deciding` fields, path and client.

        For requests that are alike in these, `assign` does the rest. `None` where a pin names its server, and where
        answers may have to set a cookie, and where rules read what is not in the head. The same goes for the conditions
        of what is copied: they are tested for each request, and where nothing is decided anew, nothing but its head is
        there to test. What they read of the head need not be alike, since nothing about it is remembered.
        """
        if self.cookie is not None or not self.recallable or (self.mirror is not None and self.mirror.needs_view):
            return None
        pin, pin_source = self.pinned(facts, params)
        rule = self._only or self.rule_for(facts, client)
        if self._by_server and pin_source != "default":
            return None
        return rule, rule.plan(pin)

    def assign(  # noqa: PLR0917 - as `choose`
        self,
        rule: Rule,
        plan: Plan,
        facts: Facts,
        body: bytes | None,
        client: str,
        ready: Sequence[bool],
        draw: Draw,
        visitor: Visitor | None = None,
    ) -> Choice:
        """Assign a version to a request whose rule and plan are settled; arguments and errors are those of `choose`."""
        if visitor is not None:
            return self._assign_visitor(rule, plan, visitor, ready)
        for source, read in self._readers:
            key = read(facts, body, client)
            if key:
                slot = slot_of(rule.prefixes[source] + key)
                arm = rule.table[slot]
                break
        else:
            source = len(self._readers)
            if rule.rotation is None:
                slot = draw()
                arm = rule.table[slot]
            else:
                turn = draw(rule.rotation)
                slot, arm = rule.rotation.slot(turn), rule.rotation.arm(turn)
        choice = plan.ready_choices[source][arm]
        if choice is not None and ready[choice.served_index]:
            return choice
        return plan.instead(source, arm, slot, ready)

    def _assign_by_flag(self, flag: FlagArms, plan: Plan, facts: Facts, ready: Sequence[bool]) -> Choice:
        """As `assign`, by what a flag says; the key counts as its source's where the flag reads it."""
        assert isinstance(facts, View)
        source, arm = len(self._readers), flag.arm(facts)
        if flag.by_key and (key := facts.key()) is not None:
            source = self.labels.index(key[0])
        choice = plan.ready_choices[source][arm]
        if choice is not None and ready[choice.served_index]:
            return choice
        return plan.instead(source, arm, 0, ready)

    def _assign_visitor(self, rule: Rule, plan: Plan, visitor: Visitor, ready: Sequence[bool]) -> Choice:
        """As `assign`, by an id that Stepdown made; what the cookie says of a version counts where that one drains."""
        source = self._cookie_place
        slot = slot_of(rule.prefixes[source] + visitor.id)
        kept = rule.drained.get(visitor.record)
        if kept is not None:
            return plan.kept(source, kept, slot, ready)
        arm = rule.table[slot]
        choice = plan.ready_choices[source][arm]
        if choice is not None and ready[choice.served_index]:
            return choice
        return plan.instead(source, arm, slot, ready)

    def visitor(self, facts: Facts, body: bytes | None, client: str, now: float, draw_id: DrawId) -> Visitor | None:
        """Whose request it is by the cookie that Stepdown sets, a new visitor's where there is none that counts.

        `now` are Unix seconds. `None` where an earlier source has a key, or the route sets no cookie (any more).
        """
        if self.cookie is None or any(read(facts, body, client) for _, read in self._readers[: self._cookie_place]):
            return None
        return self.cookie.visitor(facts, now, draw_id)

    def set_cookie(self, visitor: Visitor, choice: Choice, now: float) -> bytes:
        """The `Set-Cookie` line that goes with a choice for this visitor; empty where they need none."""
        if self.cookie is None or choice.key_source != self.cookie.label:
            return b""
        return self.cookie.line(visitor, self._records.get((choice.rule, choice.assigned)), now)

    def explain(  # noqa: PLR0917 - the arguments of `choose`
        self,
        facts: Facts,
        params: tuple[bytes, ...],
        body: bytes | None,
        client: str,
        ready: Sequence[bool],
        draw: Draw,
        visitor: Visitor | None = None,
        verdict: Verdict | None = None,
    ) -> Explanation:
        """Every step of what `choose` does with the same arguments, refusals and overrides too; raises nothing."""
        if not isinstance(facts, View):  # each part of a condition is asked for itself, and takes nothing else
            facts = self.view(facts, params, body, client, 0.0, visitor)
        return explain(self, facts, params, body, client, ready, draw, visitor, verdict)

    def pinned(self, facts: Facts, params: tuple[bytes, ...]) -> Pinned:
        """The pin of a request and where it came from; raises `BadPinError` (400)."""
        model = self.model
        value = facts.get(HEADER)
        if value is not None:
            pin = model.pins.read(value)
            if pin is not None:
                return pin, "header"
        if self._place_of_version is not None:
            pin = model.pins.read(params[self._place_of_version])
            if pin is not None:
                return pin, "path"
        if model.clients is not None:
            row = model.clients.find(facts)
            if row is not None:
                return row
        return model.default

    def rule_for(self, facts: Facts, client: str) -> Rule:
        """The first rule whose condition holds; raises `NoRouteError` (404) if none does."""
        rule = self._pick(facts, client)
        if rule is None:
            raise NoRouteError(f"no rule of route {self.name} holds for this request")
        return rule

    def key(
        self, facts: Facts, body: bytes | None, client: str, visitor: Visitor | None = None
    ) -> tuple[int, bytes] | None:
        """The first key that the request has, with the position of its source; `None` if it has none."""
        if visitor is not None:
            return self._cookie_place, visitor.id
        for source, read in self._readers:
            key = read(facts, body, client)
            if key:
                return source, key
        return None

    def natives(self, pinned: str) -> tuple[int, ...]:
        """Places in `Snapshot.versions` of the versions that have the shape by themselves and are served."""
        return (self.model.index(pinned),) if self.model.is_served(pinned) else ()


def _headers_of(sources: Iterable[spec.KeySource]) -> frozenset[str]:
    """Names of the fields in which a key may be."""
    names = ("cookie" if source.cookie is not None else source.header for source in sources)
    return frozenset(name for name in names if name is not None)


def _cookie_of(source: spec.KeySource) -> KeyCookie:
    assert source.cookie is not None
    assert source.set_cookie is not None
    return KeyCookie(source.cookie, source.set_cookie)
