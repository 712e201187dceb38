"""Sources of guards: what is new at each window's end, whoever looks, and how thresholds are measured in between."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import trustme
from yarl import URL

from stepdown.control.rollouts import measurer as measuring
from stepdown.control.rollouts.measurer import SourceMeasurer
from stepdown.decide.rollout_spec import (
    Ceiling,
    Counters,
    Guard,
    Hook,
    MetricServer,
    PerArm,
    Query,
    Share,
    Threshold,
)
from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Measurement, Window
from stepdown.rollout.guards.ceiling import CeilingState
from stepdown.rollout.guards.shares import ShareState
from stepdown.rollout.guards.threshold import ThresholdState
from stepdown.rollout.looking import Elsewhere
from stepdown.rollout.position import Candidate, Position, begin
from stepdown.rollout.walk import Walk
from tests.kit.looping import PATIENCE, LoopThread
from tests.kit.metrics import NOW, answer, by_query, vector
from tests.kit.rollouts import rollout
from tests.kit.upstream import Request, Script, Upstream, serve, silent

EVENTS, TRIALS = "events_{{arm}}_{{version}}[{{since}}]", "trials_{{arm}}[{{since}}]"
CTR = "metric:ctr"


class Story:
    """A rollout that stands at its first step, the servers that are asked, and whoever asks them now."""

    def __init__(self, thread: LoopThread, upstreams: list[Upstream], guards: tuple[Guard, ...], clock: Any) -> None:
        self.thread, self.upstreams, self._clock = thread, upstreams, clock
        self.rollout = rollout(guards=guards)
        self.walk = Walk(self.rollout)
        first = begin(self.rollout, Candidate(version="2.0.0", endpoints="d"))
        self.position: Position = self.walk.after(first, events.Started(now=NOW, who="ops")).position
        self.measurer = SourceMeasurer(clock)
        self.now = NOW

    def look(self, seconds: float = 60.0) -> Elsewhere:
        """What is measured after so many seconds."""
        self.now += seconds
        return self.thread.call(self.measurer.measure(self.rollout, self.position, self.now, since=self.now - seconds))

    def judged(self, seconds: float = 60.0) -> Elsewhere:
        """The same, and it is taken in."""
        found = self.look(seconds)
        window = Window(
            stage=self.position.step,
            share=0.05,
            begin=self.now - seconds,
            end=self.now,
            units=Arms(candidate=50, stable=950),
            kinds=found.kinds,
            unread=found.unread,
            measured=found.measured,
        )
        self.position = self.walk.after(self.position, events.WindowEnded(now=self.now, window=window)).position
        return found

    @property
    def state(self) -> Any:
        """What is known of the first guard, as it was read from a store."""
        stored = msgspec.json.decode(msgspec.json.encode(self.position), type=Position)
        self.position = stored
        return stored.evidence[stored.step].guards[0]

    def taken_over(self) -> None:
        """By another controller, which has nothing but the position."""
        self.thread.call(self.measurer.close())
        assert self.state is not None
        self.measurer = SourceMeasurer(self._clock)


@contextmanager
def story(*guards: Guard, scripts: tuple[Script, ...], clock: Any = lambda: NOW) -> Iterator[Story]:
    """Its guards' sources are asked at the upstreams of these scripts: `http://up-N` is the N-th."""
    with LoopThread() as thread, ExitStack() as stack:
        upstreams = [stack.enter_context(Upstream(thread, script)) for script in scripts]
        text = msgspec.json.encode(guards).decode()
        for place, upstream in enumerate(upstreams):
            text = text.replace(f"http://up-{place}", f"http://127.0.0.1:{upstream.port}")
        placed = msgspec.json.decode(text, type=tuple[Guard, ...])
        one = Story(thread, upstreams, placed, clock)
        yield one
        thread.call(one.measurer.close())


def server(place: int = 0, **fields: Any) -> MetricServer:
    return MetricServer(url=f"http://up-{place}", timeout=fields.pop("timeout", PATIENCE), **fields)


def counters(*places: int, **fields: Any) -> Counters:
    return Counters(
        servers=tuple(server(place) for place in places or (0,)),
        events=PerArm(candidate=EVENTS, stable=EVENTS),
        trials=PerArm(candidate=TRIALS, stable=TRIALS),
        **fields,
    )


def ctr(source: Counters | Hook | None = None) -> Share:
    return Share(name="ctr", kind=CTR, must_not="fall", source=source or counters())


def prometheus(events: tuple[int, int], trials: tuple[int, int]) -> dict[str, str]:
    """What it says of the candidate and of stable."""
    return {
        "events_candidate": str(events[0]), "events_stable": str(events[1]),
        "trials_candidate": str(trials[0]), "trials_stable": str(trials[1]),
    }  # fmt: skip


def sides(events: tuple[int, int], trials: tuple[int, int]) -> dict[str, Any]:
    """What a webhook says of both."""
    return {
        "candidate": {"events": events[0], "trials": trials[0]},
        "stable": {"events": events[1], "trials": trials[1]},
    }


def saying(document: Mapping[str, Any]) -> Script:
    """A webhook that says this, as it is when it is asked."""
    return serve(lambda _: answer(json.dumps(document)))


def pairs(found: Elsewhere) -> tuple[tuple[int, int], tuple[int, int]]:
    """Events and trials of candidate and stable."""
    counted = found.kinds[CTR]
    assert counted.trials is not None
    assert found.unread == {}
    return (
        (counted.events.candidate, counted.events.stable),
        (counted.trials.candidate, counted.trials.stable),
    )


# --- counters ---------------------------------------------------------------------------------------------------------


def test_each_look_brings_what_is_new_since_the_step_began() -> None:
    said = prometheus((3, 40), (100, 900))
    with story(ctr(), scripts=(by_query(said),)) as one:
        assert pairs(one.judged()) == ((3, 40), (100, 900))
        said |= prometheus((5, 41), (150, 1800))
        assert pairs(one.judged()) == ((2, 1), (50, 900))
        queries = {URL(request.target.decode()).query["query"] for request in one.upstreams[0].requests}
        assert queries >= {
            "events_candidate_2.0.0[60000ms]", "events_stable_1.1.0[60000ms]", "trials_stable[60000ms]",
            "trials_candidate[120000ms]",
        }  # fmt: skip
        assert isinstance(one.state, ShareState)
        assert (one.state.candidate, one.state.total, one.state.trials) == (5, 46, Arms(candidate=150, stable=1800))


def test_a_look_that_was_not_taken_in_is_taken_again_whole_by_whoever_decides_next() -> None:
    said = prometheus((3, 40), (100, 900))
    with story(ctr(), scripts=(by_query(said),)) as one:
        one.judged()
        said |= prometheus((5, 60), (200, 1900))
        assert pairs(one.look()) == ((2, 20), (100, 1000))
        one.taken_over()
        said |= prometheus((9, 90), (300, 2900))
        assert pairs(one.judged()) == ((6, 50), (200, 2000))
        assert (one.state.candidate, one.state.total) == (9, 99)


def test_a_step_that_was_let_on_goes_on_counting_from_where_it_began() -> None:
    said = prometheus((3, 40), (100, 900))
    with story(ctr(), scripts=(by_query(said),)) as one:
        one.judged()
        one.position = msgspec.structs.replace(one.position, entered=one.now)  # after it had no verdict
        said |= prometheus((4, 50), (200, 1900))
        assert pairs(one.judged()) == ((1, 10), (100, 1000))
        last = one.upstreams[0].requests[-1]
        assert "[120000ms]" in URL(last.target.decode()).query["query"]


def test_the_next_step_begins_anew() -> None:
    with story(ctr(), scripts=(by_query(prometheus((3, 40), (100, 900))),)) as one:
        one.judged()
        one.position = msgspec.structs.replace(one.position, step=1, entered=one.now)
        assert pairs(one.look()) == ((3, 40), (100, 900))


@pytest.mark.parametrize(("trials", "said"), [
    ((100, 1000), "trials of the candidate have not grown since the last look"),
    ((200, 900), "trials of stable have not grown since the last look"),
    ((100, 900), "trials of the candidate and stable have not grown since the last look"),
    ((10, 1000), "trials of candidate fell from 100 to 10: data was lost"),
])  # fmt: skip
def test_counters_that_stand_still_or_fall_are_unread_and_nothing_of_them_is_lost(
    trials: tuple[int, int], said: str
) -> None:
    values = prometheus((3, 40), (100, 900))
    with story(ctr(), scripts=(by_query(values),)) as one:
        one.judged()
        values |= prometheus((3, 40), trials)
        found = one.judged()
        assert found.unread == {CTR: said}
        assert CTR not in found.kinds
        assert one.state.unread == said
        values |= prometheus((6, 80), (200, 2000))
        assert pairs(one.judged()) == ((3, 40), (100, 1100))


def test_a_server_that_cannot_be_read_is_unread_with_its_reason_and_the_guard_waits() -> None:
    values = prometheus((3, 40), (100, 900))
    with story(ctr(), scripts=(by_query(values),)) as one:
        one.judged()
        values["trials_stable"] = "NaN"
        found = one.judged()
        port = one.upstreams[0].port
        assert found.unread == {CTR: f"http://127.0.0.1:{port}: stable: trials: the value is NaN"}
        values |= prometheus((6, 80), (200, 2000))
        assert pairs(one.judged()) == ((3, 40), (100, 1100))


def test_parts_add_up_and_one_that_is_missing_leaves_the_kind_unread() -> None:
    first, second = prometheus((3, 40), (100, 900)), prometheus((1, 10), (50, 100))
    with story(ctr(counters(0, 1, parts=True)), scripts=(by_query(first), by_query(second))) as one:
        assert pairs(one.judged()) == ((4, 50), (150, 1000))
        second["events_stable"] = "NaN"
        assert "events: the value is NaN" in one.judged().unread[CTR]
        second |= prometheus((2, 20), (60, 200))
        assert pairs(one.judged()) == ((1, 10), (10, 100))


def test_a_ceiling_asks_about_the_candidate_alone_and_stable_may_be_still() -> None:
    source = Counters(servers=(server(),), events=PerArm(candidate=EVENTS), trials=PerArm(candidate=TRIALS))
    limit = Ceiling(name="ctr", kind=CTR, limit=0.1, source=source)
    with story(limit, scripts=(by_query({"events": "3", "trials": "100"}),)) as one:
        assert pairs(one.judged()) == ((3, 0), (100, 0))
        assert len(one.upstreams[0].requests) == 2
        assert isinstance(one.state, CeilingState)
        assert (one.state.events, one.state.trials) == (3, 100)


def test_sources_are_asked_at_once_and_one_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "LONGEST", 0.3)
    hanging = Share(name="slow", kind="metric:slow", source=counters(1))
    with story(ctr(), hanging, scripts=(by_query(prometheus((3, 40), (100, 900))), silent())) as one:
        found = one.look()
    assert set(found.kinds) == {CTR}
    assert found.unread == {"metric:slow": "no answer within 0.3 s"}


def test_a_replica_that_hangs_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "LONGEST", 4.0)
    good = by_query(prometheus((3, 40), (100, 900)))
    with story(ctr(counters(0, 1)), scripts=(silent(), good)) as one:
        assert pairs(one.look()) == ((3, 40), (100, 900))


def test_whatever_is_lost_on_the_way_all_is_counted_once() -> None:
    dice, clicks, shown = Random(1), [0, 0], [0, 0]
    said = prometheus((0, 0), (0, 0))
    with story(ctr(), scripts=(by_query(said),)) as one:
        one.judged(1)
        for _ in range(50):
            for arm in (0, 1):
                more = dice.randrange(5)
                clicks[arm], shown[arm] = clicks[arm] + more, shown[arm] + more + dice.randrange(40)
            said |= prometheus((clicks[0], clicks[1]), (shown[0], shown[1]))
            if dice.random() < 0.2:
                said["trials_stable"] = "NaN"  # cannot be read
            fate = dice.random()
            if fate < 0.2:
                one.look(1)  # and what is made of it is never written
            elif fate < 0.3:
                one.taken_over()
            else:
                one.judged(1)
        said |= prometheus((clicks[0], clicks[1] + 1), (shown[0] + 1, shown[1] + 1))
        one.judged(1)
        assert one.position.step == 0
        assert one.state.trials == Arms(candidate=shown[0] + 1, stable=shown[1] + 1)
        assert (one.state.candidate, one.state.total) == (clicks[0], clicks[0] + clicks[1] + 1)


def test_whatever_goes_wrong_inside_is_a_reason_and_no_exception() -> None:
    impossible = MetricServer(url="http://[")
    source = msgspec.structs.replace(counters(), servers=(impossible,))
    asked = Threshold(name="ready", source=Query(servers=(impossible,), query="up"))
    with story(ctr(source), asked, scripts=(silent(),)) as one:
        found = one.look()
    assert found.unread == {CTR: "it could not be asked: ValueError"}
    assert [one.error for one in found.measured["ready"]] == ["it could not be asked: ValueError"]


def test_a_file_of_authorities_that_is_gone_is_a_reason(tmp_path: Path) -> None:
    server_ = MetricServer(url="https://127.0.0.1:1", ca_file=str(tmp_path / "ca.pem"))
    source = msgspec.structs.replace(counters(), servers=(server_,))
    asked = Threshold(name="ready", source=Hook(server=server_))
    with story(ctr(source), asked, scripts=(silent(),)) as one:
        found = one.look()
        assert found.unread == {CTR: "its ca_file ca.pem cannot be used"}
        assert [one.error for one in found.measured["ready"]] == ["its ca_file ca.pem cannot be used"]


def test_whom_to_trust_is_read_again_when_the_file_is_another_one(tmp_path: Path) -> None:
    mine, another, file = trustme.CA(), trustme.CA(), tmp_path / "ca.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mine.issue_cert("127.0.0.1").configure_cert(context)
    script = saying(sides((1, 1), (2, 2)))
    with LoopThread() as thread, Upstream(thread, script, tls=context) as upstream:
        secure = MetricServer(url=f"https://127.0.0.1:{upstream.port}", ca_file=str(file), timeout=PATIENCE)
        one = Story(thread, [upstream], (ctr(Hook(server=secure, reads="counts")),), lambda: NOW)
        for place, (authority, said) in enumerate(((mine, "only found out"), (another, "is not trusted"))):
            authority.cert_pem.write_to_path(str(file))
            os.utime(file, (place, place))
            assert said in one.look().unread[CTR]
        thread.call(one.measurer.close())


# --- webhooks that count ----------------------------------------------------------------------------------------------


def hook(**fields: Any) -> Hook:
    return Hook(server=server(**fields.pop("server", {})), reads="counts", **fields)


def test_of_counts_that_only_grow_the_first_look_finds_where_to_begin() -> None:
    said = sides((300, 4000), (10_000, 90_000))
    with story(ctr(hook()), scripts=(saying(said),)) as one:
        assert one.judged().unread == {CTR: "this look only found out where the step begins"}
        said |= sides((303, 4040), (10_100, 90_900))
        assert pairs(one.judged()) == ((3, 40), (100, 900))
        one.taken_over()
        said |= sides((305, 4041), (10_150, 91_800))
        assert pairs(one.judged()) == ((2, 1), (50, 900))
        assert (one.state.candidate, one.state.total, one.state.trials) == (5, 46, Arms(candidate=150, stable=1800))


def test_counts_that_were_set_back_go_on_from_there() -> None:
    said = sides((300, 4000), (10_000, 90_000))
    with story(ctr(hook()), scripts=(saying(said),)) as one:
        one.judged()
        said |= sides((1, 2), (10, 20))
        assert one.judged().unread == {
            CTR: "trials of candidate fell from 10000 to 10: data was lost, and it goes on from there"
        }
        said |= sides((4, 12), (60, 120))
        assert pairs(one.judged()) == ((3, 10), (50, 100))


def test_a_hook_is_told_where_the_rollout_stands_and_what_the_file_adds() -> None:
    asked = hook(server={"set_headers": (("authorization", "Bearer s3cret"),)}, tells=(("team", '{"name":"growth"}'),))
    with story(ctr(asked), scripts=(saying(sides((1, 1), (2, 2))),)) as one:
        one.look()
        (request,) = one.upstreams[0].requests
    assert json.loads(request.body) == {
        "rollout": "churn-2", "step": 1, "candidate": "2.0.0", "stable": "1.1.0", "since": NOW, "weight": 5,
        "team": {"name": "growth"},
    }  # fmt: skip
    assert request.get(b"authorization") == b"Bearer s3cret"
    assert "s3cret" not in repr(asked)


def test_an_address_may_name_versions_which_are_quoted() -> None:
    asked = hook(method="GET", server={})
    address = "http://up-0/of/{{stable}}?candidate={{ candidate }}&of={{rollout}}"
    asked = msgspec.structs.replace(asked, server=MetricServer(url=address))
    with story(ctr(asked), scripts=(saying(sides((1, 1), (2, 2))),)) as one:
        one.position = msgspec.structs.replace(one.position, candidate=Candidate(version="2.0.0-a+b.1", endpoints="d"))
        one.look()
        (request,) = one.upstreams[0].requests
    assert (request.method, request.body) == (b"GET", b"")
    assert request.target == b"/of/1.1.0?candidate=2.0.0-a%2Bb.1&of=churn-2"


@pytest.mark.parametrize(("reply", "said"), [
    (answer("<html>"), "the answer is not JSON"),
    (answer("{}"), "the answer has nothing at /candidate/events"),
    (answer("{}", 503), "it answers 503"),
    (answer(json.dumps(sides((9, 1), (2, 2)))), "candidate has 9 events among 2 trials"),
])  # fmt: skip
def test_a_hook_that_says_no_counts_is_unread(reply: bytes, said: str) -> None:
    with story(ctr(hook()), scripts=(serve(reply),)) as one:
        (reason,) = one.look().unread.values()
        assert reason == f"http://127.0.0.1:{one.upstreams[0].port}: {said}"


# --- thresholds -------------------------------------------------------------------------------------------------------


def ready(**fields: Any) -> Threshold:
    asked = {"source": Query(servers=(server(),), query="ready_{{candidate}}"), "success": "result[0] >= 0.95"}
    return Threshold(**{"name": "ready", "interval": 3600.0, **asked, **fields})


class Clock:
    """Unix seconds that pass by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def live(said: Mapping[str, str], clock: Clock) -> Script:
    """Answers a query by the first of these words that stands in it, about the time that it is."""

    def answered(request: Request) -> bytes:
        query = URL(request.target.decode()).query["query"]
        return answer(vector(next(value for word, value in said.items() if word in query), at=clock()))

    return serve(answered)


def values(found: Elsewhere) -> list[Any]:
    return [one.value for one in found.measured.get("ready", ())]


def test_a_threshold_is_measured_at_its_interval_and_each_measurement_is_given_until_it_was_taken_in() -> None:
    clock = Clock()
    with story(ready(), scripts=(live({"ready_2.0.0": "0.97"}, clock),), clock=clock) as one:
        assert one.look().measured == {"ready": (Measurement(at=NOW, value=("0.97",)),)}
        assert one.judged().measured == {"ready": (Measurement(at=NOW, value=("0.97",)),)}
        assert isinstance(one.state, ThresholdState)
        assert (one.state.successful, one.state.at) == (1, NOW)
        clock.now += 3599
        assert one.judged().measured == {}
        clock.now += 1
        assert values(one.judged()) == [("0.97",)]
        assert len(one.upstreams[0].requests) == 2
        assert one.state.successful == 2


def test_between_windows_it_is_measured_by_itself() -> None:
    with story(ready(interval=0.02), scripts=(by_query({"ready": "0.97"}),), clock=time.time) as one:
        one.position = msgspec.structs.replace(one.position, entered=time.time())
        one.upstreams[0].script = serve(lambda _: answer(vector("0.97", at=time.time())))

        async def several() -> Elsewhere:
            async with asyncio.timeout(PATIENCE):
                found = await one.measurer.measure(one.rollout, one.position, time.time(), since=0.0)
                while len(values(found)) < 4:
                    await asyncio.sleep(0.05)
                    found = await one.measurer.measure(one.rollout, one.position, time.time(), since=0.0)
                return found

        found = one.thread.call(several())
        times = [one.at for one in found.measured["ready"]]
        assert times == sorted(set(times))
        assert min(later - sooner for sooner, later in pairwise(times)) >= 0.02


def test_whoever_takes_over_measures_when_it_is_due_and_not_sooner() -> None:
    clock = Clock()
    with story(ready(), scripts=(live({"ready": "0.97"}, clock),), clock=clock) as one:
        one.judged()
        one.taken_over()
        clock.now += 3599
        assert one.judged().measured == {}
        clock.now += 1
        assert values(one.judged()) == [("0.97",)]
        assert one.state.successful == 2


def test_one_that_ended_is_measured_no_more_and_an_error_is_tried_again_after_ten_seconds() -> None:
    clock, said = Clock(), {"ready": "NaN"}
    with story(ready(count=1), scripts=(live(said, clock),), clock=clock) as one:
        (error,) = one.judged().measured["ready"]
        assert error.error == f"http://127.0.0.1:{one.upstreams[0].port}: the value is NaN"
        clock.now += 9
        assert one.judged().measured == {}
        clock.now += 1
        said["ready"] = "1"
        assert values(one.judged()) == [("1",)]
        assert one.state.ended == "successful"
        clock.now += 100_000
        assert one.judged().measured == {}


def test_one_with_a_count_of_0_is_not_measured() -> None:
    with story(ready(count=0), scripts=(by_query({"ready": "1"}),)) as one:
        assert one.look().measured == {}
        assert one.upstreams[0].requests == []


def test_conditions_that_deal_with_everything_get_it_as_it_is() -> None:
    source = Query(servers=(server(),), query="ready", as_is=True)
    with story(ready(source=source), scripts=(serve(answer(vector())),)) as one:
        assert values(one.look()) == [()]


@pytest.mark.parametrize(("source", "reply", "value"), [
    (Hook(server=MetricServer(url="http://up-0/m"), pointer="/data/rate"), answer('{"data": {"rate": 0.97}}'), "0.97"),
    (Hook(server=MetricServer(url="http://up-0/m"), reads="status"), answer("<html>", 202), "1"),
    (Hook(server=MetricServer(url="http://up-0/m"), reads="status"), answer("<html>", 500), "0"),
])  # fmt: skip
def test_a_threshold_may_ask_a_hook_for_a_value_or_for_its_status(source: Hook, reply: bytes, value: str) -> None:
    def check(request: Request) -> bytes:
        assert json.loads(request.body)["candidate"] == "2.0.0"
        return reply

    with story(ready(source=source), scripts=(serve(check),)) as one:
        assert values(one.look()) == [value]


def test_a_threshold_whose_server_hangs_does_not_hold_up_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "LONGEST", 0.3)
    with story(ready(), scripts=(silent(),)) as one:
        found = [*one.look().measured.get("ready", ()), *one.look().measured.get("ready", ())]
        assert {each.error for each in found} == {"no answer within 0.3 s"}


def test_a_step_that_is_new_is_measured_anew() -> None:
    with story(ready(), scripts=(by_query({"ready": "1"}),)) as one:
        one.judged()
        one.position = msgspec.structs.replace(one.position, step=1, entered=NOW + 60)
        assert values(one.look()) == [("1",)]
        assert len(one.upstreams[0].requests) == 2


def test_a_rollout_that_is_left_is_measured_no_more() -> None:
    with story(ready(interval=0.02), scripts=(by_query({"ready": "1"}),), clock=time.time) as one:
        one.upstreams[0].script = serve(lambda _: answer(vector("1", at=time.time())))

        async def left() -> int:
            await one.measurer.measure(one.rollout, one.position, time.time(), since=0.0)
            one.measurer.leave(one.rollout.name)
            one.measurer.leave("another")
            others = [task for task in asyncio.all_tasks() if "measure" in task.get_name()]
            await asyncio.gather(*others, return_exceptions=True)
            return len([task for task in asyncio.all_tasks() if "measure" in task.get_name()])

        assert one.thread.call(left()) == 0
        asked = len(one.upstreams[0].requests)
        found = one.thread.call(one.measurer.measure(one.rollout, one.position, time.time(), since=0.0))
        assert len(found.measured["ready"]) == 1  # begun anew, as nothing of before was taken in
        assert len(one.upstreams[0].requests) > asked


def test_one_that_is_left_in_the_middle_is_not_begun_again() -> None:
    with story(ready(), scripts=(silent(),)) as one:

        async def left() -> list[str]:
            asking = asyncio.create_task(one.measurer.measure(one.rollout, one.position, NOW, since=0.0))
            while not one.upstreams[0].peers:
                await asyncio.sleep(0.01)
            one.measurer.leave(one.rollout.name)
            await asking
            return [task.get_name() for task in asyncio.all_tasks() if "measure" in task.get_name()]

        assert one.thread.call(left()) == []
