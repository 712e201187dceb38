"""A real candidate keeps its contract, and so does what old clients get of it: the example watches it by itself."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.kit.looping import eventually
from tests.kit.mlserver import Pair, RunningSidecar, question

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("mlserver")]

USERS = 100
"""Of whom 2.0.0 serves some, always the same ones."""


def counts(sidecar: RunningSidecar, family: str) -> dict[tuple[str, ...], float]:
    """By the values of its labels, in the order of their names."""
    text = httpx.get(f"{sidecar.status_url}/metrics").text
    return {
        tuple(value for _name, value in sorted(sample.labels.items())): sample.value
        for found in text_string_to_metric_families(text)
        for sample in found.samples
        if sample.name == family
    }


def test_the_candidates_answers_and_what_is_made_of_them_are_valid(pair: Pair, split_sidecar: RunningSidecar) -> None:
    served = 0
    before = counts(split_sidecar, "stepdown_validations_total").get(("2.0.0", "churn", "valid", "2.0.0"), 0)
    with httpx.Client(base_url=split_sidecar.url) as client:
        for user in range(USERS):
            answer = client.post(
                "/v2/models/churn/infer",
                json=question(pair.customers[:2]),
                headers={"x-user-id": f"user-{user}", "x-model-version": "1.1.0"},
            )
            assert answer.status_code == 200
            served += answer.headers["x-model-served"] == "2.0.0"
    assert served

    def found() -> dict[tuple[str, ...], float]:
        return counts(split_sidecar, "stepdown_validations_total")

    assert eventually(lambda: found().get(("2.0.0", "churn", "valid", "2.0.0"), 0) - before >= served), found()
    assert eventually(lambda: found().get(("1.1.0", "churn", "valid", "2.0.0"), 0) >= served), found()
    assert {labels[2] for labels in found()} == {"valid"}
    assert counts(split_sidecar, "stepdown_violations_total") == {}
