"""`stepdown replay` against servers: what is sent, what differs, what is left out, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

import msgspec
import pytest

from stepdown.recordings.entry import Entry
from tests.kit.looping import LoopThread, eventually
from tests.kit.replaying import CONFIG, exchange, file_of, model, replayed, started
from tests.kit.upstream import OK, Script, Upstream, serve, silent

Candidate = Callable[[Script], AbstractContextManager[Upstream]]


@contextmanager
def candidate(script: Script) -> Iterator[Upstream]:
    with LoopThread() as thread, Upstream(thread, script) as upstream:
        yield upstream
        assert not upstream.failures, upstream.failures


def url(upstream: Upstream) -> str:
    return f"http://127.0.0.1:{upstream.port}"


def with_body(entry: Entry, text: bytes) -> Entry:
    """The exchange with a text for an answer."""
    assert entry.response is not None
    body = msgspec.Raw(msgspec.json.encode(text.decode()))
    response = msgspec.structs.replace(entry.response, form="text", body=body, size=len(text))
    return msgspec.structs.replace(entry, response=response)


def report(*arguments: object, code: int = 0) -> dict[str, Any]:
    result = replayed(*arguments, "--json")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def logit(x: int) -> dict[str, Any]:
    return {"logit": x / 10 + (5 if x in {3, 7} else 0)}


def test_a_candidate_that_changed_differs_exactly_where_it_did(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl.zst", map(exchange, range(20)))
    with candidate(model(logit)) as upstream:
        found = report(recording, "--against", url(upstream))
    total = found["routes"]["churn"]["total"]
    assert (total["compared"], total["equal"], total["different"]) == (20, 18, 2)
    assert [(one["path"], one["kinds"]) for one in total["paths"]] == [("/logit", {"value": 2})]
    examples = [*total["examples"]["worst"], *total["examples"]["random"]]
    assert {one["name"] for one in examples} == {"run-3", "run-7"}
    assert found["sent"] == found["read"] == found["answered"] == 20
    assert (found["outcome"], found["skipped"], found["gone"], found["stopped"]) == (None, {}, None, False)


def test_requests_are_marked_and_carry_what_was_recorded_but_no_credentials(tmp_path: Path) -> None:
    head = b"POST /churn?api_key=secret&y=1 HTTP/1.1\r\nHost: models\r\nContent-Type: application/json\r\n"
    head += b"Authorization: Bearer secret\r\nX-Trace: t7\r\nCookie: uid=4\r\n\r\n"
    entry = exchange(1, copy={"head": head}, headers=("x-trace", "authorization"))
    recording = file_of(tmp_path / "a.jsonl", [entry])
    with candidate(model(logit)) as upstream:
        result = replayed(recording, "--against", url(upstream), "-H", "Authorization: Bearer mine")
        (request,) = upstream.requests
    assert result.exit_code == 0
    assert "Sent with *** in their query, where a secret was: 1." in result.stdout
    assert (request.method, request.target) == (b"POST", b"/churn?api_key=***&y=1")
    assert request.body == b'{"x":1}'
    assert request.all(b"authorization") == [b"Bearer mine"]
    assert request.get(b"x-stepdown-shadow") == b"replay"
    assert request.get(b"user-agent") == b"stepdown-shadow"
    assert request.get(b"host") == b"models"
    assert request.get(b"x-trace") == b"t7"
    assert request.get(b"content-type") == b"application/json"
    assert request.get(b"cookie") is None
    assert b"secret" not in request.raw


@pytest.mark.parametrize("pinned", ["1.1.0", "2.0.0"])
@pytest.mark.parametrize("named", ["3.0.0", "3.0.0=URL"])
def test_both_answers_are_brought_into_the_shape_that_was_asked_for(named: str, pinned: str, tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl.zst", [exchange(x, pinned=pinned) for x in range(10)])
    given = model(lambda x: {"z": x / 10 + {3: 0.001, 5: 1}.get(x, 0), "id": x}, member="inputs")
    with candidate(given) as upstream:
        config = tmp_path / "new.yaml"
        config.write_text(CONFIG.replace("PORT", str(upstream.port)))
        found = report(recording, "--against", named.replace("URL", url(upstream)), "--config", config)
        targets = {request.target for request in upstream.requests}
    contract = found["routes"]["churn"]["contracts"][pinned]
    path = "/score" if pinned == "1.1.0" else "/logit"
    # The rules are those of the shadow of 3.0.0, whose tolerance is for the shape that has a score.
    different = {"1.1.0": 1, "2.0.0": 2}[pinned]
    assert (contract["compared"], contract["different"]) == (10, different)
    assert [(one["path"], one["different"]["count"]) for one in contract["paths"]] == [(path, different)]
    assert targets == {b"/new?a=1" if named == "3.0.0" else b"/churn?a=1"}


def test_what_was_adapted_cannot_be_replayed_without_its_adapters(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", [exchange(1), exchange(2, pinned="1.1.0")])
    with candidate(model(logit)) as upstream:
        found = report(recording, "--against", url(upstream))
    assert found["skipped"] == {"to be adapted, which --config FILE says how to do": 1}
    assert found["routes"]["churn"]["total"]["compared"] == 1


@pytest.mark.parametrize(
    ("limits", "code", "outcome"),
    [
        (("--max-different", "50%", "--min-compared", 100), 0, "pass"),
        (("--max-different", "0.5%"), 1, "fail"),
        (("--max-different", "0.5%", "--min-compared", 201), 2, "inconclusive"),
        (("--max-different", "0.1"), 2, "inconclusive"),
    ],
)
def test_limits_decide(limits: tuple[object, ...], code: int, outcome: str, tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(200)))
    with candidate(model(lambda x: {"logit": x / 10 + (x % 10 == 0)})) as upstream:
        found = report(recording, "--against", url(upstream), *limits, code=code)
    assert found["outcome"] == outcome
    verdict = found["routes"]["churn"]["verdict"]
    assert (verdict["outcome"], verdict["different"], verdict["compared"]) == (outcome, 20, 200)


def test_errors_and_broken_answers_of_the_candidate_count(tmp_path: Path) -> None:
    failures = {
        1: b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        2: b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
        3: b"no answer at all\r\n\r\n",
    }
    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(5)))
    with candidate(model(lambda x: failures.get(x, {"logit": x / 10}))) as upstream:
        arguments = (recording, "--against", url(upstream), "--concurrency", 1)
        total = report(*arguments, "--max-different", "1%", code=1)["routes"]["churn"]["total"]
    assert total["statuses"] == {"200 > 200": 3, "200 > 500": 1}
    assert total["incomparable"] == {"malformed": 1}
    assert {one["path"] for one in total["paths"]} == {"(status)", "(media type)", ""}


def test_what_a_recording_lacks_is_not_sent_and_said(tmp_path: Path) -> None:
    answered = {"missing": "too-large"}
    entries = [
        exchange(1),
        exchange(2, body=b'{"x": 2, "pad": "%b"}' % (b"." * 300), max_body=200),
        exchange(3, answered=answered),
        exchange(4, redact=("/x",)),
        exchange(5, answered={"head": b"", "served": ""}),
        exchange(6, answered={"error": "client-left"}),
        exchange(7, {"logit": 0.7, "who": "eve"}, redact=("/who",)),
    ]
    recording = file_of(tmp_path / "a.jsonl.zst", entries)
    with candidate(model(lambda x: {"logit": x / 10} | ({"who": "adam"} if x == 7 else {}))) as upstream:
        result = replayed(recording, "--against", url(upstream))
        sent = [json.loads(request.body)["x"] for request in upstream.requests]
    assert sorted(sent) == [1, 7]
    assert result.exit_code == 0
    assert result.stdout.startswith("churn: 2 compared, 2 equal, 0 different")
    for reason in (
        "1 no request body: too-large",
        "1 no answer body: too-large",
        "1 redacted request",
        "1 no answer of a server",
        "1 the answer ended with client-left",
    ):
        assert reason in result.stdout
    assert "Not sent: 5 (" in result.stdout
    assert "Not looked at, because it is redacted: /who (in 1 of the recorded answers)." in result.stdout


def test_a_recording_of_redacted_requests_says_that_it_cannot_be_replayed(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", [exchange(x, redact=("/x",)) for x in range(3)])
    with candidate(model(logit)) as upstream:
        result = replayed(recording, "--against", url(upstream))
        assert not upstream.requests
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.startswith("nothing is compared: of 3 recorded requests none could be used\n")
    assert "Of 3 requests a part is redacted, and what a candidate makes of a digest says nothing." in result.stderr


def test_a_file_that_is_cut_is_replayed_up_to_the_cut(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl.zst", map(exchange, range(5)), cut=9)
    with candidate(model(logit)) as upstream:
        result = replayed(recording, "--against", url(upstream))
    assert result.exit_code == 0
    assert result.stdout.startswith("churn: 4 compared, 3 equal, 1 different")
    assert "Cut in the middle of an entry, which was passed over: 1 of the files." in result.stdout


def test_lines_that_cannot_be_read_end_it_unless_they_are_to_be_passed_over(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl.zst", [exchange(1)])
    plain = tmp_path / "b.jsonl"
    plain.write_text('{"recording": 1}\n')
    with candidate(model(logit)) as upstream:
        strict = replayed(recording, plain, "--against", url(upstream))
        assert strict.exit_code == 3
        assert f"{plain}:1: is no recorded exchange" in strict.stderr
        assert strict.stderr.endswith("; --lenient passes over what cannot be read\n")
        lenient = replayed(recording, plain, "--against", url(upstream), "--lenient")
    assert lenient.exit_code == 0
    assert f"Broken lines that were passed over: 1, the first: {plain}:1: is no recorded exchange" in lenient.stdout


def test_which_requests_are_sent_can_be_chosen(tmp_path: Path) -> None:
    other = [exchange(x, copy={"route": "other"}) for x in range(50)]
    recording = file_of(tmp_path / "a.jsonl", [*map(exchange, range(100)), *other])
    with candidate(model(logit)) as upstream:
        against = ("--against", url(upstream))
        both = report(recording, *against)
        assert {name: one["total"]["compared"] for name, one in both["routes"].items()} == {"churn": 100, "other": 50}
        one = report(recording, *against, "--route", "other", "--sample", "20%")
        assert (one["sent"], one["passed_over"]) == (10, 140)
        assert [*one["routes"]] == ["other"]
        few = report(recording, *against, "--limit", 7)
        assert few["sent"] == few["answered"] == 7
        upstream.forget()
        nothing = replayed(recording, *against, "--route", "none")
        assert nothing.exit_code == 3
        assert "what was recorded is of churn, other" in nothing.stderr
        assert not upstream.requests


def test_no_more_requests_are_on_their_way_than_allowed(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(20)))
    with candidate(silent()) as upstream, started(recording, "--against", url(upstream), "--concurrency", 3) as process:
        assert eventually(lambda: len(upstream.peers) == 3)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert len(upstream.peers) == 3


def test_an_interrupt_ends_it_with_the_report_so_far(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(100)))
    with candidate(model(logit)) as upstream:
        with started(recording, "--against", url(upstream), "--rate", "20/s") as process:
            assert eventually(lambda: len(upstream.requests) > 3)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=20)
        sent = len(upstream.requests)
    assert process.returncode == 130, stderr
    assert stdout.startswith("churn: ")
    assert "Stopped before the end" in stdout
    assert sent < 100


def test_a_candidate_that_nobody_can_reach_is_said_to_be_gone(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(100)))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        result = replayed(recording, "--against", f"http://127.0.0.1:{closed.getsockname()[1]}", "--wait", 0.5)
    assert result.exit_code == 3
    assert "nothing is compared: the candidate cannot be reached: No connection to" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(("deciding", "code"), [(("--max-different", "90%"), 2), ((), 3)])
def test_a_candidate_that_goes_in_the_middle_ends_it_with_the_report_so_far(
    deciding: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(100)))
    with candidate(model(lambda x: {"logit": x / 10})) as upstream:
        options = ("--rate", "50/s", "--wait", 0.5, *deciding)
        with started(recording, "--against", url(upstream), *options) as process:
            assert eventually(lambda: len(upstream.requests) > 10)
            upstream.stop()
            stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == code, stderr
    assert "The candidate is gone, so this is not all: No connection to" in stdout
    assert (stdout.splitlines()[-1] == "inconclusive") is bool(deciding)


def test_a_candidate_that_is_being_started_is_waited_for(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(3)))
    with candidate(model(logit)) as upstream:
        upstream.stop()
        with started(recording, "--against", url(upstream), "--json") as process:
            with pytest.raises(TimeoutExpired):
                process.wait(1.5)
            upstream.start()
            stdout, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert json.loads(stdout)["routes"]["churn"]["total"]["compared"] == 3


def test_streams_are_compared_by_what_they_say_as_a_whole(tmp_path: Path) -> None:
    def chunk(text: str, end: str = "null", id: str = "a") -> str:
        delta = json.dumps({"role": "assistant", "content": text})
        choice = f'{{"index": 0, "delta": {delta}, "finish_reason": {end}}}'
        return f'data: {{"id": "{id}", "object": "chat.completion.chunk", "choices": [{choice}]}}\n\n'

    done = "data: [DONE]\n\n"
    recorded = (chunk("Hel") + chunk("lo", '"stop"') + done).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    entries = [with_body(exchange(x, answered={"head": head + b"\r\n"}), recorded) for x in range(4)]
    answers = [
        chunk("H", id="b") + chunk("ello", '"stop"', id="b") + done,
        chunk("Help", '"stop"') + done,
        chunk("Hel") + 'data: {"error": {"message": "out of memory"}}\n\n',
        chunk("Hel"),
    ]

    def answered(x: int) -> bytes:
        body = answers[x].encode()
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body

    recording = file_of(tmp_path / "a.jsonl", entries)
    with candidate(model(answered)) as upstream:
        total = report(recording, "--against", url(upstream))["routes"]["churn"]["total"]
    assert (total["equal"], total["different"], total["incomparable"]) == (1, 1, {"stream-failed": 2})
    assert [one["path"] for one in total["paths"]] == ["/choices/*/message/content"]


def test_why_answers_cannot_be_compared_is_said_of_the_first_of_each_kind(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    recording = file_of(tmp_path / "a.jsonl", (exchange(x, pinned="1.1.0") for x in range(3)))
    with candidate(serve(OK)) as upstream:
        file.write_text(CONFIG.replace("PORT", str(upstream.port)))
        result = replayed(recording, "--against", "2.0.0", "--config", file)
    assert "3 incomparable (adapter 3)" in result.stdout
    assert "Incomparable (adapter), the first: 2.0.0 -> 1.1.0: reading the response at the document: JSON is mal" in (
        result.stdout
    )


def test_the_version_that_answered_then_is_asked_again_for_noise(tmp_path: Path) -> None:
    def moody(x: int) -> float:
        return x / 10 + (1 if x % 4 == 0 else 0)

    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(1, 41)))
    file = tmp_path / "stepdown.yaml"
    script = model(lambda x: {"z": moody(x)}, "inputs")
    with candidate(script) as new, candidate(model(lambda x: {"logit": moody(x)})) as served:
        file.write_text(CONFIG.replace("PORT", str(served.port)))
        options = ("--against", f"3.0.0={url(new)}", "--config", file)
        without = report(recording, *options)["routes"]["churn"]["total"]
        assert not served.requests
        total = report(recording, *options, "--noise", "100%", "--rate", "1000/s")["routes"]["churn"]["total"]
        assert (len(new.requests), len(served.requests)) == (80, 40)
        half = report(recording, *options, "--noise", "50%")["routes"]["churn"]["total"]
    assert (without["different"], without["noise_copies"]) == (10, 0)
    assert (total["different"], total["noise_copies"], total["pairs"]["both"]) == (10, 40, 10)
    assert total["paths"][0]["verdict"] == "noise"
    assert half["noise_copies"] == 20


def test_where_the_version_that_answered_then_is_gone_there_is_no_noise(tmp_path: Path) -> None:
    recording = file_of(tmp_path / "a.jsonl", map(exchange, range(5)))
    file = tmp_path / "stepdown.yaml"
    with candidate(model(lambda x: {"z": x / 10}, "inputs")) as new, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        file.write_text(CONFIG.replace("PORT", str(closed.getsockname()[1])))
        found = report(recording, "--against", f"3.0.0={url(new)}", "--config", file, "--noise", 1)
    total = found["routes"]["churn"]["total"]
    assert (total["compared"], total["equal"], total["noise_copies"], found["gone"]) == (5, 5, 0, None)
