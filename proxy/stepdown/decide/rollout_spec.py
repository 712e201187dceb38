"""Rollouts as plain, typed data: who is brought in for whom, in which steps, and which guards watch it."""

from __future__ import annotations

from typing import Literal

from stepdown.decide.spec_base import Spec
from stepdown.statistics.evidence import ALPHA
from stepdown.statistics.windows import SUSTAINED

Side = Literal["rise", "fall"]
HALF = 50.0
"""Per cent; the candidate has more than this only while stable is ready to take everything back."""


class MetricServer(Spec, frozen=True):
    """Who is asked for numbers that Stepdown does not have itself."""

    url: str
    """With a path where it has one; of Prometheus its base."""
    set_headers: tuple[tuple[str, str], ...] = ()
    ca_file: str | None = None
    """Whom to trust; the system's authorities where there is none."""
    timeout: float = 10.0
    """Seconds for one whole answer."""

    def __repr__(self) -> str:
        """Without what may be a secret."""
        return f"MetricServer({self.url.partition('?')[0]!r})"


class PerArm(Spec, frozen=True):
    """One text for each arm."""

    candidate: str
    stable: str = ""
    """Empty where stable is not asked about."""


class Counters(Spec, frozen=True, tag="counters"):
    """Events and trials of both arms, counted by Prometheus since the step began."""

    servers: tuple[MetricServer, ...]
    events: PerArm
    """Counters, or queries of PromQL, with what `rollout.queries` fills in."""
    trials: PerArm
    parts: bool = False
    """Each server knows a part, so all are asked and counts add up; else the first one that answers counts."""
    stale_after: float = 300.0
    """Seconds after which a sample says nothing of now."""


class Query(Spec, frozen=True, tag="query"):
    """One value of Prometheus."""

    servers: tuple[MetricServer, ...]
    query: str
    stale_after: float = 300.0
    as_is: bool = False
    """The conditions deal with `NaN`, infinities and empty lists themselves; else these are errors."""


class Hook(Spec, frozen=True, tag="hook"):
    """A number, counts or only a status of a webhook that answers in JSON."""

    server: MetricServer
    method: Literal["POST", "GET"] = "POST"
    tells: tuple[tuple[str, str], ...] = ()
    """Members (name, JSON) that it is told besides where the rollout stands."""
    reads: Literal["value", "counts", "status"] = "value"
    """`status`: 1 where that is 200 to 202, and 0 for everything else."""
    pointer: str = ""
    """JSON Pointer of the value."""
    events: PerArm = PerArm(candidate="/candidate/events", stable="/stable/events")
    """JSON Pointers of counts, which only grow."""
    trials: PerArm = PerArm(candidate="/candidate/trials", stable="/stable/trials")
    as_is: bool = False

    def __repr__(self) -> str:
        """Without what it is told."""
        return f"Hook({self.method} {self.server!r})"


class Share(Spec, frozen=True, tag="share"):
    """The candidate must not have more (or fewer) of an event than its share of the units: an event-share e-process."""

    name: str
    """Unique within the rollout."""
    kind: str
    """The event that is counted: `errors`, `slow`, `contract_violations`, or a business event."""
    must_not: Side = "rise"
    ratios: tuple[float, ...] = ()
    """Candidate's rate by stable's that is looked for; those of the direction unless the file names others."""
    margin: float | None = None
    """To go on takes proof that the rate is not worse by this (0.1: by a tenth); without it none is asked for."""
    source: Counters | Hook | None = None
    """Who counts, where that is not Stepdown; the candidate's part is then what it had of the trials."""


class Ceiling(Spec, frozen=True, tag="ceiling"):
    """The candidate's own rate of an event must stay below a limit, whatever stable's is."""

    name: str
    kind: str
    limit: float
    """Between 0 and 1 (exclusive)."""
    prove: bool = False
    """To go on takes proof that the rate is below the limit."""
    source: Counters | Hook | None = None


class Threshold(Spec, frozen=True, tag="threshold"):
    """Measurements that fail or succeed, with limits on how many may, as Argo Rollouts has them."""

    name: str
    success: str = ""
    """Condition on `result`, such as `result[0] >= 0.95`."""
    failure: str = ""
    count: int | None = None
    """Measurements to take; none or 0: one without an interval, and no end with one."""
    interval: float = 0.0
    """Seconds between measurements."""
    failure_limit: int = 0
    """*More* failed ones than this fail the metric; -1 for no limit."""
    inconclusive_limit: int = 0
    consecutive_error_limit: int = 4
    consecutive_success_limit: int = 0
    """So many successful ones in a row end the metric well; 0: not asked for."""
    dry_run: bool = False
    """Measured and shown, and decides nothing."""
    source: Query | Hook | None = None


Guard = Share | Ceiling | Threshold


class Breaker(Spec, frozen=True):
    """Takes a candidate back that fails outright, without statistics."""

    failures: float = 0.5
    """Least share of the candidate's latest requests that failed,"""
    least: int = 50
    """of at least so many."""
    stable_at_most: float = 0.1
    """Most of stable's requests of the same time that may have failed: where all fail, it is not the candidate."""
    off: bool = False


class Step(Spec, frozen=True):
    """One stage: how much goes to the candidate, and what it takes to go on."""

    weight: float
    """Per cent (0 to 100) of the rule's units; 0 is a warm-up by shadow."""
    segment: str | None = None
    """Only units of this segment take part."""
    shadow: float = 0.0
    """Per cent of the rule's requests that are copied to the candidate meanwhile."""
    least_duration: float = 0.0
    """Seconds."""
    least_units: int = 100
    """Units that were assigned to the candidate before anything is judged."""
    deadline: float = 0.0
    """Seconds after which a step that cannot be judged is held and a person asked; 0 for none."""
    gate: bool = False
    """A person lets it on."""


class Driven(Spec, frozen=True):
    """Where a rollout that was started stands, as far as requests are concerned; it lies over what the file says."""

    run: int
    """Number of its start, from 1."""
    step: int
    """Place of the step, from 0."""
    weight: float
    """Per cent (0 to 100) that the candidate has now; `step` says who takes part."""
    stable: str
    """The version that has the rest: the last good one, where the file's was taken back."""
    salt: str = ""
    """Drawn at random when the run began; keys the hash of its units and is shown to nobody (`feedback.Run`)."""
    evidence: bool = False
    """Whether what comes of requests is counted, and answers carry tokens."""
    slow: float = 0.0
    """Seconds beyond which an answer counts as slow: stable's p99 of before the stage; 0: not known yet."""
    taken_back: bool = False
    """Stable takes the candidate's place in every rule, flag and fallback of the route."""
    quarantined: tuple[str, ...] = ()
    """Other versions that were taken back and that nobody has started again: stable takes their place likewise."""

    def __repr__(self) -> str:
        """Without the salt."""
        return f"Driven(run={self.run}, step={self.step}, weight={self.weight:g}, taken_back={self.taken_back})"


class FeedbackKey(Spec, frozen=True):
    """Who may post feedback."""

    name: str
    sha256: str
    """Hex digest of the key, which is kept nowhere."""


class Feedback(Spec, frozen=True):
    """How answers of rollouts say what they were assigned to, and who may tell what came of it."""

    secrets: tuple[str, ...]
    """Signing keys: the first signs, all of them are taken."""
    keys: tuple[FeedbackKey, ...]
    max_age: float
    """Seconds for which a token counts."""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Feedback(keys={[key.name for key in self.keys]}, max_age={self.max_age:g})"


class Rollout(Spec, frozen=True):
    """A walk of one rule's split from a stable version to a candidate."""

    name: str
    stable: str
    """Exact version."""
    candidate: str
    steps: tuple[Step, ...]
    guards: tuple[Guard, ...] = ()
    breaker: Breaker = Breaker()
    alpha: float = ALPHA
    """Chance that a candidate that is no worse is taken back, for the whole rollout."""
    sustained: int = SUSTAINED
    """Windows that a regression has to last before it is acted on."""
    window: float = 60.0
    """Seconds between two looks."""
    promotion: Literal["automatic", "manual"] = "automatic"
    on_rollback: Literal["keep", "refuse"] = "keep"
    """What pins get that stable cannot reach."""
    cool_down: float = 0.0
    """Seconds after a rollback in which it is not started again."""
    min_ready: int = 1
    """Endpoints of stable that must be ready before the candidate gets more than half."""
    driven: Driven | None = None
    """What was made of it; `None` before it was started: then stable has everything."""
