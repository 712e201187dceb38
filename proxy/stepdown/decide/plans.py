"""Plans: for one rule and one pinned shape, what follows from each key source and each version of the split.

A plan is made when the first request needs it and kept for the life of its snapshot. Where the assigned version is
eligible and ready, the choice is two look-ups away; everything else is `Plan.instead` and `Plan.kept`.
"""

from __future__ import annotations

from collections.abc import Sequence

from stepdown.decide import spec
from stepdown.decide.choice import Choice, Reason
from stepdown.decide.models import Model
from stepdown.decide.slots import SLOTS, spread
from stepdown.errors import NoReadyVersionError

Split = tuple[tuple[str, int], ...]


class Choices:
    """The choices of one route, each made once."""

    def __init__(self, route: str, model: Model, labels: tuple[str, ...]) -> None:
        self.route = route
        self.model = model
        self.labels = labels
        """Key sources by position; one more position, behind them, stands for none."""
        self._made: dict[tuple[str, str, str, str, Reason, int], Choice] = {}

    def get(
        self, rule: str, pinned: str, assigned: str, served: str, *, reason: Reason, source: int, evidence: bool
    ) -> Choice:
        """The one choice with these properties; `source` is a position among the route's key sources."""
        key = (rule, pinned, assigned, served, reason, source)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Choice(
                self.route,
                rule,
                pinned,
                assigned,
                served,
                self.model.index(served),
                reason,
                self.labels[source] if source < len(self.labels) else "none",
                self.model.chain(served, pinned),
                evidence,
            )
        return made


class Plan:
    """What follows from a rule and a pinned shape."""

    __slots__ = (
        "_choices",
        "_eligible",
        "_evidence",
        "_forced",
        "_instead",
        "_model",
        "_rule",
        "_spare",
        "_split",
        "pinned",
        "ready_choices",
    )

    def __init__(
        self, rule: spec.Rule, pinned: str, spare: tuple[str, ...], kept: tuple[str, ...], choices: Choices
    ) -> None:
        self.pinned = pinned
        self._rule = rule.name
        self._model = model = choices.model
        self._choices = choices
        self._split = split = rule.split
        self._instead = tuple(version for version in rule.instead if model.reaches(version, pinned))
        self._eligible = tuple(model.reaches(version, pinned) for version, _ in split)
        self._spare = tuple(version for version in spare if model.reaches(version, pinned))
        """Eligible versions that the split gives nothing, in the order in which they are fallen back on."""
        self._forced: Reason = "pin-forced"
        if not self._spare and not any(self._eligible):
            self._spare = tuple(version for version in kept if model.reaches(version, pinned))
            self._forced = "taken-back"
        whole = all(self._eligible) and rule.flag is None and (rule.walked is None or rule.walked.evidence)
        self._evidence = (*(whole for _ in choices.labels), whole and not rule.smooth)
        """By key source. What is given out in turn says nothing, since what came before decided it, nor does what a
        flag gave: its targeting may choose by anything; nor what a rollout does not learn from."""
        given: Reason = "split" if rule.flag is None else "flag"
        self.ready_choices = tuple(
            tuple(
                choices.get(rule.name, pinned, version, version, reason=given, source=source, evidence=evidence)
                if eligible
                else None
                for (version, _), eligible in zip(split, self._eligible, strict=True)
            )
            for source, evidence in enumerate(self._evidence)
        )
        """By key source and position in the split; `None` where the version is not eligible."""

    def instead(self, source: int, arm: int, slot: int, ready: Sequence[bool]) -> Choice:
        """The choice where the assigned version cannot serve.

        Where it is down, the versions of `instead` come first, in their order. Then others of the split by weight: who
        is given which depends on the slot, so one user keeps to one as long as nothing changes. Then any of the route.
        Raises `NoReadyVersionError` (503) if no version that reaches the shape is up.
        """
        assigned, weight = self._split[arm]
        reason: Reason = "unhealthy" if self._eligible[arm] else self._forced
        served = self._first(self._instead, ready) if reason == "unhealthy" else None
        served = served or self._from_split(slot, ready) or self._first(self._spare, ready)
        if served is None:
            raise self._nothing_ready()
        evidence = self._evidence[source] and weight > 0
        return self._choices.get(
            self._rule, self.pinned, assigned, served, reason=reason, source=source, evidence=evidence
        )

    def kept(self, source: int, arm: int, slot: int, ready: Sequence[bool]) -> Choice:
        """The choice for one whom a version keeps although it has no weight; else as `instead`, and no evidence."""
        version = self._split[arm][0]
        if self._eligible[arm] and ready[self._model.index(version)]:
            return self._choices.get(
                self._rule, self.pinned, version, version, reason="kept", source=source, evidence=False
            )
        return self.instead(source, arm, slot, ready)

    def _first(self, versions: Sequence[str], ready: Sequence[bool]) -> str | None:
        return next((version for version in versions if ready[self._model.index(version)]), None)

    def _from_split(self, slot: int, ready: Sequence[bool]) -> str | None:
        able = [
            (version, weight)
            for (version, weight), eligible in zip(self._split, self._eligible, strict=True)
            if eligible and ready[self._model.index(version)]
        ]
        point = spread(slot) * sum(weight for _, weight in able) // SLOTS
        for version, weight in able:
            point -= weight
            if point < 0:
                return version
        return None

    def eligible(self) -> tuple[str, ...]:
        """Every version that reaches the shape: those with a weight first, then those to fall back on."""
        weighted = tuple(
            version
            for (version, weight), eligible in zip(self._split, self._eligible, strict=True)
            if eligible and weight
        )
        return weighted + self._spare

    def _nothing_ready(self) -> NoReadyVersionError:
        able = self.eligible()
        return NoReadyVersionError(
            f"{self._model.name} {self.pinned} can be had from {', '.join(able)}, and none of them is up",
            retry_after=min(self._model.recovery(version) for version in able),
        )
