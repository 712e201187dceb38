"""Who is asked for numbers that guards are judged by: Prometheus, and webhooks."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stepdown.config.file.model import EditableHeader, HeaderValue
from stepdown.config.file.section import Section, as_list, refused
from stepdown.config.file.values import Duration, Name, Pointer, written
from stepdown.rollout.queries import OF_A_ROLLOUT, names

LONGEST_ANSWER = 15.0
"""Seconds; a window does not wait any longer."""
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}")


def _read_address(value: Any) -> str:
    """An `http://` or `https://` URL with a path and a query, as it is written."""
    allowed = "a URL such as http://prometheus:9090"
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise refused(allowed)
    try:
        parts = urlsplit(value)
        port, host, user = parts.port, parts.hostname, parts.username
    except ValueError:
        raise refused(allowed) from None
    if user is not None:
        raise refused(f"{allowed}; credentials go to `set_headers`", problem="found a URL with credentials in it")
    if not host or port == 0 or parts.fragment or "{" in parts.netloc:
        raise refused(allowed)
    return value


MetricUrl = Annotated[str, BeforeValidator(_read_address), written("URL", "string")]
Answering = Annotated[Duration, Field(gt=0, le=LONGEST_ANSWER)]
_HEADERS = "Headers to send: a text, `{env: NAME}` or `{file: PATH}`; never shown."
_CA_FILE = "Certificates to trust (PEM), relative to this file; else the system's."


class ServerSection(Section):
    """One server of metrics; a plain URL is short for `{url: URL}`."""

    url: MetricUrl = Field(description="Its base, with a path where it has one.")
    set_headers: dict[EditableHeader, HeaderValue] = Field(default={}, description=_HEADERS)
    ca_file: str | None = Field(default=None, description=_CA_FILE)


def _from_url(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


Server = Annotated[ServerSection, BeforeValidator(_from_url, json_schema_input_type=str | ServerSection)]


class PrometheusSection(Section):
    """What is asked in PromQL: Prometheus, or what speaks its HTTP API; a URL alone is short for `{servers: [URL]}`."""

    servers: Annotated[
        list[Server],
        BeforeValidator(as_list, json_schema_input_type=Server | list[Server]),
        Field(min_length=1, max_length=16),
    ] = Field(description="Their URLs; queries go to `api/v1/query` under each.")
    several: Literal["replicas", "parts"] | None = Field(
        default=None,
        description="What several servers are: `replicas` know the same, so the first one that can be read counts; "
        "`parts` each know something else, so all are asked and counts add up, and nothing counts where one cannot be "
        "read.",
    )
    timeout: Answering = Field(default=10.0, description="Time for one answer, up to 15 s.")
    stale_after: Duration = Field(default=300.0, gt=0, description="Age from which on a sample says nothing of now.")

    @model_validator(mode="after")
    def _clear(self) -> Self:
        if len(self.servers) > 1 and self.several is None:
            raise refused(
                "several: replicas, where they know the same, or several: parts, where their counts add up",
                problem=f"found {len(self.servers)} servers, and not what they are to each other",
            )
        return self


def _from_servers(value: Any) -> Any:
    return {"servers": value} if isinstance(value, str | list) else value


Prometheus = Annotated[
    PrometheusSection, BeforeValidator(_from_servers, json_schema_input_type=str | list[Server] | PrometheusSection)
]


def check_names(text: str, known: frozenset[str], where: str = "") -> None:
    """Refuse what is to be filled in and is not known; ` in query` says where that is."""
    unknown = next((name for name in names(text) if name not in known), None)
    if unknown is not None:
        problem = f"found {{{{{unknown}}}}}{where}, which nothing fills in"
        raise refused(" or ".join(f"{{{{{name}}}}}" for name in sorted(known)), problem=problem)


def _known_names(value: str) -> str:
    check_names(value, OF_A_ROLLOUT)
    return value


class WebhookSection(Section):
    """What is asked for JSON; a URL alone is short for `{url: URL}`."""

    url: Annotated[MetricUrl, AfterValidator(_known_names)] = Field(
        description="Where; may have `{{candidate}}`, `{{stable}}`, `{{rollout}}`, `{{step}}` and `{{since}}` in it."
    )
    method: Literal["POST", "GET"] = Field(
        default="POST", description="`POST` sends where the rollout stands, as JSON; `GET` sends no body."
    )
    set_headers: dict[EditableHeader, HeaderValue] = Field(default={}, description=_HEADERS)
    tell: dict[Name, Any] = Field(default={}, description="Members that the body of a `POST` has besides.")
    reads: Literal["value", "status"] | None = Field(
        default=None,
        description="With `kind: threshold`: a `value` of the answer (by itself), or only its `status`, as Flagger "
        "does: 1 for 200, 201 and 202, and 0 for everything else.",
    )
    pointer: Pointer | None = Field(
        default=None, description="JSON Pointer of what is asked for, such as `/data/rate`; else the whole answer."
    )
    timeout: Answering = Field(default=10.0, description="Time for the whole answer, up to 15 s.")
    ca_file: str | None = Field(default=None, description=_CA_FILE)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.tell and self.method == "GET":
            raise refused("tell with method: POST only", problem="found tell with GET, which has no body")
        if self.pointer is not None and self.reads == "status":
            raise refused("one of them", problem="found pointer and reads: status, which does not look into the answer")
        return self


Webhook = Annotated[WebhookSection, BeforeValidator(_from_url, json_schema_input_type=str | WebhookSection)]
