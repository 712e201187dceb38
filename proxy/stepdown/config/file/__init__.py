"""The configuration file as pydantic models: what may be written, in the words of the file."""

from stepdown.config.file.model import (
    AdapterSection,
    ClientSection,
    EndpointSection,
    HealthSection,
    ModelSection,
    VersionSection,
)
from stepdown.config.file.root import RootFile
from stepdown.config.file.route import KeySourceSection, RouteSection, RuleSection
from stepdown.config.file.section import Section

__all__ = [
    "AdapterSection",
    "ClientSection",
    "EndpointSection",
    "HealthSection",
    "KeySourceSection",
    "ModelSection",
    "RootFile",
    "RouteSection",
    "RuleSection",
    "Section",
    "VersionSection",
]
