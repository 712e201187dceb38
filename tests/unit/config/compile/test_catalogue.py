"""`use:` and `{catalogue: NAME}`: a file that names what comes with the sidecar has it in its specification."""

from __future__ import annotations

import pytest

from stepdown_adapters.catalogue.entries import entry
from tests.kit.configuration import Folder

NAME = "vllm/reasoning-to-reasoning-content"
FILE = """\
models:
  chat:
    default_version: "1.0.0"
    versions:
      "1.0.0": {schema: {catalogue: vllm/chat-reasoning-content}, input: {catalogue: vllm/chat-reasoning-content}}
      "2.0.0": {schema: {catalogue: vllm/chat}, input: {catalogue: vllm/chat}, endpoints: [http://127.0.0.1:9]}
    adapters:
      - {from: "2.0.0", to: "1.0.0", use: vllm/reasoning-to-reasoning-content}
routes:
  chat: {match: {path: /v1/chat/completions}, model: chat, rules: [{name: all, split: {"2.0.0": 100}}]}
"""


def replaced(old: str, new: str) -> str:
    assert old in FILE
    return FILE.replace(old, new)


def test_an_adapter_of_the_catalogue_is_in_the_specification_as_if_it_were_written_out(folder: Folder) -> None:
    (model,) = folder.load(FILE).spec.models
    ((step,),) = (chain.steps for chain in model.chains)
    brings = entry(NAME).brings
    assert list(step.response) == brings["response"]
    assert list(step.request) == brings["request"]
    assert step.stream == brings["stream"]
    assert model.versions[1].contract is not None
    assert model.versions[1].contract["title"] == "Chat completion of vLLM, with the model's thoughts as `reasoning`"


def test_what_stands_beside_it_takes_the_place_of_what_it_brings(folder: Folder) -> None:
    (model,) = folder.load(replaced("use: vllm", "stream: {on: {}}, use: vllm")).spec.models
    ((step,),) = (chain.steps for chain in model.chains)
    assert step.stream == {"on": {}}
    assert list(step.request) == entry(NAME).brings["request"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "use: vllm/",
            "use: vlm/",
            'stepdown.yaml:8:43: models.chat.adapters[0].use: found "vlm/reasoning-to-reasoning-content"; allowed one '
            'of "anthropic/messages-to-chat", "kserve/',
        ),
        (
            "{schema: {catalogue: vllm/chat},",
            "{schema: {catalogue: vllm/chatt},",
            "stepdown.yaml:6:25: models.chat.versions.\"2.0.0\".schema: there is no contract 'vllm/chatt'; did you "
            "mean 'vllm/chat'?",
        ),
        (
            "use: vllm",
            "refuse: the space differs, use: vllm",
            "stepdown.yaml:8:9: models.chat.adapters[0]: found refuse and use",
        ),
        (
            "schema: {catalogue: vllm/chat}",
            "schema: {json_schema: a.json, catalogue: vllm/chat}",
            'stepdown.yaml:6:25: models.chat.versions."2.0.0".schema',
        ),
    ],
)
def test_a_mistake_has_its_place(folder: Folder, old: str, new: str, message: str) -> None:
    assert any(found.startswith(message) for found in folder.refusal(replaced(old, new)))


def test_lists_that_do_not_fit_between_the_contracts_are_the_fault_of_naming_them(folder: Folder) -> None:
    closed = '{"type": "object", "properties": {"a": {}}, "additionalProperties": false}'
    folder.write("closed.json", closed)
    file = replaced("{schema: {catalogue: vllm/chat},", "{schema: closed.json,")
    message = next(one for one in folder.refusal(file) if ".use: " in one)
    assert message.startswith("stepdown.yaml:8:43: models.chat.adapters[0].use: its response do not fit between these")
