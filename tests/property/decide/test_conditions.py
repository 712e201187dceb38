"""Conditions against an oracle that reads the tree itself, plainly, one leaf at a time; and the laws of logic."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any as Anything
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import mmh3
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide.keysets import key_set
from stepdown.decide.sentences import sentence_of
from stepdown.decide.when import (
    All,
    Any,
    ClientIn,
    FieldIs,
    InSegment,
    KeyIn,
    KeyList,
    MethodIs,
    Not,
    PathUnder,
    Percent,
    Segment,
    TimeIn,
    When,
    leaves,
)
from tests.kit.request import Request
from tests.kit.whens import PLAIN, Asked, compiled

WORDS = ["", "a", "b", "ab", "ba", "ü", "1", "1.2.0", "10.0.0.1", "a b"]
IDS = KeyList(file="ids.txt", digest="d")
KNOWN = {"a", "ü", "1"}
LISTS = {"d": key_set([one.encode() for one in KNOWN])}
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns"]

words = st.sampled_from(WORDS)
texts = st.one_of(
    st.fixed_dictionaries({"equals": words}),
    st.fixed_dictionaries({"any_of": st.lists(words, min_size=1, max_size=3).map(tuple)}),
    st.fixed_dictionaries({"prefix": words}),
    st.fixed_dictionaries({"suffix": words}),
    st.fixed_dictionaries({"regex": st.sampled_from(["a*", "(a|b)+", "ü?", "[0-9.]+", ".*b.*"])}),
    st.fixed_dictionaries({"cidr": st.just(("10.0.0.0/8",))}),
    st.fixed_dictionaries({"key_in": st.just(IDS)}),
    st.fixed_dictionaries({"exists": st.booleans()}),
)
scalars = st.one_of(words, st.booleans(), st.sampled_from([0, 1, 1.0, 1.5]))
of_json = st.one_of(
    texts,
    st.fixed_dictionaries({"equals": scalars}),
    st.fixed_dictionaries({"any_of": st.lists(scalars, min_size=1, max_size=3).map(tuple)}),
)
names = st.sampled_from(["x", "y"])


def fields() -> st.SearchStrategy[FieldIs]:
    def make(source: str, name: str, wanted: dict[str, Anything]) -> FieldIs:
        return FieldIs(source=source, name=name, **wanted)  # type: ignore[arg-type]

    plain = st.builds(make, st.sampled_from(["header", "query", "cookie"]), names, texts)
    parts = st.builds(make, st.just("param"), st.sampled_from(["model", "x"]), texts)
    body = st.builds(make, st.just("json"), st.sampled_from(["/x", "/y", "/l/0"]), of_json)
    return st.one_of(plain, parts, body)


windows = st.builds(
    TimeIn,
    since=st.none() | st.integers(0, 10**6),
    until=st.none() | st.integers(0, 10**6),
    zone=st.sampled_from(ZONES),
    weekdays=st.lists(st.integers(0, 6), max_size=3, unique=True).map(tuple),
    hours=st.none() | st.tuples(st.integers(0, 1439), st.integers(0, 1440)).filter(lambda hours: hours[0] != hours[1]),
)
atoms = st.one_of(
    fields(),
    st.sampled_from([MethodIs(("GET", "PUT")), PathUnder("/m"), ClientIn(("10.0.0.0/9", "2001:db8::/32")), KeyIn(IDS)]),
    st.builds(Percent, st.sampled_from([0.0, 0.3, 0.7, 1.0]), st.sampled_from(["s", "t"])),
    windows,
    st.sampled_from([InSegment("one"), InSegment("two")]),
)
trees = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(All, st.lists(inner, max_size=4).map(tuple)),
        st.builds(Any, st.lists(inner, min_size=1, max_size=4).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)
SEGMENTS = (
    Segment("one", FieldIs(source="header", name="x", exists=True)),
    Segment("two", Any((Not(InSegment("one")), FieldIs(source="query", name="x", exists=True)))),
)
BY_NAME = {segment.name: segment.when for segment in SEGMENTS}


@st.composite
def requests(draw: Callable[..., Anything]) -> Asked:
    pairs = st.dictionaries(names, words, max_size=2)
    found = draw(pairs)
    headers = {name.encode(): value.encode() for name, value in found.items()}
    cookies = draw(pairs)
    if cookies:
        headers[b"cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()
    user = draw(st.none() | words)
    if user is not None:
        headers[b"x-user-id"] = user.encode()
    quoted = {"ü": "%C3%BC", "a b": draw(st.sampled_from(["a+b", "a%20b"]))}
    query = "&".join(f"{name}={quoted.get(value, value)}" for name, value in draw(pairs).items())
    documents = st.fixed_dictionaries({}, optional={"x": scalars | st.none(), "y": scalars, "l": st.lists(scalars)})
    body = draw(st.none() | documents.map(lambda one: json.dumps(one).encode()) | st.sampled_from([b"{", b"1"]))
    part = draw(words.filter(bool))
    return Asked(
        head=Request(
            draw(st.sampled_from([b"GET", b"POST"])), f"/m/{part}/infer".encode(), query.encode(), b"h", headers
        ),
        params=(part.encode(),),
        body=body,
        client=draw(st.sampled_from(["10.0.0.1", "10.200.0.1", "2001:db8::1", "::ffff:10.0.0.1", "nobody"])),
        now=draw(st.floats(0, 2e9)),
    )


def in_networks(networks: tuple[str, ...], text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ip_network(network) for network in networks)


def found_by(leaf: FieldIs, asked: Asked) -> Anything:
    match leaf.source:
        case "header":
            value = asked.head.fields.get(leaf.name.encode())
            return None if value is None else value.decode()
        case "query":
            return dict(reversed(parse_qsl(asked.head.query.decode(), keep_blank_values=True))).get(leaf.name)
        case "cookie":
            cookies = asked.head.fields.get(b"cookie", b"").decode()
            pairs = [pair.strip().partition("=") for pair in cookies.split(";")]
            return {name: value for name, _, value in reversed(pairs)}.get(leaf.name)
        case "param":
            return asked.params[0].decode() if leaf.name == "model" else None
    try:
        document = json.loads(asked.body or b"")
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    if leaf.name == "/l/0":
        return next(iter(document.get("l", [])), None)
    return document.get(leaf.name[1:])


def same(value: Anything, wanted: Anything) -> bool:
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def field_holds(leaf: FieldIs, asked: Asked) -> bool:
    value = found_by(leaf, asked)
    if leaf.exists is not None:
        return (value is not None) == leaf.exists
    if leaf.equals is not None:
        return value is not None and same(value, leaf.equals)
    if leaf.any_of:
        return value is not None and any(same(value, one) for one in leaf.any_of)
    if not isinstance(value, str):
        return False
    if leaf.prefix is not None:
        return value.startswith(leaf.prefix)
    if leaf.suffix is not None:
        return value.endswith(leaf.suffix)
    if leaf.regex is not None:
        return re.fullmatch(leaf.regex, value) is not None
    return in_networks(leaf.cidr, value) if leaf.cidr else value in KNOWN


def window_holds(leaf: TimeIn, now: float) -> bool:
    if (leaf.since is not None and now < leaf.since) or (leaf.until is not None and now >= leaf.until):
        return False
    local = datetime.datetime.fromtimestamp(int(now), ZoneInfo(leaf.zone))
    begins = local
    if leaf.hours is not None:
        first, last = leaf.hours
        at = 60 * local.hour + local.minute
        if not (first <= at < last if first <= last else at >= first or at < last):
            return False
        if first > last and at < last:
            begins = local - datetime.timedelta(days=1)
    return not leaf.weekdays or begins.weekday() in leaf.weekdays


def oracle(when: When, asked: Asked) -> bool:
    key = asked.head.fields.get(b"x-user-id") or None
    match when:
        case All():
            return all(oracle(one, asked) for one in when.tests)
        case Any():
            return any(oracle(one, asked) for one in when.tests)
        case Not():
            return not oracle(when.test, asked)
        case InSegment():
            return oracle(BY_NAME[when.name], asked)
        case FieldIs():
            return field_holds(when, asked)
        case MethodIs():
            return asked.head.method.decode() in when.any_of
        case PathUnder():
            return f"{asked.head.path.decode()}/".startswith(f"{when.path}/")
        case ClientIn():
            return in_networks(when.networks, asked.client)
        case TimeIn():
            return window_holds(when, asked.now)
        case Percent():
            salted = f"{when.salt}:header:x-user-id:".encode() + (key or b"")
            return key is not None and mmh3.hash(salted, 0, False) / 2**32 < when.share
        case KeyIn():
            return key is not None and key.decode() in KNOWN
        case _:
            raise AssertionError(when)


@settings(max_examples=400, deadline=None)
@given(trees, requests())
def test_a_condition_holds_where_the_oracle_says_so(when: When, asked: Asked) -> None:
    condition = compiled(when, SEGMENTS, LISTS)
    assert condition.holds(asked.view(PLAIN)) is oracle(when, asked)


@settings(max_examples=200, deadline=None)
@given(trees, requests())
def test_what_failed_is_a_part_that_does_not_hold_by_the_oracle(when: When, asked: Asked) -> None:
    condition, view = compiled(when, SEGMENTS, LISTS), asked.view(PLAIN)
    said = condition.failed(view)
    assert (said is None) is oracle(when, asked)
    if said is not None:
        sentences = {name: sentence_of(one, {"one": sentence_of(BY_NAME["one"])}) for name, one in BY_NAME.items()}
        parts = [when, *_parts(when), *leaves(when)]
        refused = {sentence_of(part, sentences) for part in parts if not oracle(part, asked)}
        assert said in refused


def _parts(when: When) -> list[When]:
    inner = when.tests if isinstance(when, All | Any) else (when.test,) if isinstance(when, Not) else ()
    return [part for one in inner for part in (one, *_parts(one))]


@settings(max_examples=200, deadline=None)
@given(st.lists(trees, min_size=1, max_size=4), requests())
def test_de_morgan(tests: list[When], asked: Asked) -> None:
    view = asked.view(PLAIN)

    def holds(when: When) -> bool:
        return compiled(when, SEGMENTS, LISTS).holds(view)

    negated = tuple(Not(one) for one in tests)
    assert holds(Not(All(tuple(tests)))) is holds(Any(negated))
    assert holds(Not(Any(tuple(tests)))) is holds(All(negated))
    assert holds(Not(Not(tests[0]))) is holds(tests[0])


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.sampled_from(["header", "query", "cookie", "json"]),
)
def test_no_bytes_make_a_condition_raise(cookie: bytes, query: bytes, body: bytes, source: str) -> None:
    asked = Asked(head=Request(query=query, fields={b"cookie": cookie, b"x": cookie}), body=body)
    view = asked.view(PLAIN)
    for wanted in ({"regex": ".*"}, {"semver": "1"}, {"cidr": ("10.0.0.0/8",)}, {"equals": "a"}, {"exists": True}):
        name = "/x" if source == "json" else "x"
        condition = compiled(FieldIs(source=source, name=name, **wanted))  # type: ignore[arg-type]
        assert condition.holds(view) in {True, False}
