"""What is asked and answered: one Open Inference request of 130 bytes and its answer of 560 bytes."""

from __future__ import annotations

import json

PATH = "/v2/models/churn/infer"


def numbered_path(number: object) -> str:
    """The path of one of many models."""
    return f"/v2/models/churn-{number}/infer"


REQUEST = json.dumps(
    {
        "id": "r-0000001",
        "inputs": [
            {
                "name": "x",
                "shape": [1, 10],
                "datatype": "FP64",
                "data": [0.5, 1.25, -0.75, 2.0, 0.125, 3.5, -1.5, 0.25, 1.0, -2],
            }
        ],
    },
    separators=(",", ":"),
)

ANSWER = json.dumps(
    {
        "model_name": "churn",
        "model_version": "2.0.0",
        "id": "r-0000001",
        "parameters": {},
        "outputs": [
            {
                "name": "probability",
                "shape": [25],
                "datatype": "FP64",
                "parameters": {"content_type": "np"},
                "data": [round(0.0137123456 + 0.0409812345678 * row, 12) for row in range(25)],
            }
        ],
    },
    separators=(",", ":"),
)

PREDICTIONS = json.loads(ANSWER)["outputs"][0]["data"]
"""What the adapted rows must answer as `predictions`."""

ANSWER_END = ANSWER[-4:].encode()
"""What the last bytes of a whole answer are, and no earlier ones."""
