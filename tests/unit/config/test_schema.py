from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from stepdown.config import json_schema
from stepdown.config.reference import BEGIN, markdown
from tests.kit.configuration import GOOD, Folder

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def as_editors_read(text: str) -> object:
    return yaml.load(re.sub(r"(\d{4}-\d\d-\d\d)", r'"\1"', text), Loader=yaml.SafeLoader)


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json_schema())


def test_the_worked_example_is_valid_for_editors(validator) -> None:
    assert list(validator.iter_errors(as_editors_read(GOOD))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("repeatable: true", "repeatable: maybe"),
        ("repeatable: true", "repeatabel: true"),
        ("methods: [POST]", "methods: POST"),
        ("    model: churn\n", ""),
        ('"1.1.0": 95', '"1.1.0": -1'),
        ("{cookie: uid}", "client_up"),
        ("    model: churn\n", "    model: churn\n    errors: v3\n"),
        ("    model: churn\n", "    model: churn\n    timeouts: {connect: soon}\n"),
    ],
)
def test_editors_see_mistakes(validator, old: str, new: str) -> None:
    assert old in GOOD
    assert list(validator.iter_errors(as_editors_read(GOOD.replace(old, new))))


def test_shorthands_are_part_of_the_schema(validator) -> None:
    text = (
        GOOD.replace("key: [{header: x-user-id}, {cookie: uid}]", "key: client_ip")
        + "passthrough_to: http://a\ninclude: a.yaml\ntimeouts: {connect: 5, whole: 2m}\nlimits: {request_body: 8MiB}\n"
    )
    assert list(validator.iter_errors(as_editors_read(text))) == []


def test_every_key_has_a_meaning() -> None:
    schema = json_schema()
    sections = {"file": schema, **schema["$defs"]}
    missing = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, value in section["properties"].items()
        if not value.get("description")
    ]
    assert not missing


def test_the_reference_has_a_section_for_every_link() -> None:
    text = markdown()
    sections = set(re.findall(r"^## (.*)$", text, re.MULTILINE))
    assert set(re.findall(r"\]\(#(.*?)\)", text)) <= sections
    assert len(sections) == 1 + len(json_schema()["$defs"])


def test_the_page_in_docs_has_the_reference_as_it_is_now() -> None:
    written, _, reference = PAGE.read_text().partition(BEGIN)
    assert written
    assert BEGIN + reference == markdown() + "\n", "append what `stepdown schema --markdown` prints"


def test_the_file_on_the_page_is_good(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert example is not None
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        folder.write(f"contracts/churn/{version}.json", '{"type": "object"}')
    assert folder.load(example[1], environ={"STEPDOWN_TOKEN": "a-token-that-is-long"}).warnings == ()
