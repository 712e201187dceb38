"""Copies of requests and of answers: written and read again, and nothing else is taken for one."""

import pytest

from stepdown.decide.copies import Answer, Copy, answer, copy, parse_answer, parse_copy

COPY = Copy(
    id=7,
    digest="0123",
    route="churn",
    rule="everyone",
    pinned="1.0.0",
    assigned="1.1.0",
    served="1.1.0",
    reason="split",
    shadows=(0, 2),
    recorded=True,
    at=1.5,
    client="10.0.0.1",
    key="00ff",
    params=(b"a\xff",),
    head=b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
)
ANSWER = Answer(
    id=7,
    served="1.1.0",
    outcome="adapted",
    status=200,
    error="",
    elapsed=5,
    upstream=4,
    missing="",
    head=b"HTTP/1.1 200 OK\r\n\r\n",
)


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256))])
def test_what_is_written_is_read_again(body: bytes) -> None:
    assert parse_copy(copy(COPY) + body) == (COPY, body)
    assert parse_answer(answer(ANSWER) + body) == (ANSWER, body)


@pytest.mark.parametrize("size", range(len(copy(COPY))))
def test_a_cut_record_is_an_error(size: int) -> None:
    with pytest.raises(ValueError, match=r"record|kind"):
        parse_copy(copy(COPY)[:size])


def test_one_kind_is_not_read_as_the_other() -> None:
    with pytest.raises(ValueError, match="kind"):
        parse_answer(copy(COPY))
