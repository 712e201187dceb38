"""Rows: the first that holds, found by value where a row wants one."""

from __future__ import annotations

import hashlib

from stepdown.decide.conditions import Condition
from stepdown.decide.digests import Digests
from stepdown.decide.rows import Rows
from stepdown.decide.spec import HeaderMatch, Match
from tests.kit.request import request


def key(value: str) -> Match:
    return Match(headers=(HeaderMatch(name="x-api-key", equals=value),))


def test_the_first_row_that_holds_is_found_in_whatever_way_it_is_filed() -> None:
    hashed = Match(headers=(HeaderMatch(name="x-api-key", sha256=hashlib.sha256(b"b").hexdigest()),))
    either = Match(headers=(HeaderMatch(name="x-team", any_of=("blue", "red", "red")),))
    prefix = Match(headers=(HeaderMatch(name="x-api-key", prefix="b"),))
    rows = Rows([(key("a"), 1), (prefix, 2), (hashed, 3), (either, 4), (key("b"), 5), (Match(), 6)], Digests())
    assert rows.find(request(x_api_key="a")) == 1
    assert rows.find(request(x_api_key="b")) == 2
    assert rows.find(request(x_team="red")) == 4
    assert rows.find(request(x_team="red", x_api_key="a")) == 1
    assert rows.find(request(x_team="red", x_api_key="z")) == 4
    assert rows.find(request()) == 6


def test_no_row_that_holds_is_none() -> None:
    assert Rows([(key("a"), 1)], Digests()).find(request(x_api_key="b")) is None
    assert Rows[int]([], Digests()).find(request()) is None


def test_a_row_without_conditions_at_the_top_takes_everything() -> None:
    assert Rows([(Match(), 1), (key("a"), 2)], Digests()).find(request(x_api_key="a")) == 1


def test_a_filed_row_still_has_to_hold_in_full() -> None:
    both = Match(methods=("PUT",), headers=key("a").headers)
    rows = Rows([(both, 1), (key("a"), 2)], Digests())
    assert rows.find(request(x_api_key="a")) == 2
    assert rows.find(request(method="PUT", x_api_key="a")) == 1


def test_a_row_is_filed_under_its_rarest_value() -> None:
    team = HeaderMatch(name="x-team", equals="blue")
    table = [
        (Match(headers=(team, HeaderMatch(name="x-api-key", equals=str(number)))), number) for number in range(100)
    ]
    rows = Rows(table, Digests())
    assert rows.find(request(x_team="blue", x_api_key="77")) == 77
    assert [file.name for file in rows._files] == [b"x-api-key"]


def test_how_many_conditions_are_tried_does_not_grow_with_the_table() -> None:
    tried = []

    def counting(condition: Condition) -> Condition:
        holds = condition.holds
        condition.holds = lambda facts: (tried.append(condition), holds(facts))[1]
        return condition

    rows = Rows([(key(str(number)), number) for number in range(1000)], Digests())
    for file in rows._files:
        for filed in file.rows.values():
            filed[:] = [row._replace(condition=counting(row.condition)) for row in filed]
    assert rows.find(request(x_api_key="999")) == 999
    assert len(tried) == 1
