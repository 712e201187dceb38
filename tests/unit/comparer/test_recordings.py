"""Recorded requests wait for their answers within bounds, over reloads, and whatever the disk does."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepdown.comparer.recordings import STUCK, WAIT, Recordings
from stepdown.decide.shadow_spec import Recording
from stepdown.decide.spec import SnapshotSpec, digest, encode
from stepdown.recordings.reader import Reader
from stepdown.telemetry.slab import ABSENT, Slab
from tests.kit import specs
from tests.kit.looping import PATIENCE, eventually
from tests.kit.recordings import a_copy, an_answer, recording


class Scene:
    """Recordings of the route `r`, on a clock that only moves by hand."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.now = 0.0
        self.slab = Slab.create()
        self.recordings = Recordings(self.slab, read=lambda: self.now, **options)
        self.digest = ""

    def adopt(self, **changes: Any) -> None:
        self.adopt_recording(recording(self.folder, **changes))

    def adopt_recording(self, settings: Recording | None) -> None:
        specification: SnapshotSpec = specs.plain(1, route_options={"record": settings})
        encoded = encode(specification)
        self.digest = digest(encoded)
        self.recordings.adopt(self.digest, specification)

    def copied(self, id: int, **changes: Any) -> None:
        about = a_copy(**{"id": id, "route": "r", "digest": self.digest} | changes)
        self.recordings.copied(0, about, b'{"x": %d}' % id)

    def answered(self, id: int, **changes: Any) -> None:
        self.recordings.answered(0, an_answer(id=id, **changes), b'{"y": %d}' % id)

    def tick(self, seconds: float = 0.0) -> None:
        self.now += seconds
        self.recordings.tick(self.now)

    @property
    def counts(self) -> dict[str, int]:
        self.tick()
        return {
            series.labels[1]: self.slab.cells[series.first]
            for series in self.slab.series()
            if series.family == "stepdown_recorded_total" and self.slab.cells[series.first]
        }

    @property
    def stopped(self) -> int:
        self.tick()
        (first,) = (one.first for one in self.slab.series() if one[:2] == ("stepdown_recording_stopped", ("r",)))
        return self.slab.cells[first]

    def recorded(self) -> list[int]:
        """What was asked in all that is in files."""
        return [json.loads(entry.request.content or b"{}")["x"] for entry in Reader([self.folder])]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.recordings.close()
    made.slab.close()
    os.close(made.slab.fd)


def test_a_request_is_written_with_its_answer(scene: Scene) -> None:
    scene.adopt()
    scene.copied(1)
    scene.copied(2)
    scene.answered(2)
    assert eventually(lambda: scene.counts == {"recorded": 1})
    (entry,) = Reader([scene.folder])
    assert (entry.request.content, entry.response and entry.response.content) == (b'{"x":2}', b'{"y":2}')
    assert scene.stopped == 0


def test_what_is_not_to_be_recorded_is_not(scene: Scene) -> None:
    scene.adopt()
    scene.copied(1, recorded=False)
    scene.answered(1)
    scene.answered(7)  # of which nothing was copied
    scene.recordings.close()
    assert scene.counts == {}
    assert not list(scene.folder.iterdir())


def test_all_that_came_is_in_files_when_the_process_ends(scene: Scene) -> None:
    scene.adopt()
    for number in range(200):
        scene.copied(number)
        scene.answered(number)
    scene.recordings.close()
    assert scene.counts == {"recorded": 200}
    assert scene.recorded() == list(range(200))


def test_requests_without_answers_are_given_up_and_no_more_wait_than_may(tmp_path: Path) -> None:
    scene = Scene(tmp_path, most=3)
    scene.adopt()
    for number in range(5):
        scene.copied(number)
    assert scene.counts == {"pending": 2}
    scene.tick(WAIT)
    assert scene.counts == {"pending": 2, "unanswered": 3}
    scene.copied(1)
    scene.copied(1)  # of the next worker, which counts from the beginning
    assert scene.counts == {"pending": 2, "unanswered": 4}
    scene.recordings.close()


def test_what_is_held_is_bounded_and_given_back(tmp_path: Path) -> None:
    scene = Scene(tmp_path, most_bytes=1000)
    scene.adopt()
    head = b"POST /churn HTTP/1.1\r\nHost: models\r\nX-Pad: %b\r\n\r\n" % (b"m" * 300)
    for number in range(4):
        scene.copied(number, head=head)
    assert scene.counts == {"pending": 2}
    scene.recordings.answered(0, an_answer(id=0), b"." * 900)  # there is no room for this answer
    assert eventually(lambda: scene.counts.get("recorded") == 1)
    (entry,) = Reader([tmp_path])
    assert entry.response is not None
    assert entry.response.missing == "full"
    scene.copied(5, head=head)
    assert scene.counts == {"pending": 2, "recorded": 1}
    scene.recordings.close()


def test_a_reload_that_records_alike_goes_on_with_the_file(scene: Scene) -> None:
    scene.adopt()
    scene.copied(1)
    scene.adopt()
    scene.answered(1)
    scene.copied(2)
    scene.answered(2)
    scene.recordings.close()
    assert scene.recorded() == [1, 2]
    assert len(list(scene.folder.iterdir())) == 1


def test_a_reload_that_records_otherwise_begins_anew_and_drops_what_was_copied_before(scene: Scene) -> None:
    scene.adopt()
    scene.copied(1)
    scene.answered(1)
    scene.copied(2)
    before = scene.digest
    scene.adopt(redact=("/x",))
    scene.answered(2)
    scene.copied(3, digest=before)
    scene.answered(3)
    scene.copied(4)
    scene.answered(4)
    scene.recordings.close()
    assert scene.counts == {"recorded": 2, "stale": 2}
    assert len(list(scene.folder.iterdir())) == 2
    assert [entry.request.redacted for entry in Reader([scene.folder])] == [(), ("/x",)]


def test_a_route_that_is_no_longer_recorded_says_nothing_of_it(scene: Scene) -> None:
    scene.adopt()
    assert scene.stopped == 0
    scene.copied(1)
    scene.adopt_recording(None)
    assert scene.stopped == ABSENT
    scene.answered(1)
    scene.recordings.stale(a_copy(route="r"))
    assert scene.counts == {"stale": 2}


def test_a_folder_that_is_gone_stops_recording_and_shows(scene: Scene) -> None:
    scene.folder = scene.folder / "gone"
    scene.adopt()
    scene.copied(1)
    scene.answered(1)
    assert eventually(lambda: scene.stopped == 1)
    assert scene.counts == {"stopped": 1}


def hanging(scene: Scene) -> tuple[threading.Event, threading.Event]:
    """From now on the disk hangs, which the first says, until the second is set: no system has a disk that does so."""
    hangs, gate = threading.Event(), threading.Event()
    writer = next(iter(scene.recordings._current.values())).recorder._writer
    append = writer.append

    def hang(lines: bytes, seconds: float) -> None:
        hangs.set()
        gate.wait()
        append(lines, seconds)

    writer.append = hang  # type: ignore[method-assign]
    return hangs, gate


def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    scene = Scene(tmp_path, most_bytes=2000)
    scene.adopt()
    scene.copied(0)
    scene.answered(0)
    assert eventually(lambda: scene.counts == {"recorded": 1})
    hangs, gate = hanging(scene)
    scene.tick(2.0)  # so that the next one is written at once
    scene.copied(1)
    scene.answered(1)
    assert hangs.wait(PATIENCE)
    for number in range(2, 101):
        scene.copied(number)
        scene.answered(number)
        scene.tick(0.01)
    assert scene.counts["pending"] > 50
    scene.tick(STUCK + 1)
    assert scene.stopped == 1
    gate.set()
    assert eventually(lambda: scene.stopped == 0)
    scene.recordings.close()
    assert scene.counts["recorded"] + scene.counts["pending"] == 101
