"""`stepdown shadow`: what it prints of reports, what it decides, and with which codes it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from stepdown.cli.admin_client import AdminError
from stepdown.cli.app import app
from stepdown.cli.shadow_gate import Limits, decide, show, wait_for
from stepdown.comparison.answers import Reply
from stepdown.comparison.book import Book
from stepdown.comparison.report import Report
from stepdown.control import admin
from stepdown.control.reports import Reports
from stepdown.decide.shadow_spec import REPORTED, Comparing, Examples, Shadow, Tolerance
from tests.kit.comparing import JSON, judged
from tests.kit.controller_state import SetState, a_token, served
from tests.kit.looping import LoopThread
from tests.kit.reports import NEXT, boarded, counted, pin_up, post, whole, with_shadows
from tests.kit.upstream import Upstream, serve

TOKENS = (a_token("ci", "view", "look-only"), a_token("deploy", "operate", "s3cret"))


class Sidecar:
    """An admin API with reports."""

    def __init__(self, port: int, board: Any) -> None:
        self.admin = f"http://127.0.0.1:{port}"
        self.board = board

    def run(self, *arguments: str, token: str = "look-only") -> Result:
        return CliRunner().invoke(
            app, ["shadow", *arguments, "--admin", self.admin], env={"STEPDOWN_ADMIN_TOKEN": token}
        )


@contextmanager
def sidecar(*reports: Report, shadows: tuple[Shadow, ...] = (NEXT,)) -> Iterator[Sidecar]:
    pinned = [post(report, shadow) for report, shadow in zip(reports, shadows, strict=False)]
    with boarded(*pinned) as board:

        def begin_anew(_route: str, name: str, wish: str) -> None:
            pin_up(board, [post(counted(0), replace(NEXT, name=name), wish)])

        state = SetState(spec=with_shadows(*shadows), tokens=TOKENS, reports=Reports(board, begin_anew))
        with served(lambda: admin.application(state)) as server:
            yield Sidecar(server.port, board)


# --- report -----------------------------------------------------------------------------------------------------------


def test_all_shadows_are_a_table_with_a_line_for_each() -> None:
    with sidecar(counted(40, 4, noise=2, failed=1), shadows=(NEXT, replace(NEXT, name="other"))) as scene:
        done = scene.run("report")
    assert done.exit_code == 0
    first, second = [line.split() for line in done.stdout.splitlines()[3:]]
    assert first[:5] == ["churn", "next", "2.0.0", "40", "15"]
    assert first[-4:] == ["%", "noise", "1", "1"]
    assert second[:6] == ["churn", "other", "2.0.0", "no", "report", "yet"]


def test_shadows_that_are_too_many_for_a_report_are_told_apart() -> None:
    shadows = tuple(replace(NEXT, name=f"s{number}") for number in range(REPORTED + 1))
    with sidecar(*(counted(1) for _ in shadows[:REPORTED]), shadows=shadows) as scene:
        listed = scene.run("report")
        all_of_route = json.loads(scene.run("report", "churn", "--json").stdout)
        gate = scene.run("gate", "churn", f"s{REPORTED}", "--max-different", "1%")
    assert listed.stdout.splitlines()[-1].split()[:6] == ["churn", f"s{REPORTED}", "2.0.0", "one", "too", "many"]
    assert len(all_of_route["shadows"]) == REPORTED
    assert (gate.exit_code, f"that is done for the first {REPORTED} shadows" in gate.stderr) == (3, True)


def test_without_shadows_it_says_so() -> None:
    with sidecar(shadows=(Shadow(name="warm", version="2.0.0", idle=True),)) as scene:
        assert scene.run("report").stdout == "No route has a shadow whose answers are compared.\n"


def test_a_whole_report_shows_what_a_person_can_act_on() -> None:
    with sidecar(counted(400, 40, noise=8, failed=3, errors=2)) as scene:
        text = scene.run("report", "churn").stdout
    lines = text.splitlines()
    assert lines[0].startswith("churn/next: 400 compared, 350 equal, 50 different (12.5 %, ")
    assert lines[0].endswith("3 incomparable (timeout 3)")
    titles = [line for line in lines if line and not line.startswith("  ")]
    assert [title.split(":")[0].split(" (")[0] for title in titles[1:-1]] == [
        "By the shape that was asked for",
        "Where they differ",
        "Statuses",
        "Time, size and events",
        "Labels that changed",
        "Numbers that moved",
        "For example",
    ]
    paths = lines[lines.index("Where they differ") + 2 :]
    assert [line.split()[0] for line in paths[:4]] == ["/plan", "/score", "(status)", "/note"]
    assert [("reports it" in line) for line in paths[:4]] == [True, True, True, False]
    assert " differs " in paths[1]
    assert paths[3].endswith(" noise")
    labels = next(place for place, line in enumerate(lines) if line.startswith("Labels that changed: /plan"))
    assert lines[labels + 2].split()[1:4] == ["basic", "plus", "40"], lines[labels:]
    assert "  2023-11-14T22:00:00.000Z" in text
    assert titles[-1] == "Counted since 2023-11-14T22:13:20.000Z."


def test_numbers_that_differ_by_how_they_are_rounded_have_not_moved() -> None:
    def report(apart: float) -> Report:
        book = Book(Comparing(tolerances=(Tolerance("/p", absolute=1.0),)), Examples(), lambda: 0.5)
        for number in range(40):
            book.add(judged({"p": 1.3 + number / 7}, {"p": 1.3 + number / 7 + apart}))
        return book.report("churn/next")

    for apart, moved in ((1e-15, False), (0.5, True)):
        with sidecar(report(apart)) as scene:
            assert ("Numbers that moved" in scene.run("report", "churn").stdout) is moved


def test_long_times_and_large_sizes_are_written_out() -> None:
    book = Book(Comparing(), Examples(), lambda: 0.5)
    one = judged({}, {})
    assert one.candidate is not None
    one.served.seconds, one.candidate.seconds = 0.02, 4.25
    one.served.size, one.candidate.size = 120, 1234567
    book.add(one)
    with sidecar(book.report("churn/next")) as scene:
        text = scene.run("report", "churn").stdout
    assert "20 ms > 4.25 s" in text
    assert "120 B > 1,234,567 B" in text
    assert "e+0" not in text


def test_a_body_that_is_no_json_differs_as_a_whole() -> None:
    book = Book(Comparing(), Examples(), lambda: 0.5)
    one = judged({"a": 1}, {})
    assert one.candidate is not None
    one.candidate = Reply(200, b"<html>", JSON)
    book.add(one)
    with sidecar(book.report("churn/next")) as scene:
        lines = [line.split() for line in scene.run("report", "churn").stdout.splitlines()]
    assert ["(body)", "type", "1", "1"] in [line[:4] for line in lines]
    assert ["(body)", "type", '{"a":', "1}", '"<html>"'] in [line[:5] for line in lines]


def test_watched_it_is_shown_again_until_somebody_stops_it() -> None:
    with sidecar(counted(5)) as scene:
        command = [sys.executable, "-m", "stepdown", "shadow", "report", "--watch", "--json", "--admin", scene.admin]
        environ = {**os.environ, "STEPDOWN_ADMIN_TOKEN": "look-only"}
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            looks = [json.loads(process.stdout.readline())]
            pin_up(scene.board, [post(counted(7))])
            looks.append(json.loads(process.stdout.readline()))
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
    assert [look["shadows"][0]["compared"] for look in looks] == [5, 7]
    assert (process.returncode, errors) == (0, b"")


def test_as_json_it_is_what_the_admin_api_says() -> None:
    report = counted(20, 3)
    with sidecar(report, shadows=(NEXT, replace(NEXT, name="other"))) as scene:
        one = json.loads(scene.run("report", "churn", "next", "--json").stdout)
        listed = json.loads(scene.run("report", "--json").stdout)
        pin_up(scene.board, [post(report), post(report, replace(NEXT, name="other"))])
        both = json.loads(scene.run("report", "churn", "--json").stdout)
    assert one["report"] == whole(report)["report"]
    assert [shadow["reported"] for shadow in listed["shadows"]] == [True, False]
    assert [shadow["shadow"] for shadow in both["shadows"]] == ["next", "other"]


def test_what_cannot_be_shown_is_told_with_a_code_of_its_own() -> None:
    with sidecar(counted(20, 3)) as scene:
        for arguments, token, words in [
            (
                ["report", "gone"],
                "look-only",
                "There is no route gone with shadows",
            ),
            (
                ["report", "churn", "gone"],
                "look-only",
                "Route churn has no shadow gone",
            ),
            (["report"], "wrong", "Refused with 401 "),
            (["report"], "", "The environment variable STEPDOWN_ADMIN_TOKEN holds no token"),
            (["report", "--nonsense"], "look-only", "No such option: --nonsense"),
            (["reset", "churn"], "look-only", "Refused with 403 "),
        ]:
            done = scene.run(*arguments, token=token)
            assert (done.exit_code, words in done.stderr) == (3, True), done.stderr
    done = scene.run("report")  # nobody listens any more
    assert (done.exit_code, "cannot be reached" in done.stderr) == (3, True)


# --- gate -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "limits", "outcome"),
    [
        (counted(0), Limits(0.05, None, 1), "inconclusive"),
        (counted(400), Limits(0.05, None, 400), "pass"),
        (counted(400), Limits(0.05, None, 401), "inconclusive"),
        (counted(400), Limits(0.0, None, 1), "pass"),
        (counted(400, 1), Limits(0.0, None, 1), "fail"),
        (counted(400, 200), Limits(0.05, None, 1), "fail"),
        (counted(400, 20), Limits(0.05, None, 1), "inconclusive"),
        (counted(400, failed=200), Limits(0.05, None, 1), "fail"),
        (counted(400, noise=200), Limits(0.05, None, 1), "inconclusive"),  # it differs as often as noise does
        (counted(400), Limits(None, 0.05, 1), "pass"),
        (counted(400, 200), Limits(None, 0.05, 1), "pass"),
        (counted(400, errors=200), Limits(None, 0.05, 1), "fail"),
        (counted(400, failed=200), Limits(None, 0.05, 1), "fail"),
        (counted(400, failed=1), Limits(None, 0.0, 1), "fail"),
        (counted(400), Limits(None, 0.0, 500), "inconclusive"),
        (counted(400), Limits(None, 0.0, 1), "pass"),
        (counted(400, 20, failed=1), Limits(0.05, 0.0, 1), "fail"),  # one that fails decides
        (counted(400, 20), Limits(0.05, 0.05, 1), "inconclusive"),  # and all have to pass
        (counted(400, 2), Limits(0.05, 0.05, 1), "pass"),
    ],
)
def test_limits_are_decided_by_intervals(report: Report, limits: Limits, outcome: str) -> None:
    decision = decide(whole(report), limits)
    assert decision.outcome == outcome
    assert decision.exit_code == {"pass": 0, "fail": 1, "inconclusive": 2}[outcome]


@pytest.mark.parametrize(("different", "code", "word"), [(0, 0, "pass"), (200, 1, "fail"), (20, 2, "inconclusive")])
def test_the_gate_says_what_it_decides_and_ends_with_its_code(different: int, code: int, word: str) -> None:
    arguments = ["gate", "churn", "--max-different", "5%", "--max-errors", "100%", "--min-compared", "100"]
    with sidecar(counted(400, different)) as scene:
        done = scene.run(*arguments)
        decided = json.loads(scene.run(*arguments, "--json").stdout)
    assert done.exit_code == code
    assert f"\n{word}: {different} of 400 answers differ" in done.stdout
    assert "\npass: 0 of 400 answers failed (0 %)." in done.stdout
    assert (decided["outcome"], decided["route"], decided["shadow"]) == (word, "churn", "next")
    first, second = decided["checks"]
    assert (first["limit"], first["different"], first["max_different"]) == ("max-different", different, 0.05)
    assert (second["limit"], second["failed"], second["max_errors"]) == ("max-errors", 0, 1.0)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["churn"],
        ["churn", "--max-different", "5x"],
        ["churn", "--max-different", "101%"],
        ["churn", "--max-errors", "-1"],
        ["churn", "--max-different", "5%", "--min-compared", "0"],
        ["churn", "--max-different", "5%", "--wait", "soon"],
        ["churn", "--max-different"],
        ["gone", "--max-different", "5%"],
        ["churn", "gone", "--max-different", "5%"],
        ["churn", "next", "more", "--max-different", "5%"],
    ],
)
def test_a_mistake_is_no_decision_that_is_still_open(arguments: list[str]) -> None:
    with sidecar(counted(400)) as scene:
        done = scene.run("gate", *arguments)
    assert done.exit_code == 3, done.output
    assert done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["shadow"],
        ["shadow", "gat", "churn", "--max-different", "5%"],
        ["shadow", "--max-different", "5%"],
        ["shadwo", "gate", "churn", "--max-different", "5%"],
        ["--shadow", "gate", "churn"],
    ],
)
def test_nor_is_a_mistake_in_the_name_of_the_command(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout, "Usage: " in done.stderr) == (3, "", True)


def test_a_shadow_need_not_be_named_where_there_is_but_one() -> None:
    with sidecar(counted(400), shadows=(NEXT, replace(NEXT, name="other"))) as scene:
        done = scene.run("gate", "churn", "--max-different", "5%")
        assert (done.exit_code, "name one of next, other" in done.stderr) == (3, True)
        assert scene.run("gate", "churn", "next", "--max-different", "5%", "--min-compared", "1").exit_code == 0


@pytest.mark.parametrize(
    ("skipped", "failed", "said"),
    [
        ({}, 3, ""),
        ({"marked": 2}, 0, "2 (marked 2)."),
        (
            {"concurrent": 50, "broken": 31},
            20,
            "81 (concurrent 50, broken 31). Its copies failed one after another (timeout 20), so it gets one every "
            "30 s at most until it answers one: put its servers right.",
        ),
        ({"concurrent": 50, "broken": 31}, 0, "81 (concurrent 50, broken 31). As many were on their way as may be: "),
        ({"down": 7}, 2, "7 (down 7). No endpoint of its version took connections (timeout 2): start its servers."),
        ({"down": 7}, 0, "7 (down 7). No endpoint of its version took connections: start its servers."),
    ],
)
def test_what_is_undecided_says_which_copies_were_not_sent_and_what_to_do(
    skipped: dict[str, int], failed: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = whole(counted(10, failed=failed)) | {"skipped": skipped}
    decision = decide(seen, Limits(0.05, None, 1000))
    show(decision, as_json=False)
    printed = capsys.readouterr().out
    assert printed.count("Not sent since the sidecar was started") == bool(skipped)
    assert said in printed.splitlines()[-1]
    show(decision, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["skipped"] == skipped
    assert (said in told["remark"], bool(told["remark"])) == (True, bool(skipped))
    show(decide(seen, Limits(1.0, None, 1)), as_json=False)
    assert "Not sent" not in capsys.readouterr().out


class Waiting:
    """Looks at what there is at each look, on a clock that goes on by naps only."""

    def __init__(self, *seen: Report | AdminError) -> None:
        self.seen = seen
        self.now = 0.0
        self.looks: list[float] = []

    def look(self) -> dict[str, Any]:
        self.looks.append(self.now)
        seen = self.seen[min(len(self.looks), len(self.seen)) - 1]
        if isinstance(seen, AdminError):
            raise seen
        return whole(seen)

    def nap(self, seconds: float) -> None:
        self.now += seconds

    def end(self, patience: float) -> str:
        limits = Limits(0.05, None, 300)
        return wait_for(self.look, limits, patience, lambda: self.now, self.nap).outcome


def test_waiting_ends_with_the_decision(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = Waiting(counted(10), counted(10), counted(400))
    assert (waiting.end(600.0), waiting.looks) == ("pass", [0.0, 2.0, 4.0])
    told = capsys.readouterr().err
    assert told.startswith("Not decided yet: 0 of 10 answers differ")
    assert told.count("Not decided yet") == 1
    assert Waiting(counted(400, 300)).end(600.0) == "fail"


def test_waiting_ends_when_patience_does() -> None:
    waiting = Waiting(counted(10))
    assert (waiting.end(9.0), waiting.looks) == ("inconclusive", [0.0, 2.0, 4.0, 6.0, 8.0])
    waiting = Waiting(counted(10))
    assert (waiting.end(0.0), waiting.looks) == ("inconclusive", [0.0])


def test_waiting_goes_on_while_the_sidecar_is_away_but_not_where_it_refuses() -> None:
    away, refuses = AdminError("cannot be reached"), AdminError("Refused", status=401)
    assert Waiting(away, AdminError("starting", status=503), counted(400)).end(600.0) == "pass"
    for waiting, patience in ((Waiting(away), 5.0), (Waiting(away), 0.0), (Waiting(refuses), 600.0)):
        with pytest.raises(AdminError):
            waiting.end(patience)
        assert waiting.now <= 5.0


def test_the_gate_waits_as_it_is_told() -> None:
    with sidecar(counted(10)) as scene:
        done = scene.run("gate", "churn", "--max-different", "5%", "--wait", "500ms")
        assert (done.exit_code, "At least 1,000 are needed" in done.stdout) == (2, True)


# --- reset ------------------------------------------------------------------------------------------------------------


def test_a_report_is_begun_anew() -> None:
    with sidecar(counted(20, 3)) as scene:
        done = scene.run("reset", "churn", token="s3cret")
        shown = json.loads(scene.run("report", "churn", "next", "--json").stdout)
    assert (done.exit_code, done.stdout) == (0, "churn/next: counted anew since 2023-11-14T22:13:20.000Z.\n")
    assert shown["report"]["total"]["compared"] == 0


def test_what_is_no_admin_api_is_told() -> None:
    with LoopThread() as thread, Upstream(thread, serve(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as other:
        done = Sidecar(other.port, None).run("report")
    assert (done.exit_code, "not as an admin API does" in done.stderr) == (3, True)
