"""All that is known of one shadow's answers, as plain data: it is kept, sent, merged and shown in this form.

A report has a section for each pinned version, whose shape the answers were compared in. Everything in it is bounded,
and its encoding is at most 1 MiB: when it would be more, parts are left out, the least needed first, and named.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from stepdown.comparison.sketch import SketchState

FORMAT = 1
LARGEST = 1024 * 1024
"""Bytes of an encoded report."""
SECTIONS = 8
"""Pinned versions that have a section of their own."""
PATHS = 200
NUMERIC = 50
"""Paths of numbers; those that come later are not taken."""
LABELS = 20
"""Labels of one path, on each side."""
ENTRIES = 64
"""Reasons, and pairs of status codes."""
OTHER = "(other)"
"""Where everything is counted that would be one entry too many."""


class PathCounts(msgspec.Struct):
    """In how many answers a path differs."""

    different: int = 0
    """Candidate from served, of all that were compared."""
    both: int = 0
    """Of the requests with a noise copy: those in which candidate and noise copy differ from what was served,"""
    candidate_only: int = 0
    """only the candidate does,"""
    noise_only: int = 0
    """or only the noise copy."""
    kinds: dict[str, int] = {}
    """Answers of the candidate by kind of difference."""


class Drift(msgspec.Struct):
    """The numbers of one path."""

    served: SketchState = msgspec.field(default_factory=SketchState)
    candidate: SketchState = msgspec.field(default_factory=SketchState)


class Sides(msgspec.Struct):
    """One measure of all answers."""

    served: SketchState = msgspec.field(default_factory=SketchState)
    candidate: SketchState = msgspec.field(default_factory=SketchState)
    noise: SketchState = msgspec.field(default_factory=SketchState)


class Example(msgspec.Struct):
    """One difference to be looked at; values are JSON text, cut and redacted."""

    at: float
    name: str
    path: str
    pointer: str
    kind: str
    served: str
    candidate: str
    magnitude: float
    served_body: str = ""
    candidate_body: str = ""


class Section(msgspec.Struct):
    """What came of the answers in one shape."""

    compared: int = 0
    equal: int = 0
    incomparable: dict[str, int] = {}
    """By reason."""
    statuses: dict[str, int] = {}
    """By both codes, as `200 > 500`."""
    invalid_served: int = 0
    """Answers that do not keep their contract,"""
    invalid_candidate: int = 0
    checked: int = 0
    """of so many of which both were held against it."""
    both: int = 0
    """Of the requests with a noise copy, as in `PathCounts`."""
    candidate_only: int = 0
    noise_only: int = 0
    paired: int = 0
    """All requests in which both candidate and noise copy were compared."""
    cut: int = 0
    """Answers with more differences than were told apart."""
    paths: dict[str, PathCounts] = {}
    numbers: dict[str, Drift] = {}
    labels: dict[str, dict[str, dict[str, int]]] = {}
    """By path, then by the served label, then by the candidate's."""
    seconds: Sides = msgspec.field(default_factory=Sides)
    sizes: Sides = msgspec.field(default_factory=Sides)
    events: Sides = msgspec.field(default_factory=Sides)
    """Of streams: how many events each had."""
    worst: dict[str, Example] = {}
    """By path."""
    random: list[Example] = []
    drawn_from: int = 0
    """Differing answers that the random ones stand for."""

    @property
    def different(self) -> int:
        """Answers that differ."""
        return self.compared - self.equal


class Report(msgspec.Struct):
    """Of one shadow."""

    shadow: str = ""
    since: float = 0.0
    """Unix seconds of the first request, and"""
    until: float = 0.0
    """of the last."""
    sections: dict[str, Section] = {}
    """By pinned version."""
    left_out: list[str] = []
    """Parts that the encoding had no room for."""
    format: int = FORMAT

    def encode(self, largest: int = LARGEST) -> bytes:
        """At most `largest` bytes, or as few as headline and reasons take."""
        encoded = _encode(self)
        report = self
        for name, shed in _SHED:
            if len(encoded) <= largest:
                break
            report = decode(encoded)
            for section in report.sections.values():
                shed(section)
            if name not in report.left_out:
                report.left_out.append(name)
            encoded = _encode(report)
        return encoded


def decode(encoded: bytes) -> Report:
    """Inverse of `Report.encode`; raises `ValueError` on anything else, and on a report of another format."""
    report = _decode(encoded)
    if report.format != FORMAT:
        raise ValueError(f"a report of format {report.format} cannot be read here; this is format {FORMAT}")
    return report


def _without_bodies(section: Section) -> None:
    for example in [*section.worst.values(), *section.random]:
        example.served_body = example.candidate_body = ""


def _without_examples(section: Section) -> None:
    section.worst, section.random = {}, []


def _without_labels(section: Section) -> None:
    section.labels = {}


def _without_numbers(section: Section) -> None:
    section.numbers = {}


def _without_paths(section: Section) -> None:
    section.paths = {}


def _without_measures(section: Section) -> None:
    section.seconds, section.sizes, section.events = Sides(), Sides(), Sides()


_SHED: tuple[tuple[str, Callable[[Section], None]], ...] = (
    ("bodies", _without_bodies),
    ("examples", _without_examples),
    ("numbers", _without_numbers),
    ("labels", _without_labels),
    ("paths", _without_paths),
    ("times and sizes", _without_measures),
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Report).decode
