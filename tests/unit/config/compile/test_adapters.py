"""What an adapter of the file becomes: its steps in the specification, and what is said about its mistakes."""

from __future__ import annotations

import json

from stepdown_adapters.context import Context
from stepdown_adapters.generate import compile_chain
from tests.kit.configuration import Folder, changed

STRAY = b'{"logit": 0.0, "stray": [1]}'
PRUNED = ('        to: "1.1.0"\n        response:', '        to: "1.1.0"\n        prune: true\n        response:')


def step_down(folder: Folder, text: str, body: bytes) -> object:
    (model,) = folder.load(text).spec.models
    (chain,) = [chain for chain in model.chains if (chain.served, chain.pinned) == ("2.0.0", "1.1.0")]
    return json.loads(compile_chain(chain.steps).response(body, Context()))


def test_what_an_older_contract_does_not_declare_rides_along_unless_it_is_pruned(folder: Folder) -> None:
    assert step_down(folder, changed(), STRAY) == {"score": 0.5, "stray": [1]}
    assert step_down(folder, changed(PRUNED), STRAY) == {"score": 0.5}


def test_pruning_needs_a_contract_that_says_what_stays(folder: Folder) -> None:
    (message,) = folder.refusal(changed(PRUNED, ("schema: contracts/1.1.0.json, ", ""), ('      "1.0.0": {schema: contracts/1.0.0.json, deprecated: 2026-12-01, sunset: 2027-06-01}\n', "")))  # fmt: skip  # noqa: E501
    assert "models.churn.adapters[0].prune: 1.1.0 has no contract that says what stays" in message
    assert "allowed a schema for 1.1.0" in message


def test_an_adapter_has_operations_for_errors(folder: Folder) -> None:
    errors = ("        response:", "        errors: [{status_map: {'422': 400}}]\n        response:")
    (model,) = folder.load(changed(errors)).spec.models
    adapter = compile_chain(next(chain for chain in model.chains if chain.pinned == "1.1.0").steps)
    assert adapter.error_head.statuses == {422: 400}


def test_a_mistake_in_the_operations_for_errors_has_its_place(folder: Folder) -> None:
    errors = ("        response:", "        errors:\n          - status_map: {'200': 400}\n        response:")
    (message,) = folder.refusal(changed(errors))
    assert message.startswith("stepdown.yaml:17:25: models.churn.adapters[0].errors[0].status_map: ")


def closed(**properties: object) -> str:
    names = list(properties)
    return json.dumps({"type": "object", "properties": properties, "required": names, "additionalProperties": False})


def test_a_conversion_of_what_the_contract_has_not_is_refused_at_its_line(folder: Folder) -> None:
    folder.write("contracts/2.0.0.json", closed(logit={"type": "string"}))
    (message,) = folder.refusal(changed())
    assert message.startswith("stepdown.yaml:18:22: models.churn.adapters[0].response[1].sigmoid: ")
    assert "/score is a string after [0]/move, and sigmoid refuses every such value" in message


def test_what_no_operation_makes_right_is_refused_at_the_list(folder: Folder) -> None:
    folder.write("contracts/2.0.0.json", closed(logit={"type": "number"}, reason={"type": "string"}))
    folder.write("contracts/1.1.0.json", closed(score={"type": "number"}))
    folder.write("contracts/1.0.0.json", closed(score={"type": "number"}))
    (message,) = folder.refusal(changed())
    assert "models.churn.adapters[0].response: /reason is always there, and the contract declares no such" in message
    assert folder.load(changed(PRUNED))
