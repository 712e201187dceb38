"""Rules: a condition and a split of a route, ready to be looked up in."""

from __future__ import annotations

from collections.abc import Sequence

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.conditions import Conditions
from stepdown.decide.flag_view import FlagArms
from stepdown.decide.pins import Pin
from stepdown.decide.plans import Choices, Plan
from stepdown.decide.slots import Table, Tables, hash_of
from stepdown.decide.turns import Rotation, order
from stepdown.errors import NoReadyVersionError, RetiredVersionError, TakenBackError, UnreachableShapeError


class Rule:
    """One rule of a route, with what it has planned so far."""

    __slots__ = (
        "_alike",
        "_choices",
        "_kept",
        "_model",
        "_plans",
        "_plans_by_shape",
        "_spare",
        "_taken_back",
        "_weighted",
        "condition",
        "drained",
        "flag",
        "name",
        "prefixes",
        "records",
        "rotation",
        "salt",
        "spec",
        "split",
        "table",
    )

    def __init__(
        self, rule: spec.Rule, route: spec.Route, choices: Choices, conditions: Conditions, tables: Tables
    ) -> None:
        self.name = rule.name
        self.condition = conditions.condition(rule.when)
        self.spec = rule
        self.split = rule.split
        self.flag = FlagArms(rule.flag, rule.split, conditions.flags) if rule.flag is not None else None
        """What takes the place of the table, where a flag says which version it is."""
        self.table = _table(rule, tables)
        self.rotation = Rotation(order(tuple(weight for _, weight in rule.split))) if rule.smooth else None
        """Who is next among requests without a key, where they are not drawn for."""
        self.salt = rule.salt or f"{route.name}/{rule.name}"
        self.prefixes = tuple(f"{self.salt}:{label}:".encode() for label in choices.labels)
        """What comes before a key's value when it is hashed, by key source."""
        tag = b"%08x" % hash_of(self.salt.encode())
        self.records = [tag + b"~" + version.encode() for version, _ in rule.split] if rule.drain == "sticky" else []
        """By position in the split: what a signed cookie says of whom this rule gave the version to."""
        self.drained = {record: arm for arm, record in enumerate(self.records) if not rule.split[arm][1]}
        """Of those, the records of versions that have no weight any more and keep whom they had."""
        self._choices = choices
        self._model = choices.model
        self._weighted = tuple(version for version, weight in rule.split if weight)
        named = dict.fromkeys(version for one in (rule, *route.rules) for version in spec.versions_of(one))
        self._spare = tuple(version for version in named if version not in self._weighted)
        """Versions of the route to which the split gives nothing: the rule's own first, then in the file's order."""
        self._taken_back = rule.walked.taken_back if rule.walked is not None else ()
        self._kept = tuple(one.version for one in self._taken_back if one.keep)
        """Versions without a place in any rule, which serve pins that nothing else can serve."""
        self._alike = _alike(rule)
        """Groups of versions whose common shapes come first."""
        self._plans: dict[Pin, Plan] = {}
        self._plans_by_shape: dict[str, Plan] = {}

    def plan(self, pin: Pin) -> Plan:
        """The plan for a pin; raises as `shape` does."""
        plan = self._plans.get(pin)
        if plan is None:
            shape = self.shape(pin)
            plan = self._plans_by_shape.get(shape)
            if plan is None:
                plan = Plan(self.spec, shape, self._spare, self._kept, self._choices)
                self._plans_by_shape[shape] = plan
            self._plans[pin] = plan
        return plan

    def shape(self, pin: Pin) -> str:
        """The newest version of a pin that the split reaches, else the newest that any version of the route reaches.

        Of a rule with colours, a flag or a rollout, the newest that all its versions reach comes first: a switch moves
        servers, never shapes. Last come those that only a version reaches which was taken back.
        Raises `RetiredVersionError` (410) where all that the pin allows is retired, `UnreachableShapeError` (406) where
        nothing configured reaches any of it, `TakenBackError` (503) where what reaches it was taken back for all.
        """
        reaches = self._model.reaches
        for group in self._alike:
            for version in pin.versions:
                if all(reaches(served, version) for served in group):
                    return version
        for able in (self._weighted, self._spare, self._kept):
            for version in pin.versions:
                if any(reaches(served, version) for served in able):
                    return version
        for version in pin.versions:
            for one in self._taken_back:
                if reaches(one.version, version):
                    raise TakenBackError(
                        f"only {one.version} can answer as {self._model.name} {version}, and the rollout"
                        f" {one.rollout} took it back"
                    )
        raise self._out_of_reach(pin)

    def server(self, pin: Pin, ready: Sequence[bool]) -> Choice:
        """The newest version of a pin that has servers of its own, served by them: what `pin: server` grants.

        Raises as `shape` does, and `NoReadyVersionError` (503) where these servers are down.
        """
        version = next((version for version in pin.versions if self._model.is_served(version)), None)
        if version is None:
            raise self._out_of_reach(pin)
        if not ready[self._model.index(version)]:
            raise NoReadyVersionError(
                f"{self._model.name} {version} was asked for by name, and it is not up",
                retry_after=self._model.recovery(version),
            )
        choices = self._choices
        return choices.get(
            self.name, version, version, version, reason="pin-server", source=len(choices.labels), evidence=False
        )

    def overridden(self, version: str, pinned: str) -> Choice:
        """The choice of one exact server, for somebody who may ask for it (`overrides`); the shape is within reach."""
        choices = self._choices
        return choices.get(
            self.name, pinned, version, version, reason="override", source=len(choices.labels), evidence=False
        )

    def _out_of_reach(self, pin: Pin) -> RetiredVersionError | UnreachableShapeError:
        model = self._model
        if pin.versions:
            wanted = " or ".join(pin.versions)
            able = (*self._weighted, *self._spare)
            refused = dict.fromkeys(model.why_not(served, shape) for shape in pin.versions for served in able)
            reasons = "".join(f"; {why}" for why in refused if why)
            return UnreachableShapeError(
                f"no version on route {self._choices.route} can answer as {model.name} {wanted}{reasons}"
            )
        if pin.retired:
            link = next((link for version in pin.retired if (link := model.versions[version].link)), None)
            where = f"; see {link}" if link is not None else ""
            return RetiredVersionError(f"{model.name} {pin.retired[0]} is retired{where}", link=link)
        declared = ", ".join(version for version, one in model.versions.items() if not one.retired)
        return UnreachableShapeError(f"{model.name} has no version that was asked for; it has {declared}")


def _table(rule: spec.Rule, tables: Tables) -> Table:
    """Who owns which slot; versions that took another's place have that one's."""
    dealt = rule.walked.dealt if rule.walked is not None else ()
    if not dealt:
        return tables.table(rule.split)
    return tables.handed_over(tuple((one.version, one.weight) for one in dealt), [one.place for one in dealt])


def _alike(rule: spec.Rule) -> tuple[tuple[str, ...], ...]:
    if rule.walked is not None:
        return rule.walked.alike
    if rule.colours is not None or rule.flag is not None:
        return (tuple(version for version, _ in rule.split),)
    return ()
