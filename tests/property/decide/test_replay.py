"""A record has all that is needed: decided again under the configuration that made it, nobody moves."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide import spec, when
from stepdown.decide.cookies import Visitor
from stepdown.decide.flag_spec import FlagRule, Flags
from stepdown.decide.records import Record, read, write
from stepdown.decide.replay import NotRecordedError, Outcome, Replay, recorded_outcome
from stepdown.decide.rollout_spec import Driven, Rollout, Step
from stepdown.decide.snapshot import Snapshot, compile_snapshot
from stepdown.errors import StepdownError
from stepdown.plane.recording import Recorder, decided_of
from tests.kit import specs
from tests.kit.request import Request

VERSIONS = ("1.0.0", "1.1.0", "2.0.0", "3.0.0")
HEADERS = ("x-user-id", "x-plan", "x-api-key", "x-app")
TEXTS = ("beta", "free", "1.4.2", "7", "ä")

splits = st.dictionaries(st.sampled_from(VERSIONS[1:]), st.integers(0, 3), min_size=1).filter(
    lambda one: any(one.values())
)
ALL_PAIRS = [(new, old) for new in VERSIONS[1:] for old in VERSIONS if new > old]
pairs = st.one_of(st.just(set(ALL_PAIRS)), st.just(set(ALL_PAIRS)), st.sets(st.sampled_from(ALL_PAIRS)))
names = st.one_of(
    st.tuples(st.just("header"), st.sampled_from(HEADERS)),
    st.tuples(st.just("cookie"), st.sampled_from(["uid", "session"])),
    st.tuples(st.just("json"), st.sampled_from(["/user/plan", "/user", "/token"])),
    st.tuples(st.just("query"), st.sampled_from(["plan", "api_key"])),
)
fields = st.tuples(names, st.sampled_from(TEXTS), st.sampled_from(["equals", "in", "prefix", "exists", "semver"]))


def leaf(given: tuple[tuple[Any, str], str, str]) -> when.When:
    (source, name), text, test = given
    tests: dict[str, dict[str, Any]] = {
        "equals": {"equals": text},
        "in": {"any_of": (text, "other")},
        "prefix": {"prefix": text[:1]},
        "exists": {"exists": True},
        "semver": {"semver": "^1"},
    }
    return when.FieldIs(source=source, name=name, **tests[test])


leaves = st.one_of(
    fields.map(leaf),
    st.just(when.ClientIn(networks=("10.0.0.0/8",))),
    st.floats(0, 1).map(lambda share: when.Percent(share=share, salt="s")),
    st.just(when.TimeIn(since=1_800_000_000)),
    st.just(when.PinIs(semver="^1")),
    st.just(when.InSegment(name="them")),
    st.just(when.FlagIs(flag="new-model", variant="new")),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda tests: when.All(tuple(tests))),
        st.lists(inner, min_size=1, max_size=2).map(lambda tests: when.Any(tuple(tests))),
        inner.map(when.Not),
    ),
    max_leaves=3,
)
keys = st.lists(
    st.sampled_from(
        [
            spec.KeySource(header="x-user-id"),
            spec.KeySource(header="x-api-key"),
            spec.KeySource(cookie="uid"),
            spec.KeySource(cookie="session"),
            spec.KeySource(json="/user"),
            spec.KeySource(json="/token"),
            spec.KeySource(client_ip=True),
            spec.KeySource(cookie="ours", set_cookie=spec.SetCookie(secrets=("s",), ttl=60)),
        ]
    ),
    max_size=3,
    unique_by=lambda source: source.cookie == "ours" or source,
)


flag_definitions = st.sampled_from(
    [
        {"if": [{"==": [{"var": "header.x-app"}, "7"]}, "new", "old"]},
        {"if": [{"starts_with": [{"var": "cookie.session"}, "a"]}, "new", "old"]},
        {"if": [{"==": [{"var": "client"}, "10.0.0.9"]}, "new", "old"]},
        {"if": [{"==": [{"var": "query.plan"}, "beta"]}, "new", "old"]},
        {"fractional": [["new", 50], ["old", 50]]},
    ]
).map(
    lambda targeting: {
        "state": "ENABLED",
        "variants": {"new": "new", "old": "old"},
        "defaultVariant": "old",
        "targeting": targeting,
    }
)
by_flag = FlagRule(flag="new-model", versions=(("new", "2.0.0"), ("old", "1.1.0")), default="1.1.0")

rollouts_in_force = st.builds(
    Rollout,
    name=st.just("w"),
    stable=st.just("1.1.0"),
    candidate=st.just("2.0.0"),
    steps=st.just((Step(weight=50, segment="them"), Step(weight=20), Step(weight=100))),
    on_rollback=st.sampled_from(["keep", "refuse"]),
    driven=st.one_of(
        st.none(),
        st.builds(
            Driven,
            run=st.just(1),
            step=st.integers(0, 2),
            weight=st.sampled_from([20.0, 50.0]),
            stable=st.just("1.1.0"),
        ),
        st.just(Driven(run=1, step=1, weight=0, stable="1.1.0", taken_back=True)),
    ),
)


@st.composite
def configurations(draw: st.DrawFn) -> spec.SnapshotSpec:
    chains = tuple(spec.Chain(served=served, pinned=pinned, steps=()) for served, pinned in sorted(draw(pairs)))
    clients = (spec.ClientEntry(match=spec.Match(headers=(draw(header_matches),)), version="1.1.0"),)
    versions = (specs.version("1.0.0"), *(specs.version(version, 1) for version in VERSIONS[1:]))
    model = specs.model(*versions, default=draw(st.sampled_from(VERSIONS)), chains=chains, clients=clients)
    key = tuple(draw(keys))
    smooth, walks = draw(st.booleans()), draw(st.booleans())
    rules = (
        *(
            spec.Rule(name=f"r{number}", split=tuple(draw(splits).items()), when=condition, salt=f"s{number}")
            for number, condition in enumerate(draw(st.lists(conditions, max_size=2)))
        ),
        *(
            [spec.Rule(name="flag", split=(("1.1.0", 1), ("2.0.0", 1)), when=draw(conditions), flag=by_flag)]
            if draw(st.booleans())
            else []
        ),
        *([spec.Rule(name="walked", split=(("1.1.0", 1),), when=draw(conditions), rollout="w")] if walks else []),
        spec.Rule(name="all", split=tuple(draw(splits).items()), salt="all", smooth=smooth),
    )
    pin: Any = draw(st.sampled_from(["shape", "server"]))
    routes = (
        specs.route({}, name="one", match=spec.Match(path="/infer"), rules=rules, key=key, pin=pin),
        specs.route({"1.1.0": 1}, name="two", match=spec.Match(path="/a/{version}"), version_param="version"),
        specs.route({"1.1.0": 1}, name="three", match=spec.Match(path="/b", headers=(draw(header_matches),))),
    )
    segment = when.Segment("them", leaf(draw(fields)))
    flags = Flags(document=json.dumps({"flags": {"new-model": draw(flag_definitions)}}))
    decisions = spec.Decisions(sample=1.0, redact=tuple(draw(st.sets(st.sampled_from(["x-user-id", "x-app"])))))
    rollouts = (draw(rollouts_in_force),) if walks else ()
    return specs.snapshot(
        *routes, models=[model], segments=(segment,), decisions=decisions, flags=flags, rollouts=rollouts
    )


header_matches = st.one_of(
    st.builds(spec.HeaderMatch, name=st.sampled_from(HEADERS), equals=st.sampled_from(TEXTS)),
    st.builds(spec.HeaderMatch, name=st.sampled_from(HEADERS), prefix=st.sampled_from(["b", "1"])),
    st.builds(spec.HeaderMatch, name=st.sampled_from(HEADERS), exists=st.booleans()),
)
requests = st.builds(
    Request,
    method=st.sampled_from([b"POST", b"GET"]),
    path=st.sampled_from([b"/infer"] * 12 + [b"/a/1.1.0", b"/a/junk", b"/b", b"/none", b"/a/%2f"]),
    query=st.sampled_from([b"", b"plan=beta", b"api_key=7&plan=free", b"api%5Fkey=beta"]),
    fields=st.dictionaries(
        st.sampled_from([name.encode() for name in HEADERS]), st.sampled_from([*TEXTS, ""]).map(str.encode)
    ),
)
pins = st.sampled_from([None] * 6 + [b"1.1.0", b"^1", b"2.0.0", b"9", b"junk?", b"latest"])
cookies = st.sampled_from([None, b"uid=7", b"session=abc; uid=9", b"uid=; session=7"])
bodies = st.sampled_from([None, b"{}", b'{"user": "7"}', b'{"user": {"plan": "beta"}, "token": 1.50}', b"[1]", b"no"])


class Recording:
    """Decides as the plane does, and records as it does."""

    def __init__(self, specification: spec.SnapshotSpec) -> None:
        assert specification.decisions is not None
        self.snapshot: Snapshot = compile_snapshot(specification)
        self._recorder = Recorder(specification, "digest", specification.decisions)

    def record(self, head: Request, body: bytes | None, ready: list[bool], drawn: int) -> Record:
        exchange: Any = SimpleNamespace(head=head, facts=head, visitor=None)
        try:
            found = self.snapshot.match(head)
        except StepdownError as error:
            return self._recorder.record(exchange, None, "10.0.0.9", (), decided_of(None, error))
        if found is None:
            from stepdown.errors import NoRouteError

            return self._recorder.record(exchange, None, "10.0.0.9", (), decided_of(None, NoRouteError()))
        route, params = found
        visitor: Visitor | None = route.visitor(head, body, "10.0.0.9", 1_800_000_000.5, lambda: b"0123456789abcdef")
        exchange.visitor = visitor
        exchange.facts = route.view(head, params, body, "10.0.0.9", 1_800_000_000.5, visitor)
        explanation = route.explain(exchange.facts, params, body, "10.0.0.9", ready, lambda _turns=None: drawn, visitor)
        down = tuple(
            one for one in route.model.versions if route.model.is_served(one) and not ready[route.model.index(one)]
        )
        return self._recorder.record(exchange, body, "10.0.0.9", down, decided_of(explanation, None))


def decided_again(specification: spec.SnapshotSpec, record: Record) -> Outcome | str:
    try:
        return Replay(specification, {}).decide(record)
    except NotRecordedError as error:
        return str(error)


@settings(max_examples=120, deadline=None)
@given(
    configurations(),
    requests,
    pins,
    cookies,
    bodies,
    st.lists(st.sampled_from([True, True, True, False]), min_size=3, max_size=3),
    st.integers(0, 9999),
)
def test_replaying_under_the_same_configuration_moves_nobody(
    specification: spec.SnapshotSpec,
    head: Request,
    pin: bytes | None,
    cookie: bytes | None,
    body: bytes | None,
    up: list[bool],
    drawn: int,
) -> None:
    head.fields |= {b"x-model-version": pin} if pin is not None else {}
    head.fields |= {b"cookie": cookie} if cookie is not None else {}
    record = Recording(specification).record(head, body, [False, *up], drawn)
    line = write(record, 4096)
    before = recorded_outcome(read(line))
    after = decided_again(specification, read(line))
    if isinstance(after, str):  # what is hidden and looked into cannot be decided, and that is said
        assert "digest" in after or "query" in after
        return
    assert (after.to, after.shape, after.route) == (before.to, before.shape, before.route)
    if not after.error:
        assert (after.rule, after.drawn) == (before.rule, before.drawn)


@settings(max_examples=50, deadline=None)
@given(configurations(), requests, bodies)
def test_no_record_shows_a_secret(specification: spec.SnapshotSpec, head: Request, body: bytes | None) -> None:
    head.fields |= {b"x-api-key": b"a-secret-key", b"cookie": b"session=a-secret-session"}
    head.query = b"api_key=a-secret-in-the-query"
    body = b'{"token": "a-secret-token"}' if body is not None else None
    assert b"a-secret" not in write(Recording(specification).record(head, body, [False, True, True, True], 0), 4096)


def test_what_a_segment_reads_at_a_step_is_on_record_and_read_again() -> None:
    beta = when.Segment("beta", when.FieldIs(source="json", name="/user/plan", equals="beta"))
    steps = (Step(weight=100, segment="beta"), Step(weight=100))
    driven = Driven(run=1, step=0, weight=100, stable="1.1.0", evidence=True)
    walk = Rollout(name="w", stable="1.1.0", candidate="2.0.0", steps=steps, driven=driven)
    chain = spec.Chain(served="2.0.0", pinned="1.1.0", steps=())
    model = specs.model(specs.version("1.1.0", 1), specs.version("2.0.0", 2), chains=(chain,))
    rule = spec.Rule(name="all", split=(("1.1.0", 1),), rollout="w")
    decisions = spec.Decisions(sample=1.0)
    whole = specs.snapshot(
        specs.route({}, rules=(rule,)), models=[model], segments=(beta,), rollouts=(walk,), decisions=decisions
    )
    for plan, outcome in (("beta", ("all/beta", "2.0.0")), ("free", ("all", "1.1.0"))):
        record = Recording(whole).record(Request(), b'{"user": {"plan": "%s"}}' % plan.encode(), [True, True], 0)
        again = decided_again(whole, read(write(record, 4096)))
        assert isinstance(again, Outcome)
        assert (again.rule, again.assigned) == outcome
