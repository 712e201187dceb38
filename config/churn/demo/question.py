"""One question as anybody would ask it, without a client of its own."""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An answer of any shape, and its headers (names in lower case)."""

    answer: dict[str, Any]
    headers: dict[str, str]

    @property
    def first(self) -> Any:
        """The first value of the first output."""
        return self.answer["outputs"][0]["data"][0]


def question(customer: Sequence[float]) -> dict[str, Any]:
    """The Open Inference request about one customer (ten numbers)."""
    return {"inputs": [{"name": "x", "shape": [1, 10], "datatype": "FP64", "data": list(customer)}]}


def ask(url: str, customer: Sequence[float], headers: Mapping[str, str]) -> Reply:
    """Asks about one customer (ten numbers); raises `urllib.error.HTTPError` for any status but 2xx."""
    request = urllib.request.Request(
        f"{url}/v2/models/churn/infer",
        data=json.dumps(question(customer)).encode(),
        headers={"content-type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return Reply(json.load(response), {name.lower(): value for name, value in response.headers.items()})
