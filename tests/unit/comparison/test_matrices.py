"""Which label became which, when there are more labels than are kept."""

from __future__ import annotations

from stepdown.comparison.matrices import SAME, Matrix, cells, count_labels, merged_matrices
from stepdown.comparison.report import LABELS, OTHER


def counted(pairs: list[tuple[str, str]]) -> Matrix:
    matrix: Matrix = {}
    for served, candidate in pairs:
        count_labels(matrix, served, candidate)
    return matrix


def agreed(matrix: Matrix) -> tuple[int, int]:
    found = cells(matrix)
    return sum(times for *_, times, same in found if same), sum(times for *_, times, _ in found)


def test_each_pair_is_counted() -> None:
    matrix = counted([("a", "a"), ("a", "b"), ("b", "a"), ("a", "b")])
    assert matrix == {"a": {"a": 1, "b": 2}, "b": {"a": 1}}
    assert agreed(matrix) == (1, 4)


def test_of_too_many_labels_the_equal_ones_are_still_counted_as_equal() -> None:
    names = [f"label {number}" for number in range(100)]
    matrix = counted([(name, name) for name in names] + [(name, "x") for name in names])
    assert agreed(matrix) == (100, 200)
    assert len(matrix) == LABELS + 1
    assert matrix[OTHER] == {SAME: 80, "x": 80}


def test_a_row_of_too_many_changes_keeps_what_stayed() -> None:
    matrix = counted([("a", f"label {number}") for number in range(100)] + [("a", "a")])
    assert agreed(matrix) == (1, 101)
    assert len(matrix["a"]) == LABELS + 2


def test_merged_they_are_one_that_counted_everything() -> None:
    names = [f"label {number}" for number in range(30)]
    first, second = counted([(name, name) for name in names[:15]]), counted([(name, name) for name in names[10:]])
    assert agreed(merged_matrices(first, second)) == (35, 35)
    assert agreed(first) == (15, 15)


def test_two_matrices_of_all_other_labels_stay_equal() -> None:
    names = [f"label {number}" for number in range(30)]
    matrix = counted([(name, name) for name in names] + [(OTHER, OTHER)])
    assert agreed(merged_matrices(matrix, matrix)) == (60, 62)
