"""concat, sum, count: values of several places brought to one."""

from typing import Any

import pytest

from stepdown_adapters.errors import OperationError
from stepdown_adapters.operations import parse
from tests.kit.adapters import REFUSED, both, refusal


def concat(*sources: str, to: str = "/all", **options: Any) -> Any:
    return {"concat": {"from": list(sources), "to": to, **options}}


def total(*sources: str, to: str = "/n", **options: Any) -> Any:
    return {"sum": {"from": list(sources), "to": to, **options}}


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        (concat("/a", "/b"), {"a": [1, {"x": 1}], "b": ["y"]}, {"all": [1, {"x": 1}, "y"]}),
        (concat("/b", "/a", to="/a"), {"a": [1], "b": [2]}, {"a": [2, 1]}),
        (concat("/a", to="/new/deep"), {"a": []}, {"new": {"deep": []}}),
        (concat("/a/0", "/a/0", to="/x"), {}, OperationError),
        (concat("/a/0", "/a/1", to="/a/-"), {"a": [[1], 2, [3]]}, {"a": [2, [1, 3]]}),
        (concat("/a/[n=x]/v", "/b"), {"a": [{"n": "x", "v": [1]}], "b": [2]}, {"a": [{"n": "x"}], "all": [1, 2]}),
        (concat("/a", "/b"), {"a": [1]}, REFUSED),
        (concat("/a", "/b"), {"a": [1], "b": "x"}, REFUSED),
        (concat("/a", "/b", on_missing="skip"), {"a": [1]}, {"all": [1]}),
        (concat("/a", "/b", on_missing="skip"), {"c": 1}, {"c": 1}),
        (total("/a", "/b/c"), {"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 2}, "n": 3}),
        (total("/a", "/a"), {"a": 1.5}, {"a": 1.5, "n": 3.0}),
        (total("/a/*/t", to="/a/0/t"), {"a": [{"t": 1}, {"t": 2}]}, {"a": [{"t": 3}, {"t": 2}]}),
        (total("/a/*"), {"a": []}, {"a": [], "n": 0}),
        (total("/a/*", on_missing="skip"), {"a": []}, {"a": []}),
        (total("/a", "/b", on_missing="skip"), {"b": 2}, {"b": 2, "n": 2}),
        (total("/a", "/b"), {"b": 2}, REFUSED),
        (total("/a"), {"a": True}, REFUSED),
        (total("/a"), {"a": "1"}, REFUSED),
        (total("/a", "/a"), {"a": 1e308}, REFUSED),
        (total("/a", "/a"), {"a": 2**63}, REFUSED),
        ({"count": {"from": "/a", "to": "/n"}}, {"a": [1, {}]}, {"a": [1, {}], "n": 2}),
        ({"count": {"from": "/a", "to": "/a"}}, {"a": {"x": 1}}, {"a": 1}),
        ({"count": {"from": "", "to": "/n"}}, {"a": 1}, {"a": 1, "n": 1}),
        ({"count": {"from": "/a", "to": "/n"}}, {"a": "xyz"}, REFUSED),
        ({"count": {"from": "/a", "to": "/n"}}, {}, REFUSED),
        ({"count": {"from": "/a", "to": "/n", "on_missing": "skip"}}, {}, {}),
    ],
    ids=str,
)
def test_values_are_gathered(operation: Any, document: Any, expected: Any) -> None:
    if expected is OperationError:
        with pytest.raises(OperationError, match="takes each array once"):
            parse([operation])
        return
    assert both([operation], document) == expected


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        (concat(), "needs from|from is a list of paths"),
        (concat("/a/*"), "is not one place"),
        (concat("a"), "a path starts with /"),
        (concat(""), "arrays below the document"),
        (concat("/a", to="/b/*"), "puts the result at one member"),
        (total("/a", to=""), "puts the result at one member"),
        ({"sum": {"from": "/a", "to": "/b"}}, "from is a list of paths"),
        ({"count": {"from": "/a/*", "to": "/b"}}, "counts one array or object"),
        ({"count": {"from": "/a", "to": "/b", "default": 0}}, "has no option 'default'"),
    ],
    ids=str,
)
def test_a_mistake_is_named(operation: Any, sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence):
        parse([operation])


def test_what_is_carried_from_array_to_array_keeps_its_text() -> None:
    assert both([concat("/a", "/b")], {"a": [{"x": 1}], "b": []}) == {"all": [{"x": 1}]}
    error = refusal([concat("/a", "/b")], b'{"a":[1.10,1E5],"b":7}')
    assert error.sentence == "a number is not an array"
