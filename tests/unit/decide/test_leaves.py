"""Leaves of conditions: for each what holds, what does not, what is missing, and what is of the wrong kind."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest

from stepdown.decide.keysets import key_set
from stepdown.decide.view import View
from stepdown.decide.when import (
    ClientIn,
    FieldIs,
    FlagIs,
    HostIs,
    KeyIn,
    KeyList,
    MethodIs,
    PathIs,
    PathUnder,
    Percent,
    PinIs,
    TimeIn,
    When,
)
from tests.kit.request import Request
from tests.kit.whens import PLAIN, Asked, compiled, holds

IDS = KeyList(file="ids.txt", digest="d")
LISTS = {"d": key_set([b"u1", "ü".encode(), b"true"])}
SHA = hashlib.sha256(b"u1").hexdigest()


def having(source: str, value: str | None) -> Asked:
    """A request whose part `x` is this, in whichever place; for a body, a text."""
    asked = Asked()
    if value is None:
        return asked
    encoded = value.encode()
    match source:
        case "header":
            asked.head.fields[b"x"] = encoded
        case "query":
            asked.head.query = b"a=1&x=" + encoded + b"&b"
        case "cookie":
            asked.head.fields[b"cookie"] = b"a=1; x=" + encoded + b"; b=2"
        case "param":
            asked.params = (encoded,)
        case "json":
            asked.body = b'{"x": "' + encoded + b'"}'
    return asked


def on(source: str, **wanted: Any) -> FieldIs:
    names = {"param": "model", "json": "/x"}
    return FieldIs(source=source, name=names.get(source, "x"), **wanted)  # type: ignore[arg-type]


OPERATORS = [
    ({"equals": "u1"}, ["u1"], ["U1", "u11", "", "u"]),
    ({"any_of": ("u1", "u2")}, ["u1", "u2"], ["u3", ""]),
    ({"prefix": "u"}, ["u", "u1"], ["1u", ""]),
    ({"suffix": "1"}, ["1", "u1"], ["u2", ""]),
    ({"regex": "u[0-9]+|ü"}, ["u1", "u12", "ü"], ["u", "xu1", "u1x", "U1", ""]),
    ({"semver": ">=1.2 <2"}, ["1.2.0", "1.9.9", "v1.3.0"], ["1.1.9", "2.0.0", "1.3", "1", "1.3.0-a", "x", ""]),
    ({"cidr": ("10.0.0.0/8", "2001:db8::/32")}, ["10.1.2.3", "2001:db8::1", "::ffff:10.0.0.1"], ["11.0.0.1", "x", ""]),
    ({"sha256": (SHA, "0" * 64)}, ["u1"], ["u2", SHA, ""]),
    ({"key_in": IDS}, ["u1", "ü"], ["u2", "", "u1 u1"]),
]


@pytest.mark.parametrize("source", ["header", "query", "cookie", "param", "json"])
@pytest.mark.parametrize(("wanted", "held", "refused"), OPERATORS, ids=[next(iter(one[0])) for one in OPERATORS])
def test_an_operator_means_the_same_wherever_the_value_is(
    wanted: dict[str, Any], held: list[str], refused: list[str], source: str
) -> None:
    when = on(source, **wanted)
    assert [value for value in held if not holds(when, having(source, value), lists=LISTS)] == []
    assert [value for value in refused if holds(when, having(source, value), lists=LISTS)] == []
    if source != "param":
        assert not holds(when, having(source, None), lists=LISTS)


@pytest.mark.parametrize("source", ["header", "query", "cookie", "json"])
def test_a_value_is_there_or_not(source: str) -> None:
    assert holds(on(source, exists=True), having(source, ""))
    assert not holds(on(source, exists=True), having(source, None))
    assert holds(on(source, exists=False), having(source, None))
    assert not holds(on(source, exists=False), having(source, ""))


def test_a_part_of_the_path_that_the_route_does_not_have_is_missing() -> None:
    nowhere = FieldIs(source="param", name="camera", exists=False)
    assert holds(nowhere, Asked())
    assert not holds(FieldIs(source="param", name="camera", equals="churn"), Asked())


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (b"", None),
        (b"x", b""),
        (b"x=", b""),
        (b"xx=1", None),
        (b"a=x", None),
        (b"x=1&x=2", b"1"),
        (b"a=1&x=a%20b", b"a b"),
        (b"x=a+b", b"a b"),
        (b"%78=1", b"1"),
        (b"x=%zz", b"%zz"),
        (b"x=a=b", b"a=b"),
        (b"&&x=1", b"1"),
        (b"x=%ff", b"\xff"),
    ],
)
def test_a_parameter_is_read_as_servers_do(query: bytes, value: bytes | None) -> None:
    asked = Asked(head=Request(query=query))
    assert holds(on("query", exists=True), asked) is (value is not None)
    if value is not None and value.isascii():
        assert holds(on("query", equals=value.decode()), asked)
        assert not holds(on("query", equals=value.decode() + "!"), asked)


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        ("", None),
        ("x=1", "1"),
        ("xx=1", None),
        ("ax=2; x=1", "1"),
        ("ax=2;x=1", "1"),
        ("ax=2;  x=1 ;b", "1"),
        ("a=x=3; x=1", "1"),
        ("x=1; x=2", "1"),
        ("x", None),
        ("x=", ""),
    ],
)
def test_a_cookie_is_the_first_of_its_name(cookies: str, value: str | None) -> None:
    asked = Asked(head=Request(fields={b"cookie": cookies.encode()}))
    assert holds(on("cookie", exists=True), asked) is (value is not None)
    if value is not None:
        assert holds(on("cookie", equals=value), asked)


@pytest.mark.parametrize(
    ("wanted", "held", "refused"),
    [
        ({"equals": "1"}, ['"1"'], ["1", "true", "null", "[]", '{"x": 1}']),
        ({"equals": 1}, ["1", "1.0", "1e0"], ['"1"', "true", "2", "null", "[1]"]),
        ({"equals": 0}, ["0", "-0.0"], ["false", '""', "null"]),
        ({"equals": True}, ["true"], ["1", "1.0", '"true"', "false"]),
        ({"equals": False}, ["false"], ["0", '""', "null"]),
        ({"equals": 1.5}, ["1.5", "15e-1"], ["1", '"1.5"']),
        ({"any_of": ("a", 1, True)}, ['"a"', "1", "1.0", "true"], ["0", "false", '"1"', "[]", "{}", "null"]),
        ({"any_of": ("a",)}, ['"a"', r'"\u0061"'], ["1", "[]"]),
        ({"prefix": "1"}, ['"1x"'], ["1", "12", "true"]),
        ({"regex": ".*"}, ['""', '"ü"', r'"\ud83d\ude00"'], ["1", "null", "{}"]),
        ({"semver": "1"}, ['"1.2.0"'], ["1", "1.2"]),
        ({"key_in": IDS}, ['"u1"', '"true"'], ["true", "1"]),
        ({"exists": True}, ["0", "false", '""', "[]", "{}"], ["null"]),
        ({"exists": False}, ["null"], ["0"]),
    ],
)
def test_a_field_of_the_body_is_compared_with_its_type(
    wanted: dict[str, Any], held: list[str], refused: list[str]
) -> None:
    when = on("json", **wanted)

    def body(value: str) -> Asked:
        return Asked(body=b'{"x": ' + value.encode() + b"}")

    assert [value for value in held if not holds(when, body(value), lists=LISTS)] == []
    assert [value for value in refused if holds(when, body(value), lists=LISTS)] == []


@pytest.mark.parametrize(
    ("pointer", "there"),
    [
        ("/a", True),
        ("/a/b", True),
        ("/a/b/0", True),
        ("/a/b/1/c~1d", True),
        ("/a/b/2", False),
        ("/a/b/-", False),
        ("/a/b/01", False),
        ("/a/b/0/x", False),
        ("/a/c", False),
        ("/~0", True),
        ("/", True),
    ],
)
def test_a_pointer_leads_through_objects_and_lists(pointer: str, there: bool) -> None:
    body = b'{"a": {"b": [1, {"c/d": 2}]}, "~": 3, "": 4}'
    assert holds(FieldIs(source="json", name=pointer, exists=True), Asked(body=body)) is there


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff",
        b'{"x": "\xff"}',
        b'\xef\xbb\xbf{"x": "u1"}',
        '{"x": "u1"}'.encode("utf-16"),
        b'{"x": "u1"} {}',
        b'{"x": NaN}',
        b'"u1"',
        b'{"x": "u1", "pad": "' + b"p" * 70_000 + b'"}',
    ],
    ids=range(12),
)
def test_a_body_that_cannot_be_read_has_no_fields(body: bytes | None) -> None:
    assert not holds(on("json", equals="u1"), Asked(body=body))
    assert holds(on("json", exists=False), Asked(body=body))


@pytest.mark.parametrize(
    ("when", "held", "refused"),
    [
        (MethodIs(("POST", "PUT")), Request(method=b"PUT"), Request(method=b"GET")),
        (HostIs(("a.example", "*.b.example")), Request(host=b"x.B.example:1"), Request(host=b"b.example")),
        (PathIs("/infer"), Request(path=b"/infer"), Request(path=b"/infer/")),
        (PathIs("/m/{name}/infer"), Request(path=b"/m/churn/infer"), Request(path=b"/m//infer")),
        (PathUnder("/v2"), Request(path=b"/v2/x"), Request(path=b"/v2x")),
    ],
)
def test_a_condition_on_the_head_is_that_of_a_match(when: When, held: Request, refused: Request) -> None:
    assert holds(when, Asked(head=held))
    assert not holds(when, Asked(head=refused))
    assert compiled(when).holds(held), "it needs no view"


@pytest.mark.parametrize(
    ("client", "inside"),
    [
        ("10.255.0.1", True),
        ("192.168.1.1", True),
        ("192.168.1.2", False),
        ("2001:db8:1::5", True),
        ("2001:db9::5", False),
        ("::ffff:10.0.0.1", True),
        ("fe80::1%eth0", False),
        ("unknown", False),
        ("10.0.0.1:80", False),
        ("", False),
        ("1" * 5000, False),
    ],
)
def test_a_client_is_in_a_network(client: str, inside: bool) -> None:
    when = ClientIn(("10.0.0.0/8", "192.168.1.1/32", "2001:db8::/32"))
    assert holds(when, Asked(client=client)) is inside
    assert holds(when, Asked(client=client)) is inside


def test_the_default_is_pinned_but_by_nobody() -> None:
    def pins(value: str | None) -> Asked:
        return Asked(head=Request(fields={b"x-model-version": value.encode()} if value else {}))

    assert holds(PinIs(semver="1"), pins(None))
    assert not holds(PinIs(exists=True), pins(None))
    assert holds(PinIs(exists=False), pins(None))
    assert holds(PinIs(exists=True), pins("1.0.0"))
    assert not holds(PinIs(semver="1"), pins("2.0.0"))
    assert holds(PinIs(semver="2"), pins(">=1")), "of several the newest counts"
    assert not holds(PinIs(semver="*"), pins("7")), "a pin on nothing that exists is in no range"


def user(key: str | None) -> Asked:
    return Asked(head=Request(fields={b"x-user-id": key.encode()} if key else {}))


def test_a_list_is_asked_about_the_key_of_the_route() -> None:
    assert holds(KeyIn(IDS), user("u1"), lists=LISTS)
    assert not holds(KeyIn(IDS), user("u2"), lists=LISTS)
    assert not holds(KeyIn(IDS), user(None), lists=LISTS)


def test_a_list_that_is_not_at_hand_is_an_error_when_compiled() -> None:
    with pytest.raises(LookupError, match=r"ids\.txt"):
        compiled(KeyIn(IDS))


def test_a_percentage_has_its_share_of_keys_and_keeps_whom_it_has() -> None:
    keys = [str(number) for number in range(20_000)]
    views = {key: user(key).view(PLAIN) for key in keys}
    few, many, other = (compiled(one) for one in (Percent(0.05, "s"), Percent(0.25, "s"), Percent(0.05, "t")))
    of_few = {key for key in keys if few.holds(views[key])}
    of_many = {key for key in keys if many.holds(views[key])}
    of_other = {key for key in keys if other.holds(views[key])}
    assert of_few < of_many
    assert 0.045 < len(of_few) / len(keys) < 0.055
    assert 0.24 < len(of_many) / len(keys) < 0.26
    assert len(of_few & of_other) < 120, "another salt has other keys: 1 in 400 is in both by chance"
    assert not any(compiled(Percent(0.0, "s")).holds(view) for view in views.values())
    assert all(compiled(Percent(1.0, "s")).holds(view) for view in views.values())
    assert not holds(Percent(1.0, "s"), user(None))


MONDAY = 1_764_547_200  # 2025-12-01T00:00:00Z
HOUR = 3600


@pytest.mark.parametrize(
    ("window", "moments"),
    [
        (TimeIn(since=100), {99.9: False, 100: True, 1e12: True}),
        (TimeIn(until=100), {99.9: True, 100: False}),
        (TimeIn(since=100, until=200), {99: False, 150: True, 200: False}),
        (TimeIn(weekdays=(0,)), {MONDAY: True, MONDAY - 1: False, MONDAY + 24 * HOUR: False}),
        (TimeIn(weekdays=(0,), zone="Europe/Berlin"), {MONDAY - HOUR: True, MONDAY - HOUR - 1: False}),
        (TimeIn(hours=(540, 1020)), {MONDAY + 9 * HOUR: True, MONDAY + 17 * HOUR: False, MONDAY: False}),
        (
            TimeIn(hours=(1320, 360), weekdays=(4,)),  # Friday night
            {
                MONDAY + (4 * 24 + 22) * HOUR: True,
                MONDAY + (5 * 24 + 5) * HOUR: True,
                MONDAY + (5 * 24 + 6) * HOUR: False,
                MONDAY + (5 * 24 + 22) * HOUR: False,
                MONDAY + (4 * 24 + 5) * HOUR: False,
            },
        ),
        (TimeIn(hours=(600, 1440)), {MONDAY + 24 * HOUR - 1: True, MONDAY + 24 * HOUR: False}),
    ],
)
def test_a_window_of_time_has_these_moments(window: TimeIn, moments: dict[float, bool]) -> None:
    condition = compiled(window)
    asked = {now: Asked(now=now).view(PLAIN) for now in moments}
    for _ in range(2):
        assert {now: condition.holds(view) for now, view in asked.items()} == moments


def test_the_clocks_of_a_zone_change_twice_a_year() -> None:
    morning = compiled(TimeIn(hours=(8 * 60, 9 * 60), zone="Europe/Berlin"))
    assert morning.holds(Asked(now=1_767_250_800 + 0).view(PLAIN))  # 2026-01-01T07:00Z is 08:00 in winter
    assert morning.holds(Asked(now=1_782_885_600).view(PLAIN))  # 2026-07-01T06:00Z is 08:00 in summer
    assert not morning.holds(Asked(now=1_782_885_600 + HOUR).view(PLAIN))


@dataclass(frozen=True)
class Answer:
    value: Any
    variant: str | None
    reason: str = "STATIC"
    error: str | None = None
    message: str = ""


class Flags:
    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def flag(self, name: str, view: View) -> Answer:
        self.asked.append(name)
        return self.answers[name]


def test_a_flag_is_on_or_has_a_variant_and_is_asked_once() -> None:
    flags = Flags(a=Answer(True, "on"), b=Answer("x", "blue"), c=Answer(1, None))
    view = Asked(flags=flags).view(PLAIN)
    assert compiled(FlagIs(flag="a")).holds(view)
    assert compiled(FlagIs(flag="a", variant="on")).holds(view)
    assert compiled(FlagIs(flag="b", variant="blue")).holds(view)
    assert not compiled(FlagIs(flag="b")).holds(view)
    assert not compiled(FlagIs(flag="c")).holds(view), "1 is not true"
    assert sorted(flags.asked) == ["a", "b", "c"]
    assert not holds(FlagIs(flag="a"), Asked()), "without flags none is on"
