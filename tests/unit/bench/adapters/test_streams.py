"""The streams that the benchmark of adapters times are adapted as it says."""

from __future__ import annotations

from bench.adapters import streams


def test_the_events_are_of_the_size_that_is_promised_for() -> None:
    assert (len(streams.RENAMED), len(streams.KEPT)) == (214, 214)


def test_every_way_gives_its_event_time_and_again() -> None:
    for way in streams.ways().values():
        assert way() == way() != b""


def test_the_code_by_hand_does_not_overwrite() -> None:
    both = streams.RENAMED.replace(b'"delta":{', b'"delta":{"reasoning_content":"x",')
    assert streams.by_hand(both) == both
