import re

import pytest

from stepdown.telemetry.families import FAMILIES

UNITS = ("_seconds", "_bytes", "_total", "_info")


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_a_family_follows_the_conventions_of_prometheus(family):
    assert re.fullmatch(r"stepdown_[a-z][a-z_]*[a-z]", family.name)
    assert all(re.fullmatch(r"[a-z][a-z_]*", label) for label in family.labels)
    assert family.help.endswith(".")
    assert "\n" not in family.help
    assert (family.kind == "counter") == family.name.endswith("_total")
    assert (family.kind == "info") == family.name.endswith("_info")
    assert (family.kind == "histogram") == bool(family.buckets)
    if family.kind == "histogram":
        assert family.name.endswith("_seconds")
        assert list(family.buckets) == sorted(set(family.buckets))
        assert "le" not in family.labels


def test_only_gauges_are_anything_but_summed_over_workers():
    assert {family.kind for family in FAMILIES.values() if family.across != "sum"} == {"gauge"}


def test_workers_write_no_infos():
    assert {family.writer for family in FAMILIES.values() if family.kind == "info"} == {"controller"}
