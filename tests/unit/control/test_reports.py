"""Reports as the controller reads them off the board, and wishes that come true or do not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from stepdown.control import reports as module
from stepdown.control.reports import ReportError, Reports, headline_view
from stepdown.decide.shadow_spec import REPORTED, Comparing, Shadow
from tests.kit.reports import NEXT, boarded, counted, pin_up, post, whole, with_shadows


def nobody(*_wish: str) -> None:
    """The wish goes nowhere."""


def test_every_shadow_is_listed_with_its_numbers() -> None:
    idle = Shadow(name="warm", version="2.0.0", idle=True)
    other = replace(NEXT, name="other")
    with boarded(post(counted(40, 4, noise=2, failed=1))) as board:
        found = [headline_view(one) for one in Reports(board, nobody).headlines(with_shadows(NEXT, other, idle))]
    first, second = found
    assert (first["route"], first["shadow"], first["version"], first["reported"]) == ("churn", "next", "2.0.0", True)
    assert (first["compared"], first["equal"], first["different"]) == (40, 34, 6)
    assert (first["incomparable"], first["failed"], first["noise_copies"]) == (1, 1, 40)
    assert first["answers"]["noise"]["count"] == 2
    assert first["until"] == "2023-11-14T22:13:59.000Z"
    assert (second["shadow"], second["reported"], second["compared"], second["begun"]) == ("other", False, 0, None)


def test_without_a_board_there_are_shadows_and_no_reports() -> None:
    (one,) = Reports(None, nobody).headlines(with_shadows())
    assert one.post is None


def test_a_report_of_another_meaning_is_not_shown() -> None:
    changed = replace(NEXT, compare=Comparing(ignore=("/id",)))
    with boarded(post(counted(5), changed)) as board:
        (one,) = Reports(board, nobody).headlines(with_shadows())
    assert (one.post, one.section.compared) == (None, 0)


def test_what_is_new_on_the_board_is_read() -> None:
    with boarded(post(counted(5))) as board:
        reports, spec = Reports(board, nobody), with_shadows()
        assert [one.section.compared for one in reports.headlines(spec)] == [5]
        pin_up(board, [post(counted(7))])
        assert [one.section.compared for one in reports.headlines(spec)] == [7]
        board.write(b"of another release")
        assert [one.post for one in reports.headlines(spec)] == [None]


def test_a_whole_report_is_the_view_of_it() -> None:
    report = counted(20, 3)
    with boarded(post(report)) as board:
        shown = asyncio.run(Reports(board, nobody).whole(with_shadows(), "churn", "next"))
    assert shown == {**whole(report), "begun": "2023-11-14T22:13:20.000Z"}


@pytest.mark.parametrize(
    ("route", "shadow", "problem"),
    [("churn", "gone", "not-found"), ("fraud", "next", "not-found"), ("churn", "next", "no-report")],
)
def test_what_is_not_there_is_told_apart(route: str, shadow: str, problem: str) -> None:
    with boarded() as board, pytest.raises(ReportError) as caught:
        asyncio.run(Reports(board, nobody).whole(with_shadows(), route, shadow))
    assert caught.value.problem == problem
    assert (caught.value.status, "churn/next" in caught.value.detail) == (
        (404, True) if problem == "not-found" else (503, False)
    )


def test_a_shadow_that_is_one_too_many_is_told_apart_from_one_that_has_no_report_yet() -> None:
    idle = Shadow(name="warm", version="2.0.0", idle=True)
    spec = with_shadows(idle, *(replace(NEXT, name=f"s{number}") for number in range(REPORTED + 1)))
    last, last_but_one = f"s{REPORTED}", f"s{REPORTED - 1}"
    with boarded() as board:
        reports = Reports(board, nobody)
        found = {one.shadow.name: headline_view(one)["left_out"] for one in reports.headlines(spec)}
        problems = {}
        for name in (last_but_one, last):
            with pytest.raises(ReportError) as caught:
                asyncio.run(reports.whole(spec, "churn", name))
            problems[name] = (caught.value.status, caught.value.problem)
    assert [name for name, left_out in found.items() if left_out] == [last]
    assert problems == {last_but_one: (503, "no-report"), last: (404, "not-compared")}


def test_a_wish_has_come_true_when_the_board_says_so() -> None:
    wishes: list[Any] = []
    with boarded(post(counted(5))) as board:

        def begin_anew(*wish: str) -> None:
            wishes.append(wish)
            pin_up(board, [post(counted(0), wish="another's")])
            asyncio.get_running_loop().call_later(0.05, pin_up, board, [post(counted(0), wish=wish[2])])

        reports = Reports(board, begin_anew)
        assert asyncio.run(reports.begin_anew(with_shadows(), "churn", "next")) == 1_700_000_000.0
        assert [one.section.compared for one in reports.headlines(with_shadows())] == [0]
    ((route, shadow, _wish),) = wishes
    assert (route, shadow) == ("churn", "next")


def test_a_wish_that_nobody_takes_up_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with boarded(post(counted(5))) as board:
        reports = Reports(board, nobody)
        with pytest.raises(ReportError) as caught:
            asyncio.run(reports.begin_anew(with_shadows(), "churn", "next"))
        assert (caught.value.status, caught.value.problem) == (503, "not-begun-anew")
        with pytest.raises(ReportError, match="has no shadow gone"):
            asyncio.run(reports.begin_anew(with_shadows(), "churn", "gone"))
