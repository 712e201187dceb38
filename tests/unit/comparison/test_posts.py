"""All reports in one payload: whole where there is room, cut down fairly where there is not, and saying so."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stepdown.comparison import posts
from stepdown.comparison.posts import Post, meaning
from stepdown.comparison.report import Report, Section, decode
from stepdown.decide.shadow_spec import Comparing, Examples, Shadow
from tests.unit.comparison.test_report import full

LARGE = full(1).encode()
SMALL = Report(sections={"1.0.0": Section(compared=3, equal=2)}).encode()
ROOM = 100_000


def post(name: str, report: bytes) -> Post:
    return Post("churn", name, "m", 5.0, "", report)


def test_what_is_read_is_what_was_written() -> None:
    written = [post("a", LARGE), post("b", SMALL)]
    assert posts.decode(posts.encode(written, 10 * ROOM)) == written
    assert posts.decode(posts.encode([], ROOM)) == []


def test_with_too_little_room_small_ones_stay_whole_and_large_ones_are_cut_and_say_so() -> None:
    written = [post("a", LARGE), post("b", SMALL), post("c", LARGE)]
    assert len(LARGE) > ROOM
    payload = posts.encode(written, ROOM)
    assert len(payload) <= ROOM
    first, second, third = posts.decode(payload)
    assert second == written[1]
    for one in (first, third):
        report = decode(one.report)
        assert report.left_out[:2] == ["bodies", "examples"]
        assert report.sections["0"].compared == 60
    assert [one.shadow for one in (first, second, third)] == ["a", "b", "c"]


def test_one_that_was_cut_before_names_each_part_once() -> None:
    (once,) = posts.decode(posts.encode([post("a", LARGE)], ROOM))
    (twice,) = posts.decode(posts.encode([once], 20_000))
    left_out = decode(twice.report).left_out
    assert len(left_out) == len(set(left_out))
    assert set(decode(once.report).left_out) < set(left_out)


@pytest.mark.parametrize("room", [600, 2_000, 5_000, 20_000, 40_000, 70_000])
def test_a_payload_is_never_larger_than_its_room(room: int) -> None:
    assert len(posts.encode([post(str(number), LARGE) for number in range(5)], room)) <= room


def test_what_is_no_payload_is_refused() -> None:
    other = msgspec.msgpack.encode({"posts": [], "format": 99})
    for payload in (b"", b"no payload", other, SMALL):
        with pytest.raises(ValueError):  # noqa: PT011 - a reader's own words, or ours
            posts.decode(payload)


def test_a_report_goes_on_while_version_rules_and_redaction_stay() -> None:
    shadow = Shadow(name="next", version="2.0.0", examples=Examples(redact=("/ssn",)))
    first = meaning("churn", shadow)
    same: list[dict[str, Any]] = [
        {"percent": 5.0},
        {"rate": 3.0},
        {"noise": 10.0},
        {"examples": Examples(keep=5, redact=("/ssn",))},
    ]
    other: list[dict[str, Any]] = [
        {"version": "3.0.0"},
        {"compare": Comparing(ignore=("/id",))},
        {"examples": Examples()},
    ]
    assert {meaning("churn", msgspec.structs.replace(shadow, **change)) for change in same} == {first}
    assert first not in {meaning("churn", msgspec.structs.replace(shadow, **change)) for change in other}
    assert meaning("fraud", shadow) != first
