"""The work of the first table: an answer of 1 KB stepped down three versions, declared and written by hand.

The code by hand is what someone would write who knows the document and wants it fast: no checks, one pass, every name
looked up once. It does what the three steps do together, which is also what the chain is compiled to.
"""

from __future__ import annotations

import math
from typing import Any

import orjson

from stepdown_adapters.step import Step

_SCORED = (
    ("will_leave", 1.25),
    ("will_stay", -2.5),
    ("unsure", 0.1),
    ("will_leave", 3.75),
    ("will_stay", -0.3),
    ("will_leave", 0.7),
    ("will_stay", -1.1),
)
_DOCUMENT = {
    "id": "0f2c6a58-5a0e-4b1c-9a54-52e3a2f5a9d1",
    "model": {"name": "churn", "version": "v4", "build": "2026-11-02T09:14:00Z"},
    "predictions": [
        {
            "id": f"customer-{number:04d}",
            "label": label,
            "logit": logit,
            "explanation": {"tenure": 0.125 * number, "plan": -0.5 + number, "calls": 0.75},
        }
        for number, (label, logit) in enumerate(_SCORED)
    ],
    "usage": {"rows": 7, "milliseconds": 3.25, "cache": "miss"},
    "parameters": {"threshold": 0.5, "calibrated": True, "region": "eu-west-1"},
}
BODY = orjson.dumps(_DOCUMENT)
"""Of 1,026 bytes."""

LABELS = {"will_leave": "churn", "will_stay": "stay", "unsure": "stay"}

STEPS = (
    Step(
        "4.0.0",
        "3.0.0",
        [
            {
                "in": "/predictions/*",
                "do": [
                    {"move": {"from": "/logit", "to": "/score"}},
                    {"sigmoid": "/score"},
                    {"remove": "/explanation"},
                ],
            },
        ],
    ),
    Step(
        "3.0.0",
        "2.0.0",
        [
            {"map_values": {"path": "/predictions/*/label", "table": LABELS}},
            {"move": {"from": "/model/version", "to": "/model_version"}},
            {"move": {"from": "/model/name", "to": "/model_name"}},
            {"remove": "/model"},
        ],
    ),
    Step(
        "2.0.0",
        "1.0.0",
        [
            {"replace": {"path": "/model_version", "value": "v1"}},
            {"linear": {"path": "/usage/milliseconds", "scale": 0.001}},
            {"move": {"from": "/usage/milliseconds", "to": "/usage/seconds"}},
            {"remove": "/parameters"},
        ],
    ),
)


def sigmoid(logit: float) -> float:
    """The probability; neither branch overflows."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1.0 + odds)


def by_hand(body: bytes) -> bytes:
    """The three steps, written for this one document."""
    document: dict[str, Any] = orjson.loads(body)
    for prediction in document["predictions"]:
        prediction["score"] = sigmoid(prediction.pop("logit"))
        prediction.pop("explanation", None)
        prediction["label"] = LABELS[prediction["label"]]
    model = document.pop("model")
    document["model_version"] = "v1"
    document["model_name"] = model["name"]
    usage = document["usage"]
    usage["seconds"] = usage.pop("milliseconds") * 0.001
    document.pop("parameters", None)
    return orjson.dumps(document)


def copied(body: bytes) -> bytes:
    """No step at all: what decoding and encoding alone cost."""
    return orjson.dumps(orjson.loads(body))
