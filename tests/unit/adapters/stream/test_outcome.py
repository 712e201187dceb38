"""What a stream was worth: errors inside an answer of 200, ends, and cuts."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown_adapters.stream import Ending, Outcome, Result, SseReader, State, Verdict, read, reader
from stepdown_adapters.stream.outcome import _ENDED, _NEXT
from stepdown_adapters.stream.signals import Signal, goes_on
from tests.kit.streams import NAMES, NDJSON, SSE, body, content_type, sse, whole

CHUNK: dict[str, Any] = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "a"}}]}
FINISH: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
DONE = b"[DONE]"
COMPLETE, FAILED, NEITHER = Result.COMPLETE, Result.FAILED, Result.NEITHER


def followed(stream: bytes, kind: str = SSE) -> Outcome:
    framing = reader(kind)
    assert framing is not None
    outcome, quick = Outcome(), Outcome()
    for event in whole(framing, stream):
        assert quick.follow(event) is outcome.hear(read(event))
        assert quick.state is outcome.state
    return outcome


def verdict(stream: bytes, ending: Ending = Ending.ORDERLY, kind: str = SSE) -> tuple[Result, str]:
    judged = followed(stream, kind).verdict(ending)
    return judged.result, judged.reason


@pytest.mark.parametrize("name", [name for name in NAMES if name != "llama-given-up.sse"])
def test_a_whole_stream_of_each_dialect_is_complete(name: str) -> None:
    assert verdict(body(name), kind=content_type(name)) == (COMPLETE, "")


def test_p1_an_error_in_place_of_the_usage_is_one_failure() -> None:
    stream = sse(CHUNK, FINISH, {"error": {"message": "engine died", "type": "server_error", "code": 500}}, DONE)
    judged = followed(stream).verdict()
    assert judged == Verdict(FAILED, "error", "server_error", "engine died")
    assert judged.failed


@pytest.mark.parametrize("named", [True, False])
def test_p2_an_error_of_anthropic_is_a_failure(named: bool) -> None:
    event = b"event: error\n" if named else b""
    start = body("anthropic-messages.sse").split(b"event: content_block_start")[0]
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert followed(start + event + sse(error)).verdict() == Verdict(FAILED, "error", "overloaded_error", "Overloaded")


def test_p3_a_failed_response_is_a_failure() -> None:
    error = {"code": "server_error", "message": "The model failed."}
    stream = sse({"type": "response.created"}, {"type": "response.failed", "response": {"error": error}})
    assert followed(stream).verdict() == Verdict(FAILED, "error", "server_error", "The model failed.")
    assert verdict(sse({"type": "response.failed"})) == (FAILED, "error")


def test_p3_a_response_that_reached_its_length_is_complete_as_a_chat_is() -> None:
    assert verdict(sse({"type": "response.created"}, {"type": "response.incomplete"})) == (COMPLETE, "")
    length = {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    assert verdict(sse(CHUNK, length, DONE)) == (COMPLETE, "")


@pytest.mark.parametrize("ending", [Ending.ORDERLY, Ending.BROKEN])
def test_p4_a_stream_that_is_cut_before_its_end_is_a_failure(ending: Ending) -> None:
    assert verdict(sse(CHUNK), ending) == (FAILED, "cut")


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"rows.ndjson", "triton.sse"}))
def test_p4_so_it_is_in_every_dialect_wherever_it_is_cut(name: str) -> None:
    whole_body = body(name)
    end = b'"finish_reason": "' if b'"finish_reason": "' in whole_body else b'"finish_reason":"'
    marks = (end, b"message_stop", b"response.completed", b'"done": true', DONE)
    first = min(place for mark in marks if (place := whole_body.find(mark)) >= 0)
    for place in range(first):
        result, reason = verdict(whole_body[:place], kind=content_type(name))
        assert (result, reason) in ((FAILED, "cut"), (FAILED, "empty")), whole_body[:place]


def test_p4_a_client_that_leaves_makes_neither_a_success_nor_a_failure() -> None:
    assert verdict(sse(CHUNK), Ending.CANCELLED) == (NEITHER, "cancelled")
    assert verdict(b"", Ending.CANCELLED) == (NEITHER, "cancelled")


@pytest.mark.parametrize("ending", Ending)
def test_what_the_stream_said_goes_before_how_it_ended(ending: Ending) -> None:
    """openai-python closes the connection as soon as it has read `[DONE]`."""
    assert verdict(sse(CHUNK, FINISH, DONE), ending) == (COMPLETE, "")
    assert verdict(sse(CHUNK, {"error": {"message": "no"}}), ending) == (FAILED, "error")


@pytest.mark.parametrize("empty", ["", None, {}, [], False, 0])
def test_p5_an_empty_error_on_a_good_answer_is_none(empty: object) -> None:
    assert verdict(sse({**CHUNK, "error": empty}, {**FINISH, "error": empty}, DONE)) == (COMPLETE, "")
    assert verdict(sse({"predictions": [1], "error": empty})) == (COMPLETE, "")


@pytest.mark.parametrize("output", [0.25, "low", "no message", ["a"], {"mean": 0.1}, True])
def test_p5_a_model_may_have_an_output_named_error(output: object) -> None:
    assert verdict(sse({"prediction": 3.1, "error": output})) == (COMPLETE, "")


def test_p5_an_error_that_is_a_number_may_be_all_that_a_model_has_to_say() -> None:
    assert verdict(sse({"error": 0.25})) == (COMPLETE, "")
    assert verdict(sse({"error": ""})) == (COMPLETE, "")


@pytest.mark.parametrize(
    "error",
    [
        {"error": "out of memory"},
        {"error": "overloaded", "error_type": "overloaded"},
        {"error": {"code": 400}},
        {"object": "error", "message": "too long", "type": "BadRequestError", "code": 400},
        {"error_code": "RESOURCE_EXHAUSTED", "message": "quota"},
        {"type": "error", "message": "no", "sequence_number": 4},
        {**CHUNK, "error": {"code": "server_error", "message": "Provider disconnected"}},
        {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]},
    ],
    ids=str,
)
def test_errors_are_recognised_in_the_shapes_that_servers_send(error: dict[str, Any]) -> None:
    assert verdict(sse(CHUNK, error, DONE)) == (FAILED, "error")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"upstream timed out", Verdict(FAILED, "error", message="upstream timed out")),
        (b"{}", Verdict(FAILED, "error", message="{}")),
        (b'{"status_code": 500, "message": "x"}', Verdict(FAILED, "error", message="x")),
        (b'{"error": "why"}', Verdict(FAILED, "error", message="why")),
        (b'"' + b"y" * 300 + b'"', Verdict(FAILED, "error", message="y" * 200)),
        (b'{"code": 529, "message": 1}', Verdict(FAILED, "error", "529")),
    ],
)
def test_an_event_of_type_error_is_an_error_whatever_it_says(data: bytes, told: Verdict) -> None:
    assert followed(b"event: error\n" + sse(data)).verdict() == told


def test_the_first_error_is_told() -> None:
    stream = sse({"error": {"message": "first"}}, {"error": {"message": "second"}})
    assert followed(stream).verdict().message == "first"


def test_an_error_after_the_end_is_a_failure_too() -> None:
    assert verdict(sse(CHUNK, FINISH, DONE, {"error": {"message": "late"}})) == (FAILED, "error")


def test_a_server_that_gives_a_stream_up_and_says_done_has_failed() -> None:
    """As llama.cpp's does when another request takes the model away: no error, no finish reason."""
    assert verdict(body("llama-given-up.sse")) == (FAILED, "unfinished")


@pytest.mark.parametrize("stream", [b"", b": ping\n\n", sse(DONE), b"retry: 5\n\n", sse({"choices": [], "usage": {}})])
def test_a_stream_without_any_part_of_an_answer_has_failed(stream: bytes) -> None:
    """As llama.cpp's server answers, with 200, to a prompt that is too long."""
    assert verdict(stream) == (FAILED, "empty")


def test_every_choice_has_to_finish() -> None:
    second: dict[str, Any] = {"choices": [{"index": 1, "delta": {"content": "b"}}]}
    last: dict[str, Any] = {"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}
    assert verdict(sse(CHUNK, second, FINISH, DONE)) == (FAILED, "unfinished")
    assert verdict(sse(CHUNK, FINISH, second, DONE)) == (FAILED, "unfinished")
    assert verdict(sse(CHUNK, FINISH, second, last, DONE)) == (COMPLETE, "")


def test_a_chat_whose_choices_finished_is_complete_without_done_if_its_body_ended_in_order() -> None:
    assert verdict(sse(CHUNK, FINISH)) == (COMPLETE, "")
    assert verdict(sse(CHUNK, FINISH), Ending.BROKEN) == (FAILED, "cut")


def test_an_empty_finish_reason_finishes_nothing() -> None:
    assert verdict(sse({"choices": [{"delta": {"content": "a"}, "finish_reason": ""}]})) == (FAILED, "cut")


def test_what_comes_after_a_finish_reason_for_the_same_choice_does_not_open_it_again() -> None:
    late = {"choices": [{"index": 0, "delta": {}, "content_filter_results": {}}]}
    assert verdict(sse(CHUNK, FINISH, late, DONE)) == (COMPLETE, "")


def test_no_json_among_chunks_is_a_failure_since_clients_fall_over_it() -> None:
    assert verdict(sse(CHUNK, b"oops", FINISH, DONE)) == (FAILED, "malformed")
    assert verdict(sse(b"oops", CHUNK, FINISH, DONE)) == (COMPLETE, "")


def test_half_a_document_at_the_end_is_a_cut() -> None:
    assert verdict(sse(CHUNK) + b'data: {"choices": [{"ind') == (FAILED, "cut")


def test_a_stream_of_documents_ends_with_its_body() -> None:
    assert verdict(b'{"row":1}\n{"row":2}\n', kind=NDJSON) == (COMPLETE, "")
    assert verdict(b'{"row":1}\n{"row":2}\n', Ending.BROKEN, NDJSON) == (FAILED, "cut")
    assert verdict(sse({"row": 1}, DONE), Ending.BROKEN) == (COMPLETE, "")
    assert verdict(sse(b"one", b"two")) == (COMPLETE, "")
    assert verdict(sse([1], [2])) == (COMPLETE, "")


def test_items_of_a_response_may_be_ended_by_done_alone() -> None:
    """As the agents of MLflow do."""
    stream = sse({"type": "response.output_item.done", "item": {}}, DONE)
    assert verdict(stream) == (COMPLETE, "")


def test_a_chunk_of_the_wrong_shape_is_no_part_of_an_answer() -> None:
    odd = sse({"object": "chat.completion.chunk", "choices": [7, None]}, {"choices": 7}, [1])
    assert verdict(odd + sse(CHUNK, FINISH, DONE)) == (COMPLETE, "")


def test_choices_beyond_all_sense_are_not_kept_track_of() -> None:
    many = [{"index": number, "delta": {"content": "a"}} for number in range(3000)]
    outcome = followed(sse({"choices": many}))
    assert len(outcome._choices._open) == 1024
    done = [{"index": number, "delta": {}, "finish_reason": "stop"} for number in range(3000)]
    assert len(followed(sse({"choices": many}, {"choices": done}))._choices._finished) == 1024


def test_there_is_a_verdict_for_every_state_and_ending() -> None:
    assert set(_ENDED) == {(state, ending) for state in State for ending in Ending}


def test_nothing_leads_out_of_a_failure() -> None:
    assert not [state for state, _ in _NEXT if state in (State.FAILED, State.MALFORMED)]
    for signal in (Signal.ERROR, Signal.MALFORMED):
        assert {state for state, heard in _NEXT if heard is signal} == set(State) - {State.FAILED, State.MALFORMED}


@pytest.mark.parametrize(
    ("name", "others"),
    [("openai-chat.sse", 6), ("llama-chat.sse", 3), ("openai-responses.sse", 2)],
    ids=["two choices, each begins and finishes, usage, done", "begins, finishes, done", "created, completed"],
)
def test_nearly_all_events_are_told_to_be_parts_at_a_glance(name: str, others: int) -> None:
    outcome, glances, events = Outcome(), 0, whole(SseReader(), body(name))
    for event in events:
        glances += goes_on(event, outcome.dialect, outcome._choices)
        outcome.hear(read(event))
    assert glances == len(events) - others
