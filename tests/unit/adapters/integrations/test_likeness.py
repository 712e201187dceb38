from typing import Any

import pytest

from stepdown_adapters.integrations.likeness import differences


@pytest.mark.parametrize(
    ("recorded", "document", "told"),
    [
        ({"a": 1}, {"a": 2.5}, []),
        ({"a": 1}, {"a": "1"}, ["/a is a string, recorded as a number"]),
        ({"a": None}, {"a": 1}, ["/a is a number, recorded as null"]),
        ({"a": True}, {"a": 1}, ["/a is a number, recorded as a boolean"]),
        ({"a": 1, "b": 2}, {"a": 1}, ["/b is not there, and was recorded"]),
        ({"a": 1}, {"a": 1, "c/d": 2}, ["/c~1d is there, and was not recorded"]),
        ([], {}, ["the document is an object, recorded as an array"]),
        ([1, 2], [3], []),
        ([1], [3, "x"], ["/1 is a string, recorded as a number"]),
        ([1, "x"], ["y", 2, 3], []),
        ([], [1, "x"], []),
        ([{"a": 1}], [{"a": 1}, {"a": 1, "b": 2}], ["/1/b is there, and was not recorded"]),
    ],
    ids=range(12),
)
def test_a_shape_is_names_and_types(recorded: Any, document: Any, told: list[str]) -> None:
    assert list(differences(recorded, document)) == told


@pytest.mark.parametrize(
    ("recorded", "document", "told"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": 2}, ["/a is 2, recorded as 1"]),
        ([1, 2], [1], ["the document has 1 items, recorded with 2"]),
        ([1, [2]], [1, [3]], ["/1/0 is 3, recorded as 2"]),
        ("x" * 200, "y", [f"the document is 'y', recorded as {repr('x' * 200)[:80]}"]),
    ],
    ids=range(5),
)
def test_values_are_compared_where_that_is_asked(recorded: Any, document: Any, told: list[str]) -> None:
    assert list(differences(recorded, document, values=True)) == told
