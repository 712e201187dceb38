"""A head that is recalled is the head that would have been read: for any heads in a row, however they differ."""

from __future__ import annotations

import copy

from hypothesis import example, given, settings
from hypothesis import strategies as st

from stepdown.errors import BadRequestError
from stepdown.wire import RequestHead, parse_request
from stepdown.wire.memory import HeadMemory

NAMES = [
    b"X-Id",
    b"x-id",
    b"X-User",
    b"Accept",
    b"Cookie",
    b"Content-Length",
    b"content-length",
    b"Host",
    b"Connection",
]
RARE = [b"Transfer-Encoding", b"Expect", b"X-Model-Version", b"X-Forwarded-For", b"Via", b"Upgrade", b"TE", b"X_Id"]
VALUES = [b"", b"a", b" a", b"b ", b"caf\xe9", b"1", b"5", b"05", b"close", b"keep-alive", b"chunked", b"100-continue"]
SHARP = [b"\r", b"\n", b"\0", b"\r\n", b"\r\n ", b": ", b"\x7f", b"\t", b"\r\nContent-Length: 9", b"\r\n\r\n"]

name = st.sampled_from(NAMES * 3 + RARE)
value = st.one_of(st.sampled_from(VALUES), st.sampled_from(SHARP).map(lambda sharp: b"a" + sharp + b"b"))
line = st.tuples(name, value).map(lambda pair: pair[0] + b": " + pair[1])
start = st.sampled_from([b"POST /x HTTP/1.1"] * 4 + [b"GET /x HTTP/1.1", b"POST /y?q HTTP/1.1", b"POST /x HTTP/1.0"])


@st.composite
def conversations(draw) -> list[bytes]:
    """Heads in a row: each is the one before with a few lines changed, added, moved or taken out."""
    lines = [draw(start), b"Host: a", *draw(st.lists(line, max_size=5))]
    heads = []
    for _ in range(draw(st.integers(2, 12))):
        for _ in range(draw(st.integers(0, 2))):
            place = draw(st.integers(0, len(lines) - 1))
            action = draw(st.sampled_from(["value", "value", "value", "line", "insert", "remove", "swap", "start"]))
            if action == "value" and place:
                lines[place] = lines[place].partition(b":")[0] + b": " + draw(value)
            elif action == "line" and place:
                lines[place] = draw(line)
            elif action == "insert":
                lines.insert(place + 1, draw(line))
            elif action == "remove" and place:
                del lines[place]
            elif action == "swap" and len(lines) > 2:
                lines[1], lines[-1] = lines[-1], lines[1]
            elif action == "start":
                lines[0] = draw(start)
        heads.append(b"\r\n".join(lines) + b"\r\n\r\n")
    return heads


def meaning(head: RequestHead) -> dict[str, object]:
    """Everything that a user of a head can see, but for what was decided about it."""
    seen = {
        slot: copy.copy(getattr(head, slot))
        for slot in RequestHead.__slots__
        if slot not in ("settled", "lower", "ordinary", "raw", "values")
    }
    names = {name.lower() for name in NAMES + RARE}
    return seen | {
        "raw": bytes(head.raw),
        "get": {name: head.get(name) for name in names},
        "get_all": {name: head.get_all(name) for name in names},
    }


def read(raw: bytes) -> dict[str, object] | tuple[int, str]:
    """What `parse_request` makes of it, an error included."""
    try:
        return meaning(parse_request(raw))
    except BadRequestError as error:
        return error.code, error.detail


def read_with(memory: HeadMemory, raw: bytes) -> tuple[dict[str, object] | tuple[int, str], bool]:
    """The same by way of the memory, as a client's connection does it, and whether it was recalled."""
    head = memory.recall(raw)
    if head is not None:
        return meaning(head), True
    try:
        head = parse_request(raw)
    except BadRequestError as error:
        return (error.code, error.detail), False
    memory.learn(head)
    return meaning(head), False


@settings(max_examples=1500, deadline=None)
@given(conversations())
@example([b"POST / HTTP/1.1\r\nHost: a\r\nX-Id: %d\r\nContent-Length: %d\r\n\r\n" % (n, n) for n in range(6)])
@example(
    [b"POST / HTTP/1.1\r\nHost: a\r\nX-Id: %b\r\n\r\n" % v for v in (b"1", b"2", b"3\nX: y", b"3\rX", b"4", b"\0")]
)
def test_recalling_is_reading(heads):
    memory = HeadMemory()
    for raw in heads:
        assert read_with(memory, raw)[0] == read(raw)


def test_heads_that_differ_in_an_id_and_a_length_are_indeed_recalled():
    memory = HeadMemory()
    recalled = []
    for number in range(8):
        length = b"Content-Length: %d\r\n" % (number % 3)
        raw = b"POST / HTTP/1.1\r\nHost: a\r\nX-Id: %d\r\n%b\r\n" % (number, length)
        parse_request(raw)
        recalled.append(read_with(memory, raw)[1])
    assert recalled[-4:] == [True] * 4


def test_a_connection_on_which_nothing_repeats_stops_trying():
    memory = HeadMemory()
    for number in range(50):
        raw = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number
        assert not read_with(memory, raw)[1]
    again = b"GET /same HTTP/1.1\r\nHost: a\r\n\r\n"
    assert [read_with(memory, again)[1] for _ in range(3)] == [False] * 3


def test_a_memory_holds_the_head_that_it_learned_until_it_gives_up():
    memory = HeadMemory()
    held = []
    for number in range(12):
        head = parse_request(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        assert not memory.holds(head)
        memory.learn(head)
        held.append(memory.holds(head))
    assert held == [True] * 8 + [False] * 4
