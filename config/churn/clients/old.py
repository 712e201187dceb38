"""The old client: written for churn 1.x, strict about its answer, and never told that anything changed.

.venv/bin/python -m config.churn.clients.old http://127.0.0.1:8080
"""

import http.client
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import jsonschema_rs

CONTRACT = Path(__file__).parents[1] / "contracts" / "1.1.0.json"
API_KEY = "churn-dashboard-2024"


class NotWhatWeAgreedError(Exception):
    """The answer is not one that this client was written for."""

    def __init__(self, reason: str, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(reason)
        self.status, self.headers, self.body = status, headers, body


@dataclass(frozen=True)
class Answer:
    """Probabilities in the order of the customers asked about, and the headers they came with (names in lower case)."""

    probabilities: list[float]
    headers: dict[str, str]


class OldClient:
    """Asks one server for v1's output by its name, over one connection, which leaving it as a context closes."""

    def __init__(self, url: str, api_key: str = API_KEY) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        self._api_key = api_key
        self._contract = jsonschema_rs.validator_for(json.loads(CONTRACT.read_text()))

    def ask(self, customers: Sequence[Sequence[float]], user: str) -> Answer:
        """How likely each of `customers` (rows of ten numbers) is to leave; `user` is who looks at the dashboard.

        Raises:
            NotWhatWeAgreedError: any status but 200, or an answer that breaks the contract of churn 1.x.
        """
        question = {
            "inputs": [
                {
                    "name": "x",
                    "shape": [len(customers), 10],
                    "datatype": "FP64",
                    "data": [number for customer in customers for number in customer],
                }
            ],
            "outputs": [{"name": "probability"}],
        }
        headers = {"content-type": "application/json", "x-api-key": self._api_key, "x-user-id": user}
        self._connection.request("POST", "/v2/models/churn/infer", json.dumps(question), headers)
        response = self._connection.getresponse()
        body = response.read()
        received = {name.lower(): value for name, value in response.getheaders()}
        if reason := self._objection(response.status, body, len(customers)):
            raise NotWhatWeAgreedError(reason, response.status, received, body)
        return Answer(json.loads(body)["outputs"][0]["data"], received)

    def _objection(self, status: int, body: bytes, customers: int) -> str | None:
        if status != 200:
            return f"status {status}: {body.decode(errors='replace')}"
        try:
            answer = json.loads(body)
        except ValueError:
            return "the answer is no JSON"
        for error in self._contract.iter_errors(answer):
            return f"the answer breaks the contract: {error.message}"
        if len(answer["outputs"][0]["data"]) != customers:
            return f"not one probability for each of {customers} customers"
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


if __name__ == "__main__":
    customer = [13.9, 19.2, 90.0, 600.0, 0.09, 0.10, 0.08, 0.05, 0.18, 0.06]
    try:
        with OldClient(sys.argv[1]) as client:
            answer = client.ask([customer], user="me")
    except NotWhatWeAgreedError as error:
        sys.exit(f"The old client cannot work with this: {error}")
    print(f"This customer leaves with a probability of {answer.probabilities[0]:.0%}.")
