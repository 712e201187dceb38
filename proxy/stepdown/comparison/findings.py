"""What a report says: rates with their intervals, verdicts, drift, labels; all worked out from its counters."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from stepdown.comparison.matrices import cells
from stepdown.comparison.report import Drift, PathCounts, Section
from stepdown.comparison.sketch import Sketch, SketchState
from stepdown.statistics.diffy import Diffy, diffy
from stepdown.statistics.distance import kolmogorov_smirnov, stability_of_counts
from stepdown.statistics.evidence import ALPHA, reaches, rejected
from stepdown.statistics.paired import paired_evidence
from stepdown.statistics.proportion import interval

QUANTILES = (0.5, 0.9, 0.99)
ANSWER = "(answer)"
"""In place of a path: anything in the answer."""

Verdict = Literal["differs", "noise", "no noise copies"]
"""`differs`: more often than the served version from itself. `noise`: not shown to (so far)."""


class Rate(msgspec.Struct, frozen=True):
    """A share with the interval that it is in, at all times at once, with 95 % probability."""

    count: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """NaN where there is nothing yet."""
        return self.count / self.total if self.total else math.nan


class Excess(msgspec.Struct, frozen=True):
    """By how much one share is over another, with the interval that it is in, which ends at 0."""

    share: float
    """Below 0 where the other is larger."""
    low: float
    high: float


class Finding(msgspec.Struct, frozen=True):
    """How often one path differs."""

    path: str
    kinds: dict[str, int]
    different: Rate
    noise: Rate | None
    """How often a second copy to the served version differs; `None` without noise copies."""
    excess: Excess | None
    """How much more often than noise it differs; `None` without noise copies."""
    evidence: float
    """Logarithm of E against "differs no more often than noise"; 0 without noise copies."""
    verdict: Verdict
    sentence: str
    diffy: Diffy | None
    """What Diffy's rule would say; it decides nothing."""


class Shift(msgspec.Struct, frozen=True):
    """How the numbers of one path, or a measure, moved."""

    path: str
    served: int
    """Numbers of the served answers, and"""
    candidate: int
    """of the candidate's."""
    mean_served: float
    mean_candidate: float
    deviations: float | None
    """Shift of the mean in standard deviations of the served numbers; `None` where these are all alike."""
    quantiles_served: tuple[float, ...]
    """At `QUANTILES`."""
    quantiles_candidate: tuple[float, ...]
    ks: float
    """Kolmogorov-Smirnov distance, 0 to 1."""
    psi: float | None
    """Population stability index less what chance gives; `None` with fewer than 1,000 numbers on a side."""


class Agreement(msgspec.Struct, frozen=True):
    """How often a label is the same."""

    path: str
    agreed: Rate
    changes: tuple[tuple[str, str, int], ...]
    """From what to what, and how often; the most frequent first."""


def rate(count: int, total: int, alpha: float = ALPHA) -> Rate:
    """A share with its interval."""
    low, high = interval(count, total, alpha)
    return Rate(count, total, low, high)


def beyond_noise(different: Rate, noise: Rate, alpha: float = ALPHA) -> tuple[float, float]:
    """Interval of the share that differs, less the share of noise; each of the two takes half of alpha."""
    low, high = interval(different.count, different.total, alpha / 2)
    noise_low, noise_high = interval(noise.count, noise.total, alpha / 2)
    return max(low - noise_high, 0.0), max(high - noise_low, 0.0)


def answers(section: Section) -> Finding:
    """How often anything differs."""
    counts = PathCounts(section.different, section.both, section.candidate_only, section.noise_only)
    return _finding(ANSWER, counts, section, reaches(_evidence(counts)))


def paths(section: Section) -> list[Finding]:
    """How often each path differs, the most frequent first.

    That a path `differs` is decided for all of them together (`rejected`): of those that are said to, one in twenty is
    expected to be noise at the most, however many paths there are.
    """
    entries = sorted(section.paths.items(), key=lambda one: (-one[1].different, one[0]))
    differing = rejected([_evidence(counts) for _, counts in entries]) if section.paired else set()
    return [_finding(path, counts, section, at in differing) for at, (path, counts) in enumerate(entries)]


def shifts(section: Section) -> list[Shift]:
    """How the numbers of each path moved, the farthest apart first."""
    found = [shift(path, drift) for path, drift in section.numbers.items()]
    return sorted((one for one in found if one.served and one.candidate), key=lambda one: (-one.ks, one.path))


def measures(section: Section) -> list[Shift]:
    """The same of times, sizes and events of streams; times of the noise copies are taken where the candidate's are."""
    pairs = {
        "seconds": (section.seconds.served, section.seconds.candidate),
        "seconds of noise copies": (section.seconds.noise, section.seconds.candidate),
        "bytes": (section.sizes.served, section.sizes.candidate),
        "events": (section.events.served, section.events.candidate),
    }
    found = [shift(name, Drift(served, candidate)) for name, (served, candidate) in pairs.items()]
    return [one for one in found if one.served and one.candidate]


def agreements(section: Section) -> list[Agreement]:
    """How often each label is the same."""
    found = []
    for path, matrix in sorted(section.labels.items()):
        pairs = cells(matrix)
        agreed = sum(times for *_, times, same in pairs if same)
        changes = [(before, after, times) for before, after, times, same in pairs if not same]
        changes.sort(key=lambda change: (-change[2], change[:2]))
        found.append(Agreement(path, rate(agreed, sum(times for *_, times, _ in pairs)), tuple(changes)))
    return found


def shift(path: str, drift: Drift) -> Shift:
    """How numbers moved between two sketches."""
    served, candidate = Sketch(drift.served), Sketch(drift.candidate)
    before, after = served.counts(), candidate.counts()
    deviation = served.moments.deviation if served.count > 1 else 0.0
    apart = candidate.moments.mean - served.moments.mean
    return Shift(
        path=path,
        served=served.count,
        candidate=candidate.count,
        mean_served=served.moments.mean,
        mean_candidate=candidate.moments.mean,
        deviations=apart / deviation if deviation and math.isfinite(apart / deviation) else None,
        quantiles_served=_quantiles(served),
        quantiles_candidate=_quantiles(candidate),
        ks=kolmogorov_smirnov(before, after),
        psi=stability_of_counts(before, after),
    )


def quantiles(state: SketchState) -> tuple[float, ...]:
    """At `QUANTILES`; empty where there are no numbers."""
    return _quantiles(Sketch(state))


def _quantiles(sketch: Sketch) -> tuple[float, ...]:
    return tuple(value for share in QUANTILES if (value := sketch.quantile(share)) is not None)


def _evidence(counts: PathCounts) -> float:
    return paired_evidence(counts.candidate_only, counts.noise_only)


def _finding(path: str, counts: PathCounts, section: Section, differs: bool) -> Finding:
    paired = section.paired
    evidence = _evidence(counts) if paired else 0.0
    verdict: Verdict = "no noise copies" if not paired else "differs" if differs else "noise"
    different = rate(counts.different, section.compared)
    noise = rate(counts.both + counts.noise_only, paired) if paired else None
    return Finding(
        path=path,
        kinds=counts.kinds,
        different=different,
        noise=noise,
        excess=Excess(different.share - noise.share, *beyond_noise(different, noise)) if noise else None,
        evidence=evidence,
        verdict=verdict,
        sentence=_sentence(verdict, counts, paired, evidence),
        diffy=diffy(counts.both + counts.candidate_only, counts.both + counts.noise_only, paired) if paired else None,
    )


def _sentence(verdict: Verdict, counts: PathCounts, paired: int, evidence: float) -> str:
    if verdict == "no noise copies":
        return "no noise copies: how much of it is the served version's own noise cannot be said"
    discordant = counts.candidate_only + counts.noise_only
    among = (
        f"of {paired:,} requests with a noise copy {discordant:,} differ on one side only, {counts.candidate_only:,} of"
        f" them on the candidate's (E = {_number(evidence)})"
    )
    return f"differs more often than noise: {among}" if verdict == "differs" else f"no more than noise so far: {among}"


def _number(log_e: float) -> str:
    """A number from its logarithm, which may be too large for a float."""
    return f"{math.exp(log_e):.3g}" if log_e < math.log(1e15) else f"1e{log_e / math.log(10):.0f}"
