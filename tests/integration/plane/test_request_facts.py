"""Answers adapted by what the request said: its body, its path, its fields, and what was carried along."""

from __future__ import annotations

import msgspec
import orjson
import pytest

from stepdown.decide import spec
from tests.integration.plane.test_adapted import answer
from tests.kit import specs
from tests.kit.upstream import Peer
from tests.kit.world import world

ANSWER = answer(b'{"box": [0.5]}')
FROM_BODY = [{"add": {"path": "/width", "value": {"request": "/image/width"}}}]
FROM_PATH = [{"add": {"path": "/camera", "value": {"param": "camera"}}}]
FROM_HEADER = [{"add": {"path": "/unit", "value": {"header": "X-Unit"}}}]
CARRY = [{"carry": {"from": "/image/width", "as": "width"}}, {"remove": "/image"}]
CARRIED = [{"add": {"path": "/width", "value": {"carried": "width"}}}]


def post(body: bytes, *lines: bytes, path: bytes = b"/infer/7") -> bytes:
    fields = b"".join(line + b"\r\n" for line in lines)
    return b"POST %b HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (path, fields, len(body), body)


def image(width: int, padding: int = 0) -> bytes:
    return orjson.dumps({"image": {"width": width}, "pixels": "x" * padding})


def adapting(response=(), request=()):
    def build(port):
        made = specs.adapted(port, response, request)
        match = spec.Match(path="/infer/{camera}")
        routes = tuple(msgspec.structs.replace(route, match=match) for route in made.routes)
        return msgspec.structs.replace(made, routes=routes)

    return build


async def echo(peer: Peer) -> None:
    """Answer and remember the request."""
    while True:
        await peer.request()
        await peer.send(ANSWER)


@pytest.mark.parametrize("padding", [0, 100_000, 300_000], ids=["small", "over what is kept", "adapted elsewhere"])
@pytest.mark.parametrize(
    ("response", "request_"), [(FROM_BODY, ()), (CARRIED, CARRY)], ids=["from the body", "carried"]
)
def test_an_answer_takes_a_value_of_its_own_request(padding, response, request_):
    with world(echo, spec=adapting(response, request_)) as here:
        for width in (640, 1920):
            found = here.ask(post(image(width, padding)), "POST")
            assert (found.status, orjson.loads(found.body)) == (200, {"box": [0.5], "width": width})


def test_a_request_that_is_only_read_is_passed_on_as_it_came():
    with world(echo, spec=adapting(FROM_BODY)) as here:
        sent = b'{ "image": {"width" : 1E2} }'
        assert orjson.loads(here.ask(post(sent), "POST").body)["width"] == 100
        assert here.upstreams[0].requests[0].body == sent


def test_parts_of_the_path_and_fields_are_texts():
    with world(echo, spec=adapting(FROM_PATH + FROM_HEADER)) as here:
        found = here.ask(post(b"{}", b"X-Unit: px", path=b"/infer/front"), "POST")
        assert orjson.loads(found.body) == {"box": [0.5], "camera": "front", "unit": "px"}


@pytest.mark.parametrize("body", [b"{}", b"", b"{]", b"\xff"])
def test_a_request_that_does_not_say_it_fails_its_answer(body):
    with world(echo, spec=adapting(FROM_BODY)) as here:
        found = here.ask(post(body), "POST")
        assert found.status == 502
        assert "request" in orjson.loads(found.body)["detail"]
