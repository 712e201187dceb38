import pytest

from stepdown_adapters.errors import OperationError
from stepdown_adapters.generate import compile_chain
from stepdown_adapters.operations import parse
from stepdown_adapters.operations.envelope import HeadEdits, folded
from stepdown_adapters.step import Step


def edits(*operations: object) -> HeadEdits:
    return folded(parse(operations), HeadEdits())


def mistakes(*operations: object) -> list[str]:
    with pytest.raises(OperationError) as caught:
        parse(operations)
    return [str(problem.sentence) for problem in caught.value.problems]


def test_statuses_are_mapped_one_list_after_the_other() -> None:
    first = edits({"status_map": {422: 400, "429": 503}})
    assert first.statuses == {422: 400, 429: 503}
    assert folded(parse([{"status_map": {400: 409, 500: 502}}]), first).statuses == {
        422: 409,
        429: 503,
        400: 409,
        500: 502,
    }


def test_a_status_that_is_mapped_back_is_not_mapped() -> None:
    assert not edits({"status_map": {422: 400}}, {"status_map": {400: 422}}).statuses.get(422)


def test_fields_are_set_and_removed_in_order_whatever_their_case() -> None:
    assert edits(
        {"header_set": {"Content-Type": "application/json", "x-a": "1"}}, {"header_remove": ["X-A", "x-b"]}
    ).fields == {"content-type": "application/json", "x-a": None, "x-b": None}
    assert edits({"header_remove": "x-a"}, {"header_set": {"x-a": "2"}}).fields == {"x-a": "2"}


def test_nothing_to_do_is_false() -> None:
    assert not HeadEdits()
    assert edits({"header_remove": "x-a"})


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        ({"status_map": {200: 400}}, "status_map: maps statuses from 400 to 599 to such, not 200 to 400"),
        ({"status_map": {"4xx": 400}}, "status_map: maps statuses from 400 to 599 to such, not '4xx' to 400"),
        ({"status_map": [422]}, "status_map: takes statuses such as 422, each with the one to send instead"),
        ({"status_map": {}}, "status_map: takes statuses such as 422, each with the one to send instead"),
        ({"header_set": {"via": "1"}}, "header_set: via follows from what is sent and cannot be edited"),
        ({"header_set": {"Date": "1"}}, "header_set: Date follows from what is sent and cannot be edited"),
        ({"header_set": {"a b": "1"}}, "header_set: 'a b' is no name of a header field"),
        ({"header_set": {"x": "a\r\nb"}}, "header_set: x needs a text without control characters, not 'a\\r\\nb'"),
        ({"header_set": "x"}, "header_set: takes header names with their values"),
        ({"header_remove": []}, "header_remove: takes a list of names of header fields"),
        ({"header_remove": {"x": 1}}, "header_remove: takes a list of names of header fields"),
        ({"remove": ["/a"]}, "remove: takes a path or a mapping of options, not an array"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(operation: object, sentence: str) -> None:
    assert sentence in mistakes(operation)


def test_the_head_is_not_edited_inside_of_in() -> None:
    assert mistakes({"in": "/x", "do": [{"header_remove": "x-a"}]}) == [
        "header_remove: acts on the head of the answer, so it stands outside of in"
    ]


def test_a_chain_folds_the_edits_of_its_steps_apart_from_its_document() -> None:
    adapter = compile_chain(
        [
            Step("3.0.0", "2.0.0", errors=[{"status_map": {422: 400}}]),
            Step("2.0.0", "1.0.0", response=[{"header_set": {"x-shape": "old"}}], errors=[{"status_map": {400: 409}}]),
        ]
    )
    assert adapter.error_head.statuses == {422: 409, 400: 409}
    assert adapter.response_head.fields == {"x-shape": "old"}
    assert not adapter.touches_response
    assert not adapter.touches_errors
