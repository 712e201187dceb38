"""A stream through a chain: what passes, what fails and how, bounds, several steps, both framings."""

from __future__ import annotations

import json

import pytest

from stepdown_adapters import Adapter, AdaptError, OperationError, Step
from stepdown_adapters.context import Context
from stepdown_adapters.stream import Ending, Event
from stepdown_adapters.stream.adapting.chain import Limits, StreamChain
from stepdown_adapters.stream.adapting.compiling import compile_stream
from stepdown_adapters.stream.adapting.failures import BrokenStreamError, NoStreamAdapterError
from stepdown_adapters.stream.adapting.running import Item, Steps
from tests.kit.stream_adapters import CHAT, REASONING, step
from tests.kit.streams import NAMES, NDJSON, SSE, body, bytewise, content_type, sse

SCALE = "on: {/score: {linear: {path: /score, scale: 2}}}"
ERROR = b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'


def run(*steps: Step, stream: bytes, kind: str = SSE, ending: Ending = Ending.ORDERLY) -> bytes:
    chain = Adapter.of(steps).stream(kind)
    return chain.feed(stream) + chain.close(ending)


def broken(chain: StreamChain, stream: bytes) -> BrokenStreamError:
    with pytest.raises(BrokenStreamError) as caught:
        chain.feed(stream)
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_recorded_streams_without_anything_for_the_rules_pass_to_the_byte(name: str) -> None:
    stream = body(name)
    for rules in ("on: {/nowhere: drop}", "on: {nothing: drop}", "end: []", "fold: {n: {on: never, count: ''}}"):
        assert run(step(rules), stream=stream, kind=content_type(name)) == stream
    assert run(Step("2.0.0", "1.0.0"), stream=stream, kind=content_type(name)) == stream


def test_p6_an_error_inside_the_stream_passes_to_the_byte_and_is_told() -> None:
    chain = Adapter.of([step('on: {"*": drop, }')]).stream(SSE)
    good = sse({"choices": [{"index": 0, "delta": {"content": "a"}}]})
    assert chain.feed(good + ERROR) == ERROR
    assert chain.close() == b""
    assert chain.outcome.verdict().error == "server_error"


def test_a_rule_that_names_errors_gets_them() -> None:
    rules = 'on: {error: {emit: {data: {detail: {field: /error/message}}}}, "*": pass}'
    stream = b"event: error\ndata: " + ERROR[6:]
    assert run(step(rules), stream=stream) == b'data: {"detail":"overloaded"}\n\n'


def test_done_comments_and_ids_pass_even_where_all_is_dropped() -> None:
    stream = b": ping\n\nid: 7\nretry: 5\n: why\ndata: {}\n\ndata: text\n\n" + sse({"a": 1}, b"[DONE]")
    out = run(step('on: {"*": drop}'), stream=stream)
    assert out == b": ping\n\n: why\nid: 7\nretry: 5\n\ndata: text\n\ndata: [DONE]\n\n"


def test_done_may_be_dropped_or_replaced() -> None:
    stream = sse({"a": 1}, b"[DONE]")
    assert run(step('on: {"[DONE]": drop}'), stream=stream) == sse({"a": 1})
    counted = 'fold: {n: {on: /a, count: ""}}\non: {"[DONE]": [{emit: {data: {end: {field: /n}}}}, {emit: "[DONE]"}]}'
    assert run(step(counted), stream=stream) == sse({"a": 1}) + b'data: {"end":1}\n\ndata: [DONE]\n\n'
    assert run(step('on: {"[DONE]": pass, "*": drop}'), stream=stream) == b"data: [DONE]\n\n"


def test_lines_of_json_are_adapted_as_events_are() -> None:
    stream = b'{"score":1}\n\n{"other":1}\r\n{"score":2}'
    expected = b'{"score":2}\n\n{"other":1}\r\n{"score":4}\n'
    assert run(step(SCALE), stream=stream, kind=NDJSON) == expected


def test_a_chain_of_steps_reads_an_event_once() -> None:
    rename = "on: {/score: {move: {from: /score, to: /p}}}"
    out = run(
        step(SCALE, "3.0.0", "2.0.0"), Step("2.0.0", "1.1.0"), step(rename, "1.1.0", "1.0.0"), stream=sse({"score": 3})
    )
    assert out == b'data: {"p":6}\n\n'


def test_what_a_step_emits_passes_the_steps_behind_it_its_end_too() -> None:
    rules = """
    on: {/n: [{emit: {data: {score: {field: /n}}}}, {emit: {data: {score: 1}}}]}
    end: [{emit: {data: {score: 9}}}]
    """
    first = step(rules, "3.0.0", "2.0.0")
    second = step(SCALE + '\nend: [{emit: "[DONE]"}]', "2.0.0", "1.0.0")
    out = run(first, second, stream=sse({"n": 2}))
    assert out == b'data: {"score":4}\n\ndata: {"score":2}\n\ndata: {"score":18}\n\ndata: [DONE]\n\n'


def test_folds_of_two_steps_do_not_meet() -> None:
    rules = "fold: {n: {on: /score, sum: /score}}\non: {/score: {replace: {path: /score, value: {carried: n}}}}"
    out = run(step(rules, "3.0.0", "2.0.0"), step(rules, "2.0.0", "1.0.0"), stream=sse({"score": 1}, {"score": 1}))
    assert out == b'data: {"score":1}\n\ndata: {"score":3}\n\n'


@pytest.mark.parametrize("cut", [1, None])
def test_a_failure_keeps_what_came_before_it_and_says_what_to_do(cut: int | None) -> None:
    chain = Adapter.of([step(SCALE)]).stream(SSE)
    stream = sse({"score": 1}) + b'data: {"score":"high"}\n\n' + sse({"score": 2})
    sent, failure = b"", None
    try:
        for chunk in [stream] if cut is None else bytewise(stream):
            sent += chain.feed(chunk)
    except BrokenStreamError as error:
        failure, sent = error, sent + error.before
    assert failure is not None
    assert sent == b'data: {"score":2}\n\n'
    assert (failure.reason, failure.adapt_error.step if failure.adapt_error else "") == ("adapter", "2.0.0 -> 1.0.0")
    assert str(failure) == (
        "2.0.0 -> 1.0.0: stream: on /score[0]/linear at /score: a string is not a number; "
        "the stream ends here: send what came before it, then cut the connection"
    )
    with pytest.raises(BrokenStreamError):
        chain.feed(b"")
    with pytest.raises(BrokenStreamError):
        chain.close()


def test_of_an_event_that_fails_half_way_nothing_goes_out() -> None:
    rules = "on: {/n: [{emit: {data: {a: 1}}}, {emit: {data: {b: {field: /missing}}}}]}"
    assert broken(Adapter.of([step(rules)]).stream(SSE), sse({"n": 1})).before == b""


def test_an_object_that_is_no_json_cannot_be_adapted_and_a_text_passes() -> None:
    chain = Adapter.of([step('on: {"*": {remove: /a}}')]).stream(SSE)
    assert chain.feed(b"data: hello\n\ndata: [1]\n\n") == b"data: hello\n\ndata: [1]\n\n"
    assert broken(chain, b'data: {"a": NaN}\n\n').reason == "adapter"
    nullified = Adapter.of([step('on: {"*": {remove: /b}}', non_finite="nullify")]).stream(SSE)
    assert nullified.feed(b'data: {"a": NaN, "b": 1}\n\n') == b'data: {"a":null}\n\n'


def test_an_object_that_is_no_json_passes_unread_where_no_selector_can_be_for_it() -> None:
    chain = Adapter.of([step(SCALE)]).stream(SSE)
    assert chain.feed(b'data: {"half": \n\n') == b'data: {"half": \n\n'
    assert broken(chain, b'data: {"score": \n\n').reason == "adapter"


def test_what_cannot_be_written_is_a_failure_of_the_adapter() -> None:
    steps = Steps(compile_stream([step(SCALE)]), Context(), 100)
    with pytest.raises(AdaptError, match=r"^2.0.0 -> 1.0.0: stream: writing an event"):
        steps.encode([Item(Event(), {"half": "\ud83d"}, changed=True)], 100)


def test_an_event_that_is_too_long_is_a_failure_behind_what_came_before_it() -> None:
    chain = Adapter.of([step(SCALE)]).stream(SSE, limits=Limits(event=40))
    failure = broken(chain, sse({"score": 1}) + b"data: " + b"x" * 60)
    assert (failure.reason, failure.before, failure.adapt_error) == ("event-too-long", b'data: {"score":2}\n\n', None)


def test_events_that_become_of_one_are_bounded() -> None:
    chain = Adapter.of([step("on: {/rows: {emit: {each: /rows/*}}}")]).stream(SSE, limits=Limits(emitted=3))
    assert chain.feed(sse({"rows": [{"a": 1}, {"b": 2}, [3]]})) == b'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [3]\n\n'
    assert broken(chain, sse({"rows": [1, 2, 3, 4]})).reason == "too-many-events"


def test_bytes_that_become_of_one_event_are_bounded() -> None:
    rules = """
    fold: {all: {last: ""}}
    on: {/rows: {emit: {each: /rows/*, data: {row: {document: ""}, all: {carried: all}}}}}
    """
    chain = Adapter.of([step(rules)]).stream(SSE, limits=Limits(size=300))
    assert len(chain.feed(sse({"rows": [1, 2]}))) < 300
    failure = broken(chain, sse({"rows": list(range(10))}))
    assert failure.reason == "too-many-events"
    assert "bytes became of one event, and 300 are allowed" in str(failure)


@pytest.mark.parametrize("fold", ["join: /t", "list: /t", "last: /t", "number: /t"])
def test_what_is_folded_is_bounded(fold: str) -> None:
    chain = Adapter.of([step(f"fold: {{a: {{{fold}}}}}")]).stream(SSE, limits=Limits(state=100))
    assert chain.feed(sse({"t": "x" * 50})) != b""
    failure = broken(chain, sse({"t": "y" * 90}))
    assert (failure.reason, "'a'" in str(failure)) == ("state-too-large", True)


def test_an_end_that_fails_is_a_failure_behind_all_that_came() -> None:
    chain = Adapter.of([step("end: [{emit: {data: {a: {field: /missing}}}}]")]).stream(SSE)
    assert chain.feed(sse({"a": 1})) == sse({"a": 1})
    with pytest.raises(BrokenStreamError, match="end") as caught:
        chain.close()
    assert caught.value.before == b""


@pytest.mark.parametrize(
    ("kind", "stream", "expected"),
    [
        (SSE, b'data: {"a":1}', b'data: {"a":1}\n\ndata: [DONE]\n\n'),
        (SSE, b'data: {"a":1}\n', b'data: {"a":1}\n\n\ndata: [DONE]\n\n'),
        (SSE, b'data: {"score":1}', b'data: {"score":2}\n\ndata: [DONE]\n\n'),
        (NDJSON, b'{"a":1}', b'{"a":1}\n[DONE]\n'),
    ],
)
def test_n6_a_last_event_without_its_end_is_whole_and_the_end_is_an_event_of_its_own(
    kind: str, stream: bytes, expected: bytes
) -> None:
    assert run(step(SCALE + '\nend: [{emit: "[DONE]"}]'), stream=stream, kind=kind) == expected


def test_half_an_event_passes_in_an_orderly_end_and_is_left_out_where_the_connection_broke() -> None:
    half = b'data: {"score": 1, "te'
    end = SCALE + '\nend: [{emit: "[DONE]"}]'
    assert run(step(end), stream=half) == half
    assert run(step(end), stream=half, ending=Ending.BROKEN) == b""
    assert run(step(end), stream=b'{"score":1', kind=NDJSON, ending=Ending.CANCELLED) == b""


def test_a_strict_step_keeps_numbers_and_equal_names() -> None:
    out = run(step("on: {/a: {remove: /a}}", fidelity="strict"), stream=b'data: {"a":1,"b":1.10,"b":1E2}\n\n')
    assert out == b'data: {"b":1.10,"b":1E2}\n\n'


def test_a_step_that_changes_answers_needs_a_stream_section() -> None:
    steps = [step(SCALE, "3.0.0", "2.0.0"), Step("2.0.0", "1.0.0", [{"remove": "/a"}])]
    with pytest.raises(NoStreamAdapterError, match=r"^2.0.0 -> 1.0.0: the adapter has no 'stream'"):
        Adapter.of(steps).stream(SSE)


def test_what_is_no_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="application/json"):
        Adapter.of([step(SCALE)]).stream("application/json")


def test_rules_read_the_request_and_what_its_adapters_carry() -> None:
    rules = "on: {/a: {emit: {data: {u: {header: x-unit}, l: {carried: limit}, r: {request: /b}}}}}"
    adapter = Adapter.of([step(rules, request=[{"carry": {"from": "/limit", "as": "limit"}}])])
    chain = adapter.stream(SSE, request={"limit": 3, "b": [1]}, headers={"X-Unit": "ms"})
    assert chain.feed(sse({"a": 1})) == b'data: {"u":"ms","l":3,"r":[1]}\n\n'
    assert adapter.streams.needs == {"headers", "carried", "body"}


def test_what_nothing_carries_or_folds_cannot_be_read() -> None:
    with pytest.raises(OperationError, match="nothing is carried as 'idd'"):
        compile_stream([step("fold: {id: {on: a, last: /id}}\non: {a: {emit: {data: {x: {carried: idd}}}}}")])


def test_two_streams_of_one_adapter_share_nothing() -> None:
    compiled = compile_stream([step("fold: {l: {list: /a}}\nend: [{emit: {data: {l: {field: /l}}}}]")])
    one, other = (StreamChain(compiled, SSE, Context()) for _ in range(2))
    for chain in (one, other):
        chain.feed(sse({"a": 1}))
        assert chain.close() == b'data: {"l":[1]}\n\n'


def test_the_chat_example_fails_with_its_place_where_an_event_lacks_what_it_needs() -> None:
    chain = Adapter.of([step(CHAT)]).stream(SSE)
    failure = broken(chain, sse({"type": "response.output_text.delta", "delta": "a"}))
    assert isinstance(failure.cause, AdaptError)
    assert failure.cause.operation == "stream: on response.output_text.delta[0]/emit/data"


def test_generated_code_is_there_to_read() -> None:
    source = Adapter.of([step(REASONING)]).streams.source
    assert "# stream: on /choices/*/delta/reasoning: 2.0.0 -> 1.0.0" in source
    assert json.dumps("reasoning_content").replace('"', "'") in source


def test_what_is_left_of_a_dropped_event_passes_the_steps_behind() -> None:
    first, second = step("on: {/a: drop}", "3.0.0", "2.0.0"), step('on: {"*": drop}')
    assert run(first, second, stream=b'id: 7\ndata: {"a":1}\n\n') == b"id: 7\n\n"


def test_numbers_that_are_not_finite_are_nullified_for_a_first_step_without_a_section_too() -> None:
    chain = Adapter.of([Step("3.0.0", "2.0.0", non_finite="nullify"), step("on: {/a: {remove: /a}}")]).stream(SSE)
    assert chain.feed(b'data: {"a":1,"b":NaN}\n\n') == b'data: {"b":null}\n\n'
