"""`routes`: which requests go to which model, and which version's server answers them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stepdown.config.file.colours import ColourVersions, SwitchSection, check_active
from stepdown.config.file.cookie import Cookie
from stepdown.config.file.flags import FlagVersionsSection
from stepdown.config.file.match import MatchSection
from stepdown.config.file.section import Section, as_list, refused
from stepdown.config.file.shadow import RecordSection, Shadows
from stepdown.config.file.values import Duration, HeaderName, Name, Pointer, Size, VersionText
from stepdown.config.file.when import WhenSection

Weight = Annotated[int, Field(ge=0, le=1_000_000)]


class KeySourceSection(Section):
    """One place where the sticky key may be; `client_ip` alone is short for `{client_ip: true}`."""

    header: HeaderName | None = Field(default=None, description="The value of this header.")
    cookie: Cookie | None = Field(
        default=None, description="The value of this cookie, which may be one that Stepdown sets."
    )
    json_pointer: Pointer | None = Field(
        default=None,
        alias="json",
        description="The value at this JSON Pointer, in the first 64 KiB of the request's body.",
    )
    client_ip: Literal[True] | None = Field(default=None, description="The client's address; needs `trusted_hops`.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [value for value in (self.header, self.cookie, self.json_pointer, self.client_ip) if value is not None]
        if len(given) != 1:
            raise refused("exactly one of header, cookie, json, client_ip", problem=f"found {len(given)} sources")
        return self


def _from_word(value: Any) -> Any:
    return {"client_ip": True} if value == "client_ip" else value


KeySource = Annotated[
    KeySourceSection, BeforeValidator(_from_word, json_schema_input_type=Literal["client_ip"] | KeySourceSection)
]


def _not_all_zero(value: dict[str, int]) -> dict[str, int]:
    if value and not any(value.values()):
        raise refused("at least one weight above 0", problem="found only weights of 0")
    return value


Split = Annotated[dict[VersionText, Weight], AfterValidator(_not_all_zero)]


class RuleSection(Section):
    """A condition and a split, two colours, a flag or a rollout; the first rule whose condition holds is the one."""

    name: Name | None = Field(
        default=None, description="For metrics and messages; `rule-N`, or `default` for the last."
    )
    when: WhenSection | None = Field(default=None, description="Who; the last rule has none, and is for all others.")
    split: Split | None = Field(
        default=None, min_length=1, description='Versions with weights, e.g. `{"1.1.0": 95, "2.0.0": 5}`.'
    )
    colours: ColourVersions | None = Field(
        default=None,
        description='In the place of a split, two versions of which one gets everything: `{blue: "1.1.0", '
        'green: "2.0.0"}`. One rule of a route may have them.',
    )
    active: Name | None = Field(
        default=None, description="With colours, the one that takes requests until `stepdown switch ROUTE`."
    )
    flag: FlagVersionsSection | None = Field(
        default=None, description="In the place of a split, the version that a feature flag gives."
    )
    rollout: Name | None = Field(default=None, description="In the place of a split, one of `rollouts`, which owns it.")
    switch: SwitchSection = Field(default_factory=SwitchSection, description="With colours, how one is switched to.")
    salt: str | None = Field(
        default=None,
        max_length=200,
        description="Seed of the sticky assignment; `route/rule` if not given. Written out, it moves nobody when route "
        "or rule get another name.",
    )
    instead: list[VersionText] = Field(
        default=[],
        description="Versions that take over, in this order, from one whose servers are all down. After them, and "
        "without them, any other that reaches the client's shape.",
    )
    smooth: bool = Field(
        default=False,
        description="Requests without a key go to the versions in turn, in exact shares for each worker, instead of "
        "by lot. What they show is no evidence: use it where nobody wants statistics.",
    )
    drain: Literal["sticky"] | None = Field(
        default=None,
        description="`sticky`: a version whose weight is set to 0 keeps those whom it has, until their cookies end. "
        "Needs a key that Stepdown sets as a cookie, and has to stand here before the weight is set to 0.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = {"split": self.split, "colours": self.colours, "flag": self.flag, "rollout": self.rollout}
        given = [name for name, way in ways.items() if way is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "neither split nor colours nor flag nor rollout"
            raise refused("one of them", problem=f"found {found}")
        if self.drain is not None and self.colours is not None:
            raise refused("drain with a split only", problem="found drain with colours, of which one takes everything")
        if self.flag is not None and (self.drain is not None or self.smooth):
            raise refused("drain and smooth with a split only", problem="found them with flag, which says the version")
        if self.rollout is not None and (self.drain is not None or self.smooth):
            problem = "found them with rollout, which needs whom it has to be dealt by lot"
            raise refused("drain and smooth with a split only", problem=problem)
        check_active(self.active, list(self.colours or {}), "colours")
        return self


class TimeoutsSection(Section):
    """Times after which something is given up; 0 is never."""

    connect: Duration = Field(default=2.0, description="Connecting to an endpoint, TLS included.")
    request_head: Duration = Field(default=10.0, description="Receiving a request's head.")
    request_body_idle: Duration = Field(default=60.0, description="Between two parts of a request's body.")
    response_head: Duration = Field(default=60.0, description="From the request's end to the answer's head.")
    response_body_idle: Duration = Field(default=60.0, description="Between two parts of an answer's body.")
    whole: Duration = Field(default=0.0, description="The whole exchange; never applied to streams.")
    keep_alive: Duration = Field(default=75.0, description="An idle client connection.")


class LimitsSection(Section):
    """Bounds on what one exchange and one endpoint may take."""

    request_body: Size = Field(default=0, description="Longest request body; 0 is any length, streamed.")
    adapted_body: Size = Field(
        default=8 * 1024 * 1024, ge=1, description="Longest body that is adapted, in either direction."
    )
    validated_body: Size = Field(
        default=1024 * 1024,
        ge=1,
        le=2 * 1024 * 1024,
        description="Longest answer that is held against contracts, decoded or not, at most 2MiB; longer ones are "
        "counted as skipped.",
    )
    pending: int = Field(default=1024, ge=1, description="Requests waiting for a connection, per version and worker.")
    connections: int = Field(default=1024, ge=1, description="Connections to an endpoint, per worker.")


class RouteSection(Section):
    """A match, a model, and rules."""

    match: MatchSection = Field(description="Which requests; `{path_prefix: /}` is all of them.")
    model: Name = Field(description="Name of one of `models`.")
    key: Annotated[list[KeySource], BeforeValidator(as_list, json_schema_input_type=KeySource | list[KeySource])] = (
        Field(
            [],
            description="Where the sticky key is: the first of these that is there. None: each request is drawn anew.",
        )
    )
    rules: list[RuleSection] | None = Field(
        default=None, min_length=1, description="Tried in order; the last has no `when`."
    )
    split: Split | None = Field(
        default=None,
        min_length=1,
        description="Short for one rule. With neither, the only served version gets everything.",
    )
    pin: Literal["shape", "server"] = Field(
        default="shape",
        description="What a client's version means: the answer's shape, or the server that computes it.",
    )
    errors: Literal["problem", "v2", "openai"] = Field(default="problem", description="Shape of Stepdown's own errors.")
    on_adapter_failure: Literal["fail", "ask_native", "passthrough"] = Field(
        default="fail",
        description="When a live answer cannot be adapted: 502; ask a version that has the shape (needs `repeatable`); "
        "or send it as it is, named as what it is.",
    )
    version_param: str | None = Field(
        default=None, description="Name of the `{name}` in `path` that pins a version; `version` where the path has it."
    )
    timeouts: TimeoutsSection = Field(
        default_factory=TimeoutsSection, description="Over those of the file, one by one."
    )
    limits: LimitsSection = Field(default_factory=LimitsSection, description="Over those of the file, one by one.")
    shadow: Shadows = Field(default=[], description="Versions that get copies of its requests.")
    record: RecordSection | None = Field(default=None, description="Requests and answers to keep; none by default.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.rules is not None and self.split is not None:
            raise refused("one of the two", problem="found rules and split")
        return self
