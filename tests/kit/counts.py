"""What was counted, from a slab and from what Prometheus gets of it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from stepdown.telemetry.slab import Slab


def counted(slab: Slab, family: str) -> dict[tuple[str, ...], int]:
    """A family's counters by their labels, without those that are 0."""
    return {
        series.labels: slab.cells[series.first]
        for series in slab.series()
        if series.family == family and slab.cells[series.first]
    }


def summed(text: str, name: str, labels: dict[str, str]) -> float:
    """Sum of all samples called `name` that carry these labels."""
    found = (
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
    return sum(found, 0.0)
