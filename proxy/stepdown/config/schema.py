"""The JSON Schema of the file, for editors and other tools."""

from __future__ import annotations

from typing import Any

from stepdown.config.file import RootFile


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of the main file; included files are valid under it as well."""
    schema = RootFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Stepdown configuration",
    }
