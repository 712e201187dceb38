"""What the comparer has found, counted in its slab and told in its log, both within bounds.

A contract's violations are told apart by path and keyword up to `PLACES` pairs; what comes after them is `other`. Pairs
that the slab has already count, so a comparer that takes over goes on with those of the one before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from stepdown.comparer.counting import Counters, Telling
from stepdown.decide.checks import Subject
from stepdown.telemetry.log import fields
from stepdown.telemetry.slab import OTHER, Slab
from stepdown_adapters.contract.validator import Violation

logger = logging.getLogger(__name__)

PLACES = 100

Place = tuple[str, str]
"""Path and keyword of a violation. Neither has anything of an answer in it, nor has the message (`Violation`)."""

_VIOLATIONS = "stepdown_violations_total"


class Tally:
    """Counts by subject."""

    def __init__(self, slab: Slab, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._counters = Counters(slab)
        self._telling = Telling(clock)
        self._places: dict[tuple[str, ...], set[Place]] = {}
        """By (model, contract): the pairs that are told apart."""
        for series in slab.series():
            if series.family == _VIOLATIONS:
                model, _served, contract, path, keyword = series.labels
                self._places.setdefault((model, contract), set()).add((path, keyword))

    def validated(self, subject: Subject, violations: Iterable[Violation]) -> None:
        """Count an answer that was held against its contract, and where it contradicts it: each place once."""
        places = {(violation.path, violation.keyword): violation.message for violation in violations}
        for place, message in places.items():
            self._violated(subject, place, message)
        self._counters.count("stepdown_validations_total", *_named(subject), "violated" if places else "valid")

    def skipped(self, subject: Subject, reason: str) -> None:
        """Count an answer that could not be."""
        self._counters.count("stepdown_validations_skipped_total", subject.model, subject.served, reason)

    def _violated(self, subject: Subject, place: Place, message: str) -> None:
        places = self._places.setdefault((subject.model, subject.contract), set())
        if place not in places:
            if len(places) >= PLACES:
                place = (OTHER, OTHER)
            places.add(place)
        labels = (*_named(subject), *place)
        self._counters.count(_VIOLATIONS, *labels)
        self._tell(labels, message)

    def _tell(self, labels: tuple[str, ...], message: str) -> None:
        answers = self._telling.due(*labels)
        if answers:
            model, served, contract, path, keyword = labels
            about = fields(
                model=model,
                served=served,
                contract=contract,
                path=path,
                keyword=keyword,
                example=message,
                answers=answers,
            )
            logger.warning("answers violate a contract", extra=about)


def _named(subject: Subject) -> tuple[str, str, str]:
    return subject.model, subject.served, subject.contract
