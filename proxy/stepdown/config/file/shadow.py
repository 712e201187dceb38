"""`shadow` and `record` of a route: who gets copies of its requests, how answers are compared, what is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stepdown.config.file.model import KEPT_BY_THE_PROXY, HeaderValue
from stepdown.config.file.section import Section, as_list, refused
from stepdown.config.file.values import Duration, HeaderName, Name, Percent, Share, Size, VersionText, written
from stepdown.config.file.when import WhenSection
from stepdown.decide.shadow_spec import STRIPPED
from stepdown_adapters.errors import PathError
from stepdown_adapters.paths import parse

LONGEST_COPY = 2 * 1024 * 1024
"""Bytes of a body that can be handed over: half of the ring that copies travel through (`telemetry.ring`)."""


def _read_path(value: Any) -> str:
    """A path into a body, as it is written."""
    try:
        parse(value)
    except PathError as error:
        allowed = "a path such as /outputs/0/data, /rows/*/id or /outputs/[name=score]/data"
        raise refused(allowed, problem=f"found no path: {error}") from None
    return str(value)


def _no_whole(value: str) -> str:
    if not value:
        raise refused("a path below the whole document", problem="found the whole document")
    return value


def _no_path(value: str) -> str:
    if value.startswith("/"):
        raise refused("the name of a member, such as id", problem=f'found the path "{value}"')
    return value


def _no_managed_header(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in KEPT_BY_THE_PROXY:
        raise refused("a header that the proxy does not manage itself (for Host, use host)")
    return value


CopyHeader = Annotated[HeaderName, BeforeValidator(_no_managed_header)]
BodyPath = Annotated[str, BeforeValidator(_read_path), written("path", "string")]
PartPath = Annotated[BodyPath, AfterValidator(_no_whole)]
BodyPaths = Annotated[list[BodyPath], BeforeValidator(as_list, json_schema_input_type=BodyPath | list[BodyPath])]
PartPaths = Annotated[list[PartPath], BeforeValidator(as_list, json_schema_input_type=PartPath | list[PartPath])]
MemberName = Annotated[str, Field(min_length=1), AfterValidator(_no_path)]
"""With a slash in front it would be no item's, and each item's partner be looked for in vain."""
Count = Annotated[int, Field(ge=1)]
Distance = Annotated[float, Field(ge=0, allow_inf_nan=False)]
BodySize = Annotated[Size, Field(ge=0, le=LONGEST_COPY)]


class ToleranceSection(Section):
    """Numbers that may differ a little: equal where |a - b| <= absolute + relative * |b|, `b` being the served one."""

    path: BodyPath = Field(description="Of all numbers at it and below it.")
    absolute: Distance = Field(default=0.0, description="In units of the number.")
    relative: Distance = Field(default=0.0, description="As a part of the served number: 0.01 is a hundredth.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.absolute and not self.relative:
            raise refused("absolute or relative above 0", problem="found a tolerance that allows nothing")
        return self


class UnorderedSection(Section):
    """An array of which the order of its items does not matter; a path alone is short for `{path: PATH}`."""

    path: BodyPath = Field(description="Of the array.")
    key: MemberName | None = Field(
        default=None,
        description="Member of the items that tells which two belong together; without it any two that are equal do.",
    )


class TopSection(Section):
    """A ranked array of which only the best count, whatever their order."""

    path: BodyPath = Field(description="Of the array.")
    k: Count = Field(description="How many from the front count.")
    key: MemberName | None = Field(
        default=None, description="Member of the items that names them; without it the item itself does."
    )
    agree: Share = Field(default=1.0, gt=0, description="Least share of them that has to be in both answers.")


class TextSection(Section):
    """Generated text, which is never the same twice."""

    path: BodyPath = Field(description="Of the text.")
    similar: Share = Field(description="Least similarity, from 0 to 1.")


def _from_path(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


Unordered = Annotated[UnorderedSection, BeforeValidator(_from_path, json_schema_input_type=str | UnorderedSection)]


class CompareSection(Section):
    """How two answers are compared, both in the shape that the client asked for; what is not named has to be equal."""

    ignore: PartPaths = Field(default=[], description="Paths that are not looked at, with all below them.")
    tolerance: list[ToleranceSection] = Field(default=[], description="Numbers that may differ a little.")
    unordered: list[Unordered] = Field(default=[], description="Arrays of which the order does not matter.")
    top: list[TopSection] = Field(default=[], description="Ranked arrays of which only the best count.")
    text: list[TextSection] = Field(default=[], description="Generated text, equal where it is similar enough.")
    labels: BodyPaths = Field(
        default=[], description="Paths of labels, of which it is counted who changed from what to what."
    )
    events: Share | None = Field(
        default=None,
        description="By what share the number of a stream's events may differ from the served answer's, e.g. `20%`; "
        "not compared if not given.",
    )


class ExamplesSection(Section):
    """The worst differences, kept to be looked at."""

    keep: int = Field(default=20, ge=0, le=1000, description="The most that are kept; 0 for none.")
    bodies: bool = Field(default=False, description="Both answers whole, besides the values that differ.")
    redact: BodyPaths = Field(default=[], description="Paths of which neither values nor bodies show anything.")


class ShadowHeadersSection(Section):
    """How a copy's header fields differ from its request's."""

    set_headers: dict[CopyHeader, HeaderValue] = Field(
        default={}, alias="set", description="Fields to set: a text, `{env: NAME}` or `{file: PATH}`."
    )
    remove: list[CopyHeader] = Field(
        default=list(STRIPPED), description="Fields that a copy does not carry. A list of your own replaces this one."
    )


class ShadowSection(Section):
    """A version that gets copies of a route's requests, and whose answers go to nobody; `"2.0.0"` has all defaults."""

    version: VersionText = Field(description="The version; it has endpoints, and no rule has to name it.")
    name: Name | None = Field(default=None, description="For reports and metrics; the version if not given.")
    percent: Percent = Field(default=100.0, description="Of the requests for which `when` holds.")
    when: WhenSection | None = Field(default=None, description="Whose requests; everybody's if not given.")
    per: Literal["request", "key"] = Field(
        default="request",
        description="`request`: exactly `percent` of the requests, for each worker. `key`: all requests of "
        "`percent` of the keys; needs a `key` on the route, and copies nothing of those who have none.",
    )
    salt: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="With `per: key`, seed of who is copied; `shadow:route/name` if not given.",
    )
    rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="The most copies a second, of the whole sidecar; 0 is no limit."
    )
    concurrent: Count = Field(default=64, description="The most copies on their way at a time, of the whole sidecar.")
    max_body: BodySize = Field(
        default=1024 * 1024,
        description="Longest request that is copied, and longest answer that is compared, at most 2MiB. A longer "
        "request is not copied at all.",
    )
    deadline: Duration = Field(default=10.0, gt=0, description="Time that the shadow has for its answer.")
    headers: ShadowHeadersSection = Field(
        default_factory=ShadowHeadersSection, description="What a copy's header fields are."
    )
    host: str = Field(
        default="keep",
        description="`keep` (as the endpoint's `host_header` says), `endpoint` (host and port of the URL), or a text.",
    )
    noise: Percent = Field(
        default=0.0,
        description="Percent of the copies that the served version gets too, to see how much it differs from itself. "
        "Needs `repeatable` on the model.",
    )
    compare: CompareSection = Field(default_factory=CompareSection, description="How answers are compared.")
    examples: ExamplesSection = Field(default_factory=ExamplesSection, description="Differences that are kept.")


def _from_version(value: Any) -> Any:
    return {"version": value} if isinstance(value, str) else value


Shadow = Annotated[ShadowSection, BeforeValidator(_from_version, json_schema_input_type=str | ShadowSection)]
Shadows = Annotated[list[Shadow], BeforeValidator(as_list, json_schema_input_type=Shadow | list[Shadow])]


class RecordSection(Section):
    """A sample of a route's requests and answers, kept in files."""

    folder: str = Field(min_length=1, description="Folder for the files, relative to this one; it has to be there.")
    sample: Share = Field(default=0.01, gt=0, description="Share of the requests for which `when` holds, e.g. `1%`.")
    when: WhenSection | None = Field(default=None, description="Whose requests; everybody's if not given.")
    max_size: Size = Field(default=64 * 1024 * 1024, ge=64 * 1024, description="From this size on a new file is begun.")
    keep: Count = Field(default=8, description="Files that are kept; the oldest goes when another one is begun.")
    max_body: BodySize = Field(
        default=1024 * 1024, description="Longest body, of a request or an answer, that is recorded, at most 2MiB."
    )
    headers: list[HeaderName] = Field(
        default=[], description="Header fields that are recorded besides those that decide."
    )
    redact: BodyPaths = Field(
        default=[],
        description="Paths into bodies, of requests and answers alike, of whose values only a digest is recorded.",
    )
