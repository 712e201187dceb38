from __future__ import annotations

import json
import textwrap

import pytest

from stepdown.registry import BadInputError, DamagedError, NotFoundError
from stepdown.registry.contracts import contract_file, kept
from tests.kit.model_registry import ANSWER, MORE, QUESTION, Workshop, overwrite

API = """
openapi: 3.1.0
info: {title: churn, version: "1"}
paths:
  /predict:
    post:
      operationId: predict
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [age], properties: {age: {type: integer}}}}}
      responses:
        "200":
          description: an answer
          headers: {X-Trace: {required: true, schema: {type: string}}}
          content: {application/json: {schema: {type: object, properties: {score: {type: number, maximum: 1}}}}}
        "422": {description: a refusal, content: {application/json: {schema: {type: object}}}}
"""


def test_a_contract_is_found_for_a_configuration(workshop: Workshop) -> None:
    workshop.contract(QUESTION, "question.json")
    workshop.add("1.0.0", input="question.json")
    workshop.add("1.1.0", output=MORE)
    found = contract_file(workshop.registry.folder, "churn", "^1")
    assert found == workshop.at("1.1.0") / "output.json"
    assert json.loads(found.read_text())["properties"]["note"] == {"type": "string"}
    asked = contract_file(str(workshop.registry.folder), "churn", "1.0.0", "input")
    assert json.loads(asked.read_text())["required"] == ["age"]


def test_a_contract_that_is_not_as_it_was_added_is_not_given_out(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    overwrite(workshop.at() / "output.json", b" " + (workshop.at() / "output.json").read_bytes())
    with pytest.raises(DamagedError, match=r"output\.json: was changed"):
        contract_file(workshop.registry.folder, "churn", "1.0.0")


def test_what_is_not_there_is_said(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    with pytest.raises(NotFoundError, match=r"churn 1\.0\.0 was added without a contract of its input"):
        contract_file(workshop.registry.folder, "churn", "1.0.0", "input")
    with pytest.raises(NotFoundError, match="no version fits"):
        contract_file(workshop.registry.folder, "churn", "1.0.1")
    with pytest.raises(BadInputError, match="found neither output nor input"):
        contract_file(workshop.registry.folder, "churn", "1.0.0", "error")  # type: ignore[arg-type]


def test_a_contract_is_kept_in_one_piece_in_the_order_of_its_author(workshop: Workshop) -> None:
    workshop.contract({"type": "number", "maximum": 1}, "score.json")
    workshop.add(output={"type": "object", "properties": {"z": {"$ref": "score.json"}, "a": {"type": "string"}}})
    written = json.loads((workshop.at() / "output.json").read_text())
    assert list(written["properties"]) == ["z", "a"]
    assert written["properties"]["z"]["$ref"].startswith("#/")


def test_an_operation_of_openapi_gives_both_sides_and_its_envelope_comes_back_whole(workshop: Workshop) -> None:
    (workshop.folder / "api.yaml").write_text(textwrap.dedent(API))
    artifact = workshop.artifact("model")
    added = workshop.registry.add(
        "churn", "1.0.0", artifact, output="api.yaml::predict", input="api.yaml::predict", beside=workshop.folder
    )
    output, asked = (kept(workshop.at(), added.manifest, side) for side in ("output", "input"))
    assert output is not None
    assert asked is not None
    assert output.envelope is not None
    assert set(output.envelope.answers) == {"200", "422"}
    assert output.envelope.answers["200"].headers["x-trace"].required
    assert asked.schema["required"] == ["age"]  # type: ignore[index]
    mapping = {"openapi": "api.yaml", "operation": "predict"}
    again = workshop.registry.add("churn", "1.0.0", artifact, output=mapping, input=mapping, beside=workshop.folder)
    assert not again.new


def test_a_changed_envelope_is_another_contract_and_is_compared(workshop: Workshop) -> None:
    path = workshop.folder / "api.yaml"
    path.write_text(API)
    artifact = workshop.artifact("model")
    workshop.registry.add("churn", "1.0.0", artifact, output="api.yaml::predict", beside=workshop.folder)
    path.write_text(API.replace("{required: true, schema: {type: string}}", "{schema: {type: string}}"))
    for version, sentence in (("1.0.0", "output: another contract"), ("1.1.0", "needs? MAJOR|need MAJOR")):
        with pytest.raises(Exception, match=sentence):
            workshop.registry.add("churn", version, artifact, output="api.yaml::predict", beside=workshop.folder)


def test_a_contract_that_cannot_be_read_is_refused_with_its_place(workshop: Workshop) -> None:
    with pytest.raises(BadInputError, match=r"contract\.json.*is no usable contract"):
        workshop.add(output={"type": "nonsense"})
    with pytest.raises(BadInputError, match="is no usable contract"):
        workshop.add(output=ANSWER, input="nowhere.json")
