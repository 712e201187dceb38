"""All ways that the benchmark of adapters compares do the same work."""

import orjson
import pytest

from bench.adapters import chain, languages, tensors, ways


def test_the_document_is_of_one_kilobyte() -> None:
    assert len(chain.BODY) == 1026


def test_every_way_gives_what_the_code_by_hand_gives() -> None:
    expected = orjson.loads(chain.by_hand(chain.BODY))
    found = {name: orjson.loads(way()) for name, way in ways.of_chain({}).items()}
    assert set(found) == {ways.COMPILED, ways.BY_HAND, ways.LOOP, ways.INTERPRETED, ways.COPY}
    assert found.pop(ways.COPY) == orjson.loads(chain.BODY)
    assert all(ways.alike(document, expected) for document in found.values())


def test_the_code_by_hand_does_what_the_three_steps_say() -> None:
    document = orjson.loads(chain.by_hand(chain.BODY))
    first = document["predictions"][0]
    assert document.keys() == {"id", "predictions", "usage", "model_version", "model_name"}
    assert (document["model_version"], document["model_name"]) == ("v1", "churn")
    assert document["usage"] == {"rows": 7, "cache": "miss", "seconds": pytest.approx(0.00325)}
    assert first == {"id": "customer-0000", "label": "churn", "score": pytest.approx(0.7772998611746911)}


def test_expression_languages_say_the_same() -> None:
    installed = languages.installed()
    if not installed:
        pytest.skip("the expression languages are not installed (make bench-adapters)")
    assert set(installed) == set(languages.LIBRARIES) <= set(ways.of_chain(installed))


def test_a_way_that_does_something_else_is_not_timed() -> None:
    with pytest.raises(ValueError, match="lazy one"):
        ways.of_chain({"lazy one": chain.copied})


@pytest.mark.parametrize("shape", tensors.SHAPES)
def test_a_tensor_becomes_its_rows(shape: tuple[int, int]) -> None:
    rows, columns = shape
    converted = orjson.loads(ways.of_tensor(shape)[ways.COMPILED]())
    assert [len(row) for row in converted["predictions"]] == [columns] * rows
    assert [value for row in converted["predictions"] for value in row] == tensors.values(512)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1, 2], [1]),
        (0.5, 0.5000001),
        (1, 1.0),
        (True, 1),
        ("1", 1),
        ([], {}),
        (None, False),
    ],
)
def test_documents_that_say_something_else_are_not_alike(one: object, other: object) -> None:
    assert not ways.alike(one, other)
    assert not ways.alike([{"in": other}], [{"in": one}])


def test_only_the_last_digits_of_a_float_do_not_matter() -> None:
    assert ways.alike({"a": [0.1 + 0.2]}, {"a": [0.3]})
