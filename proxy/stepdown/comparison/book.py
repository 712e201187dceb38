"""All that one shadow's pairs of answers have said so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from stepdown.comparison.answers import Compared, Difference, Judged, Reply
from stepdown.comparison.compare import Comparison, document
from stepdown.comparison.drift import Measures, Numbers
from stepdown.comparison.keeping import Keeping
from stepdown.comparison.matrices import count_labels
from stepdown.comparison.picking import labels
from stepdown.comparison.report import ENTRIES, OTHER, PATHS, SECTIONS, PathCounts, Report, Section, decode
from stepdown.decide.shadow_spec import Comparing, Examples

MISSING = "(missing)"

Result = Literal["equal", "different", "incomparable"]


class Book:
    """The accounts of one shadow; its report can be taken at any time, and another book can go on from it."""

    def __init__(
        self,
        comparing: Comparing,
        examples: Examples,
        draw: Callable[[], float],
        report: Report | None = None,
    ) -> None:
        """`draw` gives numbers in [0, 1), for examples. Raises `PathError` where a path of the rules is none."""
        self._comparison = Comparison(comparing, examples.redact)
        self._labelled = bool(comparing.labels)
        self._keeping = Keeping(examples, self._comparison, draw)
        self._report = report or Report()
        self._pages = {name: _Page(section) for name, section in self._report.sections.items()}

    def add(self, judged: Judged) -> Result:
        """Compare the replies of one request and count what comes of it; never raises."""
        report = self._report
        report.since = min(report.since or judged.at, judged.at)
        report.until = max(report.until, judged.at)
        page = self._page(judged.contract)
        if judged.candidate is None:
            count(page.section.incomparable, judged.reason or "unknown", ENTRIES)
            return "incomparable"
        compared = self._comparison.compare(judged.served, judged.candidate)
        noise = self._comparison.compare(judged.served, judged.noise) if judged.noise else None
        page.count_heads(judged.served, judged.candidate, compared)
        page.count_paths(compared, noise)
        page.measure(judged, self._comparison)
        if self._labelled:
            self._count_labels(page.section, judged.served, judged.candidate)
        if compared.differences:
            self._keeping.keep(page.section, judged, compared.differences)
            return "different"
        return "equal"

    def report(self, shadow: str = "") -> Report:
        """What is known now; later requests do not change it."""
        return decode(self.encode(shadow))

    def encode(self, shadow: str = "") -> bytes:
        """The same as it is kept and sent."""
        for page in self._pages.values():
            page.write()
        self._report.shadow = shadow or self._report.shadow
        return self._report.encode()

    def _page(self, contract: str) -> _Page:
        page = self._pages.get(contract)
        if page is None:
            name = contract if len(self._pages) < SECTIONS else OTHER
            if name not in self._pages:
                self._pages[name] = _Page(self._report.sections.setdefault(name, Section()))
            page = self._pages[name]
        return page

    def _count_labels(self, section: Section, served: Reply, candidate: Reply) -> None:
        first = labels(document(served), self._comparison.rules)
        second = labels(document(candidate), self._comparison.rules)
        for path in first.keys() | second.keys():
            matrix = section.labels.setdefault(path, {})
            before, after = first.get(path, {}), second.get(path, {})
            for place in before.keys() | after.keys():
                count_labels(matrix, before.get(place, MISSING), after.get(place, MISSING))


class _Page:
    """One section, with what is only written into it when a report is taken."""

    __slots__ = ("events", "numbers", "seconds", "section", "sizes")

    def __init__(self, section: Section) -> None:
        self.section = section
        self.seconds = Measures(section.seconds)
        self.sizes = Measures(section.sizes)
        self.events = Measures(section.events)
        self.numbers = Numbers(section)

    def count_heads(self, served: Reply, candidate: Reply, compared: Compared) -> None:
        """What is known without paths."""
        section = self.section
        section.compared += 1
        section.equal += not compared.differences
        section.cut += compared.cut
        count(section.statuses, f"{served.status} > {candidate.status}", ENTRIES)
        if served.valid is not None and candidate.valid is not None:
            section.checked += 1
            section.invalid_served += not served.valid
            section.invalid_candidate += not candidate.valid

    def count_paths(self, compared: Compared, noise: Compared | None) -> None:
        """Each path once for each answer, however many differences are there."""
        mine = self._counted(compared.differences)
        for path, kinds in mine.items():
            entry = self.section.paths[path]
            entry.different += 1
            for kind in kinds:
                entry.kinds[kind] = entry.kinds.get(kind, 0) + 1
        if noise is None:
            return
        theirs = self._counted(noise.differences)
        self.section.paired += 1
        _pair(self.section, bool(mine), bool(theirs))
        for path in mine.keys() | theirs.keys():
            _pair(self.section.paths[path], path in mine, path in theirs)

    def measure(self, judged: Judged, comparison: Comparison) -> None:
        """Times, sizes, and every so often numbers."""
        served, candidate, noise = judged.served, judged.candidate, judged.noise
        assert candidate
        self.seconds.add(served.seconds, candidate.seconds, noise.seconds if noise else None)
        self.sizes.add(served.size, candidate.size, noise.size if noise else None)
        counts = [
            sum(one.events.values()) if one and one.events is not None else None for one in (served, candidate, noise)
        ]
        if counts[0] is not None and counts[1] is not None:
            self.events.add(counts[0], counts[1], counts[2])
        self.numbers.add(served, candidate, comparison)

    def write(self) -> None:
        """Into the section."""
        self.section.seconds = self.seconds.state()
        self.section.sizes = self.sizes.state()
        self.section.events = self.events.state()
        self.section.numbers = self.numbers.state()

    def _counted(self, differences: list[Difference]) -> dict[str, set[str]]:
        """Kinds by path, each path being one that has an entry."""
        found: dict[str, set[str]] = {}
        paths = self.section.paths
        for difference in differences:
            path = difference.path
            if path not in paths:
                path = path if len(paths) < PATHS else OTHER
                paths.setdefault(path, PathCounts())
            found.setdefault(path, set()).add(difference.kind)
        return found


def count(counts: dict[str, int], name: str, most: int) -> None:
    """One more of `name`, or of all others where there are too many names."""
    if name not in counts and len(counts) >= most:
        name = OTHER
    counts[name] = counts.get(name, 0) + 1


def _pair(counts: Section | PathCounts, candidate: bool, noise: bool) -> None:
    if candidate and noise:
        counts.both += 1
    elif candidate:
        counts.candidate_only += 1
    elif noise:
        counts.noise_only += 1
