"""Reports by route, and a book for each set of paths that recorded answers do not show."""

from __future__ import annotations

import json
from typing import Any

from stepdown.comparer.asked import Asked
from stepdown.comparer.pairing import Pair
from stepdown.comparer.results import Outcome, Result
from stepdown.comparison.sketch import Sketch
from stepdown.replay.books import Books
from stepdown.replay.candidate import Candidates, Sending, parse_target
from stepdown.replay.exchanges import exchange_of
from stepdown.wire import parse_response
from tests.kit.replaying import exchange

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
CANDIDATES = Candidates(parse_target("http://h"), Sending(), None)


def add(
    books: Books, number: int, answer: Any, outcome: Outcome = "answered", route: str = "churn", **more: Any
) -> Any:
    entry = exchange(number, more.pop("recorded", None), copy={"route": route}, **more)
    found = CANDIDATES.find(route, "churn", "2.0.0", "2.0.0")
    assert not isinstance(found, str)
    configuration, shadow = found
    made = exchange_of(entry, configuration.routes[route], number)
    assert not isinstance(made, str)
    asked = Asked(configuration, made.copy, made.body)
    result = Result("2.0.0", outcome, "", parse_response(HEAD, b"POST"), json.dumps(answer).encode())
    return books.add(Pair(asked, shadow, made.answer, made.answer_body, result, None), entry.id, made.unseen, made.size)


def test_answers_are_counted_by_route() -> None:
    books = Books()
    assert add(books, 1, {"logit": 0.1}) == "equal"
    assert add(books, 2, {"logit": 0.3}) == "different"
    assert add(books, 3, None, "timeout") == "incomparable"
    assert add(books, 4, {"logit": 0.4}, route="other") == "equal"
    reports = books.reports()
    assert [*reports] == ["churn", "other"]
    section = reports["churn"].sections["2.0.0"]
    assert (section.compared, section.equal, section.incomparable) == (2, 1, {"timeout": 1})
    assert books.results == {"equal": 2, "different": 1, "incomparable": 1}
    (worst,) = section.worst.values()
    assert worst.name == "run-2"


def test_paths_at_which_recorded_answers_have_a_digest_do_not_differ() -> None:
    books = Books()
    answer = {"logit": 0.1, "who": "eve"}
    assert add(books, 1, answer | {"who": "adam"}, recorded=answer, redact=("/who",)) == "equal"
    assert add(books, 1, answer | {"logit": 7}, recorded=answer, redact=("/who",)) == "different"
    assert add(books, 1, answer | {"who": "adam"}, recorded=answer) == "different"
    assert books.unseen == {"/who": 2}
    section = books.reports()["churn"].sections["2.0.0"]
    assert (section.compared, section.equal) == (3, 1)
    assert {path: counts.different for path, counts in section.paths.items()} == {"/logit": 1, "/who": 1}


def test_sets_of_such_paths_are_bounded() -> None:
    books = Books()
    for number in range(40):
        name = f"m{number}"
        found = add(books, 1, {name: 2}, recorded={name: 1}, redact=(f"/{name}",))
        assert found == ("equal" if number < 32 else "incomparable")
    section = books.reports()["churn"].sections["2.0.0"]
    assert section.incomparable == {"redacted": 8}


def test_sizes_are_those_of_answers_as_they_were_sent() -> None:
    books = Books()
    add(books, 1, {"logit": 0.1})  # recorded without the space that it was sent with
    section = books.reports()["churn"].sections["2.0.0"]
    for side in (section.sizes.served, section.sizes.candidate):
        assert Sketch(side).moments.mean == len('{"logit": 0.1}')
