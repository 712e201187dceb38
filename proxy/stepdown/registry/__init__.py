"""The local model registry: immutable versions of models, with their contracts, code's hash and training."""

from stepdown.registry.errors import (
    BadInputError,
    BusyError,
    Damage,
    DamagedError,
    NotFoundError,
    PickleRiskWarning,
    PreprocessingDriftWarning,
    RefusedError,
    RegistryError,
    StorageError,
)
from stepdown.registry.manifest import Manifest
from stepdown.registry.registry import Registry
from stepdown.registry.verifying import Report

__all__ = [
    "BadInputError",
    "BusyError",
    "Damage",
    "DamagedError",
    "Manifest",
    "NotFoundError",
    "PickleRiskWarning",
    "PreprocessingDriftWarning",
    "RefusedError",
    "Registry",
    "RegistryError",
    "Report",
    "StorageError",
]
