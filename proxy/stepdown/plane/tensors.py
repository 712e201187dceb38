"""Answers of Open Inference servers whose JSON is followed by binary tensors: made JSON before anything reads them."""

from __future__ import annotations

from stepdown.errors import AdapterFailedError, AnswerTooLargeError
from stepdown_adapters import binary_tensors
from stepdown_adapters.errors import Refusal

TENSORS = b"inference-header-content-length"
"""The field that says how long the JSON is, of answers and of requests."""


def inlined(body: bytes, tensors: bytes | None, limit: int) -> bytes:
    """The body without content coding, its tensors in its JSON, where the field is there; at most `limit` bytes.

    Raises `AnswerTooLargeError`, and `AdapterFailedError` for tensors that cannot be read.
    """
    if tensors is None:
        return body
    try:
        return binary_tensors.inlined(body, tensors, limit)
    except binary_tensors.ExcessError:
        raise AnswerTooLargeError(f"With its binary tensors as JSON the answer is longer than {limit} bytes") from None
    except Refusal as refusal:
        raise AdapterFailedError(
            f"The answer's binary tensors cannot be read: {refusal}; "
            "to a request without `binary_data_output` and `binary_data` the server answers in JSON"
        ) from None
