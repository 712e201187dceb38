from __future__ import annotations

import msgspec
import pytest

from stepdown.decide.flag_questions import Answer, Question
from stepdown.process.messages import (
    TO_CONTROLLER_BYTES,
    TO_WORKER_BYTES,
    Activate,
    ChannelError,
    FlagAnswers,
    FlagQuestions,
    FlagsChanged,
    Health,
    Hello,
    Message,
    Prepare,
    Reader,
    StatusRequest,
    ToController,
    ToWorker,
    frame,
)

CONVERSATION: list[Message] = [
    Prepare(ticket=1, encoded=b'{"models":[]}' * 1000),
    Activate(ticket=2, digest="0123456789abcdef"),
    Health(states={"churn/1.0.0/http://a:1": False}),
    StatusRequest(ticket=3),
    FlagAnswers(answers=(Answer(1, True, "on", "STATIC"), Answer(2, error="GENERAL", message="it is down"))),
    FlagsChanged(),
]


def reader(limit: int = TO_WORKER_BYTES) -> Reader[ToWorker]:
    return Reader[ToWorker](ToWorker, limit)


def test_messages_arrive_as_they_were_sent() -> None:
    assert list(reader().feed(b"".join(map(frame, CONVERSATION)))) == CONVERSATION


@pytest.mark.parametrize("step", [1, 3, 4, 5, 4096])
def test_messages_arrive_however_the_bytes_are_cut(step: int) -> None:
    data, reading = b"".join(map(frame, CONVERSATION)), reader()
    found: list[Message] = []
    for start in range(0, len(data), step):
        found += reading.feed(data[start : start + step])
    assert found == CONVERSATION


def test_questions_about_flags_arrive_as_they_were_asked() -> None:
    asked = FlagQuestions(
        questions=(Question(1, "ranker", "string", None), Question(2, "b", "boolean", "u", (("e", "x"),)))
    )
    assert list(Reader[ToController](ToController, TO_CONTROLLER_BYTES).feed(frame(asked))) == [asked]


def refusal(data: bytes, limit: int = TO_WORKER_BYTES) -> str:
    with pytest.raises(ChannelError) as refused:
        list(reader(limit).feed(data))
    return str(refused.value)


def test_a_frame_over_the_limit_is_refused_before_its_bytes_come() -> None:
    head = frame(StatusRequest(ticket=1))[:4]
    assert (
        refusal((1001).to_bytes(4, "big") + b"\x01", limit=1000) == "a frame of 1001 bytes, where 2 to 1000 are allowed"
    )
    assert head == (len(frame(StatusRequest(ticket=1))) - 4).to_bytes(4, "big")


@pytest.mark.parametrize("length", [0, 1])
def test_a_frame_without_a_message_is_refused(length: int) -> None:
    assert "where 2 to" in refusal(length.to_bytes(4, "big") + b"\x01\x00")


def test_another_version_is_refused() -> None:
    data = bytearray(frame(StatusRequest(ticket=1)))
    data[4] = 2
    assert refusal(bytes(data)) == "version 2, where 1 is spoken"


@pytest.mark.parametrize(
    "body", [b"\xc1", b"GET / HTTP/1.1", msgspec.msgpack.encode({"type": "Reboot"}), msgspec.msgpack.encode([1])]
)
def test_bytes_that_are_no_message_are_refused(body: bytes) -> None:
    assert refusal((len(body) + 1).to_bytes(4, "big") + b"\x01" + body).startswith("no message: ")


def test_a_message_for_the_other_side_is_refused() -> None:
    assert refusal(frame(Hello(index=0, pid=1, digest="")))


def test_the_messages_before_a_broken_one_are_read() -> None:
    feeding = reader().feed(frame(StatusRequest(ticket=1)) + bytes(8))
    assert next(feeding) == StatusRequest(ticket=1)
    with pytest.raises(ChannelError):
        next(feeding)


def test_a_workers_words_are_read_by_the_controller() -> None:
    hello = Hello(index=1, pid=2, digest="d")
    assert list(Reader[ToController](ToController, 1000).feed(frame(hello))) == [hello]
