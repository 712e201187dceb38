"""`carry`: what a request's adapters put aside for the answer's."""

from typing import Any

import pytest

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError, OperationError
from stepdown_adapters.generate import compile_chain
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse
from tests.kit.adapters import Step

USED = {"add": {"path": "/limit", "value": {"carried": "limit"}}}


def carry(**options: Any) -> Any:
    return {"carry": {"from": "/parameters/limit", "as": "limit", **options}}


def exchanged(request: bytes, *operations: Any) -> bytes:
    """What an answer becomes after its request was adapted by these operations."""
    adapter = compile_chain([Step([USED], operations)])
    context = Context(body=request)
    assert adapter.request(request, context) == request
    return adapter.response(b"{}", context)


def test_a_value_of_the_request_comes_to_the_answer() -> None:
    assert exchanged(b'{"parameters":{"limit":[1,{"a":null}]}}', carry()) == b'{"limit":[1,{"a":null}]}'


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"default": 10}, b'{"limit":10}'), ({"on_missing": "fail"}, "request[0]"), ({}, "what is carried as 'limit'")],
    ids=["default", "fail", "skip"],
)
def test_a_value_that_is_missing_in_the_request(options: Any, expected: Any) -> None:
    if isinstance(expected, bytes):
        assert exchanged(b"{}", carry(**options)) == expected
    else:
        with pytest.raises(AdaptError) as error:
            exchanged(b"{}", carry(**options))
        assert expected in str(error.value)


def test_the_interpreter_carries_the_same_and_a_copy() -> None:
    context = Context()
    request = {"parameters": {"limit": {"a": 1}}}
    operations = [carry(), {"add": {"path": "/parameters/limit/a", "value": 2}}]
    assert run(parse(operations), request, context) == {"parameters": {"limit": {"a": 2}}}
    assert context.carried == {"limit": {"a": 1}}
    assert run(parse([USED]), {}, context) == {"limit": {"a": 1}}


def test_any_request_list_of_the_chain_may_carry_and_an_earlier_answer_too() -> None:
    newer = Step([{"carry": {"from": "/a", "as": "a"}}], [carry()], "3.0.0", "2.0.0")
    older = Step([USED, {"add": {"path": "/b", "value": {"carried": "a"}}}], [], "2.0.0", "1.0.0")
    adapter = compile_chain([newer, older])
    context = Context()
    adapter.request(b'{"parameters":{"limit":5}}', context)
    assert adapter.response(b'{"a":1}', context) == b'{"a":1,"limit":5,"b":1}'


@pytest.mark.parametrize("response", [[USED], [{"in": "/a", "do": [USED]}], [USED, carry()]], ids=str)
def test_a_chain_that_reads_what_nothing_carries_is_refused(response: Any) -> None:
    with pytest.raises(OperationError, match=r"nothing is carried as 'limit'.*as: limit.*default") as error:
        compile_chain([Step(response, [{"carry": {"from": "/k", "as": "limits"}}])])
    assert error.value.problems[0].nearest == "limits"


def test_a_default_makes_a_chain_independent_of_what_is_carried() -> None:
    used = {"add": {"path": "/limit", "value": {"carried": "limit", "default": 1}}}
    assert compile_chain([Step([used])]).response(b"{}", Context()) == b'{"limit":1}'


def test_a_chain_knows_what_it_needs_of_the_request() -> None:
    adapter = compile_chain([Step([USED, {"add": {"path": "/b", "value": {"request": "/b"}}}], [carry()])])
    assert adapter.request_needs == {"carried"}
    assert adapter.response_needs == {"body", "carried"}
    assert compile_chain([Step([{"remove": "/a"}])]).response_needs == frozenset()
    hooked = compile_chain([Step(hook="copy:copy")])
    assert hooked.response_needs == {"body", "params", "headers", "carried"}
    failing = compile_chain([Step(errors=[{"add": {"path": "/b", "value": {"header": "x-a"}}}])])
    assert failing.response_needs == {"headers"}
