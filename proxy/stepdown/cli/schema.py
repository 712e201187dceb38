"""`stepdown schema`: the configuration's JSON Schema, or its reference for people."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from stepdown.config import json_schema
from stepdown.config.reference import markdown


def schema(
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="The reference in docs/configuration.md instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of the configuration file.

    Editors that speak the YAML language server complete and check the file with it, when its first line is
    `# yaml-language-server: $schema=stepdown.schema.json`.

    \b
    Examples:
      stepdown schema > stepdown.schema.json
      stepdown schema --markdown
    """
    print(markdown() if as_markdown else json.dumps(json_schema(), indent=2, ensure_ascii=False))
