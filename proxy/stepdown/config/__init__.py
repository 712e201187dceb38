"""The file: YAML with positions, pydantic models, compilation to a snapshot's specification, watching for changes."""

from stepdown.config.findings import Finding, Place, RefusedError
from stepdown.config.loading import load
from stepdown.config.schema import json_schema
from stepdown.config.settings import Loaded, ProcessSettings, ProviderSettings, StoreSettings, Token

__all__ = [
    "Finding",
    "Loaded",
    "Place",
    "ProcessSettings",
    "ProviderSettings",
    "RefusedError",
    "StoreSettings",
    "Token",
    "json_schema",
    "load",
]
