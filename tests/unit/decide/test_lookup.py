"""The look-up of routes: what is most specific wins, and an ambiguous path is refused where a rule matches it."""

from __future__ import annotations

import pytest

from stepdown.decide.digests import Digests
from stepdown.decide.lookup import Lookup
from stepdown.decide.spec import HeaderMatch, Match
from stepdown.errors import BadRequestError
from tests.kit.request import Request, request


def lookup(*matches: Match) -> Lookup[int]:
    """Routes numbered from 0."""
    return Lookup([(match, number) for number, match in enumerate(matches)], Digests())


def found(table: Lookup[int], asked: Request) -> int | None:
    result = table.find(asked)
    return None if result is None else result[0]


def header(name: str, value: str) -> HeaderMatch:
    return HeaderMatch(name=name, equals=value)


def test_an_exact_path_goes_before_a_template_and_a_template_before_a_prefix_and_any_path_comes_last() -> None:
    table = lookup(
        Match(),
        Match(path_prefix="/"),
        Match(path_prefix="/v2/models"),
        Match(path="/v2/models/{name}/infer"),
        Match(path="/v2/models/churn/infer"),
    )
    assert found(table, request("/v2/models/churn/infer")) == 4
    assert found(table, request("/v2/models/other/infer")) == 3
    assert found(table, request("/v2/models/other/ready")) == 2
    assert found(table, request("/v2/models")) == 2
    assert found(table, request("/v2/modelsx")) == 1
    assert found(table, request("*", method="OPTIONS")) == 0


def test_segments_are_compared_from_the_left_and_a_literal_goes_before_a_name() -> None:
    table = lookup(Match(path="/{a}/x/{b}"), Match(path="/m/{b}/{c}"), Match(path_prefix="/m/x"))
    assert table.find(request("/m/x/1")) == (2, ())
    assert table.find(request("/m/y/1")) == (1, (b"y", b"1"))
    assert table.find(request("/n/x/1")) == (0, (b"n", b"1"))


def test_a_route_that_takes_another_method_leaves_the_path_to_the_next_in_line() -> None:
    table = lookup(
        Match(path="/m/infer", methods=("POST",)),
        Match(path="/{name}/infer", methods=("PUT",)),
        Match(path_prefix="/m", methods=("DELETE",)),
        Match(methods=("GET",)),
    )
    assert found(table, request("/m/infer", method="POST")) == 0
    assert found(table, request("/m/infer", method="PUT")) == 1
    assert found(table, request("/m/infer", method="DELETE")) == 2
    assert found(table, request("/m/infer", method="GET")) == 3
    assert found(table, request("/m/infer", method="PATCH")) is None


def test_a_name_stands_for_one_segment_that_is_not_empty() -> None:
    table = lookup(Match(path="/m/{name}"))
    assert table.find(request("/m/a")) == (0, (b"a",))
    assert table.find(request("/m/")) is None
    assert table.find(request("/m/a/")) is None
    assert table.find(request("/m")) is None


def test_a_name_with_a_verb_goes_before_one_without() -> None:
    table = lookup(
        Match(path="/v1/models/{name}"),
        Match(path="/v1/models/{name}:predict", methods=("POST",)),
        Match(path="/v1/models/churn:explain"),
    )
    assert table.find(request("/v1/models/churn:predict", method="POST")) == (1, (b"churn",))
    assert table.find(request("/v1/models/a:b:predict", method="POST")) == (1, (b"a:b",))
    assert table.find(request("/v1/models/churn:predict", method="GET")) == (0, (b"churn:predict",))
    assert table.find(request("/v1/models/churn:predict/x", method="POST")) is None
    assert table.find(request("/v1/models/other:explain")) == (0, (b"other:explain",))
    assert table.find(request("/v1/models/churn:explain")) == (2, ())
    assert table.find(request("/v1/models/:predict", method="POST")) == (0, (b":predict",))
    assert table.find(request("/v1/models/", method="POST")) is None


def test_of_two_verbs_the_longer_one_goes_first() -> None:
    table = lookup(Match(path="/{name}:rows"), Match(path="/{name}:all:rows"))
    assert table.find(request("/m:all:rows")) == (1, (b"m",))
    assert table.find(request("/m:rows")) == (0, (b"m",))


def test_a_prefix_may_have_names_too() -> None:
    table = lookup(Match(path_prefix="/teams/{team}/"), Match(path="/teams/{team}"))
    assert table.find(request("/teams/blue/m/1")) == (0, (b"blue",))
    assert table.find(request("/teams/blue")) == (1, (b"blue",))


def test_a_host_goes_before_a_wildcard_and_the_longest_wildcard_before_a_shorter_one() -> None:
    table = lookup(
        Match(path="/x"),
        Match(path="/x", hosts=("*.example.com",)),
        Match(path="/x", hosts=("*.eu.example.com", "other.org")),
        Match(path="/x", hosts=("a.eu.example.com",)),
    )
    assert found(table, request("/x", host="A.EU.example.com:8080")) == 3
    assert found(table, request("/x", host="b.eu.example.com")) == 2
    assert found(table, request("/x", host="b.us.example.com")) == 1
    assert found(table, request("/x", host="example.com")) == 0
    assert found(table, request("/x", host="other.org")) == 2


def test_a_host_whose_methods_do_not_fit_leaves_the_request_to_a_wider_one() -> None:
    table = lookup(
        Match(path="/x", hosts=("a.b.c",), methods=("PUT",)),
        Match(path="/x", hosts=("*.b.c",), methods=("GET",)),
        Match(path="/x", hosts=("*.c",), methods=("POST",)),
    )
    assert found(table, request("/x", host="a.b.c", method="PUT")) == 0
    assert found(table, request("/x", host="a.b.c", method="GET")) == 1
    assert found(table, request("/x", host="a.b.c", method="POST")) == 2
    assert found(table, request("/x", host="a.b.c", method="DELETE")) is None


def test_the_path_counts_more_than_the_host() -> None:
    table = lookup(Match(path_prefix="/", hosts=("a.b",)), Match(path="/x"))
    assert found(table, request("/x", host="a.b")) == 1
    assert found(table, request("/y", host="a.b")) == 0


def test_a_named_method_goes_before_any_and_more_headers_before_fewer() -> None:
    table = lookup(
        Match(path="/x"),
        Match(path="/x", headers=(header("a", "1"),)),
        Match(path="/x", headers=(header("a", "1"), header("b", "2"))),
        Match(path="/x", methods=("PUT",)),
    )
    assert found(table, request("/x", a="1", b="2")) == 2
    assert found(table, request("/x", a="1")) == 1
    assert found(table, request("/x", b="2")) == 0
    assert found(table, request("/x", method="PUT", a="1", b="2")) == 3


def test_the_first_in_the_file_wins_among_equals() -> None:
    table = lookup(Match(path="/x", headers=(header("a", "1"),)), Match(path="/x", headers=(header("b", "1"),)))
    assert found(table, request("/x", a="1", b="1")) == 0


@pytest.mark.parametrize("path", ["/v2/../admin", "/v2/a%2fb", "/v2//x", "/v2/%zz%2", "/v2/a;b"])
def test_an_ambiguous_path_under_a_prefix_is_refused(path: str) -> None:
    table = lookup(Match(path_prefix="/v2"), Match())
    with pytest.raises(BadRequestError):
        table.find(request(path))


def test_an_ambiguous_segment_of_a_template_is_refused() -> None:
    with pytest.raises(BadRequestError):
        lookup(Match(path="/m/{name}")).find(request("/m/a%2Fb"))


def test_an_ambiguous_path_that_no_rule_matches_is_no_match_like_any_other() -> None:
    assert lookup(Match(path="/m/infer")).find(request("/m/../m/infer")) is None


def test_a_route_by_host_alone_reads_no_path_and_refuses_none() -> None:
    assert lookup(Match(hosts=("a.b",))).find(request("/x//y", host="a.b")) == (0, ())


def test_what_is_written_exactly_needs_no_check() -> None:
    assert lookup(Match(path="/a;b")).find(request("/a;b")) == (0, ())


def test_an_exact_path_never_comes_to_the_tree() -> None:
    table = lookup(*(Match(path=f"/v2/models/m{number}/infer") for number in range(1000)))

    class Untouchable:
        def find(self, *arguments: object) -> None:
            raise AssertionError("the tree was searched")

    table._tree = Untouchable()  # type: ignore[assignment]
    assert found(table, request("/v2/models/m777/infer")) == 777
