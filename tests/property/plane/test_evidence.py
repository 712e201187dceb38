"""What the store has in the end is what a naive count of the exchanges comes to, whatever is lost on the way."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.decide.feedback import Claim, Verifier
from stepdown.plane.evidence_books import AGAIN_SECONDS, Book
from stepdown.rollout.batch import Arm, Batch, Cell, Counts
from tests.kit.client import EndedError
from tests.kit.driven import BY_USER, FEEDBACK, SECRET, Store, driven, get, rolling, run_of
from tests.kit.looping import eventually
from tests.kit.upstream import Peer

# --- books ------------------------------------------------------------------------------------------------------------

ARMS = ("stable", "candidate")
KINDS = ("units", "errors", "click")

sums = st.tuples(st.just("sum"), st.integers(0, 1), st.sampled_from(ARMS), st.booleans())
sightings = st.tuples(
    st.just("saw"), st.integers(0, 1), st.sampled_from(ARMS), st.sampled_from(KINDS), st.integers(0, 5)
)
moves = st.tuples(st.sampled_from(("send", "again", "new channel", "arrive", "acknowledge", "lose")))
steps = st.lists(st.one_of(sums, sightings, moves), max_size=120)


@given(steps)
def test_a_store_has_each_sum_and_each_first_sighting_once_after_any_losses(script: list[Any]) -> None:
    book = Book("m-2", 1, lambda: None)
    store, now = Store(), 0.0
    naive: dict[Cell, list[int]] = {}
    first: set[tuple[int, str, int]] = set()
    under_way: list[Batch] = []
    acknowledged: list[Batch] = []

    def send(anew: bool) -> None:
        batch = book.due(now, anew=anew)
        if batch is not None:
            under_way.append(batch)

    def arrive() -> None:
        for batch in under_way:
            store.add(batch)
        acknowledged.extend(under_way)
        under_way.clear()

    def acknowledge() -> None:
        for batch in acknowledged:
            book.taken(batch.source, batch.sequence)
        acknowledged.clear()

    for move in script:
        match move:
            case ("sum", stage, arm, failed):
                cell = book.sums(stage, arm, "requests")
                expected = naive.setdefault(Cell(stage, arm, "requests"), [0, 0])
                for one in (cell, expected):
                    one[0] += 1
                    one[1] += failed
            case ("saw", stage, arm, kind, unit):
                if kind == "units":
                    book.saw_unit(stage, arm, unit)
                else:
                    book.saw(stage, arm, kind, unit)
                if (stage, kind, unit) not in first:
                    first.add((stage, kind, unit))
                    naive.setdefault(Cell(stage, arm, kind), [0, 0])[kind != "units"] += 1
            case ("send",):
                send(anew=False)
            case ("again",):
                now += 2 * AGAIN_SECONDS
                send(anew=False)
            case ("new channel",):
                under_way.clear()
                acknowledged.clear()
                send(anew=True)
            case ("arrive",):
                arrive()
            case ("acknowledge",):
                acknowledge()
            case ("lose",):
                under_way.clear()
                acknowledged.clear()
    for _ in range(3):
        send(anew=True)
        arrive()
        acknowledge()
    assert book.settled
    assert store.counts == {cell: Counts(*found) for cell, found in naive.items()}


# --- planes -----------------------------------------------------------------------------------------------------------

ANSWERS = {
    b"/ok": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"/failed": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno",
    b"/refused": b"HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 2\r\n\r\nno",
    b"/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
}
HAPPENED = {"/failed": "errors", "/refused": "client_errors", "/cut": "stream_errors"}


async def by_path(peer: Peer) -> None:
    """Answers what the path says."""
    while True:
        request = await peer.request()
        await peer.send(ANSWERS[request.target])
        if request.target == b"/cut":
            peer.fin()
            return


@pytest.mark.parametrize("seed", range(4))
def test_what_is_counted_of_random_traffic_is_what_its_clients_have_seen(seed: int) -> None:
    dice = random.Random(seed)
    verifier = Verifier([SECRET], [run_of()])
    requests: Counter[tuple[int, Arm, bool]] = Counter()
    units: dict[tuple[int, int], Arm] = {}
    events: dict[tuple[int, str, int], Arm] = {}
    with rolling(by_path, key=BY_USER, feedback=FEEDBACK, step=0) as (here, taking):
        one, two = (upstream.port for upstream in here.upstreams)
        total = 0
        for _ in range(150):
            if dice.random() < 0.03:
                here.sidecar.reload(driven(one, two, key=BY_USER, feedback=FEEDBACK, step=dice.randrange(3)))
            if dice.random() < 0.1:
                taking.cut()
                taking.silent = dice.random() < 0.5
                taking.link()
            path = dice.choice(["/ok", "/ok", "/ok", *HAPPENED])
            user = f"user-{dice.randrange(8)}" if dice.random() < 0.7 else None
            with here.client() as client:
                client.send(get(user, path))
                try:
                    raw = client.response().raw
                except EndedError as ended:
                    raw = ended.seen
            total += 1
            token = raw.partition(b"x-stepdown-token: ")[2].partition(b"\r\n")[0]
            claim = verifier.verify(token, time.time(), 3600.0)
            assert isinstance(claim, Claim), claim
            requests[claim.stage, claim.arm, path in ("/failed", "/cut")] += 1
            units.setdefault((claim.stage, claim.unit), claim.arm)
            if path in HAPPENED:
                events.setdefault((claim.stage, HAPPENED[path], claim.unit), claim.arm)
        taking.silent = False
        taking.link()
        assert eventually(lambda: here.sidecar.metric("stepdown_evidence_requests_total") == total)
        found = taking.settle().counts
    naive: dict[Cell, list[int]] = {}
    for (stage, arm, failed), number in requests.items():
        cell = naive.setdefault(Cell(stage, arm, "requests"), [0, 0])
        cell[0] += number
        cell[1] += number * failed
    for (stage, _), arm in units.items():
        naive.setdefault(Cell(stage, arm, "units"), [0, 0])[0] += 1
    for (stage, kind, _), arm in events.items():
        naive.setdefault(Cell(stage, arm, kind), [0, 0])[1] += 1
    assert found == {cell: Counts(*numbers) for cell, numbers in naive.items()}
