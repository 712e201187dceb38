"""From slabs and the controller's values to what Prometheus reads; the only user of prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString

from stepdown.telemetry.families import FAMILIES, Family
from stepdown.telemetry.slab import ABSENT, OTHER, Series, SlabReader


class Sample(NamedTuple):
    """One value that the controller gives; an info's value is always 1."""

    family: str
    labels: tuple[str, ...]
    value: float


Rows = dict[tuple[str, ...], Sequence[float]]
"""The series of one family: by their labels, the cells of a slab or the one value of the controller."""

_ACROSS: dict[str, Callable[[Iterable[int]], int]] = {"sum": sum, "min": min, "max": max}


def content_type(accept: str) -> str:
    """What `render` answers to this `Accept` header: OpenMetrics where it is asked for, else the text format 0.0.4."""
    return choose_encoder(accept)[1]


def render(slabs: Sequence[SlabReader], extra: Iterable[Sample] = (), accept: str = "") -> bytes:
    """The exposition of all families: the workers' slabs made one, and the controller's values."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(_of_workers(slabs) | _of_controller(extra)))
    return choose_encoder(accept)[0](registry)


class _Collector(Collector):
    def __init__(self, rows: dict[str, Rows]) -> None:
        self._rows = rows

    def collect(self) -> Iterator[Metric]:
        """All families; one without a series is shown too, so that it is known what may come."""
        for family in FAMILIES.values():
            yield _SHAPES[family.kind](family, self._rows.get(family.name, {}))


def _of_workers(slabs: Sequence[SlabReader]) -> dict[str, Rows]:
    """The series of all slabs by family: cell by cell, what `Family.across` says."""
    seen: dict[str, dict[tuple[str, ...], list[tuple[int, ...]]]] = {}
    for slab in slabs:
        for series in slab.series():
            values = slab.values(series)
            if _is_shown(series, values):
                seen.setdefault(series.family, {}).setdefault(series.labels, []).append(values)
    return {
        name: {
            labels: [_ACROSS[FAMILIES[name].across](cells) for cells in zip(*each, strict=True)]
            for labels, each in by_labels.items()
        }
        for name, by_labels in seen.items()
    }


def _is_shown(series: Series, values: tuple[int, ...]) -> bool:
    """Neither an absent gauge nor the series that each slab keeps for the day when it is full, and most never use."""
    kept = series.labels and set(series.labels) == {OTHER}
    return ABSENT not in values and not (kept and not any(values))


def _of_controller(samples: Iterable[Sample]) -> dict[str, Rows]:
    rows: dict[str, Rows] = {}
    for sample in samples:
        rows.setdefault(sample.family, {})[sample.labels] = (sample.value,)
    return rows


def _counter(family: Family, rows: Rows) -> Metric:
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for labels, cells in rows.items():
        metric.add_metric(labels, cells[0])
    return metric


def _gauge(family: Family, rows: Rows) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, cells in rows.items():
        metric.add_metric(labels, cells[0])
    return metric


def _histogram(family: Family, rows: Rows) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = (*map(floatToGoString, family.buckets), "+Inf")
    for labels, (*buckets, microseconds) in rows.items():
        metric.add_metric(labels, list(zip(bounds, accumulate(buckets), strict=True)), microseconds / 1_000_000)
    return metric


def _info(family: Family, rows: Rows) -> Metric:
    metric = InfoMetricFamily(family.name.removesuffix("_info"), family.help)
    for labels in rows:
        metric.add_metric((), dict(zip(family.labels, labels, strict=True)))
    return metric


_SHAPES = {"counter": _counter, "gauge": _gauge, "histogram": _histogram, "info": _info}
