"""A slab against a dictionary: any labels, any order, workers that die at any point."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stepdown.telemetry.families import FAMILIES, METRICS_FULL
from stepdown.telemetry.slab import ABSENT, OTHER, Slab, SlabReader, _presentable

SIZE = 12 * 1024
COUNTERS = [family for family in FAMILIES.values() if family.kind == "counter" and family.writer == "worker"]
HISTOGRAMS = [family for family in FAMILIES.values() if family.kind == "histogram"]
GAUGES = [family for family in FAMILIES.values() if family.kind == "gauge" and family.writer == "worker"]
LABEL = st.one_of(st.sampled_from(["a", "b", "c", ""]), st.text(max_size=250))


@st.composite
def series(draw, families):
    family = draw(st.sampled_from(families))
    return family, tuple(draw(LABEL) for _ in family.labels)


class SlabMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.slab = Slab.create(SIZE)
        self.reader = SlabReader(self.slab.fd, SIZE)
        self.mappings = [self.slab, self.reader]
        self.counts: dict = {}
        self.gauges: dict = {}
        self.full = False

    def key(self, family, labels):
        """The series that must count this: its own, or the one for what found no room."""
        own = (family.name, tuple(map(_presentable, labels)))
        if own in {(each.family, each.labels) for each in self.slab.series()}:
            return own
        self.full = True
        return family.name, (OTHER,) * len(labels)

    @rule(what=series(COUNTERS), amount=st.integers(1, 2**40))
    def count(self, what, amount):
        family, labels = what
        self.slab.cells[self.slab.counter(family.name, labels)] += amount
        key = self.key(family, labels)
        self.counts[key] = self.counts.get(key, 0) + amount

    @rule(what=series(HISTOGRAMS), bucket=st.integers(0, 13))
    def observe(self, what, bucket):
        family, labels = what
        self.slab.cells[self.slab.histogram(family.name, labels) + bucket] += 1
        key = (*self.key(family, labels), bucket)
        self.counts[key] = self.counts.get(key, 0) + 1

    @rule(what=series([family for family in GAUGES if family.name != METRICS_FULL]), value=st.integers(-5, 2**40))
    def set_gauge(self, what, value):
        family, labels = what
        self.slab.cells[self.slab.gauge(family.name, labels)] = value
        self.gauges[self.key(family, labels)] = value

    @rule()
    def worker_dies_and_is_replaced(self):
        self.slab = Slab.attach(self.slab.fd, SIZE)
        self.mappings.append(self.slab)
        self.gauges = {}
        self.full = False

    @precondition(lambda self: not self.full)
    @rule(what=series(COUNTERS), lost=st.integers(1, 40))
    def worker_dies_while_it_makes_a_series(self, what, lost):
        before = self.slab._header[1]
        family, labels = what
        self.slab.counter(family.name, labels)
        made = self.slab._header[1] - before
        self.slab._header[1] = before
        if made:  # the last bytes of the entry were not written
            end = before + made
            self.slab._directory[end - min(lost, made) : end] = bytes(min(lost, made))
        self.worker_dies_and_is_replaced()

    @invariant()
    def a_reader_sees_what_was_counted(self):
        seen = {(each.family, each.labels): self.reader.values(each) for each in self.reader.series()}
        for key, amount in self.counts.items():
            assert seen[key[:2]][key[2] if len(key) == 3 else 0] == amount
        for key, value in self.gauges.items():
            assert seen[key] == (value,)
        for (name, labels), values in seen.items():
            if FAMILIES[name].kind == "gauge" and name != METRICS_FULL and (name, labels) not in self.gauges:
                assert values == (ABSENT,)
            elif FAMILIES[name].kind == "counter" and (name, labels) not in self.counts:
                assert values == (0,)

    @invariant()
    def being_full_is_told(self):
        (values,) = [self.reader.values(each) for each in self.reader.series() if each.family == METRICS_FULL]
        assert not self.full or values == (1,)

    def teardown(self):
        fd = self.slab.fd
        for mapping in self.mappings:
            mapping.close()
        os.close(fd)


TestSlab = SlabMachine.TestCase
TestSlab.settings = settings(deadline=None)


@settings(deadline=None)
@given(st.text(), st.text())
def test_different_labels_share_a_series_only_when_they_look_the_same(one, other):
    slab = Slab.create(SIZE)
    first = slab.counter("stepdown_client_aborts_total", (one,))
    second = slab.counter("stepdown_client_aborts_total", (other,))
    assert (first == second) == (_presentable(one) == _presentable(other))
    slab.close()
    os.close(slab.fd)
