"""Windows: what is not counted is not known, and what is known can be kept as JSON."""

from __future__ import annotations

import msgspec

from stepdown.rollout.counts import Arms, Counted, Window
from tests.kit.rollouts import window


def test_a_kind_that_is_not_there_is_not_zero() -> None:
    assert window(errors=(1, 2)).read("slow") == "no data"


def test_a_kind_that_could_not_be_read_says_why_even_if_something_was_counted() -> None:
    found = msgspec.structs.replace(window(errors=(1, 2)), unread={"errors": "timed out"})
    assert found.read("errors") == "timed out"


def test_a_count_below_zero_is_no_count() -> None:
    assert window(errors=(-1, 2)).read("errors") == "a count below 0"


def test_trials_are_the_units_unless_they_are_counted_apart() -> None:
    apart = Counted(events=Arms(candidate=1), trials=Arms(candidate=-1))
    assert msgspec.structs.replace(window(), kinds={"errors": apart}).read("errors") == "a count below 0"


def test_a_window_can_be_kept_as_json() -> None:
    found = window(errors=(1, 2))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Window) == found
