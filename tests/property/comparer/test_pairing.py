"""In whatever order answers and copies end, each shadow's pair is handed out once, whole, and nothing stays behind."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from stepdown.comparer.asked import Asked
from stepdown.comparer.limits import Budget, Hold
from stepdown.comparer.pairing import Awaited, Entry, Pair, Table
from stepdown.comparer.results import Result
from stepdown.decide.copies import Answer
from stepdown.decide.shadow_spec import Shadow

ASKED = cast("Asked", None)
ANSWER = Answer(id=1, served="1.0.0", outcome="none", status=200, error="", elapsed=1, upstream=1, missing="", head=b"")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[str, bool, bool]], list[Any]]:
    """Shadows (name, with noise, idle) and the order in which things happen to each of some requests."""
    count = draw(st.integers(1, 4))
    shadows = [(f"s{number}", draw(st.booleans()), draw(st.booleans())) for number in range(count)]
    requests = draw(st.integers(1, 3))
    events: list[Any] = [(request, "answer") for request in range(requests) if draw(st.booleans())]
    for request in range(requests):
        for place, (_, noisy, _) in enumerate(shadows):
            events.append((request, "candidate", place))
            if noisy:
                events.append((request, "noise", place))
    return shadows, draw(st.permutations(events))


@given(histories())
def test_every_pair_is_handed_out_once(history: tuple[list[tuple[str, bool, bool]], list[Any]]) -> None:
    shadows, events = history
    table, budget = Table(), Budget(1000)
    entries, pairs = [], list[Pair]()
    for request in range(3):
        entry = Entry((0, request), ASKED, Hold(budget), 10.0 + request)
        entry.awaited = [
            Awaited(Shadow(name=name, version="2.0.0", idle=idle), noisy=noisy) for name, noisy, idle in shadows
        ]
        entry.hold.take(10)
        entries.append((entry, list(entry.awaited)))
        assert table.open(entry) == []
    for request, kind, *place in events:
        entry, awaited = entries[request]
        if kind == "answer":
            found = table.find((0, request))
            pairs += table.answered(found, ANSWER, b"") if found is not None else []
        else:
            version = "1.0.0" if kind == "noise" else "2.0.0"
            result = Result(version, "answered")
            pairs += table.ended(entry, awaited[place[0]], result, noise=kind == "noise")
    before = len(pairs)
    pairs += table.expired(9.9)
    assert len(pairs) == before
    pairs += table.expired(13.0)
    assert len(table) == budget.held == 0
    happened = {request for request, *_ in events}
    compared = [name for name, _, idle in shadows if not idle]
    assert sorted(pair.shadow.name for pair in pairs) == sorted(compared * len(happened))
    answered = sum(kind[0] == "answer" for _, *kind in events)
    assert sum(pair.answer is not None for pair in pairs) == answered * len(compared)
    noisy = {name for name, noise, _ in shadows if noise}
    assert all((pair.noise is not None) == (pair.shadow.name in noisy) for pair in pairs if pair.answer is not None)
    assert table.expired(99.0) == []
