"""Two answers are equal where their statuses and their documents are."""

from __future__ import annotations

from typing import Any, cast

import pytest

from stepdown.comparer.equality import judged
from stepdown.comparer.pairing import Pair
from stepdown.comparer.results import Result
from stepdown.decide.copies import Answer
from stepdown.decide.shadow_spec import Shadow
from stepdown.wire import parse_response
from tests.unit.comparer.test_stepping import asked, raw


def verdict(left: bytes, right: bytes, status: int = 200, **more: Any) -> tuple[str, str]:
    options: dict[str, Any] = {
        "id": 1,
        "served": "1.0.0",
        "outcome": "none",
        "status": 200,
        "error": "",
        "elapsed": 1,
        "upstream": 1,
        "missing": "",
        "head": raw(),
    }
    answer = Answer(**{**options, **more})
    head = parse_response(raw(status), b"POST")
    result = Result("1.0.0", "answered", "", head, right)
    return cast("tuple[str, str]", judged(Pair(asked(), Shadow(name="s", version="1.0.0"), answer, left, result, None)))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (b'{"a": 1, "b": [2]}', b'{"b":[2],"a":1}', "equal"),
        (b'{"a": 1}', b'{"a": 2}', "different"),
        (b"no json", b"no json", "equal"),
        (b"no json", b"no json!", "different"),
        (b"{}", b"no json", "different"),
        (b"\xff", b"\xfe", "different"),
        (b"[" * 5000 + b"]" * 5000, b"[" * 5000 + b" " + b"]" * 5000, "different"),
    ],
)
def test_documents_are_compared_and_not_their_spelling(left: bytes, right: bytes, expected: str) -> None:
    assert verdict(left, right) == (expected, "")


def test_statuses_count() -> None:
    assert verdict(b"{}", b"{}", status=404)[0] == "different"


def test_where_one_side_is_missing_nothing_can_be_said() -> None:
    assert verdict(b"", b"{}", missing="too-large") == ("incomparable", "too-large")


def test_what_was_passed_on_in_its_own_shape_is_equal_only_to_itself() -> None:
    assert verdict(b'{"a":1}', b'{"a":1}', outcome="passthrough")[0] == "equal"
    assert verdict(b'{"a":1}', b'{"a":2}', outcome="passthrough") == ("incomparable", "passthrough")
