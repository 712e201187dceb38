"""What the comparer has found, counted in its slab and told in its log, both within bounds.

A contract's violations are told apart by path and keyword up to `PLACES` pairs; what comes after them is `other`. Pairs
that the slab has already count, so a comparer that takes over goes on with those of the one before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from stepdown.decide.checks import Subject
from stepdown.telemetry.log import fields
from stepdown.telemetry.slab import OTHER, Slab
from stepdown_adapters.contract.validator import Violation

logger = logging.getLogger(__name__)

PLACES = 100
LOG_SECONDS = 60.0
"""A pair is logged when it is seen first, and after that at most this often."""

Place = tuple[str, str]
"""Path and keyword of a violation. Neither has anything of an answer in it, nor has the message (`Violation`)."""

_VIOLATIONS = "stepdown_violations_total"


class Tally:
    """Counts by subject."""

    def __init__(self, slab: Slab, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._slab = slab
        self._clock = clock
        self._places: dict[tuple[str, ...], set[Place]] = {}
        """By (model, contract): the pairs that are told apart."""
        self._cells: dict[tuple[str, tuple[str, ...]], int] = {}
        self._told: dict[tuple[str, ...], _Told] = {}
        """By all labels."""
        for series in slab.series():
            if series.family == _VIOLATIONS:
                model, _served, contract, path, keyword = series.labels
                self._places.setdefault((model, contract), set()).add((path, keyword))

    def validated(self, subject: Subject, violations: Iterable[Violation]) -> None:
        """Count an answer that was held against its contract, and where it contradicts it: each place once."""
        places = {(violation.path, violation.keyword): violation.message for violation in violations}
        for place, message in places.items():
            self._violated(subject, place, message)
        self._count("stepdown_validations_total", *_named(subject), "violated" if places else "valid")

    def skipped(self, subject: Subject, reason: str) -> None:
        """Count an answer that could not be."""
        self._count("stepdown_validations_skipped_total", subject.model, subject.served, reason)

    def _violated(self, subject: Subject, place: Place, message: str) -> None:
        places = self._places.setdefault((subject.model, subject.contract), set())
        if place not in places:
            if len(places) >= PLACES:
                place = (OTHER, OTHER)
            places.add(place)
        labels = (*_named(subject), *place)
        self._count(_VIOLATIONS, *labels)
        self._tell(labels, message)

    def _tell(self, labels: tuple[str, ...], message: str) -> None:
        now = self._clock()
        told = self._told.get(labels)
        if told is None:
            told = self._told[labels] = _Told()
        told.answers += 1
        if now >= told.again:
            model, served, contract, path, keyword = labels
            about = fields(
                model=model,
                served=served,
                contract=contract,
                path=path,
                keyword=keyword,
                example=message,
                answers=told.answers,
            )
            logger.warning("answers violate a contract", extra=about)
            told.answers, told.again = 0, now + LOG_SECONDS

    def _count(self, family: str, *labels: str) -> None:
        cell = self._cells.get((family, labels))
        if cell is None:
            cell = self._cells[family, labels] = self._slab.counter(family, labels)
        self._slab.cells[cell] += 1


class _Told:
    """What was not logged yet of one kind of violation."""

    __slots__ = ("again", "answers")

    def __init__(self) -> None:
        self.again = 0.0
        """When it may be logged again."""
        self.answers = 0
        """Since it was logged last."""


def _named(subject: Subject) -> tuple[str, str, str]:
    return subject.model, subject.served, subject.contract
