"""What clients of version 1 expect of the application, which speaks version 2: run `pytest` in this folder."""

import pytest
from app import Customer, predict


def ask(request):
    """The application's answer to a request of its own version."""
    return predict(Customer(**request)).model_dump()


def test_the_answer_keeps_its_own_contract(assert_contract):
    assert_contract(ask({"customer_id": "c-7", "months": 6}), "contracts/2.0.0.json")


def test_an_old_client_reads_a_probability(v1_client):
    request = {"customer": "c-7", "months": 6}
    document = v1_client(ask(v1_client.asks(request)), request=request)
    assert document == {"probability": pytest.approx(0.731, abs=0.001), "label": "churn"}


@pytest.mark.stepdown(client="1.1.0")
def test_a_client_of_1_1_may_be_told_the_model(v1_client):
    assert v1_client({"logit": 0.0, "label": "stay", "explanation": [], "model": "b"})["model"] == "b"


def test_what_was_recorded_of_version_1_is_answered_alike(v1_client, v1_recording):
    v1_client.replay(v1_recording, ask, same="shape")
