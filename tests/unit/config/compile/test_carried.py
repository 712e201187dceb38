"""What an answer's adapters read of the request has to be carried by some request list of the chain."""

from __future__ import annotations

from tests.kit.configuration import Folder, changed

USED = "          - clamp: {path: /score, max: {carried: limit}}\n"
RESPONSE = ("          - sigmoid: /score\n", "          - sigmoid: /score\n" + USED)
REQUEST = ("        response:\n", "        request: [{carry: {from: /limit, as: limit}}]\n        response:\n")


def test_an_answer_that_reads_what_nothing_carries_is_refused_with_its_place_and_chain(folder: Folder) -> None:
    (message,) = [line for line in folder.refusal(changed(RESPONSE)) if "carried" in line]
    assert message.startswith("stepdown.yaml:19:")
    assert "models.churn.adapters[0].response[2].clamp" in message
    assert "nothing is carried as 'limit'" in message
    assert "(in the chain from 2.0.0 to 1.1.0)" in message


def test_a_request_list_of_the_chain_carries_it(folder: Folder) -> None:
    folder.load(changed(RESPONSE, REQUEST))


def test_a_name_that_is_nearly_carried_is_proposed(folder: Folder) -> None:
    text = changed(RESPONSE, REQUEST, ("{carried: limit}", "{carried: limits}"))
    (message,) = [line for line in folder.refusal(text) if "carried" in line]
    assert 'did you mean "limit"' in message


def test_a_default_makes_it_independent(folder: Folder) -> None:
    folder.load(changed(RESPONSE, ("{carried: limit}", "{carried: limit, default: 5}")))
