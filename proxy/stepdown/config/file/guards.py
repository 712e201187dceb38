"""`guards` of a rollout: what each counts or measures, where its numbers come from, and what is bad about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stepdown.config.file.metrics import Prometheus, Webhook, check_names
from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import Duration, Name, Share
from stepdown.decide.rollout_spec import Side
from stepdown.rollout.guards.conditions import ConditionError, condition
from stepdown.rollout.queries import OF_A_ROLLOUT, OF_AN_ARM, PLACEHOLDERS, is_countable, names

OwnKind = Literal[
    "errors",
    "client_errors",
    "timeouts",
    "adapter_failures",
    "contract_violations",
    "stream_errors",
    "latency",
    "shadow_different",
]
GuardKind = Literal[OwnKind, "event", "prometheus", "webhook", "threshold"]
_COUNTING = (*get_args(OwnKind), "event", "prometheus", "webhook")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "event": ("event",),
    "must_not": ("event", "prometheus", "webhook"),
    "margin": _COUNTING,
    "limit": _COUNTING,
    "events": ("prometheus", "webhook"),
    "trials": ("prometheus", "webhook"),
    "prometheus": ("prometheus", "threshold"),
    "webhook": ("webhook", "threshold"),
    **dict.fromkeys(
        (
            "query",
            "success",
            "failure",
            "interval",
            "count",
            "failure_limit",
            "inconclusive_limit",
            "consecutive_error_limit",
            "consecutive_success_limit",
            "dry_run",
        ),
        ("threshold",),
    ),
}
"""Keys that not every kind has, and those that have them."""
_LIST = (1.0,)


class ArmsSection(Section):
    """One text for each version; a text alone is both, told apart by what is filled in."""

    candidate: str = Field(description="Of the candidate.")
    stable: str | None = Field(default=None, description="Of stable; with a `limit` it is not needed.")


def _from_text(value: Any) -> Any:
    return {"candidate": value, "stable": value} if isinstance(value, str) else value


PerArm = Annotated[ArmsSection, BeforeValidator(_from_text, json_schema_input_type=str | ArmsSection)]


def _readable(value: str) -> str:
    try:
        condition(value)
    except ConditionError as error:
        raise refused("a condition such as result[0] >= 0.95", problem=f"found no condition: {error}") from None
    return value


Condition = Annotated[str, AfterValidator(_readable)]


class GuardSection(Section):
    """One metric with its direction; a kind alone is short for `{kind: KIND}`."""

    kind: GuardKind = Field(
        description="What is counted: failed answers (5xx), refused requests (4xx), timeouts, answers that cannot be "
        "adapted, that break a contract, or that end in an error in the stream; answers slower than stable's p99; "
        "copies that are answered differently; an event that the application reports; what Prometheus or a webhook "
        "counts; or, as `threshold`, values of either, each of which fails or succeeds."
    )
    name: Name | None = Field(default=None, description="For messages; the kind, or the event's name, if not given.")
    event: Name | None = Field(default=None, description="With `kind: event`, its name: `click`.")
    must_not: Side | None = Field(
        default=None,
        description="With `kind: event`, `prometheus` or `webhook`, which change is bad; of an event, `fall` if not "
        "given.",
    )
    margin: Share | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="To go on takes proof that the candidate's rate is not worse than stable's by this part of it.",
    )
    limit: Share | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="In the place of a comparison with stable, the most that the candidate's own rate may be.",
    )
    prometheus: Prometheus | None = Field(
        default=None, description="With `kind: prometheus` or `threshold`, who is asked; else the file's `prometheus`."
    )
    webhook: Webhook | None = Field(default=None, description="With `kind: webhook` or `threshold`, who is asked.")
    events: PerArm | None = Field(
        default=None,
        description='With `kind: prometheus`, a counter such as `clicks_total{version="{{version}}"}`, or a query with '
        "`{{since}}` that gives one number. With `kind: webhook`, JSON Pointers; `/candidate/events` and "
        "`/stable/events` if not given.",
    )
    trials: PerArm | None = Field(
        default=None,
        description="The same for what could have been an event; of a webhook `/candidate/trials` and "
        "`/stable/trials` if not given.",
    )
    query: str | None = Field(
        default=None,
        min_length=1,
        description="With `kind: threshold`, what Prometheus is asked; may have `{{candidate}}`, `{{stable}}`, "
        "`{{rollout}}`, `{{step}}` and `{{since}}` in it.",
    )
    success: Condition | None = Field(
        default=None,
        description="With `kind: threshold`, a condition on `result`: `result[0] >= 0.95`. Alone, what does not hold "
        "fails.",
    )
    failure: Condition | None = Field(
        default=None,
        description="A condition on `result` that goes before `success`; alone, what does not hold succeeds.",
    )
    interval: Duration | None = Field(
        default=None, ge=1, description="Time between two measurements; after an error it is 10 s."
    )
    count: int | None = Field(
        default=None,
        ge=0,
        description="Measurements at each step. Not given: one without an `interval`, and no end with one; 0: none.",
    )
    failure_limit: int = Field(
        default=0, ge=-1, description="*More* failed measurements than this fail; -1 for no limit."
    )
    inconclusive_limit: int = Field(default=0, ge=0, description="More inconclusive ones than this hold the rollout.")
    consecutive_error_limit: int = Field(default=4, ge=0, description="More errors in a row than this fail.")
    consecutive_success_limit: int = Field(
        default=0, ge=0, description="So many successful ones in a row end the measuring well; 0: not asked for."
    )
    dry_run: bool = Field(default=False, description="Measured and shown, and decides nothing.")

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        for key in _KINDS:
            if key in self.model_fields_set and self.kind not in _KINDS[key]:
                raise refused(_where(_KINDS[key]), problem=f"found {key} with {self.kind}")
        if self.kind == "event" and self.event is None:
            raise refused("event: NAME with kind: event", problem="found an event without its name")
        if self.kind == "shadow_different" and self.limit is None:
            problem = "found shadow_different without limit: there is nothing of stable's to compare with"
            raise refused("limit, such as 2%", problem=problem)
        if self.limit is not None and self.margin is not None:
            raise refused("one of them in a guard", problem="found limit and margin")
        if self.limit is not None and self.must_not == "fall":
            raise refused("limit for what must not rise", problem="found limit for an event that must not fall")
        if self.kind in {"prometheus", "webhook", "threshold"} and self.name is None:
            raise refused("name: NAME", problem=f"found a guard of {self.kind} without its name")
        if self.kind in {"prometheus", "webhook"}:
            self._check_counts()
        if self.kind == "threshold":
            self._check_measured()
        return self

    def _check_counts(self) -> None:
        if self.must_not is None and self.limit is None:
            raise refused("must_not: rise or must_not: fall, or a limit", problem=f"found no must_not of {self.called}")
        if self.kind == "webhook" and (self.webhook is None or self.webhook.reads is not None):
            what = "no webhook" if self.webhook is None else "reads, and counts are asked for"
            raise refused("webhook: URL or {url: URL}, without reads", problem=f"found {what}")
        for key, texts in (("events", self.events), ("trials", self.trials)):
            if texts is None and self.kind == "prometheus":
                allowed = f'a counter such as {key}: {key}_total{{version="{{{{version}}}}"}}'
                raise refused(allowed, problem=f"found no {key}")
            if texts is not None:
                self._check_texts(key, texts)

    def _check_texts(self, key: str, texts: ArmsSection) -> None:
        both = [texts.candidate] if texts.stable is None else [texts.candidate, texts.stable]
        if texts.stable is None and self.limit is None:
            raise refused("a text, or one for candidate and one for stable", problem=f"found {key} without stable")
        for text in both:
            (_check_pointer if self.kind == "webhook" else _check_countable)(key, text)
        told_apart = self.kind == "prometheus" and set(names(texts.candidate)) & OF_AN_ARM
        if texts.candidate == texts.stable and not told_apart:
            allowed = "{{version}} or {{arm}} in it, or a text for candidate and one for stable"
            if self.kind == "webhook":
                allowed = "a pointer for candidate and another for stable"
            raise refused(allowed, problem=f"found {key} that are the same for both versions")

    def _check_measured(self) -> None:
        if (self.query is None) == (self.webhook is None):
            raise refused(
                "query: PROMQL or webhook: URL", problem=f"found {'both' if self.query else 'nothing to ask'}"
            )
        if self.prometheus is not None and self.query is None:
            raise refused("prometheus with query only", problem="found prometheus without query")
        if self.prometheus is not None and self.prometheus.several == "parts":
            problem = "found servers that each know a part, and values cannot be added up"
            raise refused("several: replicas, or one server that knows all", problem=problem)
        if self.query is not None:
            check_names(self.query, OF_A_ROLLOUT, " in query")
            for text in (self.success, self.failure):
                if text is not None and not self.query.lstrip().startswith("scalar") and not _answers(text, _LIST):
                    problem = f"found `{text}`, which has no answer for a list, and Prometheus gives one"
                    raise refused("result[0] in the place of result, or scalar(...) around the query", problem=problem)

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or self.event or self.kind


def _where(kinds: tuple[str, ...]) -> str:
    """Where a key may stand."""
    if kinds == _COUNTING:
        return "it with a kind that counts"
    return f"it with kind: {' or '.join(filter(None, (', '.join(kinds[:-1]), kinds[-1])))} only"


def _check_pointer(key: str, text: str) -> None:
    if not text.startswith("/"):
        raise refused("JSON Pointers such as /candidate/clicks", problem=f'found "{text}" in {key}')


def _check_countable(key: str, text: str) -> None:
    """A counter, or a query that says since when it counts."""
    check_names(text, PLACEHOLDERS, f" in {key}")
    if not is_countable(text):
        problem = f"found `{text}` in {key}, which is no counter and does not say since when it counts"
        raise refused(
            f'a counter such as {key}_total{{version="{{{{version}}}}"}}, or a query with {{{{since}}}}',
            problem=problem,
        )


def _answers(text: str, result: tuple[float, ...]) -> bool:
    try:
        condition(text)(result)
    except ConditionError:
        return False
    return True


def _from_kind(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


Guard = Annotated[GuardSection, BeforeValidator(_from_kind, json_schema_input_type=GuardKind | GuardSection)]
USUAL = tuple(GuardSection(kind=kind) for kind in ("errors", "adapter_failures", "contract_violations", "latency"))
"""Guards of a rollout that names none."""


class BreakerSection(Section):
    """What takes a candidate back that fails outright, at once and without statistics; `false` is short for `off`."""

    failures: Share = Field(default=0.5, gt=0, description="Share of the candidate's latest requests that failed,")
    min_requests: int = Field(default=50, ge=1, description="of at least so many.")
    stable_at_most: Share = Field(
        default=0.1, description="Most of stable's that may have failed: where all fail, it is not the candidate."
    )
    off: bool = Field(default=False, description="There is none.")


def _from_off(value: Any) -> Any:
    if value is False:
        return {"off": True}
    if value is True:
        raise refused("a mapping such as {failures: 50%, min_requests: 50}, or false for none")
    return value


Breaker = Annotated[BreakerSection, BeforeValidator(_from_off, json_schema_input_type=Literal[False] | BreakerSection)]
