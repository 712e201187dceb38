"""The new client: written for churn 2.x; it says so in a header and reads the score and its explanation.

.venv/bin/python -m config.churn.clients.new http://127.0.0.1:8080
"""

import json
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """The logit that a customer leaves, the column (from 0) that moved it most, and the headers in lower case."""

    score: float
    because: int
    headers: dict[str, str]


def ask(url: str, customer: Sequence[float], user: str) -> Answer:
    """Asks about one customer (ten numbers).

    Raises:
        urllib.error.HTTPError: any status but 2xx.
        ValueError: the answer has no readable score and explanation.
    """
    question = {"inputs": [{"name": "x", "shape": [1, 10], "datatype": "FP64", "data": list(customer)}]}
    request = urllib.request.Request(
        f"{url}/v2/models/churn/infer",
        data=json.dumps(question).encode(),
        headers={"content-type": "application/json", "x-model-version": "2", "x-user-id": user},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        outputs = {output["name"]: output["data"] for output in json.load(response)["outputs"]}
        headers = {name.lower(): value for name, value in response.headers.items()}
    effects = [abs(effect) for effect in outputs["explanation"]]
    return Answer(float(outputs["score"][0]), effects.index(max(effects)), headers)


if __name__ == "__main__":
    answer = ask(sys.argv[1], [13.9, 19.2, 90.0, 600.0, 0.09, 0.10, 0.08, 0.05, 0.18, 0.06], user="me")
    print(f"This customer's score is {answer.score:+.2f}, most of all because of column {answer.because}.")
