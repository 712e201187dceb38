"""Whatever a shadow does, clients see the same bytes, every request is answered, and nothing piles up anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.isolation import (
    CASES,
    COPIED,
    KINDS,
    MIB,
    Seen,
    bytes_of,
    descriptors,
    forget_most,
    isolated,
    load,
    most,
)
from tests.kit.processes import eventually

OUTCOMES = {
    "healthy": "answered",
    "ten times slower": "answered",
    "never reads": "timeout",
    "refuses": "refused",
    "resets": "reset",
    "floods": "too-large",
}
WORKER_GROWS = 16 * MIB
"""The ring's 4 MiB, 4 MiB of bodies that are gathered, and what four clients' bodies take on their way anyway."""
COMPARER_GROWS = 48 * MIB
"""The ring's 4 MiB, 32 MiB of copies and answers that wait for one another, and what is being read and compared."""

CLIENTS = 4
IDLE = 2 * 8
"""Connections that two routes' shadows may keep to use again, eight each."""


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    """What clients see of each case where nothing is copied."""
    with isolated(tmp_path_factory.mktemp("alone"), shadow="") as scene:
        yield {case: bytes_of(scene.see(case)) for case in CASES}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_clients_see_the_same_bytes_and_nothing_piles_up(kind: str, expected: dict[str, Seen], tmp_path: Path) -> None:
    deadline = "1s" if OUTCOMES[kind] == "timeout" else "30s"
    with isolated(tmp_path, KINDS[kind], deadline=deadline) as scene:
        assert load(scene.sidecar.port, expected, clients=1, rounds=1) == []
        worker, comparer = scene.sidecar.worker(), scene.comparer()
        opened = {pid: descriptors(pid) for pid in (worker, comparer)}
        before = {pid: forget_most(pid) for pid in (worker, comparer)}
        assert load(scene.sidecar.port, expected) == []
        due = COPIED * 13
        eventually(lambda: scene.counted_copies() == due)
        assert scene.metric("stepdown_shadow_copies_total", outcome=OUTCOMES[kind]) > 0

        # The same again stays within the same bounds, and leaves no connection behind.
        assert load(scene.sidecar.port, expected) == []
        eventually(lambda: scene.counted_copies() == due + COPIED * 12)
        assert most(worker) - before[worker] < WORKER_GROWS
        assert most(comparer) - before[comparer] < COMPARER_GROWS
        eventually(lambda: descriptors(worker) <= opened[worker] + CLIENTS)
        eventually(lambda: descriptors(comparer) <= opened[comparer] + IDLE)
        assert (scene.sidecar.worker(), scene.comparer()) == (worker, comparer)
        assert not scene.sidecar.seen("died")
