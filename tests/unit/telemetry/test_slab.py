import os
import signal
import subprocess
import sys
import threading

import pytest

from stepdown.telemetry import slab as slab_module
from stepdown.telemetry.families import FAMILIES, METRICS_FULL
from stepdown.telemetry.slab import ABSENT, LABEL_LIMIT, OTHER, Slab, SlabError, SlabReader

ERRORS = "stepdown_errors_total"
DURATION = "stepdown_request_duration_seconds"
CONNECTIONS = "stepdown_client_connections"
SMALL = 16 * 1024


@pytest.fixture
def slab():
    slab = Slab.create()
    yield slab
    slab.close()
    os.close(slab.fd)


def found(reader, family, labels):
    """The values of a series as a reader finds them, or `None`."""
    for series in reader.series():
        if (series.family, series.labels) == (family, labels):
            return reader.values(series)
    return None


def test_the_same_labels_have_the_same_cell_and_others_another_one(slab):
    first = slab.counter(ERRORS, ("churn", "no-route"))
    assert slab.counter(ERRORS, ("churn", "no-route")) == first
    assert slab.counter(ERRORS, ("churn", "bad-request")) != first


def test_a_reader_sees_series_and_counts_that_came_after_it(slab):
    reader = SlabReader(slab.fd, slab.size)
    assert found(reader, ERRORS, ("churn", "no-route")) is None
    slab.cells[slab.counter(ERRORS, ("churn", "no-route"))] += 3
    assert found(reader, ERRORS, ("churn", "no-route")) == (3,)
    reader.close()


def test_a_reader_cannot_write(slab):
    reader = SlabReader(slab.fd, slab.size)
    with pytest.raises(TypeError, match="read-only"):
        reader.cells[0] = 1
    reader.close()


def test_a_reader_of_memory_that_no_worker_has_touched_sees_nothing():
    fd = os.memfd_create("untouched")
    os.ftruncate(fd, SMALL)
    reader = SlabReader(fd, SMALL)
    assert reader.series() == []
    reader.close()
    os.close(fd)


def test_a_histogram_has_a_cell_for_each_bound_and_infinity_and_the_sum(slab):
    base = slab.histogram(DURATION, ("churn", "1.1.0"))
    following = slab.counter(ERRORS, ("churn", "no-route"))
    assert following - base == len(FAMILIES[DURATION].buckets) + 2


def test_series_do_not_share_cells(slab):
    for number in range(50):
        slab.histogram(DURATION, ("churn", str(number)))
        slab.counter(ERRORS, ("churn", str(number)))
    used = [cell for series in slab.series() for cell in range(series.first, series.first + series.width)]
    assert len(used) == len(set(used))


def test_counts_continue_after_the_worker_was_killed(slab):
    worker = """if True:
        import os, signal, sys
        from stepdown.telemetry.slab import Slab
        slab = Slab.attach(int(sys.argv[1]), int(sys.argv[2]))
        index = slab.counter("stepdown_errors_total", ("churn", "no-route"))
        slab.cells[index] += 5
        print(index, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    indices = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", worker, str(slab.fd), str(slab.size)],
            pass_fds=[slab.fd],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        indices.append(done.stdout)
    assert indices[0] == indices[1]
    assert found(slab, ERRORS, ("churn", "no-route")) == (10,)


def test_an_entry_that_was_half_written_is_not_seen_and_is_overwritten(slab):
    slab.counter(ERRORS, ("churn", "first"))
    published = slab._header[1]
    slab.counter(ERRORS, ("churn", "killed-while-it-was-made"))
    slab._header[1] = published
    reader = SlabReader(slab.fd, slab.size)
    assert found(reader, ERRORS, ("churn", "killed-while-it-was-made")) is None
    following = Slab.attach(slab.fd, slab.size)
    following.cells[following.counter(ERRORS, ("churn", "next"))] = 7
    assert found(reader, ERRORS, ("churn", "next")) == (7,)
    for mapping in (reader, following):
        mapping.close()


def test_a_reader_stops_at_an_entry_that_is_not_whole_yet_and_goes_on_later(slab):
    reader = SlabReader(slab.fd, slab.size)
    reader.series()
    start = slab._header[1]
    slab.counter(ERRORS, ("churn", "slow"))
    whole = bytes(slab._directory[start : slab._header[1]])
    slab._directory[start : start + len(whole)] = bytes(len(whole))
    assert found(reader, ERRORS, ("churn", "slow")) is None
    slab._directory[start : start + len(whole)] = whole[:-1] + b"?"
    assert found(reader, ERRORS, ("churn", "slow")) is None
    slab._directory[start : start + len(whole)] = whole
    assert found(reader, ERRORS, ("churn", "slow")) == (0,)
    reader.close()


@pytest.mark.parametrize("published", [1, 20, 2**40])
def test_a_length_that_cannot_be_is_no_reason_to_fail(slab, published):
    before = slab._header[1]
    slab._header[1] = before + published
    reader = SlabReader(slab.fd, slab.size)
    assert [series.family for series in reader.series()] == [series.family for series in slab.series()]
    reader.close()


def test_a_gauge_of_a_dead_worker_is_absent_until_the_next_one_asks_for_it(slab):
    slab.cells[slab.gauge(CONNECTIONS, ())] = 12
    following = Slab.attach(slab.fd, slab.size)
    assert found(following, CONNECTIONS, ()) == (ABSENT,)
    following.gauge(CONNECTIONS, ())
    assert found(following, CONNECTIONS, ()) == (0,)
    following.close()


def test_asking_again_for_a_gauge_keeps_its_value(slab):
    slab.cells[slab.gauge(CONNECTIONS, ())] = 12
    assert slab.cells[slab.gauge(CONNECTIONS, ())] == 12


@pytest.mark.parametrize("size", [SMALL, SMALL + 5, 64 * 1024])
def test_when_it_is_full_what_is_new_counts_as_other_and_a_gauge_says_so(size):
    slab = Slab.create(size)
    made = 0
    assert found(slab, METRICS_FULL, ()) == (0,)
    while found(slab, METRICS_FULL, ()) == (0,):
        slab.cells[slab.counter(ERRORS, ("churn", f"error-{made}"))] += 1
        made += 1
    slab.cells[slab.counter(ERRORS, ("churn", "one more"))] += 1
    assert made > 10
    assert found(slab, ERRORS, (OTHER, OTHER)) == (2,)
    assert found(slab, ERRORS, ("churn", "error-0")) == (1,)
    slab.cells[slab.histogram(DURATION, ("churn", "9.9.9"))] += 1
    assert found(slab, DURATION, (OTHER, OTHER))[0] == 1
    slab.close()
    os.close(slab.fd)


def test_full_of_cells_is_full_too():
    slab = Slab.create(SMALL)
    for number in range(len(slab.cells)):
        slab.histogram(DURATION, ("r", str(number)))
    assert found(slab, METRICS_FULL, ()) == (1,)
    assert max(series.first + series.width for series in slab.series()) <= len(slab.cells)
    slab.close()
    os.close(slab.fd)


@pytest.mark.parametrize(
    "label",
    ["x" * 1_000_000, "\0" * 300, "a\0b", "line\nfeed\r\x1b[31m", "\ud800 alone", "\u2028", "", '"}', "ü" * 199],
)
def test_a_hostile_label_is_one_series_of_bounded_length(slab, label):
    index = slab.counter(ERRORS, (label, "no-route"))
    assert slab.counter(ERRORS, (label, "no-route")) == index
    reader = SlabReader(slab.fd, slab.size)
    (series,) = [series for series in reader.series() if series.first == index]
    assert len(series.labels) == 2
    assert len(series.labels[0]) <= LABEL_LIMIT
    reader.close()


@pytest.mark.parametrize("labels", [(), ("churn",), ("churn", "no-route", "more")])
def test_a_wrong_number_of_labels_is_refused(slab, labels):
    with pytest.raises(ValueError, match=r"labels \('route', 'error'\)"):
        slab.counter(ERRORS, labels)


def test_a_wrong_kind_is_refused(slab):
    with pytest.raises(ValueError, match="is a counter"):
        slab.gauge(ERRORS, ("churn", "no-route"))


def test_memory_without_room_for_one_series_of_each_family_is_refused():
    with pytest.raises(SlabError, match="no room for one series of each family"):
        Slab.create(1024)


def test_memory_that_is_smaller_than_announced_is_refused(slab):
    with pytest.raises(SlabError, match="bytes of shared memory where"):
        SlabReader(slab.fd, slab.size + 1)


def test_memory_that_another_release_laid_out_is_started_over(slab):
    slab.cells[slab.counter(ERRORS, ("churn", "no-route"))] = 4
    slab._header[0] = int.from_bytes(b"older", "little")
    assert SlabReader(slab.fd, slab.size).series() == []
    following = Slab.attach(slab.fd, slab.size)
    assert found(following, ERRORS, ("churn", "no-route")) is None
    assert following.cells[following.counter(ERRORS, ("churn", "no-route"))] == 0
    following.close()


def test_what_lays_out_the_memory_is_told_by_its_first_cell(slab):
    assert slab._header[0] == slab_module._MAGIC
    assert 0 < slab_module._MAGIC < 2**63


def test_series_that_two_threads_make_at_once_are_one() -> None:
    slab = Slab.create()
    labels = [("route", f"error {number}") for number in range(200)]
    found: list[list[int]] = [[], []]
    barrier = threading.Barrier(2)

    def make(indices: list[int]) -> None:
        barrier.wait()
        indices.extend(slab.counter("stepdown_errors_total", label) for label in labels)

    threads = [threading.Thread(target=make, args=(indices,)) for indices in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert len(set(found[0])) == len(labels)
    published = [series for series in SlabReader(slab.fd, slab.size).series() if series.labels in labels]
    assert [series.labels for series in published] == labels
