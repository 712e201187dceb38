from __future__ import annotations

import json

from typer.testing import CliRunner

from stepdown.cli.app import app
from stepdown.config import json_schema
from stepdown.config.reference import markdown


def test_the_schema_is_printed_for_editors_and_the_reference_for_people() -> None:
    assert json.loads(CliRunner().invoke(app, ["schema"]).output) == json_schema()
    assert CliRunner().invoke(app, ["schema", "--markdown"]).output == markdown() + "\n"
