"""`Model`: a description is read as a whole, and every mistake in it is told with its line."""

import json
from pathlib import Path

import pytest

from stepdown.config.file.model import AdapterSection, ModelSection, VersionSection
from stepdown_adapters import Model, ModelError, VersionError
from stepdown_adapters.description.reader import MODEL_KEYS, SERVING_KEYS, VERSION_KEYS
from stepdown_adapters.description.steps import ADAPTER_KEYS

NUMBER = {"type": "object", "required": ["score"], "properties": {"score": {"type": "number"}}}
TEXT = {"type": "object", "required": ["score"], "properties": {"score": {"type": "string"}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "number.json").write_text(json.dumps(NUMBER))
    (tmp_path / "text.json").write_text(json.dumps(TEXT))
    return tmp_path


def written(folder: Path, text: str, name: str = "model.yaml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def mistakes(folder: Path, text: str, model: str | None = None, name: str = "model.yaml") -> list[str]:
    """What is said about a file, without its path: `12: sentence`."""
    file = written(folder, text, name)
    with pytest.raises(ModelError) as caught:
        Model.load(file, model)
    found = [caught.value, *caught.value.further]
    assert str(caught.value).count(str(file)) >= len(found)
    return [f"{one.place.removeprefix(str(file)).lstrip(':')}: {one.sentence}" for one in found]


def test_a_model_knows_its_versions_contracts_and_default(folder: Path) -> None:
    model = Model.load(
        written(
            folder,
            """
default_version: ^1.0
versions:
  "1.10.0": {schema: number.json, deprecated: 2026-01-01, endpoints: [http://localhost:1]}
  "1.2.0": {schema: {json_schema: number.json}, input: text.json}
  "2.0.0":
""",
        )
    )
    assert (model.name, model.versions, model.default) == ("model", ("1.2.0", "1.10.0", "2.0.0"), "1.10.0")
    assert model.contract("1.2.0").is_valid({"score": 1})
    assert model.input("1.2.0").is_valid({"score": "a"})
    assert model.contract("1") is model.contract("v1.10.0")
    assert model.version("latest") == "2.0.0"
    assert model.matching("1") == ("1.10.0", "1.2.0")
    assert model.matching("latest") == ("2.0.0",)
    assert model.reaches("1.10.0", "1.2.0")  # their contracts are the same
    assert not model.reaches("2.0.0", "1.10.0")
    assert model.adapter("1.10.0", "1.2.0") is model.adapter("1.10.0", "1.2.0")


def test_what_a_model_does_not_have_is_told_with_what_it_has(folder: Path) -> None:
    model = Model.load(written(folder, 'versions: {"1.0.0": {schema: number.json}, "2.0.0": {}}'))
    with pytest.raises(ModelError, match=r"2.0.0 declares no 'schema'; those that do: '1.0.0'"):
        model.contract("2.0.0")
    with pytest.raises(ModelError, match=r"1.0.0 declares no 'input'; those that do: none"):
        model.input("1.0.0")
    with pytest.raises(ModelError, match=r"1.0.0 cannot be had from 2.0.0: 2.0.0 -> 1.0.0: no adapter is declared"):
        model.adapter("2.0.0", "1.0.0")
    with pytest.raises(VersionError):
        model.version("one")


def test_a_configuration_needs_a_name_only_where_it_has_several_models(folder: Path) -> None:
    text = 'listen: 0.0.0.0:80\nmodels: {a: {versions: {"1.0.0": {}}}, b: {versions: {"2.0.0": {}}}}\nroutes: {}\n'
    file = written(folder, text)
    assert Model.load(file, "b").versions == ("2.0.0",)
    assert mistakes(folder, text) == ["2: has several models; say which: 'a', 'b'"]
    assert mistakes(folder, text, "bb") == ["2: there is no model 'bb'; did you mean 'b'?"]
    assert mistakes(folder, "models: {}") == ["1: has no model"]
    assert Model.load(written(folder, 'models: {a: {versions: {"1.0.0": {}}}}')).name == "a"


def test_a_description_is_named_by_its_file(folder: Path) -> None:
    text = 'versions: {"1.0.0": {}}'
    assert Model.load(written(folder, text), "model").name == "model"
    assert mistakes(folder, text, "churn") == [": describes one model, 'model', so that 'churn' is not in it"]


def test_json_is_a_description_too(folder: Path) -> None:
    text = json.dumps({"versions": {"1.0.0": {"schem": "number.json"}}}, indent=1)
    assert mistakes(folder, text, name="model.json") == ["4: there is no key 'schem'; did you mean 'schema'?"]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(folder: Path) -> None:
    text = """\
default_version: 1.0
versions:
  "1.0": {}
  "1.0.0": {shema: number.json}
  "1.0.0+again": {}
  "2.0.0": {schema: gone.json}
  "3.0.0": 7
adapter: []
adapters:
  - from: "2.0.0"
    to: "1.0.0"
    response:
      - sigmoit: /score
      - in: /x
        do:
          - remove: /a
          - linear: {path: /b}
    hook: no.such.module:function
    fidelity: exact
    prune: sometimes
  - {from: "1.0.0", to: "2.0.0"}
  - {from: "9.0.0", to: 1.0}
  - 7
"""
    found = mistakes(folder, text)
    lines = [int(one.split(":")[0]) for one in found]
    assert lines == [1, 3, 4, 5, 6, 7, 8, 13, 17, 18, 19, 20, 21, 22, 22, 23]
    told = "\n".join(found)
    assert "did you mean 'schema'?" in told
    assert "did you mean 'adapters'?" in told
    assert "there is no operation 'sigmoit'; did you mean 'sigmoid'?" in told
    assert "1.0.0 is not newer than 2.0.0: adapters step down" in told
    assert "is normal or strict" in told.replace("'", "")


def test_operations_are_held_against_both_contracts(folder: Path) -> None:
    (folder / "closed.json").write_text(json.dumps({**NUMBER, "additionalProperties": False}))
    text = """\
versions: {"1.0.0": {schema: text.json}, "2.0.0": {schema: closed.json}}
adapters:
  - from: "2.0.0"
    to: "1.0.0"
    response:
      - linear: {path: /scor, scale: 2}
"""
    [told] = mistakes(folder, text)
    assert told.startswith("6: /scor: ")
    assert "did you mean 'score'?" in told
    [told] = mistakes(folder, text.replace("/scor,", "/score,"))
    assert "/score is a number, and the contract has a string" in told


def test_requests_that_the_newer_version_cannot_read_need_operations(folder: Path) -> None:
    versions = 'versions: {"1.0.0": {input: text.json}, "2.0.0": {input: number.json}}\n'
    [told] = mistakes(folder, versions + 'adapters:\n  - {from: "2.0.0", to: "1.0.0"}\n')
    assert told.startswith("3: not every request for 1.0.0 is one for 2.0.0")
    cast = "request: [{cast: {path: /score, to: number}}]"
    model = Model.load(written(folder, versions + 'adapters: [{from: "2.0.0", to: "1.0.0", ' + cast + "}]"))
    assert model.adapter("2.0.0", "1.0.0").request({"score": "7"}) == {"score": 7}


def test_a_step_that_is_refused_says_why_there_is_no_way(folder: Path) -> None:
    text = (
        'versions: {"1.0.0": {}, "2.0.0": {}}\nadapters:\n  - {from: "2.0.0", to: "1.0.0", refuse: the space differs}\n'
    )
    model = Model.load(written(folder, text))
    assert not model.reaches("2.0.0", "1.0.0")
    with pytest.raises(ModelError, match=r"2.0.0 -> 1.0.0 is refused: the space differs"):
        model.adapter("2.0.0", "1.0.0")
    stray = text.replace("refuse:", "prune: true, refuse:")
    assert mistakes(folder, stray) == ["3: 'refuse' stands alone beside 'from' and 'to'"]


def test_two_adapters_for_one_step_are_refused(folder: Path) -> None:
    text = 'versions: {"1.0.0": {}, "2.0.0": {}}\nadapters:\n' + '  - {from: "2.0.0", to: "1.0.0"}\n' * 2
    assert mistakes(folder, text) == ["4: is a second adapter from 2.0.0 to 1.0.0"]


def test_what_is_read_and_never_carried_is_found(folder: Path) -> None:
    text = """\
versions: {"1.0.0": {}, "2.0.0": {}}
adapters:
  - from: "2.0.0"
    to: "1.0.0"
    response:
      - add: {path: /a, value: {carried: a}}
"""
    [told] = mistakes(folder, text)
    assert told.startswith("6: nothing is carried as 'a'")


def test_pruning_needs_a_contract_and_removes_what_it_does_not_declare(folder: Path) -> None:
    text = 'versions: {"1.0.0": {}, "2.0.0": {}}\nadapters: [{from: "2.0.0", to: "1.0.0", prune: true}]\n'
    assert mistakes(folder, text) == ["2: 1.0.0 has no contract that says what stays"]
    model = Model.load(written(folder, text.replace('"1.0.0": {}', '"1.0.0": {schema: number.json}')))
    assert model.adapter("2.0.0", "1.0.0")({"score": 1, "stray": 2}) == {"score": 1}
    assert "prune:" in model.adapter("2.0.0", "1.0.0").explain()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("include: [a.yaml]", "what a configuration includes is not read"),
        ('versions: {"1.0.0": {schema: "${FILE}"}}', "filled in by the sidecar only"),
        ('versions: {"1.0.0": {schema: {registry: models}}}', "found by the sidecar only"),
        ('versions: {"1.0.0": {schema: [1]}}', "not an array"),
        ("- 1", "a description of a model is a mapping, not an array"),
        ("{}", "'versions' is a mapping, not null"),
        ("versions: {}", "has no version"),
        ("versions: {a: {}\n", "is not YAML"),
        ('versions: {"1.0.0": {}, "1.0.0": {}}', "duplicate key"),
        ('versions: {"1.0.0": {}}\ndefault_version: "2"', "no version is '2'"),
        ('versions: {"1.0.0": {}}\ndefault_version: "a b"', "is a version or a range"),
        ('versions: {"1.0.0": &a {<<: {}}}', "there is no key '<<'"),
    ],
    ids=lambda text: None,
)
def test_what_is_no_description_is_refused(folder: Path, text: str, told: str) -> None:
    assert told in "\n".join(mistakes(folder, text))


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(ModelError, match=r"nowhere.yaml: cannot be read"):
        Model.load("nowhere.yaml")


def test_no_key_of_a_configuration_is_refused() -> None:
    def keys(section: type[ModelSection] | type[VersionSection] | type[AdapterSection]) -> set[str]:
        return {field.alias or name for name, field in section.model_fields.items()}

    assert keys(ModelSection) <= MODEL_KEYS | SERVING_KEYS
    assert keys(VersionSection) <= VERSION_KEYS | SERVING_KEYS
    assert keys(AdapterSection) == ADAPTER_KEYS
