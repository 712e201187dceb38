"""Reports over reloads, wishes and deaths: what goes on, what begins anew, and what stands on the board."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from stepdown.comparer.configurations import Configuration
from stepdown.comparer.pairing import Pair
from stepdown.comparer.reports import EVERY, IDLE, Clocks, Reports
from stepdown.comparer.shadow_tally import ShadowTally
from stepdown.comparison import posts
from stepdown.comparison.merging import total
from stepdown.comparison.report import Report, decode
from stepdown.decide.shadow_spec import REPORTED, Comparing, Examples, Shadow
from stepdown.telemetry.board import Board
from stepdown.telemetry.slab import Slab
from tests.kit.shadowing import shadowed
from tests.unit.comparer.test_judging import SHADOW, pair

SIZE = 1024 * 1024
SECRET = b"4111-1111-1111-1111"


class Scene:
    """A comparer's reports, as often as it is started."""

    def __init__(self) -> None:
        self.slab = Slab.create()
        self.fd = os.memfd_create("board")
        os.ftruncate(self.fd, SIZE)
        self.board = Board(self.fd, SIZE)
        self.now = 100.0
        self.takes = 0.0
        """Seconds that go by between two looks at the clock."""

    def close(self) -> None:
        self.board.close()
        self.slab.close()
        for fd in (self.fd, self.slab.fd):
            os.close(fd)

    def start(self, *shadows: Shadow) -> Reports:
        tally = ShadowTally(self.slab, lambda: 0.0)
        reports = Reports(tally, self.board, Clocks(self._seconds, lambda: 1e9 + self.now, lambda: 0.5))
        adopt(reports, *shadows)
        return reports

    def _seconds(self) -> float:
        self.now += self.takes
        return self.now

    def posted(self) -> dict[str, posts.Post]:
        payload = self.board.read()
        assert payload is not None
        return {post.shadow: post for post in posts.decode(payload)}

    def report(self, shadow: str = "s") -> Report:
        return decode(self.posted()[shadow].report)

    def compared(self, shadow: str = "s") -> tuple[int, int]:
        """How many were, and how many are equal."""
        section = total(self.report(shadow))
        return section.compared, section.equal

    def counts(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for series in self.slab.series():
            if series.family == "stepdown_shadow_compared_total":
                counts[series.labels[-1]] += self.slab.cells[series.first]
        return {result: count for result, count in counts.items() if count}


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def adopt(reports: Reports, *shadows: Shadow) -> None:
    reports.adopt(Configuration(shadowed(*(shadows or (SHADOW,)), served=1, ports=[2])))


def one(left: bytes = b'{"a":1}', right: bytes = b'{"a":1}', shadow: Shadow = SHADOW, **more: Any) -> Pair:
    return pair(left, right, **more)._replace(shadow=shadow)


def test_pairs_are_counted_in_the_report_and_in_the_metrics(scene: Scene) -> None:
    reports = scene.start()
    for made in (one(), one(right=b'{"a":2}'), one(right=b"", outcome="reset")):
        reports(made)
    reports.write()
    assert scene.compared() == (2, 1)
    report = scene.report()
    assert (report.shadow, report.sections["1.0.0"].incomparable) == ("r/s", {"reset": 1})
    assert scene.counts() == {"equal": 1, "different": 1, "incomparable": 1}
    assert scene.posted()["s"].begun == 1e9 + 100


def test_a_shadow_has_a_report_before_anything_was_compared(scene: Scene) -> None:
    scene.start(SHADOW, Shadow(name="warm", version="1.0.0", idle=True)).tick(scene.now)
    assert list(scene.posted()) == ["s"]
    assert scene.compared() == (0, 0)


def test_it_is_written_once_a_second_and_only_if_something_changed(scene: Scene) -> None:
    reports = scene.start()
    reports.tick(scene.now)
    reports(one())
    scene.now += EVERY / 2
    reports.tick(scene.now)
    assert scene.compared() == (0, 0)
    scene.now += EVERY / 2
    reports.tick(scene.now)
    assert scene.compared() == (1, 1)
    before = scene.board.read()
    scene.board.write(b"another's")
    scene.now += 10
    reports.tick(scene.now)
    assert scene.board.read() == b"another's" != before


def test_what_takes_long_is_written_more_seldom(scene: Scene) -> None:
    reports = scene.start()
    scene.takes = 0.5
    reports.tick(scene.now)
    ended = scene.now
    reports(one())
    reports.tick(ended + IDLE * 0.5 - 0.1)
    assert scene.compared() == (0, 0)
    reports.tick(ended + IDLE * 0.5)
    assert scene.compared() == (1, 1)


def test_a_successor_goes_on_from_the_board(scene: Scene) -> None:
    reports = scene.start()
    reports(one())
    reports(one(right=b'{"a":2}'))
    reports.write()
    begun = scene.posted()["s"].begun
    reports(one())  # lost with its process
    scene.now += 50
    reports = scene.start()
    reports(one())
    reports.write()
    assert scene.compared() == (3, 2)
    assert scene.posted()["s"].begun == begun
    assert scene.report().sections["1.0.0"].paths["/a"].different == 1


@pytest.mark.parametrize("left", [b"no payload", b"", b"\x82\xa5posts\x90\xa6format\x07"])
def test_a_board_that_cannot_be_read_is_begun_anew(scene: Scene, left: bytes) -> None:
    scene.board.write(left)
    reports = scene.start()
    reports(one())
    reports.write()
    assert scene.compared() == (1, 1)


def test_a_reload_keeps_what_means_the_same_and_drops_what_is_gone(scene: Scene) -> None:
    other = replace(SHADOW, name="t")
    reports = scene.start(SHADOW, other)
    reports(one())
    reports(one(shadow=other))
    adopt(reports, replace(SHADOW, percent=5.0, noise=10.0, deadline=3.0))
    reports(one())
    reports(one(shadow=other))
    reports.write()
    assert scene.compared() == (2, 2)
    assert list(scene.posted()) == ["s"]
    assert scene.counts() == {"equal": 3, "incomparable": 1}


@pytest.mark.parametrize(
    "change", [{"version": "2.0.0"}, {"compare": Comparing(ignore=("/a",))}, {"examples": Examples(redact=("/b",))}]
)
def test_a_reload_begins_anew_what_means_something_else(scene: Scene, change: dict[str, Any]) -> None:
    reports = scene.start()
    reports(one(right=b'{"a":2}'))
    adopt(reports, replace(SHADOW, **change))
    late = one()  # copied under the configuration before
    late.asked.about = replace(late.asked.about, digest="before")
    reports(late)
    reports.write()
    assert scene.compared() == (0, 0)
    changed = one(right=b'{"a":2}', shadow=replace(SHADOW, **change))
    changed.asked.about = replace(changed.asked.about, digest="after")
    reports(changed)
    reports.write()
    assert scene.compared()[0] == 1


def test_other_examples_are_kept_from_now_on_and_the_counts_go_on(scene: Scene) -> None:
    reports = scene.start(replace(SHADOW, examples=Examples(bodies=True)))
    reports(one(right=b'{"a":2}'))
    reports.write()
    assert scene.report().sections["1.0.0"].worst["/a"].served_body
    adopt(reports, replace(SHADOW, examples=Examples(keep=4)))
    reports.write()
    section = scene.report().sections["1.0.0"]
    assert (section.worst, section.random, section.compared) == ({}, [], 1)
    reports(one(right=b'{"a":3}'))
    reports.write()
    section = scene.report().sections["1.0.0"]
    assert section.compared == 2
    assert not section.worst["/a"].served_body


def test_a_wish_begins_anew_at_once_and_the_board_says_whose_it_was(scene: Scene) -> None:
    other = replace(SHADOW, name="t")
    reports = scene.start(SHADOW, other)
    reports(one())
    reports(one(shadow=other))
    reports.write()
    scene.now += 7
    reports.begin_anew("r", "s", "wish 1")
    assert (scene.compared("s"), scene.compared("t")) == ((0, 0), (1, 1))
    assert (scene.posted()["s"].wish, scene.posted()["s"].begun) == ("wish 1", 1e9 + 107)
    reports.begin_anew("r", "gone", "wish 2")
    reports = scene.start(SHADOW, other)
    reports.write()
    assert scene.posted()["s"].wish == "wish 1"


def test_their_number_is_bounded(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    many = [replace(SHADOW, name=f"s{number}") for number in range(REPORTED + 2)]
    reports = scene.start(*many)
    reports(one(shadow=many[-1]))
    reports.write()
    assert len(scene.posted()) == REPORTED
    assert caplog.text.count("too many shadows") == 2
    assert scene.counts() == {"incomparable": 1}


def test_nothing_redacted_reaches_the_board_or_the_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    shadow = replace(SHADOW, compare=Comparing(labels=("/card",)), examples=Examples(bodies=True, redact=("/card",)))
    reports = scene.start(shadow)
    bodies = [b'{"card": "%s"}' % SECRET, b'{"card": 7, "a": 2}', b'{"card": {"n": "%s"}}' % SECRET, b"%s" % SECRET]
    for left in bodies:
        for right in bodies:
            reports(one(left, right, shadow, noise=left))
    reports.write()
    assert scene.compared()[0] == len(bodies) ** 2
    memory = os.pread(scene.fd, SIZE, 0)
    assert b"[redacted]" in memory
    assert SECRET not in memory
    assert SECRET.decode() not in caplog.text
