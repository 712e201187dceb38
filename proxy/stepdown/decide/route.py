"""Routes: a request that a route matched becomes a choice, in four steps that read top to bottom in `Route.choose`.

1. Pin: which shape the client wants (`pins`).
2. Rule: the first one whose condition holds.
3. Assignment: the version that the split gives to the key's slot, or to an independent draw where there is no key.
4. Service: that version, if it reaches the shape and is up; else another that does, with a reason (`plans`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.conditions import Digests
from stepdown.decide.explain import explain
from stepdown.decide.explanation import Explanation
from stepdown.decide.facts import Facts
from stepdown.decide.keys import label_of, reader_of
from stepdown.decide.models import Model, Pinned
from stepdown.decide.paths import Template
from stepdown.decide.pins import HEADER
from stepdown.decide.plans import Choices, Plan
from stepdown.decide.rules import Rule
from stepdown.decide.slots import Tables, slot_of
from stepdown.errors import NoRouteError


class Route:
    """One route of a snapshot."""

    __slots__ = (
        "_only",
        "_place_of_version",
        "_readers",
        "deciding",
        "labels",
        "model",
        "name",
        "needs_body",
        "param_names",
        "rules",
        "spec",
    )

    def __init__(self, route: spec.Route, model: Model, digests: Digests, tables: Tables) -> None:
        self.name = route.name
        self.spec = route
        self.model = model
        self.param_names = Template.parse(route.match.path or route.match.path_prefix or "").names
        self.needs_body = any(source.json is not None for source in route.key)
        """Whether a key is read from the request's JSON body."""
        matches = (route.match, *(rule.when for rule in route.rules), *model.client_matches)
        self.deciding = frozenset({HEADER, *(header.name.encode() for match in matches for header in match.headers)})
        """Lower-case names of the fields, other than keys, that can change a decision: the pin and all conditions'."""
        self.labels = tuple(label_of(source) for source in route.key)
        """Key sources, in the order in which they are tried."""
        self._readers = tuple(enumerate(reader_of(source) for source in route.key))
        choices = Choices(route.name, model, self.labels)
        self.rules = tuple(Rule(rule, route, choices, digests, tables) for rule in route.rules)
        self._only = self.rules[0] if self.rules[0].condition.always else None
        """The rule that every request gets, if there is one; the rest of the rules is then out of reach."""
        self._place_of_version = (
            self.param_names.index(route.version_param) if route.version_param is not None else None
        )

    def choose(  # noqa: PLR0917 - the plane calls it once per request, and names cost time
        self,
        facts: Facts,
        params: tuple[bytes, ...],
        body: bytes | None,
        client: str,
        ready: Sequence[bool],
        draw: Callable[[], int],
    ) -> Choice:
        """Decide about a request.

        `params` are the values of the path's `{name}`s in order, `body` the request's body where it is kept, `client`
        the client's address. `ready[i]` says whether `Snapshot.versions[i]` is up; `draw()` gives a number from 0 to
        9999. Raises `BadPinError` (400), `NoRouteError` (404, no rule holds), `UnreachableShapeError` (406),
        `RetiredVersionError` (410) and `NoReadyVersionError` (503, with `retry_after`).
        """
        pin, pin_source = self.pinned(facts, params)
        rule = self._only or self.rule_for(facts)
        if pin_source != "default" and self.spec.pin == "server":
            return rule.server(pin, ready)
        return self.assign(rule, rule.plan(pin), facts, body, client, ready, draw)

    def settle(self, facts: Facts, params: tuple[bytes, ...]) -> tuple[Rule, Plan] | None:
        """Rule and plan of a request: all of `choose` that depends on nothing but its `deciding` fields and its path.

        For requests that are alike in these, `assign` does the rest. `None` where a pin names its server.
        """
        pin, pin_source = self.pinned(facts, params)
        rule = self._only or self.rule_for(facts)
        if pin_source != "default" and self.spec.pin == "server":
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
        draw: Callable[[], int],
    ) -> Choice:
        """Assign a version to a request whose rule and plan are settled; arguments and errors are those of `choose`."""
        for source, read in self._readers:
            key = read(facts, body, client)
            if key:
                slot = slot_of(rule.prefixes[source] + key)
                break
        else:
            source, slot = len(self._readers), draw()
        arm = rule.table[slot]
        choice = plan.ready_choices[source][arm]
        if choice is not None and ready[choice.served_index]:
            return choice
        return plan.instead(source, arm, slot, ready)

    def explain(  # noqa: PLR0917 - the arguments of `choose`
        self,
        facts: Facts,
        params: tuple[bytes, ...],
        body: bytes | None,
        client: str,
        ready: Sequence[bool],
        draw: Callable[[], int],
    ) -> Explanation:
        """Every step of what `choose` does with the same arguments, refusals too; raises nothing."""
        return explain(self, facts, params, body, client, ready, draw)

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

    def rule_for(self, facts: Facts) -> Rule:
        """The first rule whose condition holds; raises `NoRouteError` (404) if none does."""
        for rule in self.rules:
            if rule.condition.holds(facts):
                return rule
        raise NoRouteError(f"no rule of route {self.name} holds for this request")

    def key(self, facts: Facts, body: bytes | None, client: str) -> tuple[int, bytes] | None:
        """The first key that the request has, with the position of its source; `None` if it has none."""
        for source, read in self._readers:
            key = read(facts, body, client)
            if key:
                return source, key
        return None

    def natives(self, pinned: str) -> tuple[int, ...]:
        """Places in `Snapshot.versions` of the versions that have the shape by themselves and are served."""
        return (self.model.index(pinned),) if self.model.is_served(pinned) else ()
