"""Which label became which: a matrix by the served label and the candidate's, in which equal labels are never lost.

It has so many labels on each side; the rest are counted together. Two that are equal are counted as equal there too.
"""

from __future__ import annotations

from stepdown.comparison.report import LABELS, OTHER

SAME = "(same)"
"""In the row of all other labels: the candidate's was equal."""

Matrix = dict[str, dict[str, int]]
"""Counts by the served label, then by the candidate's."""


def count_labels(matrix: Matrix, served: str, candidate: str, times: int = 1) -> None:
    """One more pair of labels, or several of them."""
    name = served if served in matrix or len(matrix) < LABELS else OTHER
    row = matrix.setdefault(name, {})
    if served == candidate and served != OTHER:
        column = candidate if name == served else SAME
    else:
        column = candidate if candidate in row or len(row) < LABELS or candidate == SAME else OTHER
    row[column] = row.get(column, 0) + times


def merged_matrices(first: Matrix, second: Matrix) -> Matrix:
    """Both together; neither is changed."""
    result = {name: dict(row) for name, row in first.items()}
    for served, row in second.items():
        for candidate, times in row.items():
            count_labels(result, served, candidate, times)
    return result


def cells(matrix: Matrix) -> list[tuple[str, str, int, bool]]:
    """All pairs with their counts, and whether they are equal."""
    return [
        (served, candidate, times, candidate == SAME or (served == candidate and served != OTHER))
        for served, row in matrix.items()
        for candidate, times in row.items()
    ]
