"""What a chain does with streams, worked out once; and whether a request asks for one."""

from __future__ import annotations

import json
import operator
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from stepdown.decide.spec import Step
from stepdown.plane import offload
from stepdown.plane.streamed import UNTOUCHED, asks_for_stream, compiled

RENAME = {"on": {"/a": [{"move": {"from": "/a", "to": "/b"}}]}}
CHANGES: dict[str, Any] = {"response": ({"remove": "/a"},)}


def chain(*steps: tuple[Any, dict[str, Any]]) -> bytes:
    """Encoded steps, each with its stream section and whatever else it has."""
    ids = [f"{number}.0.0" for number in range(len(steps) + 1, 0, -1)]
    return msgspec.json.encode(
        [
            Step(source=ids[at], target=ids[at + 1], streams="" if stream is None else json.dumps(stream), **more)
            for at, (stream, more) in enumerate(steps)
        ]
    )


@pytest.mark.parametrize("steps", [[(None, {})], [({"on": {}}, CHANGES)], [(None, {}), ({"on": {}}, {})], []], ids=str)
def test_streams_that_no_step_touches_are_passed_on(steps: Any) -> None:
    assert compiled(chain(*steps)) == UNTOUCHED


def test_one_step_that_says_nothing_of_streams_refuses_those_of_the_whole_chain() -> None:
    found = compiled(chain((RENAME, {}), (None, CHANGES)))
    assert found.touched
    assert found.compiled is None
    assert found.refused.startswith("2.0.0 -> 1.0.0: the adapter has no 'stream'")


@pytest.mark.parametrize("more", [{}, CHANGES], ids=["documents stay", "documents change"])
def test_a_chain_whose_changing_steps_all_have_a_section_adapts(more: dict[str, Any]) -> None:
    found = compiled(chain((RENAME, more), (None, {})))
    assert found.compiled is not None
    assert (found.refused, found.collects, found.unfolds) == ("", False, None)
    assert "body" not in found.needs


@pytest.mark.parametrize("key", ["collect", "unfold"])
def test_who_may_get_something_else_than_the_server_gives_has_its_request_read(key: str) -> None:
    made = {"data": {}} if key == "collect" else [{"emit": {"data": {}}}]
    assert "body" in compiled(chain(({**RENAME, key: made}, {}))).needs


@pytest.mark.parametrize("on", [{}, RENAME["on"]])
def test_a_section_can_ask_for_the_dialects_own_document(on: Any) -> None:
    found = compiled(chain(({"on": on, "collect": True}, {})))
    assert found.compiled is not None
    assert found.collects
    assert "body" in found.needs


def test_the_last_step_says_whether_the_document_is_collected() -> None:
    assert not compiled(chain(({**RENAME, "collect": True}, {}), (RENAME, {}))).collects


def test_documents_can_be_unfolded_where_streams_are_refused() -> None:
    unfold: Any = {"on": {}, "unfold": [{"emit": {"data": {}}}]}
    found = compiled(chain((None, CHANGES), (unfold, {})))
    assert found.refused
    assert found.unfolds is not None


@pytest.mark.parametrize(
    ("body", "accepts", "asks"),
    [
        (b'{"stream":true}', None, True),
        (b'{"stream":false}', b"text/event-stream", False),
        (b'{"stream":1}', b"text/event-stream", True),
        (b"{}", b"application/json, TEXT/EVENT-STREAM;q=1", True),
        (b"{}", b"application/x-ndjson", True),
        (b"{}", b"application/json", False),
        (b"no json", None, False),
        (b"\xff", None, False),
        (b"[true]", b"*/*", False),
        (None, None, False),
        (b"", None, False),
    ],
)
def test_the_body_says_who_asks_for_a_stream_and_else_what_is_accepted(
    body: bytes | None, accepts: bytes | None, asks: bool
) -> None:
    assert asks_for_stream(body, accepts) is asks


def test_all_chains_of_a_hundred_versions_are_found_again_by_the_next_snapshot() -> None:
    ids = [f"{major}.0.0" for major in range(100, 0, -1)]
    steps = [Step(source=newer, target=older) for newer, older in pairwise(ids)]
    chains = [msgspec.json.encode(steps[begin:end]) for end in range(1, 100) for begin in range(end)]
    assert len(chains) == 4950
    before = [(offload.compiled(one), compiled(one)) for one in chains]
    after = [(offload.compiled(one), compiled(one)) for one in chains]
    assert all(is_same for old, new in zip(before, after, strict=True) for is_same in map(operator.is_, old, new))
