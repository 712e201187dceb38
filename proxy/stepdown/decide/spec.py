"""What a snapshot is made from: the normalised configuration as plain, typed data.

The controller compiles the file to a `SnapshotSpec`, encodes it as JSON (`encode`) and sends it with its digest to
every worker; a worker decodes it (`decode`) and compiles it to a `decide.snapshot.Snapshot`. So a worker needs neither
pydantic nor YAML, and what travels can be stored, compared and shown. Everything is resolved here: names are checked,
defaults are filled in, ranges are exact versions, schemas are inlined, adapters are planned to chains, durations are
seconds and sizes are bytes.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from stepdown.decide.flag_spec import FlagRule, Flags
from stepdown.decide.people_spec import Decisions as Decisions  # noqa: PLC0414 - a part like those that follow
from stepdown.decide.people_spec import Explain as Explain  # noqa: PLC0414 - a part like those that follow
from stepdown.decide.people_spec import OverrideKey as OverrideKey  # noqa: PLC0414 - a part like those that follow
from stepdown.decide.people_spec import Overrides as Overrides  # noqa: PLC0414 - a part like those that follow
from stepdown.decide.rollout_spec import Feedback, Rollout
from stepdown.decide.shadow_spec import Recording, Shadow
from stepdown.decide.spec_base import Spec
from stepdown.decide.walked import Walked
from stepdown.decide.when import EVERYONE, Segment, When

# --- matches --------------------------------------------------------------------------------------------------------


class HeaderMatch(Spec, frozen=True):
    """One condition on a header field; exactly one of `equals`, `sha256`, `any_of`, `prefix`, `exists` is set."""

    name: str
    """Lower case."""
    equals: str | None = None
    sha256: str | None = None
    """Hex digest of the value: an API key that the file must not show."""
    any_of: tuple[str, ...] = ()
    prefix: str | None = None
    exists: bool | None = None


class Match(Spec, frozen=True):
    """All given parts must hold; an empty match holds always."""

    hosts: tuple[str, ...] = ()
    """Lower case, without port; `*.example.com` matches every host below."""
    path: str | None = None
    """Exact, or a template with `{name}` for one whole segment."""
    path_prefix: str | None = None
    """Whole segments: `/v2` matches `/v2` and `/v2/x`, not `/v2x`."""
    methods: tuple[str, ...] = ()
    headers: tuple[HeaderMatch, ...] = ()


# --- models ---------------------------------------------------------------------------------------------------------


class Tls(Spec, frozen=True):
    """How to speak TLS to an endpoint (`https://`)."""

    ca_file: str | None = None
    server_name: str | None = None
    verify: bool = True


class Endpoint(Spec, frozen=True):
    """One server of a version."""

    id: str
    """`http://host:port` plus its path template if any; unique within the version, the label in metrics."""
    host: str
    port: int
    tls: Tls | None = None
    path: str | None = None
    """Path sent instead of the client's; may use the route's `{name}` parts. The client's query is kept."""
    host_header: str = "keep"
    """`keep` (the client's), `endpoint` (host:port of the URL), or a literal."""
    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: tuple[str, ...] = ()
    expect: tuple[tuple[str, str], ...] = ()
    """What the model server must claim about itself to count as ready, e.g. `model_version: v2`."""

    def __repr__(self) -> str:
        """Without the headers: their values may be secrets."""
        return f"Endpoint({self.id!r})"


class HealthCheck(Spec, frozen=True):
    """Active readiness probes of a version's endpoints, and passive ejection."""

    path: str | None = None
    """`None`: no active probe, endpoints count as ready until ejected."""
    metadata_path: str | None = None
    """Where `expect` is checked (Open Inference: `/v2/models/{model}/versions/{version}`)."""
    interval: float = 2.0
    timeout: float = 1.0
    rise: int = 2
    fall: int = 3
    eject_after: int = 5
    """Consecutive failures (connect, reset, timeout, 5xx) that eject an endpoint; never the last one."""
    eject_base: float = 5.0
    """Seconds of the first ejection; doubled each time in a row."""
    eject_max: float = 300.0


class WarmUp(Spec, frozen=True):
    """How a colour gets copies of requests before it takes requests (`decide.warming`)."""

    percent: float = 20.0
    """Of the requests that the active colour serves (above 0, to 100)."""
    duration: float = 60.0
    """Seconds that it takes at least."""
    timeout: float = 300.0
    """Seconds in which `min_copies` have to have come, where that is more than `duration`."""
    min_copies: int = 200
    """Copies that have to have been answered, or have failed, before it is judged."""
    max_errors: float = 0.01
    """Largest share of these (0 to 1) that may have failed."""
    deadline: float = 10.0
    """Seconds that a copy has for its answer."""

    @property
    def longest(self) -> float:
        """Seconds after which it is over, whatever came."""
        return max(self.duration, self.timeout)


class Colours(Spec, frozen=True):
    """Two sets of servers, of which one at a time takes requests: the endpoints of a version, or versions of a rule."""

    names: tuple[str, str]
    """In the file's order."""
    active: str
    """The colour that takes requests: `declared`, or the one that was switched to by hand (`decide.colours`)."""
    declared: str
    ready: int = 3
    """Successes in a row that each endpoint of a colour has to show before the colour is switched to."""
    timeout: float = 30.0
    """Seconds that it may take to show them."""
    warm_up: WarmUp | None = None
    """Of switches that say nothing about it; `None` for none."""


class Version(Spec, frozen=True):
    """A shape, and the servers that run it, if any."""

    id: str
    """Canonical SemVer 2.0 text."""
    endpoints: tuple[Endpoint, ...] = ()
    """Where the version has colours, those of the active one."""
    colours: Colours | None = None
    idle: tuple[Endpoint, ...] = ()
    """Endpoints of the other colour: probed and kept like any, but given no request."""
    health: HealthCheck = HealthCheck()
    contract: dict[str, Any] | bool | None = None
    """JSON Schema of the output, all local references inlined; `None` where the version declares none."""
    validate: float = 0.0
    """Share (0 to 1) of the answers that its servers give which is held against contracts (`decide.checks`)."""
    deprecated: int | None = None
    """Unix seconds (RFC 9745 `Deprecation`)."""
    sunset: int | None = None
    """Unix seconds (RFC 8594 `Sunset`)."""
    link: str | None = None
    """Migration notes, sent as `Link` with rel `deprecation` or `sunset`."""
    retired: bool = False


class Step(Spec, frozen=True):
    """One edge of a chain, newer (`source`) to older (`target`)."""

    source: str
    target: str
    kind: Literal["adapter", "projection"] = "adapter"
    """`projection`: no adapter was declared; `response` was derived from the two contracts."""
    response: tuple[Any, ...] = ()
    """Operations in the file's own form, applied in order to the answer."""
    request: tuple[Any, ...] = ()
    """Operations applied to the request of a client of `target` so that `source`'s server reads it."""
    errors: tuple[Any, ...] = ()
    """Operations applied to answers that are errors, in order."""
    hook: str | None = None
    """`package.module:function`, marked unproved."""
    pruning: tuple[Any, ...] = ()
    """Operations applied to the answer last, which remove what the target's contract does not declare."""
    streams: str = ""
    """What becomes of streams, as JSON text, because the order of its rules counts; empty where nothing is said."""
    fidelity: Literal["normal", "strict"] = "normal"
    non_finite: Literal["fail", "nullify"] = "fail"
    where: str = ""
    """`file:line` of the declaration, for messages."""

    @property
    def stream(self) -> Any:
        """What becomes of streams, in the file's own form; `None` where nothing is said."""
        return msgspec.json.decode(self.streams) if self.streams else None


class Chain(Spec, frozen=True):
    """How an answer of `served` becomes one of `pinned`: the steps in order of application to the answer."""

    served: str
    pinned: str
    steps: tuple[Step, ...]
    why: str = ""
    """Why these steps: what else leads there, and what is worse about it."""


class Refused(Spec, frozen=True):
    """A shape that servers of `served` cannot give because the file refuses a step on the way."""

    served: str
    pinned: str
    why: str
    """`2.0.0 -> 1.1.0 is refused: the embedding space differs`."""


class ClientEntry(Spec, frozen=True):
    """One row of the `clients` table: who cannot send a header, recognised by what it does send."""

    match: Match
    version: str
    """The exact version that the entry's range resolved to."""


class Model(Spec, frozen=True):
    """What clients call by name."""

    name: str
    default_version: str
    latest: str
    """Resolved when the file was accepted."""
    repeatable: bool = False
    versions: tuple[Version, ...] = ()
    """Ascending by SemVer precedence."""
    chains: tuple[Chain, ...] = ()
    """One for each (served, pinned) pair that is reachable and not equal."""
    refused: tuple[Refused, ...] = ()
    """Of the pairs that are not reachable, those that a declared refusal keeps apart."""
    clients: tuple[ClientEntry, ...] = ()


# --- routes ---------------------------------------------------------------------------------------------------------


class SetCookie(Spec, frozen=True):
    """How Stepdown sets a cookie with a signed random id for who has none (`decide.cookies`)."""

    secrets: tuple[str, ...]
    """Signing keys: the first signs, all of them are taken."""
    ttl: int
    """Seconds from the first answer that sets it to its end."""
    until: int | None = None
    """Unix seconds from which on no cookie is set and none counts."""
    secure: bool = True
    same_site: Literal["Lax", "Strict", "None"] = "Lax"
    path: str = "/"
    domain: str | None = None

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"SetCookie(ttl={self.ttl}, until={self.until})"


class KeySource(Spec, frozen=True):
    """Where a sticky key comes from; exactly one is set. Sources are tried in order, an empty value is missing."""

    header: str | None = None
    cookie: str | None = None
    set_cookie: SetCookie | None = None
    """With `cookie`: the cookie is Stepdown's own, and only its own count."""
    json: str | None = None
    """JSON Pointer into the request's body, looked for in its first 64 KiB only."""
    client_ip: bool = False


class Rule(Spec, frozen=True):
    """A condition and a split; the first rule of a route whose condition holds is the one."""

    name: str
    split: tuple[tuple[str, int], ...]
    """(version, weight) in the file's order; weights are relative and not all zero."""
    when: When = EVERYONE
    salt: str = ""
    """Seed of the sticky slots; `<route>/<rule>` unless the file pins it."""
    instead: tuple[str, ...] = ()
    """Versions that take over, in this order, from one whose servers are all down; then others as without it."""
    smooth: bool = False
    """Requests without a key are given out in turn (`decide.turns`); they are no evidence."""
    drain: Literal["sticky"] | None = None
    """`sticky`: a version with weight 0 keeps those whose signed cookie says that it had them."""
    colours: Colours | None = None
    """Of a rule that has them, the split gives everything to the active one's version; both stand in their order."""
    flag: FlagRule | None = None
    """Of a rule that has it, the split gives everything to the default; all versions of the flag stand in it."""
    rollout: str | None = None
    """Of a rule whose split a rollout owns, the split gives everything to its stable version."""
    walked: Walked | None = None
    """What rollouts made of it; only of rules as they are compiled (`driving.effective`)."""


def versions_of(rule: Rule) -> tuple[str, ...]:
    """Every version that a rule names: those of its split, then those of `instead`."""
    return (*(version for version, _ in rule.split), *rule.instead)


class Timeouts(Spec, frozen=True):
    """Seconds; 0 means none."""

    connect: float = 2.0
    request_head: float = 10.0
    request_body_idle: float = 60.0
    response_head: float = 60.0
    response_body_idle: float = 60.0
    whole: float = 0.0
    keep_alive: float = 75.0


class Limits(Spec, frozen=True):
    """Bytes and counts (the table of defaults is in docs/configuration.md)."""

    request_body: int = 0
    """0: any length, streamed."""
    adapted_body: int = 8 * 1024 * 1024
    """The most that is buffered to be adapted, requests and answers alike."""
    validated_body: int = 1024 * 1024
    """The longest answer that is held against contracts, with and without its content coding."""
    pending: int = 1024
    """Requests waiting for a connection, per version and worker."""
    connections: int = 1024
    """Upstream connections per endpoint and worker."""


class Route(Spec, frozen=True):
    """A match, a model, and rules."""

    name: str
    match: Match
    model: str
    rules: tuple[Rule, ...]
    key: tuple[KeySource, ...] = ()
    pin: Literal["shape", "server"] = "shape"
    errors: Literal["problem", "v2", "openai"] = "problem"
    on_adapter_failure: Literal["fail", "ask_native", "passthrough"] = "fail"
    version_param: str | None = None
    """Name of the path template's part that pins a version (`version` where the template has it)."""
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    shadows: tuple[Shadow, ...] = ()
    record: Recording | None = None


class Log(Spec, frozen=True):
    """Format and amount of the logs, which go to standard error (events) and standard output (access)."""

    format: Literal["plain", "json"] = "plain"
    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = False


class SnapshotSpec(Spec, frozen=True):
    """Everything that a worker needs to know."""

    models: tuple[Model, ...]
    routes: tuple[Route, ...]
    segments: tuple[Segment, ...] = ()
    flags: Flags | None = None
    rollouts: tuple[Rollout, ...] = ()
    feedback: Feedback | None = None
    """`None`: answers carry no tokens, and nothing can be posted."""
    passthrough_to: tuple[Endpoint, ...] = ()
    trusted_hops: int = 0
    """How many proxies in front are trusted: the client's address is that many entries from the right."""
    max_client_connections: int = 10_000
    """Per sidecar; divided among workers."""
    client_timeouts: Timeouts = Timeouts()
    """Those that hold before a route is known: `request_head`, `keep_alive`."""
    retry_budget: float = 0.2
    """Share of active requests that may be retries."""
    retry_minimum: int = 3
    explain: Explain = Explain()
    overrides: Overrides | None = None
    decisions: Decisions | None = None
    log: Log = Log()


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(SnapshotSpec)


def encode(spec: SnapshotSpec) -> bytes:
    """Normalised JSON: equal specifications give equal bytes."""
    return _ENCODER.encode(spec)


def decode(data: bytes) -> SnapshotSpec:
    """Inverse of `encode`; raises `msgspec.ValidationError` on anything else."""
    return _DECODER.decode(data)


def digest(data: bytes) -> str:
    """Name of an encoded specification: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]
