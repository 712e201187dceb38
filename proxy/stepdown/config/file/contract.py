"""`schema` and `input` of a version: where a contract is read from."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, model_validator

from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import VersionText

_SOURCES = ("json_schema", "openapi", "protobuf", "pydantic", "registry", "catalogue")
_OPTIONS = {"openapi": ("operation", "status", "media_type"), "protobuf": ("message",), "registry": ("name", "version")}


class ContractSection(Section):
    """A contract that is not a JSON Schema in a file of its own; exactly one source, with the options that it has."""

    json_schema: str | None = Field(default=None, description="File of a JSON Schema, like the plain text.")
    openapi: str | None = Field(default=None, description="File of an OpenAPI 3.0 or 3.1 document.")
    operation: str | None = Field(default=None, description="Its operation: an `operationId`, or `POST /predict`.")
    status: str | None = Field(default=None, description="Whose answer; the first 2xx by default.")
    media_type: str | None = Field(default=None, description="In which form; JSON by default.")
    protobuf: str | None = Field(default=None, description="A `.proto` file or a descriptor set (`.binpb`).")
    message: str | None = Field(default=None, description="Its message, with the package: `churn.v1.Prediction`.")
    pydantic: str | None = Field(default=None, description="A model by import path: `package.module:Model`.")
    registry: str | None = Field(default=None, description="Folder of a model registry (`stepdown registry`).")
    catalogue: str | None = Field(
        default=None, description="A contract that comes with Stepdown (`stepdown catalogue`): `openai/chat`."
    )
    name: str | None = Field(default=None, description="The model's name there, where it has another one here.")
    version: VersionText | None = Field(default=None, description="The version there, where it has another one here.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [source for source in _SOURCES if getattr(self, source) is not None]
        if len(given) != 1:
            raise refused(f"one of {', '.join(_SOURCES)}")
        for source, options in _OPTIONS.items():
            stray = [option for option in options if getattr(self, option) is not None and source not in given]
            if stray:
                raise refused(f"{stray[0]} beside {source} only", problem=f"found {stray[0]} beside {given[0]}")
        needed = {"openapi": "operation", "protobuf": "message"}.get(given[0])
        if needed is not None and getattr(self, needed) is None:
            raise refused(f"{needed} beside {given[0]}", problem=f"found {given[0]} without {needed}")
        return self

    @property
    def file(self) -> str | None:
        """The file that it is read from; `None` for an import path, a registry and the catalogue."""
        return self.json_schema or self.openapi or self.protobuf

    @property
    def reference(self) -> dict[str, str]:
        """In the form of `stepdown_adapters.contract.source.load_contract`."""
        return self.model_dump(exclude_none=True)


ContractSource = Annotated[
    Annotated[str, Tag("text")] | Annotated[ContractSection, Tag("source")],
    Discriminator(lambda value: "source" if isinstance(value, dict | ContractSection) else "text"),
]
