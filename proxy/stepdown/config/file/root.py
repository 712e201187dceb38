"""The file's top level, and what a file that it includes may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from stepdown.config.file.feedback import FeedbackSection
from stepdown.config.file.flags import FlagsSection
from stepdown.config.file.metrics import Prometheus
from stepdown.config.file.model import Endpoint, ModelSection, Secret, SecretSection
from stepdown.config.file.people import DecisionsSection, ExplainSection, OverridesSection
from stepdown.config.file.rollout import RolloutSection
from stepdown.config.file.route import LimitsSection, RouteSection, TimeoutsSection
from stepdown.config.file.section import Section, as_list, refused
from stepdown.config.file.values import Address, Duration, Host, Name, Share
from stepdown.config.file.when import WhenSection


class TokenSection(Section):
    """Who may call the admin API."""

    name: Name = Field(description="For the audit log.")
    role: Literal["view", "operate"] = Field(description="`view` reads; `operate` may also change things.")
    token: Secret = Field(description="The bearer token, `{env: NAME}` or `{file: PATH}`; never a text.")


class AdminSection(Section):
    """Everything that changes something."""

    listen: Address = Field(description="Where the admin API is served.")
    hosts: list[Host] = Field(
        default=[],
        description="Names under which it is called besides its address, such as a Kubernetes service's. Requests with "
        "any other `Host` are refused, so that no web page gets there by a name of its own.",
    )
    tokens: list[TokenSection] = Field(default=[], description="Without any, every call is refused.")


class RolloutStateSection(Section):
    """Where rollouts keep their state, their history and their evidence."""

    file: str | None = Field(
        default=None,
        min_length=1,
        description="SQLite file, relative to this one, for one replica; its folder has to be there.",
    )
    redis: str | SecretSection | None = Field(
        default=None,
        union_mode="left_to_right",
        description="URL of a Redis (7 or later) that all replicas share, such as `redis://host:6379/0`. One with a "
        "password in it comes from elsewhere: `{env: NAME}` or `{file: PATH}`.",
    )
    namespace: Name = Field(
        default="stepdown", description="Begin of all keys in Redis: replicas that share rollouts have the same one."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.redis is None):
            raise refused("one of `file: PATH` and `redis: URL`")
        return self


def _as_place(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


class StateSection(Section):
    """What outlives the processes of the sidecar."""

    overlay: str | None = Field(
        default=None,
        min_length=1,
        description="File for what was switched by hand, relative to this one; its folder has to be there. Without "
        "it that is forgotten when the sidecar is stopped.",
    )
    rollouts: Annotated[
        RolloutStateSection | None, BeforeValidator(_as_place, json_schema_input_type=str | RolloutStateSection | None)
    ] = Field(
        default=None,
        description="Where rollouts keep what they are and know: a path is short for `{file: PATH}`. Without it none "
        "can be started. A change takes effect when the sidecar is started again.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=10_000,
        description="Sidecars that run with this file and share its rollouts; more than one need Redis.",
    )


class DrainSection(Section):
    """How the sidecar stops on SIGTERM."""

    delay: Duration = Field(default=5.0, description='Time between "not ready" and the end of accepting connections.')
    grace: Duration = Field(default=20.0, description="Time that running exchanges get after that.")


class LogSection(Section):
    """Logs: events go to standard error, the access log to standard output."""

    format: Literal["plain", "json"] = Field(default="plain", description="For people, or for machines.")
    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level of events.")
    access: bool = Field(default=False, description="One line for each request.")


class RetriesSection(Section):
    """Bound on requests that are sent again, so that retries never become the load that breaks a server."""

    budget: Share = Field(default=0.2, description="Share of the active requests that may be retries.")
    minimum: int = Field(default=3, ge=0, description="Retries at a time that are always allowed.")


class RootFile(Section):
    """The file given to `stepdown run`."""

    listen: Address = Field(default=("0.0.0.0", 8080), description="Where clients connect.")  # noqa: S104 (a server)
    status: Address | None = Field(
        default=None, description="Where /metrics, /healthz and /readyz are served; not by default."
    )
    admin: AdminSection | None = Field(default=None, description="The admin API; not served by default.")
    state: StateSection | None = Field(default=None, description="What outlives the sidecar; nothing by default.")
    workers: int = Field(default=1, ge=1, le=256, description="Worker processes; one a core.")
    drain: DrainSection = Field(default_factory=DrainSection, description="How the sidecar stops.")
    log: LogSection = Field(default_factory=LogSection, description="Format and amount of the logs.")
    explain: ExplainSection = Field(default_factory=ExplainSection, description="Live explanations.")
    overrides: OverridesSection | None = Field(default=None, description="People who may choose a server.")
    decisions: DecisionsSection | None = Field(default=None, description="Records of decisions; none by default.")
    trusted_hops: int | None = Field(
        default=None,
        ge=0,
        le=32,
        description="Proxies in front that are trusted: the client's address is that many entries from "
        "the right of `X-Forwarded-For`. Not given, it counts as 0.",
    )
    max_client_connections: int = Field(
        default=10_000, ge=1, description="For the whole sidecar, divided among workers."
    )
    timeouts: TimeoutsSection = Field(default_factory=TimeoutsSection, description="For all routes.")
    limits: LimitsSection = Field(default_factory=LimitsSection, description="For all routes.")
    retries: RetriesSection = Field(default_factory=RetriesSection, description="Bound on repeated requests.")
    passthrough_to: Annotated[
        list[Endpoint], BeforeValidator(as_list, json_schema_input_type=Endpoint | list[Endpoint])
    ] = Field(default=[], description="Where requests go that match no route; without it they get 404.")
    include: Annotated[list[str], BeforeValidator(as_list, json_schema_input_type=str | list[str])] = Field(
        default=[], description="Files or shell patterns, relative to this file, with more `models` and `routes`."
    )
    models: dict[Name, ModelSection] = Field(default={}, description="By name.")
    routes: dict[Name, RouteSection] = Field(default={}, description="By name.")
    rollouts: dict[Name, RolloutSection] = Field(
        default={}, description="Walks from a stable version to a candidate, by name; each is named by one rule."
    )
    prometheus: Prometheus | None = Field(
        default=None, description="Who is asked by guards of rollouts that name nobody else; nobody by default."
    )
    feedback: FeedbackSection | None = Field(
        default=None, description="What applications tell of answers; they can tell nothing by default."
    )
    flags: FlagsSection | None = Field(default=None, description="Feature flags; none by default.")
    segments: dict[Name, WhenSection] = Field(
        default={}, description="Conditions with names, for rules and for each other: `when: {segment: NAME}`."
    )

    @property
    def rollout_state(self) -> RolloutStateSection | None:
        """Where rollouts keep their state; `None`: nowhere, and none can be started."""
        return self.state.rollouts if self.state is not None else None
