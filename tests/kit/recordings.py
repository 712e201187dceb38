"""What a worker hands over of an exchange, and recordings made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stepdown.decide.copies import Answer, Copy
from stepdown.decide.shadow_spec import Recording
from stepdown.recordings.deciding import VERSION_ONLY, Deciding
from stepdown.recordings.entry import Entry
from stepdown.recordings.making import Maker

KEY = bytes(range(32))
REQUEST_HEAD = b"POST /churn?a=1 HTTP/1.1\r\nHost: models\r\nContent-Type: application/json\r\n\r\n"
ANSWER_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


def a_copy(**changes: Any) -> Copy:
    """A request to `churn` that pinned 1.1.0 and was given to 2.0.0."""
    return Copy(
        **{
            "id": 7,
            "digest": "0123",
            "route": "churn",
            "rule": "everyone",
            "pinned": "1.1.0",
            "assigned": "2.0.0",
            "served": "2.0.0",
            "reason": "split",
            "shadows": (),
            "recorded": True,
            "at": 1_790_000_000.25,
            "client": "10.0.0.1",
            "key": "00ff00ff00ff00ff",
            "params": (),
            "head": REQUEST_HEAD,
        }
        | changes
    )


def an_answer(**changes: Any) -> Answer:
    """The answer of 2.0.0 to it, which was stepped down."""
    return Answer(
        **{
            "id": 7,
            "served": "2.0.0",
            "outcome": "adapted",
            "status": 200,
            "error": "",
            "elapsed": 5_250_000,
            "upstream": 4_000_000,
            "missing": "",
            "head": ANSWER_HEAD,
        }
        | changes
    )


def recording(folder: Path | str = "/nowhere", **changes: Any) -> Recording:
    """A recording of everything."""
    return Recording(**{"sample": 1.0, "folder": str(folder)} | changes)


def an_entry(
    body: bytes = b'{"x": 1}',
    answer_body: bytes = b'{"logit": 0.5}',
    copy: Copy | None = None,
    answer: Answer | None = None,
    settings: Recording | None = None,
    decides: Deciding = VERSION_ONLY,
    name: str = "run-0",
) -> Entry:
    """The entry that is made of an exchange."""
    maker = Maker(settings or recording(), "churn", decides, KEY)
    return maker.make(name, copy or a_copy(), body, answer or an_answer(), answer_body)
