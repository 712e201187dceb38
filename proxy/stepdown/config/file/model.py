"""`models`: what clients call by name, its versions, their servers, and the adapters between their shapes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from stepdown.config.environment import NAME
from stepdown.config.file.colours import SwitchSection, check_active, two_colours
from stepdown.config.file.contract import ContractSource
from stepdown.config.file.match import MatchSection, PathTemplate
from stepdown.config.file.section import Section, as_list, refused
from stepdown.config.file.values import (
    Date,
    Duration,
    HeaderName,
    Name,
    RangeText,
    Share,
    Url,
    UrlPath,
    VersionText,
    matching_text,
)

_SOURCES = "{env: NAME} or {file: PATH}"
KEPT_BY_THE_PROXY = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect"}
)
"""Header fields that no edit may name."""

Hook = Annotated[
    str,
    matching_text(
        re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*"),
        "package.module:function",
    ),
]


Link = Annotated[
    str, matching_text(re.compile(r"https?://[!-;=?-~]{1,2000}"), "a URL such as https://example.com/notes")
]


class SecretSection(Section):
    """Where a secret is: in a variable of the environment, or in a file (one trailing line break is not part of it)."""

    env: str | None = Field(default=None, description="Name of the environment variable.")
    file: str | None = Field(default=None, description="Path of the file, relative to this one.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise refused(f"one of {_SOURCES}")
        if self.env is not None and not NAME.fullmatch(self.env):
            raise refused("the name of an environment variable in env", problem="found no name")
        return self


def _no_literal(value: Any) -> Any:
    if not isinstance(value, dict):
        raise refused(_SOURCES, problem="found a value in the file itself")
    return value


Secret = Annotated[SecretSection, BeforeValidator(_no_literal, json_schema_input_type=SecretSection)]
Secrets = Annotated[list[Secret], BeforeValidator(as_list, json_schema_input_type=Secret | list[Secret])]
"""A secret, or a list of them, of which the first signs and all verify."""


HeaderValue = Annotated[
    Annotated[str, Tag("text")] | Annotated[SecretSection, Tag("secret")],
    Discriminator(lambda value: "secret" if isinstance(value, dict | SecretSection) else "text"),
]


class TlsSection(Section):
    """How to speak TLS to an endpoint whose URL begins with `https://`."""

    ca_file: str | None = Field(
        default=None, description="Certificates to trust (PEM), relative to this file; else the system's."
    )
    server_name: str | None = Field(default=None, description="Name to ask for and to verify; else the URL's host.")
    verify: bool = Field(default=True, description="Whether the server's certificate is verified.")


def _no_managed_header(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in KEPT_BY_THE_PROXY:
        raise refused("a header that the proxy does not manage itself (for Host, use host_header)")
    return value


EditableHeader = Annotated[HeaderName, BeforeValidator(_no_managed_header)]


class EndpointSection(Section):
    """One server of a version; a plain URL is short for `{url: URL}`."""

    url: Url = Field(description="`http://host:port` or `https://host`, without a path.")
    path: PathTemplate | None = Field(
        default=None,
        description="Path to send instead of the client's; may use the `{name}` parts of the route's path.",
    )
    host_header: str = Field(
        default="keep", description="`keep` (the client's), `endpoint` (host and port of the URL), or a text."
    )
    set_headers: dict[EditableHeader, HeaderValue] = Field(
        default={}, description="Headers to set on requests: a text, `{env: NAME}` or `{file: PATH}`."
    )
    remove_headers: list[EditableHeader] = Field(default=[], description="Headers to remove from requests.")
    expect: dict[str, str] = Field(
        default={},
        description="What the server must say about itself (`model_name`, `model_version`) to count as ready. "
        "Without `health`, it is asked in the way of `open-inference`.",
    )
    tls: TlsSection | None = Field(default=None, description="Only for `https://`.")


def _from_url(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


Endpoint = Annotated[EndpointSection, BeforeValidator(_from_url, json_schema_input_type=str | EndpointSection)]


class HealthSection(Section):
    """Active probes of a version's endpoints, and when failing ones are ejected; `open-inference` alone is a preset."""

    preset: Literal["open-inference"] | None = Field(
        default=None, description="Fills in `path` and `metadata_path` as the Open Inference Protocol has them."
    )
    path: UrlPath | None = Field(
        default=None, description="Path that answers 2xx when the server is ready; none: no probes."
    )
    metadata_path: PathTemplate | None = Field(
        default=None,
        description="Path whose JSON answer must hold what `expect` says; `{model}` and `{version}` are filled in.",
    )
    interval: Duration = Field(default=2.0, gt=0, description="Time between probes of an endpoint.")
    timeout: Duration = Field(default=1.0, gt=0, description="Time that a probe may take.")
    rise: int = Field(default=2, ge=1, description="Successes in a row after which an endpoint is ready.")
    fall: int = Field(default=3, ge=1, description="Failures in a row after which it is not.")
    eject_after: int = Field(
        default=5,
        ge=1,
        description="Failed requests in a row (connect, reset, timeout, 5xx) that eject an endpoint, never the last.",
    )
    eject_base: Duration = Field(
        default=5.0, gt=0, description="Length of the first ejection; doubled each time in a row."
    )
    eject_max: Duration = Field(default=300.0, gt=0, description="Length of the longest ejection.")


_PLAIN, _COLOURED = "a plain list", "lists by colour"

Endpoints = Annotated[
    Annotated[list[Endpoint], Tag(_PLAIN)]
    | Annotated[
        dict[Name, Annotated[list[Endpoint], Field(min_length=1)]], AfterValidator(two_colours), Tag(_COLOURED)
    ],
    Discriminator(lambda value: _COLOURED if isinstance(value, dict) else _PLAIN),
]


def _from_preset(value: Any) -> Any:
    return {"preset": value} if isinstance(value, str) else value


Health = Annotated[HealthSection, BeforeValidator(_from_preset, json_schema_input_type=str | HealthSection)]


class VersionSection(Section):
    """A shape, and the servers that run it; without `endpoints` it is no longer served, yet can be asked for."""

    schema_source: ContractSource | None = Field(
        default=None,
        alias="schema",
        description="Contract of the answers: a JSON Schema file relative to this one, `api.yaml::operationId` of an "
        "OpenAPI document, `file.proto::package.Message`, `package.module:Model` of Pydantic, or a mapping.",
    )
    input: ContractSource | None = Field(
        default=None,
        description="Contract of the requests, in the same forms. Where two versions have one, requests for the older "
        "must be requests for the newer, or an adapter has a `request` list.",
    )
    endpoints: Endpoints = Field(
        default=[],
        description="Servers that run this version: a list, or two colours with a list each, "
        "`{blue: [...], green: [...]}`, of which the `active` one takes requests.",
    )
    active: Name | None = Field(
        default=None, description="With colours, the one that takes requests until `stepdown switch MODEL/VERSION`."
    )
    switch: SwitchSection = Field(default_factory=SwitchSection, description="With colours, how one is switched to.")
    validated_share: Share | None = Field(
        default=None,
        alias="validate",
        description="Share of this version's live answers that is held against contracts: its own, and that of the "
        "shape in which an answer is delivered. Nothing waits for it, and what it finds is counted and logged. Not "
        "given, it is 100% for a candidate (a version with a weight, but less than the heaviest of the same split) and "
        "0% for all others. Of a rollout with a guard on contract_violations it is at least 10% while it is driven, "
        "and the larger share of its two versions for both. A version without a schema has nothing to be held against.",
    )
    health: Health | None = Field(
        default=None,
        description="How endpoints are probed: `open-inference` or a mapping. Without it they are not probed, "
        "only ejected when requests fail.",
    )
    deprecated: Date | None = Field(
        default=None, description="Since when: `Deprecation` (RFC 9745) is sent with this shape."
    )
    sunset: Date | None = Field(default=None, description="Until when: `Sunset` (RFC 8594) is sent. It only announces.")
    link: Link | None = Field(default=None, description="Migration notes, sent as `Link`.")
    retired: bool = Field(default=False, description="Asking for this shape answers 410 with the link.")

    @property
    def colours(self) -> dict[str, list[EndpointSection]]:
        """Endpoints by colour; empty where there are no colours."""
        return self.endpoints if isinstance(self.endpoints, dict) else {}

    @property
    def servers(self) -> list[tuple[tuple[str | int, ...], EndpointSection]]:
        """Every endpoint of every colour, each with where it stands below the version."""
        if isinstance(self.endpoints, list):
            return [(("endpoints", index), one) for index, one in enumerate(self.endpoints)]
        return [
            (("endpoints", colour, index), one)
            for colour, endpoints in self.endpoints.items()
            for index, one in enumerate(endpoints)
        ]

    @model_validator(mode="after")
    def _active_of_colours(self) -> Self:
        check_active(self.active, list(self.colours), "colours of endpoints")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.deprecated is not None and self.sunset is not None and self.sunset < self.deprecated:
            raise refused(
                "a sunset that is not before deprecated (RFC 9745)", problem="found a sunset before deprecated"
            )
        return self


class AdapterSection(Section):
    """One step from a newer version's shape to an older one's."""

    source: VersionText = Field(alias="from", description="The newer version.")
    target: VersionText = Field(alias="to", description="The older version.")
    use: str | None = Field(
        default=None,
        description="An adapter that comes with Stepdown (`stepdown catalogue`): `openai/responses-to-chat`. What is "
        "said here of `request`, `response`, `errors` or `stream` takes the place of what it brings.",
    )
    response: list[Any] = Field(default=[], description="Operations on the answer, newer to older.")
    request: list[Any] = Field(default=[], description="Operations on the request, older to newer.")
    errors: list[Any] = Field(
        default=[],
        description="Operations on answers with a status from 400 on, newer to older. Without them errors stay as they "
        "are; one that cannot be adapted becomes an error of Stepdown's with the same status.",
    )
    stream: dict[str, Any] | None = Field(
        default=None,
        description="What is done with the events of a stream, newer to older: `on`, `fold`, `envelope`, `end`, "
        "`collect`, `unfold`. Without it, streams of a step that changes answers are refused; `{on: {}}` leaves them "
        "as they are.",
    )
    hook: Hook | None = Field(
        default=None, description="Python function for what operations cannot say; its result is unproved."
    )
    prune: bool = Field(
        default=False,
        description="Removes all that the older version's contract does not declare, after `response` and `hook`. "
        "Else unknown members ride along.",
    )
    fidelity: Literal["normal", "strict"] = Field(
        default="normal",
        description="`strict` also keeps number text and duplicate keys in touched parts, more slowly.",
    )
    non_finite: Literal["fail", "nullify"] = Field(
        default="fail",
        description="What becomes of `NaN` and `Infinity`, which Python servers write and JSON does not have: "
        "`fail` refuses the answer, `nullify` reads null in their places.",
    )
    refuse: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="Why there can be no such step, as half a sentence: `the embedding space differs`. It stands alone "
        "beside `from` and `to`, no chain leads over it, and messages about the missing way say it.",
    )

    @model_validator(mode="after")
    def _refused_alone(self) -> Self:
        stray = sorted(self.model_fields_set - {"source", "target", "refuse"})
        if self.refuse is not None and stray:
            raise refused("refuse alone beside from and to", problem=f"found refuse and {stray[0]}")
        return self


class ClientSection(Section):
    """Legacy clients that cannot send `X-Model-Version`, and the shape that they were built for."""

    match: MatchSection = Field(description="How they are recognised.")
    version: RangeText = Field(description="A version, a range (its newest that can always be delivered), or `latest`.")


class ModelSection(Section):
    """One model."""

    default_version: RangeText | None = Field(
        default=None,
        description="The shape for clients that pin nothing. May be left out where there is one version only.",
    )
    accept_latest: VersionText | None = Field(
        default=None, description="Agrees to a reload that moves `latest` to this version across a MAJOR."
    )
    repeatable: bool = Field(default=False, description="A call has no side effects: it may be sent again.")
    versions: dict[VersionText, VersionSection] = Field(min_length=1, description='By version; quote it: `"1.0.0"`.')
    adapters: list[AdapterSection] = Field(default=[], description="Steps between neighbouring versions.")
    clients: list[ClientSection] = Field(default=[], description="The first that matches counts.")
