import pytest

from stepdown.telemetry.buckets import ADAPTER_SECONDS, REQUEST_SECONDS, bucket, observe


@pytest.mark.parametrize("bounds", [ADAPTER_SECONDS, REQUEST_SECONDS])
def test_bounds_ascend(bounds):
    assert list(bounds) == sorted(set(bounds))


def test_a_value_equal_to_a_bound_belongs_below_it_as_le_says():
    assert bucket((0.1, 0.5), 0.1) == 0
    assert bucket((0.1, 0.5), 0.1000001) == 1


@pytest.mark.parametrize(("seconds", "index"), [(-1.0, 0), (0.0, 0), (0.5, 1), (0.6, 2), (float("inf"), 2)])
def test_what_is_below_all_bounds_goes_first_and_what_is_above_all_last(seconds, index):
    assert bucket((0.1, 0.5), seconds) == index


def test_an_observation_is_one_bucket_and_microseconds_of_the_sum():
    cells = memoryview(bytearray(8 * 6)).cast("q")
    observe(cells, 1, (0.1, 0.5), 0.25)
    observe(cells, 1, (0.1, 0.5), 2.0)
    assert cells.tolist() == [0, 0, 1, 1, 2_250_000, 0]
