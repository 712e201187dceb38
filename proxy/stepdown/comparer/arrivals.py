"""What comes out of a worker's ring: samples of answers, copies of requests, and what those were answered."""

from __future__ import annotations

import logging
from typing import NamedTuple

from stepdown.comparer.endings import settled
from stepdown.decide import checks, copies
from stepdown.decide.checks import Sample
from stepdown.decide.copies import Answer, Copy
from stepdown.telemetry.ring import RingReader

logger = logging.getLogger(__name__)


class Copied(NamedTuple):
    """A request that was copied."""

    about: Copy
    body: bytes


class Answered(NamedTuple):
    """What a request of which there is a copy was answered."""

    about: Answer
    body: bytes


Arrival = Sample | Copied | Answered


def take(ring: RingReader) -> Arrival | None:
    """The oldest record that can be read."""
    while (record := ring.take()) is not None:
        try:
            return _parsed(record)
        except Exception:
            logger.exception("a record of a worker cannot be read")
    if ring.lost:
        logger.error("records of a worker could not be read and were skipped")
        ring.lost = 0
    return None


def _parsed(record: bytes) -> Arrival:
    """Raises whatever a record that is none makes its parser raise."""
    kind = record[:1]
    if kind == copies.COPY:
        return Copied(*copies.parse_copy(record))
    if kind == copies.ANSWER:
        return Answered(*settled(*copies.parse_answer(record)))
    return checks.parse(record)
