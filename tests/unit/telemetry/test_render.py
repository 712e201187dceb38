import os
import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from stepdown.telemetry.buckets import REQUEST_SECONDS, observe
from stepdown.telemetry.families import FAMILIES, METRICS_FULL
from stepdown.telemetry.render import Sample, content_type, render
from stepdown.telemetry.slab import Slab, SlabReader

ERRORS = "stepdown_errors_total"
DURATION = "stepdown_request_duration_seconds"
READY = "stepdown_endpoint_ready"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
HOSTILE = 'a"b\\c\nd\u2028e\x1bf,g="h"} 7\r'


@pytest.fixture
def slabs():
    slabs = [Slab.create(64 * 1024) for _ in range(2)]
    yield slabs
    for slab in slabs:
        slab.close()
        os.close(slab.fd)


def add(slab, family, labels, amount):
    slab.cells[slab.counter(family, labels)] += amount


def samples(text, parse=parse_text):
    """All samples as {(name, labels): value}."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text.decode())
        for sample in family.samples
    }


def value(text, name, **labels):
    return samples(text).get((name, tuple(sorted(labels.items()))))


def test_counters_of_all_workers_are_summed(slabs):
    add(slabs[0], ERRORS, ("churn", "no-route"), 3)
    add(slabs[1], ERRORS, ("churn", "no-route"), 4)
    add(slabs[1], ERRORS, ("churn", "bad-request"), 1)
    text = render(slabs)
    assert value(text, ERRORS, route="churn", error="no-route") == 7
    assert value(text, ERRORS, route="churn", error="bad-request") == 1


def test_a_gauge_is_summed_or_the_least_or_the_most_as_its_family_says(slabs):
    for slab, connections, ready, full in ((slabs[0], 5, 1, 0), (slabs[1], 6, 0, 1)):
        slab.cells[slab.gauge("stepdown_client_connections", ())] = connections
        slab.cells[slab.gauge(READY, ("e",))] = ready
        slab.cells[slab.gauge(METRICS_FULL, ())] = full
    text = render(slabs)
    assert value(text, "stepdown_client_connections") == 11
    assert value(text, READY, endpoint="e") == 0
    assert value(text, METRICS_FULL) == 1


def test_an_absent_gauge_of_one_worker_leaves_the_others(slabs):
    for slab in slabs:
        slab.cells[slab.gauge(READY, ("e",))] = 1
    Slab.attach(slabs[0].fd, slabs[0].size).close()
    assert value(render(slabs), READY, endpoint="e") == 1
    Slab.attach(slabs[1].fd, slabs[1].size).close()
    assert value(render(slabs), READY, endpoint="e") is None


def test_a_histogram_is_cumulative_and_its_count_and_sum_fit(slabs):
    for slab, seconds in ((slabs[0], 0.0005), (slabs[0], 0.003), (slabs[1], 0.003), (slabs[1], 600.0)):
        observe(slab.cells, slab.histogram(DURATION, ("churn", "2.0.0")), REQUEST_SECONDS, seconds)
    text = render(slabs)
    labels = {"route": "churn", "served": "2.0.0"}
    assert value(text, DURATION + "_bucket", le="0.0005", **labels) == 1
    assert value(text, DURATION + "_bucket", le="0.0025", **labels) == 1
    assert value(text, DURATION + "_bucket", le="0.005", **labels) == 3
    assert value(text, DURATION + "_bucket", le="60.0", **labels) == 3
    assert value(text, DURATION + "_bucket", le="+Inf", **labels) == 4
    assert value(text, DURATION + "_count", **labels) == 4
    assert value(text, DURATION + "_sum", **labels) == pytest.approx(600.0065)


def test_a_series_named_other_is_shown_only_when_it_counts_something(slabs):
    assert value(render(slabs), ERRORS, route="other", error="other") is None
    add(slabs[0], ERRORS, ("other", "other"), 1)
    assert value(render(slabs), ERRORS, route="other", error="other") == 1


def test_zero_is_shown_for_what_has_been_announced(slabs):
    slabs[0].counter(ERRORS, ("churn", "no-route"))
    assert value(render(slabs), ERRORS, route="churn", error="no-route") == 0


def test_values_of_the_controller_stand_beside_those_of_the_workers(slabs):
    extra = [
        Sample("stepdown_workers", (), 2),
        Sample("stepdown_worker_restarts_total", (), 1),
        Sample("stepdown_config_digest_info", ("0123456789abcdef",), 1),
        Sample("stepdown_version_info", ("churn", "1.0.0", "2026-12-01", "", "false"), 1),
        Sample("stepdown_version_info", ("churn", "2.0.0", "", "", "false"), 1),
    ]
    text = render(slabs, extra)
    assert value(text, "stepdown_workers") == 2
    assert value(text, "stepdown_worker_restarts_total") == 1
    assert value(text, "stepdown_config_digest_info", digest="0123456789abcdef") == 1
    versions = [labels for (name, labels) in samples(text) if name == "stepdown_version_info"]
    assert len(versions) == 2


def test_hostile_labels_come_out_as_they_went_in_and_break_nothing(slabs):
    add(slabs[0], ERRORS, (HOSTILE, "no-route"), 1)
    add(slabs[0], ERRORS, ("churn", "no-route"), 2)
    for parse, accept in ((parse_text, ""), (parse_openmetrics, OPENMETRICS)):
        found = samples(render(slabs, accept=accept), parse)
        assert found[ERRORS, (("error", "no-route"), ("route", HOSTILE))] == 1
        assert found[ERRORS, (("error", "no-route"), ("route", "churn"))] == 2


def test_every_family_is_described_even_where_it_has_no_series(slabs):
    described = {line.split()[2] for line in render(slabs).decode().splitlines() if line.startswith("# TYPE")}
    assert described == set(FAMILIES)


def test_openmetrics_is_given_to_those_who_ask_for_it(slabs):
    add(slabs[0], ERRORS, ("churn", "no-route"), 3)
    text = render(slabs, [Sample("stepdown_build_info", ("1", "3"), 1)], OPENMETRICS)
    assert text.endswith(b"# EOF\n")
    assert samples(text, parse_openmetrics)[ERRORS, (("error", "no-route"), ("route", "churn"))] == 3
    assert content_type(OPENMETRICS).startswith("application/openmetrics-text")
    assert content_type("text/html").startswith("text/plain; version=0.0.4")


def test_a_reader_on_the_same_memory_gives_the_same_text(slabs):
    add(slabs[0], ERRORS, ("churn", "no-route"), 3)
    readers = [SlabReader(slab.fd, slab.size) for slab in slabs]
    assert render(readers) == render(slabs)
    for reader in readers:
        reader.close()


def test_promtool_has_nothing_against_it(slabs):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (apt: prometheus)")
    for slab in slabs:
        for family in FAMILIES.values():
            if family.writer == "worker":
                getattr(slab, family.kind)(family.name, tuple("x" for _ in family.labels))
    extra = [
        Sample(family.name, tuple("x" for _ in family.labels), 1)
        for family in FAMILIES.values()
        if family.writer == "controller"
    ]
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=render(slabs, extra), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
