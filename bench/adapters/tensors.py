"""The work of the second table: an Open Inference answer of 512 doubles turned into KServe V1 predictions."""

from __future__ import annotations

import random

import orjson

from stepdown_adapters.step import Step

SHAPES = ((1, 512), (512, 1), (256, 2))
STEP = Step("2.0.0", "1.0.0", [{"tensor_to_rows": {}}])


def values(count: int) -> list[float]:
    """Doubles of [0, 1) with all their digits, the same in every run."""
    draw = random.Random(1)  # noqa: S311 - nobody is to be kept from guessing them
    return [draw.random() for _ in range(count)]


def body(shape: tuple[int, int]) -> bytes:
    """The answer with one tensor of `shape`, its data flat as servers send them; about 10 KB."""
    rows, columns = shape
    tensor = {"name": "score", "shape": [rows, columns], "datatype": "FP64", "data": values(rows * columns)}
    return orjson.dumps({"model_name": "churn", "model_version": "2", "id": "42", "outputs": [tensor]})


def predictions(shape: tuple[int, int]) -> dict[str, list[list[float]]]:
    """What it must become."""
    rows, columns = shape
    flat = values(rows * columns)
    return {"predictions": [flat[row * columns : (row + 1) * columns] for row in range(rows)]}
