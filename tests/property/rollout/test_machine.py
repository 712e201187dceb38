"""Any event in any state gives a legal state; what has ended stays; evidence is expected to be one."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide.rollout_spec import HALF, Ceiling, Guard, Threshold
from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Counted, Measurement, Window
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.guards.kinds import kind
from stepdown.rollout.guards.reading import Terms
from stepdown.rollout.judge import Evidence, explain, gathered, mean_log_e, panels, readings
from stepdown.rollout.phases import ENDED, RUNNING, TABLE
from stepdown.rollout.position import Apply, Candidate, Position, Transition, begin
from stepdown.rollout.walk import Walk
from tests.kit.rollouts import CLICKS, ERRORS, rollout, window

LIMIT = Ceiling(name="limit", kind="errors", limit=0.2, prove=True)
READY = Threshold(name="ready", success="result >= 0.5", interval=60, failure_limit=2)
GUARDS: tuple[Guard, ...] = (ERRORS, msgspec.structs.replace(CLICKS, margin=0.5), LIMIT, READY)
RULES = [
    Walk(rollout(guards=(ERRORS,), least_duration=120.0, min_ready=2)),
    Walk(rollout(10, 60, guards=GUARDS, least_duration=60.0, deadline=600.0, cool_down=300.0, promotion="manual")),
    Walk(rollout(0, 50, 100, guards=(), gate=True, least_duration=60.0, least_units=0)),
]
CANDIDATES = [Candidate(version="2.0.0", endpoints=digest) for digest in ("aa", "bb")]
COUNTS = st.integers(0, 30)
PAIRS = st.tuples(COUNTS, COUNTS)
WHO = st.sampled_from(["", "ann"])


@st.composite
def windows(draw: st.DrawFn) -> Window:
    stage = draw(st.integers(0, 3))
    kinds = draw(st.dictionaries(st.sampled_from(["errors", "clicks"]), PAIRS, max_size=2))
    values = draw(st.lists(st.sampled_from(["0.1", "0.9", "NaN", "what", None]), max_size=2))
    return msgspec.structs.replace(
        window(stage, draw(st.sampled_from([0.0, 0.05, 0.5, 0.6, 1.0])), units=draw(st.integers(0, 200))),
        run=draw(st.integers(0, 2)),
        kinds={name: Counted(events=Arms(candidate=pair[0], stable=pair[1])) for name, pair in kinds.items()},
        unread=draw(st.sampled_from([{}, {"errors": "timed out"}])),
        measured={"ready": tuple(Measurement(at=0.0, value=value) for value in values)},
    )


def flush(pair: tuple[int, int], failed: tuple[int, int]) -> Flush:
    return Flush(
        requests=Arms(candidate=pair[0], stable=pair[1]),
        failures=Arms(candidate=min(pair[0], failed[0]), stable=min(pair[1], failed[1])),
    )


EVENTS = st.one_of(
    st.builds(lambda one: (events.WindowEnded, {"window": one}), windows()),
    st.builds(lambda one: (events.WindowEnded, {"window": one}), windows()),
    st.builds(lambda pair, failed: (events.Flushed, {"flush": flush(pair, failed)}), PAIRS, PAIRS),
    st.builds(lambda who, force: (events.Started, {"who": who, "force": force}), WHO, st.booleans()),
    st.builds(
        lambda kind, who: (kind, {"who": who}),
        st.sampled_from([events.Paused, events.Resumed, events.PromotedByHand, events.AbortedByHand]),
        st.just("ann"),
    ),
    st.builds(lambda ready: (events.StableReady, {"ready": ready}), st.integers(0, 2)),
    st.builds(lambda one: (events.CandidateChanged, {"candidate": one}), st.sampled_from(CANDIDATES)),
    st.sampled_from([(kind, {}) for kind in (events.StoreLost, events.StoreFound, events.CooledDown)]),
)


def held_to(rules: Walk, before: Position, event: events.Event, found: Transition) -> None:
    after = found.position
    applied = [effect for effect in found.effects if isinstance(effect, Apply)]
    assert 0 <= after.step < len(rules.rollout.steps)
    assert after.phase == "pending" or after.run > 0 or after.phase == "aborted"
    if after.phase in ("pending", "aborted", "rolled back"):
        assert after.weight == 0
    if after.phase == "promoted":
        assert (after.weight, after.good) == (100, after.candidate.version)
    if after.phase in RUNNING:
        assert after.weight == rules.rollout.steps[after.step].weight
        assert len(after.evidence) == after.step + 1
    if after.phase == "rolled back" and before.phase != "rolled back":
        assert after.candidate in after.quarantined
        assert applied == [Apply(after.step, 0.0, everywhere=True)]
    if before.phase in ENDED and after.phase != before.phase:
        assert isinstance(event, events.Started)
        assert event.who
    if after.weight > max(HALF, before.weight):
        assert before.ready >= rules.rollout.min_ready
    if after.weight != before.weight:
        assert [effect.weight for effect in applied] == [after.weight]
        assert found.moved
    if found.moved:
        assert found.sentence
        ways = {change.to or before.before for (phase, _), change in TABLE.items() if phase == before.phase}
        assert after.phase in ways
    else:
        assert after.phase == before.phase
        assert not found.effects
    assert msgspec.json.decode(msgspec.json.encode(after), type=Position) == after


@settings(max_examples=150)
@given(st.sampled_from(RULES), st.lists(EVENTS, max_size=40))
def test_any_event_in_any_state_gives_a_legal_state(
    rules: Walk, happened: list[tuple[type[events.Event], dict[str, object]]]
) -> None:
    position = begin(rules.rollout, CANDIDATES[0])
    position = rules.after(position, events.StableReady(now=0.0, ready=2)).position
    position = rules.after(position, events.Started(now=0.0, who="ann")).position
    for number, (event_type, fields) in enumerate(happened):
        event = event_type(now=60.0 * (number + 1), **fields)
        found = rules.after(position, event)
        held_to(rules, position, event, found)
        position = found.position


@settings(max_examples=60)
@given(st.lists(windows(), max_size=12))
def test_whatever_is_counted_every_guard_can_say_where_it_stands(seen: list[Window]) -> None:
    panel = panels(rollout(10, guards=GUARDS))[0]
    evidence = Evidence()
    for one in seen:
        evidence = gathered(evidence, panel, msgspec.structs.replace(one, stage=0, share=0.1))
    for reading in readings(evidence, panel):
        assert reading.sentence.startswith(reading.guard)
        assert reading.verdict in ("ok", "needs-more", "inconclusive", "rollback")
        assert reading.low is None or reading.high is None or reading.low <= reading.high
        assert reading.missing is None or reading.missing >= 0
    assert isinstance(explain("more", evidence, panel, 60.0), str)


# --- validity -------------------------------------------------------------------------------------------------------

SHARES = st.floats(0.05, 0.95)


def chance(total: int, hits: int, share: float) -> float:
    return math.comb(total, hits) * share**hits * (1 - share) ** (total - hits)


@given(st.integers(0, 7), st.integers(0, 7), SHARES, st.sampled_from([ERRORS, CLICKS]), st.floats(0.05, 0.5))
def test_the_evidence_of_a_guard_is_expected_to_be_at_most_one_over_two_windows(
    first: int, second: int, share: float, guard: Guard, alpha: float
) -> None:
    terms = Terms(alpha, 1, 1, 3)
    functions = kind(guard)
    assert functions.log_e is not None
    name = guard.kind  # type: ignore[union-attr]
    expected = 0.0
    for hits in range(first + 1):
        once = functions.update(functions.begin(), guard, terms, window(share=share, **{name: (hits, first - hits)}))
        for more in range(second + 1):
            twice = functions.update(once, guard, terms, window(share=share, **{name: (more, second - more)}))
            both = chance(first, hits, share) * chance(second, more, share)
            expected += both * math.exp(functions.log_e(twice, guard))
    assert expected <= 1 + 1e-9
    assert expected >= 0.3  # clipped, yet not thrown away


@given(st.integers(1, 12), st.floats(0.05, 0.6))
def test_the_evidence_of_a_ceiling_is_expected_to_be_at_most_one_at_its_limit(trials: int, limit: float) -> None:
    guard = Ceiling(name="limit", kind="errors", limit=limit)
    functions, terms = kind(guard), Terms(0.05, 1, 1, 3)
    assert functions.log_e is not None
    expected = 0.0
    for hits in range(trials + 1):
        counted = Counted(events=Arms(candidate=hits), trials=Arms(candidate=trials))
        one = msgspec.structs.replace(window(), kinds={"errors": counted})
        state = functions.update(functions.begin(), guard, terms, one)
        expected += chance(trials, hits, limit) * math.exp(functions.log_e(state, guard))
    assert expected <= 1 + 1e-9


@given(st.integers(0, 6), st.integers(0, 6), SHARES)
def test_the_mean_over_guards_is_expected_to_be_at_most_one_also_where_they_see_the_same(
    errors: int, clicks: int, share: float
) -> None:
    same = msgspec.structs.replace(ERRORS, name="again")
    panel = panels(rollout(100 * share, guards=(ERRORS, same, CLICKS)))[0]
    expected = 0.0
    for failed in range(errors + 1):
        for clicked in range(clicks + 1):
            counts = {"errors": (failed, errors - failed), "clicks": (clicked, clicks - clicked)}
            evidence = gathered(Evidence(), panel, window(share=share, **counts))
            both = chance(errors, failed, share) * chance(clicks, clicked, share)
            expected += both * math.exp(mean_log_e(evidence, panel))
    assert expected <= 1 + 1e-9


def test_without_events_there_is_no_evidence() -> None:
    panel = panels(rollout(guards=(ERRORS, CLICKS)))[0]
    evidence = gathered(Evidence(), panel, window(errors=(0, 0), clicks=(0, 0)))
    assert mean_log_e(evidence, panel) == pytest.approx(0.0)
