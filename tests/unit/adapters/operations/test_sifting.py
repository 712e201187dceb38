"""map_values with `on_unmapped: remove`: what the table does not have goes, with its member or item."""

from typing import Any

import pytest

from stepdown_adapters.errors import OperationError
from stepdown_adapters.operations import parse
from tests.kit.adapters import REFUSED, both


def mapped(path: str, **options: Any) -> Any:
    return {"map_values": {"path": path, "table": {"a": "A", "1": None}, "on_unmapped": "remove", **options}}


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        (mapped("/x/*"), {"x": ["a", "b", 1, "c"]}, {"x": ["A", None]}),
        (mapped("/x/*"), {"x": {"p": "a", "q": "b"}}, {"x": {"p": "A"}}),
        (mapped("/x"), {"x": "b", "y": 1}, {"y": 1}),
        (mapped("/x"), {"x": "a"}, {"x": "A"}),
        (mapped("/x"), {}, REFUSED),
        (mapped("/x", on_missing="skip"), {}, {}),
        (mapped("/x/1"), {"x": ["a", "b", "c"]}, {"x": ["a", "c"]}),
        (mapped("/x/5"), {"x": ["a"]}, REFUSED),
        (mapped("/x/*/y"), {"x": [{"y": "b"}, {"y": "a"}]}, {"x": [{}, {"y": "A"}]}),
        (mapped("/x/[n=1]/y"), {"x": [{"n": 1, "y": "b"}, {"n": 2, "y": "b"}]}, {"x": [{"n": 1}, {"n": 2, "y": "b"}]}),
        (mapped("/x/*"), {"x": 5}, REFUSED),
        (mapped("/x/*", on_missing="skip"), {"x": 5}, {"x": 5}),
        (mapped("/x/*"), {"x": ["a", ["b"]]}, REFUSED),
        (mapped("/x/*"), {"x": []}, {"x": []}),
    ],
    ids=str,
)
def test_what_is_not_in_the_table_is_removed(operation: Any, document: Any, expected: Any) -> None:
    assert both([operation], document) == expected


def test_the_whole_document_cannot_be_removed() -> None:
    with pytest.raises(OperationError, match="cannot remove the whole document"):
        parse([mapped("")])
