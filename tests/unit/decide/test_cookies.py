"""Cookies that Stepdown sets: only what it signed counts, an id is a key, and a draining version knows its own."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.cookies import KeyCookie, Visitor
from stepdown.decide.slots import slot_of
from stepdown.decide.snapshot import Route, compile_snapshot
from tests.kit import specs
from tests.kit.request import Request, request

NEW, OLD = "a-new-secret-of-some-length", "an-old-secret-of-some-length"
NOW = 1_800_000_000
DAY = 86_400
ID = b"\xfb" * 16
TEXT = b"-_v7-_v7-_v7-_v7-_v7-w"
"""The id as it is written."""


def settings(*secrets: str, **options: Any) -> spec.SetCookie:
    return spec.SetCookie(secrets=secrets or (NEW,), **{"ttl": 30 * DAY, **options})


def value_of(line: bytes) -> str:
    found = re.match(rb"set-cookie: sd_uid=([^;]+); ", line)
    assert found is not None
    return found[1].decode()


def read(cookie: KeyCookie, *values: str, now: float = NOW) -> Visitor | None:
    sent = request(cookie="; ".join(f"sd_uid={value}" for value in values)) if values else request()
    return cookie.visitor(sent, now, lambda: ID)


def issued(one: spec.SetCookie, *, record: bytes | None = None, now: float = NOW) -> str:
    """The value that a new visitor gets."""
    cookie = KeyCookie("sd_uid", one)
    visitor = read(cookie, now=now)
    assert visitor is not None
    return value_of(cookie.line(visitor, record, now))


def test_who_has_no_cookie_gets_an_id_and_the_line_that_sets_it() -> None:
    cookie = KeyCookie("sd_uid", settings())
    visitor = read(cookie)
    assert visitor == Visitor(TEXT, NOW, is_new=True, unsaid=True)
    line = cookie.line(visitor, None, NOW)
    signed = hmac.digest(NEW.encode(), b"stepdown cookie sd_uid=%b~%x" % (TEXT, NOW), hashlib.sha256)[:16]
    mac = urlsafe_b64encode(signed).rstrip(b"=")
    value = b"%b~%x~%b" % (TEXT, NOW, mac)
    assert line == b"set-cookie: sd_uid=%b; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax; Secure\r\n" % value


def test_the_attributes_are_those_of_the_file() -> None:
    cookie = KeyCookie("x", settings(secure=False, same_site="Strict", path="/v2", domain="example.com"))
    line = cookie.line(Visitor(TEXT, NOW, is_new=True, unsaid=True), None, NOW)
    assert line.endswith(b"; Max-Age=2592000; Path=/v2; HttpOnly; SameSite=Strict; Domain=example.com\r\n")


def test_a_signed_cookie_counts_and_needs_no_answer() -> None:
    cookie = KeyCookie("sd_uid", settings())
    visitor = read(cookie, issued(settings()), now=NOW + DAY)
    assert visitor == Visitor(TEXT, NOW)
    assert cookie.line(visitor, None, NOW + DAY) == b""


GOOD = issued(settings())
BAD = {
    "empty": "",
    "a name": "alice",
    "another id": GOOD.replace("v7", "v8"),
    "another time": GOOD.replace(f"{NOW:x}", f"{NOW + DAY:x}"),
    "no signature": GOOD.rpartition("~")[0],
    "a cut signature": GOOD[:-1],
    "a longer one": GOOD + "A",
    "a signature of nothing": GOOD.rpartition("~")[2],
    "only separators": "~~~~",
    "an appended record": GOOD.replace("~", "~12345678~2.0.0~", 1),
    "another secret's": issued(settings(OLD)),
    "very long": "A" * 100_000,
    "not text": "\xff~\xfe~\xfd",
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_what_was_not_signed_here_counts_as_missing(value: str) -> None:
    visitor = read(KeyCookie("sd_uid", settings()), value)
    assert visitor is not None
    assert visitor.is_new


def test_a_cookie_of_another_name_does_not_count_under_this_one() -> None:
    visitor = KeyCookie("other", settings()).visitor(request(cookie=f"other={GOOD}"), NOW, lambda: ID)
    assert visitor is not None
    assert visitor.is_new


def test_of_several_cookies_of_the_name_the_first_that_counts_is_taken() -> None:
    cookie = KeyCookie("sd_uid", settings())
    assert read(cookie, "forged", "~", GOOD) == Visitor(TEXT, NOW)
    flood = read(cookie, *["forged"] * 4, GOOD)
    assert flood is not None
    assert flood.is_new


def test_a_cookie_ends_with_its_time_whatever_browsers_do() -> None:
    cookie = KeyCookie("sd_uid", settings())
    last = read(cookie, GOOD, now=NOW + 30 * DAY - 1)
    over = read(cookie, GOOD, now=NOW + 30 * DAY)
    assert last is not None
    assert over is not None
    assert (last.is_new, over.is_new) == (False, True)


def test_visits_do_not_prolong_it() -> None:
    cookie = KeyCookie("sd_uid", settings(NEW, OLD))
    visitor = read(cookie, issued(settings(OLD)), now=NOW + 10 * DAY)
    assert visitor is not None
    assert b"; Max-Age=1728000;" in cookie.line(visitor, None, NOW + 10 * DAY)


def test_it_ends_with_the_experiment() -> None:
    cookie = KeyCookie("sd_uid", settings(until=NOW + 100))
    visitor = read(cookie, now=NOW + 40)
    assert visitor is not None
    assert b"; Max-Age=60;" in cookie.line(visitor, None, NOW + 40)
    assert read(cookie, GOOD, now=NOW + 100) is None


def test_what_an_older_secret_signed_counts_and_is_signed_anew() -> None:
    cookie = KeyCookie("sd_uid", settings(NEW, OLD))
    visitor = read(cookie, issued(settings(OLD)))
    assert visitor == Visitor(TEXT, NOW, unsaid=True)
    again = value_of(cookie.line(visitor, None, NOW))
    assert again == GOOD
    assert read(KeyCookie("sd_uid", settings()), again) == Visitor(TEXT, NOW)


def test_something_else_signed_with_the_same_secret_is_no_cookie() -> None:
    for payload in (b"just-an-id", b"id~no-number", b""):
        signed = hmac.digest(NEW.encode(), b"stepdown cookie sd_uid=" + payload, hashlib.sha256)[:16]
        value = payload + b"~" + urlsafe_b64encode(signed).rstrip(b"=")
        visitor = read(KeyCookie("sd_uid", settings()), value.decode())
        assert visitor is not None
        assert visitor.is_new


def test_a_record_is_signed_with_the_rest_and_written_when_it_changes() -> None:
    cookie = KeyCookie("sd_uid", settings())
    visitor = read(cookie, issued(settings(), record=b"12345678~2.0.0-rc.1+b7"))
    assert visitor == Visitor(TEXT, NOW, b"12345678~2.0.0-rc.1+b7")
    assert cookie.line(visitor, visitor.record, NOW) == cookie.line(visitor, None, NOW) == b""
    changed = read(cookie, value_of(cookie.line(visitor, b"12345678~1.1.0", NOW)))
    assert changed == Visitor(TEXT, NOW, b"12345678~1.1.0")


# --- on routes ------------------------------------------------------------------------------------------------------


def route(split: dict[str, int], *first: spec.KeySource, **options: Any) -> Route:
    model = specs.model(
        specs.version("1.0.0", 1),
        specs.version("2.0.0", 2),
        chains=(spec.Chain(served="2.0.0", pinned="1.0.0", steps=()),),
    )
    rule = spec.Rule(name="all", split=tuple(split.items()), salt="s", **options)
    key = (*first, spec.KeySource(cookie="sd_uid", set_cookie=settings()))
    return compile_snapshot(specs.snapshot(specs.route({}, rules=(rule,), key=key), models=[model])).routes[0]


def ask(one: Route, sent: Request, number: int = 7, ready: tuple[bool, bool] = (True, True)) -> tuple[Choice, bytes]:
    """The choice for a request whose sender gets the id `number` if they have none, and the line of the answer."""

    def refuse(*_: object) -> int:
        raise AssertionError("drawn")

    visitor = one.visitor(sent, None, "", NOW, lambda: number.to_bytes(16, "big"))
    choice = one.choose(sent, (), None, "", ready, refuse, visitor)
    return choice, b"" if visitor is None else one.set_cookie(visitor, choice, NOW)


def with_cookie(line: bytes) -> Request:
    return request(cookie=f"sd_uid={value_of(line)}")


def test_the_first_request_is_decided_by_the_id_that_its_answer_sets() -> None:
    one = route({"1.0.0": 50, "2.0.0": 50})
    served = set()
    for number in range(50):
        choice, line = ask(one, request(), number)
        again, silent = ask(one, with_cookie(line), number=999)
        assert again is choice
        assert silent == b""
        key = value_of(line).partition("~")[0].encode()
        assert choice.assigned == ("1.0.0", "2.0.0")[one.rules[0].table[slot_of(b"s:cookie:sd_uid:" + key)]]
        assert (choice.key_source, choice.reason, choice.evidence) == ("cookie:sd_uid", "split", True)
        served.add(choice.served)
    assert served == {"1.0.0", "2.0.0"}


def test_who_has_an_earlier_key_gets_no_cookie() -> None:
    one = route({"1.0.0": 1}, spec.KeySource(header="x-user-id"))
    choice, line = ask(one, request(x_user_id="7"))
    assert (choice.key_source, line) == ("header:x-user-id", b"")
    assert ask(one, request())[0].key_source == "cookie:sd_uid"


def test_what_a_browser_sends_under_the_name_is_no_key_by_itself() -> None:
    one = route({"1.0.0": 50, "2.0.0": 50})
    assert one.choose(request(cookie="sd_uid=alice"), (), None, "", (True, True), lambda: 0).key_source == "none"


def test_a_request_that_names_its_server_gets_no_cookie() -> None:
    model = specs.model(specs.version("1.0.0", 1))
    key = (spec.KeySource(cookie="sd_uid", set_cookie=settings()),)
    whole = specs.snapshot(specs.route({"1.0.0": 1}, key=key, pin="server"), models=[model])
    one = compile_snapshot(whole).routes[0]
    choice, line = ask(one, request(x_model_version="1.0.0"))
    assert (choice.reason, line) == ("pin-server", b"")


def test_heads_of_such_a_route_are_never_settled() -> None:
    assert route({"1.0.0": 1}).settle(request(), (), "") is None


def recorded(split: dict[str, int], version: str) -> bytes:
    """The line for a visitor whom this split gives to the version."""
    one = route(split, drain="sticky")
    lines = (
        line for number in range(1000) for choice, line in [ask(one, request(), number)] if choice.served == version
    )
    return next(lines)


def test_a_version_without_weight_keeps_whom_it_had_and_gets_nobody_new() -> None:
    drained = route({"1.0.0": 100, "2.0.0": 0}, drain="sticky")
    had = recorded({"1.0.0": 80, "2.0.0": 20}, "2.0.0")
    choice, line = ask(drained, with_cookie(had))
    assert (choice.assigned, choice.served, choice.reason, choice.evidence) == ("2.0.0", "2.0.0", "kept", False)
    assert line == b""
    others, _ = ask(drained, with_cookie(recorded({"1.0.0": 80, "2.0.0": 20}, "1.0.0")))
    assert (others.served, others.reason) == ("1.0.0", "split")
    assert {ask(drained, request(), number)[0].served for number in range(200)} == {"1.0.0"}


def test_without_drain_nothing_of_a_version_is_in_the_cookie_and_weight_0_takes_everybody() -> None:
    _, line = ask(route({"1.0.0": 50, "2.0.0": 50}), request())
    assert value_of(line).count("~") == 2
    had = recorded({"1.0.0": 80, "2.0.0": 20}, "2.0.0")
    assert ask(route({"1.0.0": 100, "2.0.0": 0}), with_cookie(had))[0].reason == "split"


def test_a_ramp_that_moves_a_visitor_is_written_into_the_cookie() -> None:
    line = recorded({"1.0.0": 100, "2.0.0": 0}, "1.0.0")
    choice, moved = ask(route({"1.0.0": 0, "2.0.0": 100}, drain="sticky"), with_cookie(line))
    assert choice.served == "1.0.0", "1.0.0 drains and keeps them"
    assert moved == b""
    choice, moved = ask(route({"1.0.0": 1, "2.0.0": 9999}, drain="sticky"), with_cookie(line))
    assert choice.served == "2.0.0"
    assert value_of(moved).split("~")[:2] == value_of(line).split("~")[:2]
    assert value_of(moved).split("~")[3] == "2.0.0"


def test_the_record_of_another_rule_keeps_nobody() -> None:
    had = recorded({"1.0.0": 80, "2.0.0": 20}, "2.0.0")
    rule = spec.Rule(name="all", split=(("1.0.0", 1), ("2.0.0", 0)), salt="another", drain="sticky")
    model = specs.model(specs.version("1.0.0", 1), specs.version("2.0.0", 2))
    key = (spec.KeySource(cookie="sd_uid", set_cookie=settings()),)
    one = compile_snapshot(specs.snapshot(specs.route({}, rules=(rule,), key=key), models=[model])).routes[0]
    choice, line = ask(one, with_cookie(had))
    assert (choice.served, choice.reason) == ("1.0.0", "split")
    assert value_of(line).split("~")[3] == "1.0.0"


def test_a_draining_version_that_is_down_gives_way_and_is_charged() -> None:
    drained = route({"1.0.0": 100, "2.0.0": 0}, drain="sticky")
    choice, line = ask(drained, with_cookie(recorded({"1.0.0": 80, "2.0.0": 20}, "2.0.0")), ready=(True, False))
    assert (choice.assigned, choice.served, choice.reason, choice.evidence) == ("2.0.0", "1.0.0", "unhealthy", False)
    assert line == b"", "they are still its own when it is back"


@pytest.mark.parametrize("shown", [repr, str])
def test_no_secret_is_shown(shown: Any) -> None:
    assert NEW not in shown(settings())
    assert NEW not in shown(spec.KeySource(cookie="a", set_cookie=settings()))


def test_an_explanation_says_whose_id_it_is() -> None:
    drained = route({"1.0.0": 100, "2.0.0": 0}, drain="sticky")

    def told(sent: Request) -> tuple[str | None, str]:
        visitor = drained.visitor(sent, None, "", NOW, lambda: ID)
        one = drained.explain(sent, (), None, "", (True, True), lambda: 0, visitor)
        return one.cookie, " ".join(one.sentences())

    assert told(request())[0] == "new"
    assert "No cookie:sd_uid that counts: the answer sets one." in told(request())[1]
    had = recorded({"1.0.0": 80, "2.0.0": 20}, "2.0.0")
    cookie, sentences = told(with_cookie(had))
    assert cookie == "kept"
    assert "but the cookie says that it was given before to 2.0.0" in sentences
    assert "Served by 2.0.0, because it drains and keeps whom it had." in sentences
    assert told(with_cookie(recorded({"1.0.0": 80, "2.0.0": 20}, "1.0.0")))[0] == "signed"
