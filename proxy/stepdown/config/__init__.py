"""The file: YAML with positions, pydantic models, compilation to a snapshot's specification, watching for changes."""
