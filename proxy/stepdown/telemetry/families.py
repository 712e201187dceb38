"""All metric families: the one table from which cells, `/metrics` and docs/metrics.md are made.

Names follow the Prometheus conventions: base units, `_total` on counters, `_info` on what is only labels. Label values
come from the configuration or from small closed sets, never from what a client sends, so the file bounds the number of
series. A family is written by the workers or by the comparer, into their slabs, or by the controller, when it is
scraped.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from stepdown.telemetry.buckets import ADAPTER_SECONDS, REQUEST_SECONDS


class Family(NamedTuple):
    """One metric family."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds in seconds, ascending, without +Inf; histograms only."""
    writer: Literal["worker", "comparer", "controller"] = "worker"
    across: Literal["sum", "min", "max"] = "sum"
    """How the values of several workers become one: counters and histograms always sum."""

    @property
    def width(self) -> int:
        """Cells of one series: a histogram has one for each bound, one for +Inf, and the sum in microseconds."""
        return len(self.buckets) + 2 if self.kind == "histogram" else 1


METRICS_FULL = "stepdown_metrics_full"

_WORKER = (
    Family(
        "stepdown_requests_total",
        "counter",
        "Requests answered. `assigned` is what the split said, `served` the version that computed the answer, "
        "`pinned` the shape that the client was due, all three `none` where there was no choice (reason refused); "
        "`reason` says how `served` was chosen (split, flag, kept, pin-forced, taken-back, unhealthy, pin-server, "
        "override); `adapter` says what became of the answer (none, adapted, failed; native: a version that has the "
        "shape was asked; passthrough: the answer kept its own shape).",
        ("route", "rule", "assigned", "served", "pinned", "reason", "key_source", "status_class", "adapter"),
    ),
    Family(
        "stepdown_request_duration_seconds",
        "histogram",
        "From the first byte of a request to the last byte of its answer, as the client sees it.",
        ("route", "served"),
        REQUEST_SECONDS,
    ),
    Family(
        "stepdown_upstream_duration_seconds",
        "histogram",
        "From the first byte sent to an endpoint to the last byte of its answer.",
        ("route", "served"),
        REQUEST_SECONDS,
    ),
    Family(
        "stepdown_adapter_duration_seconds",
        "histogram",
        "Work of the chain of adapters on one exchange, request and answer together.",
        ("route", "served", "pinned"),
        ADAPTER_SECONDS,
    ),
    Family(
        "stepdown_stream_events_total",
        "counter",
        "Events of adapted streams as they were given to clients, comments and `[DONE]` included.",
        ("route", "served", "pinned"),
    ),
    Family(
        "stepdown_stream_failures_total",
        "counter",
        "Streams that were no good answer although their status was 2xx, each once; `stepdown_requests_total` counts "
        "them by that status. `reason` is error (the server told of one inside the stream), cut (the connection to the "
        "server ended, or was silent for too long, before the stream did), and of adapted streams also: cut (no end "
        "that its dialect gives it), empty, unfinished (`[DONE]` without a finish reason), malformed, adapter (an "
        "operation failed), event-too-long, state-too-large, too-many-events. A client that leaves is no failure.",
        ("route", "rule", "assigned", "served", "reason"),
    ),
    Family(
        "stepdown_errors_total",
        "counter",
        "Errors that Stepdown answered itself; `error` is the tail of the problem's type.",
        ("route", "error"),
    ),
    Family(
        "stepdown_malformed_requests_total",
        "counter",
        "Connections closed because their bytes were no request that two parsers would read the same way.",
        ("error",),
    ),
    Family("stepdown_client_connections", "gauge", "Open connections of clients."),
    Family("stepdown_active_requests", "gauge", "Requests that are being answered now."),
    Family(
        "stepdown_client_aborts_total",
        "counter",
        "Requests whose client left before the answer was complete, or its stream had said its own end.",
        ("route",),
    ),
    Family(
        "stepdown_upstream_connects_total",
        "counter",
        "Attempts to connect to an endpoint; `outcome` is ok, refused, timeout or error.",
        ("endpoint", "outcome"),
    ),
    Family(
        "stepdown_retries_total",
        "counter",
        "Requests sent again; `reason` is the problem that made the attempt before fail.",
        ("route", "reason"),
    ),
    Family(
        "stepdown_ejections_total",
        "counter",
        "Times that consecutive failures put an endpoint aside.",
        ("endpoint",),
    ),
    Family(
        "stepdown_endpoint_ready",
        "gauge",
        "1 where every worker sends requests to the endpoint, 0 where one of them has it down or put aside.",
        ("endpoint",),
        across="min",
    ),
    Family(
        "stepdown_access_log_dropped_total",
        "counter",
        "Records that the access log dropped because its reader was too slow.",
    ),
    Family(
        "stepdown_validations_skipped_total",
        "counter",
        "Answers that were sampled to be held against contracts and were not; `reason` says why. No document to hold "
        "against anything: stream, media-type (it is not JSON), partial (206), too-large (over `validated_body`), "
        "coding (a content coding that is unknown or corrupt). No fault of the answer: full (the comparer is too slow, "
        "stopped or not there), stale (the contract is of a configuration that is gone), failed (the comparer could "
        "not do it, which it logs).",
        ("model", "served", "reason"),
    ),
    Family(
        "stepdown_overrides_total",
        "counter",
        "Requests with `X-Stepdown-Serve` for the route's model. `result` is honoured, out-of-reach (the server "
        "reaches no shape that the client takes, so the request was routed as usual), unanswerable (it is down, or "
        "there is none: the caller was told), or why the caller was routed as usual: not-allowed, or a token that is "
        "malformed, forged, future, expired or foreign.",
        ("route", "result"),
    ),
    Family(
        "stepdown_evidence_requests_total",
        "counter",
        "Requests that a rollout's split assigned to one of its versions (`arm` is stable or candidate) with both "
        "within the client's reach, by the version that they were assigned to, whoever answered them.",
        ("rollout", "arm"),
    ),
    Family(
        "stepdown_evidence_units_total",
        "counter",
        "Units of these requests as each worker saw them: sticky users, each once at each stage as far as the worker "
        "remembers, and requests without a key. The store counts a user once for all workers and replicas.",
        ("rollout", "arm"),
    ),
    Family(
        "stepdown_evidence_waiting",
        "gauge",
        "First sightings of units and of events that were sent to no store yet, or are on their way. It rises where "
        "the store of the rollouts, or the controller, is away.",
    ),
    Family(
        "stepdown_evidence_dropped_total",
        "counter",
        "First sightings that were left out because too many were waiting for the store.",
        ("rollout",),
    ),
    Family(
        "stepdown_feedback_total",
        "counter",
        "Events that were posted as feedback. `outcome` is accepted, duplicate (posted before), or why it was refused: "
        "unreadable, malformed, foreign, forged, future, expired, unknown-event; or unstored (the store did not take "
        "it in time, and whoever posted it was told to try again). `rollout` and `event` are none where no genuine "
        "token, or no guard of its rollout, says them.",
        ("rollout", "event", "outcome"),
    ),
    Family(
        "stepdown_flag_evaluations_total",
        "counter",
        "What feature flags said; `variant` is none where the default of whoever asked counted, `reason` one of "
        "OpenFeature's (STATIC, TARGETING_MATCH, DEFAULT, DISABLED, ERROR; of a provider also SPLIT, CACHED, UNKNOWN, "
        "STALE: an old answer is used while it is asked anew, and CACHE_MISS: it has not answered yet). A variant that "
        "the configuration does not name is `other` where a provider gives it. A request asks a flag once, however "
        "many rules name it, and again where it is chosen for again after a failed attempt.",
        ("flag", "variant", "reason"),
    ),
    Family(
        "stepdown_flag_waits_total",
        "counter",
        "Requests that waited for a flag's first answer; `result` is answered, over (`first_wait` went by and the "
        "default was taken) or crowded (too many waited already, so this one did not).",
        ("result",),
    ),
    Family(
        "stepdown_flag_questions_unasked_total",
        "counter",
        "Questions about flags that a worker did not ask because too many were open.",
    ),
    Family(
        "stepdown_decisions_recorded_total",
        "counter",
        "Decisions that were sampled to be recorded, those that were dropped included.",
    ),
    Family(
        "stepdown_decisions_dropped_total",
        "counter",
        "Records of decisions that were dropped because the file or pipe took them too slowly or not at all.",
    ),
    Family(
        "stepdown_shadow_skipped_total",
        "counter",
        "Requests that were due to be copied to a shadow and were not; `reason` says why. By the request: served (the "
        "shadow's own version answers it), marked (it is a copy itself, whatever the shadow's share), too-large (over "
        "`max_body`), aborted (it ended, or was refused, before it was whole and on its way), unreachable-shape (no "
        "adapters lead from the shadow's version to the pinned one), unadaptable (the adapters failed on it). By the "
        "limits: rate, concurrent, pending (copies and answers wait for one another in more memory than they may), "
        "full (the comparer is too slow, stopped or not there), busy (workers are, and the comparer has no core but "
        "theirs). By the world: down (no endpoint of the version accepts "
        "connections), broken (the last copies all failed, and the shadow is left alone for some seconds), stale (the "
        "configuration is gone, and with it the shadow's name: `unknown`), failed (a mistake of Stepdown's own, which "
        "it logs).",
        ("route", "shadow", "reason"),
    ),
    Family(
        "stepdown_recorded_total",
        "counter",
        "Requests that were taken for a recording; `result` is what became of them. By the worker: too-large (over "
        "`max_body`), aborted (it ended, or was refused, before it was whole and on its way), full (the comparer is "
        "too slow, stopped or not there). By the comparer: recorded (it is in a file), stopped (recording had stopped, "
        "or stopped with it), failed (no line could be made of it), pending (no room to wait for its answer or for the "
        "disk), unanswered (what it was answered did not come), stale (its configuration is gone).",
        ("route", "result"),
    ),
    Family(
        METRICS_FULL,
        "gauge",
        "1 where a worker has no room for new series, which are counted with every label `other` from then on.",
        across="max",
    ),
)

_COMPARER = (
    Family(
        "stepdown_validations_total",
        "counter",
        "Sampled answers that were held against a contract: that of the version that `served` them, or, where "
        "`contract` is another version, that of the shape in which they were delivered; `result` is valid or violated.",
        ("model", "served", "contract", "result"),
    ),
    Family(
        "stepdown_violations_total",
        "counter",
        "Answers that contradict the contract at `path`, counted once for each path and keyword, as far as their first "
        "100 contradictions go. `path` is a JSON Pointer with `*` for places in lists and for names that the contract "
        "does not have; `keyword` is the rule of the contract (`json`: no JSON at all). Of one contract 100 different "
        "pairs are told apart, and what comes after them is `other`.",
        ("model", "served", "contract", "path", "keyword"),
    ),
    Family(
        "stepdown_shadow_copies_total",
        "counter",
        "Copies sent to a shadow's version; `outcome` is answered (with any status below 500), error (5xx), refused "
        "(no connection), reset (the connection ended before an answer), cut (in the middle of one), timeout, "
        "malformed (its bytes are no answer), too-large (the answer is over `max_body`) or pending (there was no room "
        "left to keep it in). None is sent twice.",
        ("route", "shadow", "outcome"),
    ),
    Family(
        "stepdown_shadow_answers_total",
        "counter",
        "Answers of a shadow's version to copies, by class of their status (`2xx`).",
        ("route", "shadow", "status_class"),
    ),
    Family(
        "stepdown_shadow_noise_total",
        "counter",
        "Copies sent to the served version besides, to see how much it differs from itself; `outcome` is the same, or "
        "skipped where a limit or the endpoint's state forbade it.",
        ("route", "shadow", "outcome"),
    ),
    Family(
        "stepdown_shadow_compared_total",
        "counter",
        "Copies whose answers were held side by side in the shape that the client asked for; `result` is equal, "
        "different, or incomparable where one of the two has no such shape or did not come.",
        ("route", "shadow", "result"),
    ),
    Family(
        "stepdown_shadow_seconds",
        "histogram",
        "From the first byte of a copy sent to the shadow's version to the last byte of its answer.",
        ("route", "shadow"),
        REQUEST_SECONDS,
    ),
    Family(
        "stepdown_recording_stopped",
        "gauge",
        "1 where a route is no longer recorded because its files cannot be written, or a writing hangs; it is tried "
        "again each minute, and the log says what is wrong.",
        ("route",),
        across="max",
    ),
    Family(
        "stepdown_comparer_turn_timestamp_seconds",
        "gauge",
        "When the comparer last looked for work, in Unix seconds, which it does at least once a second unless it is "
        "stuck.",
        across="max",
    ),
)

_CONTROLLER = (
    Family("stepdown_build_info", "info", "The version of Stepdown that runs.", ("version", "python")),
    Family("stepdown_workers", "gauge", "Workers that are alive."),
    Family("stepdown_worker_restarts_total", "counter", "Workers that were replaced since the sidecar started."),
    Family(
        "stepdown_comparer_up",
        "gauge",
        "1 where the comparer runs, 0 where it is being replaced; absent where the configuration has nothing for it.",
    ),
    Family("stepdown_comparer_restarts_total", "counter", "Times that the comparer was replaced after it died."),
    Family(
        "stepdown_shadow_difference_ratio",
        "gauge",
        "Share of a shadow's compared answers that differ, since its report was begun; absent before there is any. "
        "The report has its interval, and whether it is more than noise.",
        ("route", "shadow"),
    ),
    Family(
        "stepdown_shadow_noise_ratio",
        "gauge",
        "Share in which another answer of the served version differs from its first; absent without noise copies.",
        ("route", "shadow"),
    ),
    Family(
        "stepdown_shadow_evidence",
        "gauge",
        "Natural logarithm of the evidence E that a shadow's answers differ more often than noise, which may be looked "
        "at any number of times: from 3 on (E = 20) they do, at 95 %. Absent without noise copies.",
        ("route", "shadow"),
    ),
    Family(
        "stepdown_rollout_phase",
        "gauge",
        "1 for the phase in which a rollout is, 0 for others: pending, stepping, gated (a person has to let it on), "
        "paused, inconclusive (no verdict before its deadline), frozen (units were assigned in a wrong ratio), blind "
        "(its state cannot be stored), promoted, aborted, rolled back.",
        ("rollout", "phase"),
    ),
    Family(
        "stepdown_rollout_step",
        "gauge",
        "The step where a rollout stands, from 1; 0 before it is started.",
        ("rollout",),
    ),
    Family(
        "stepdown_rollout_weight_ratio",
        "gauge",
        "The candidate's share of a rollout's rule, as its state has it and as this sidecar applies it (`where` is "
        "state or applied).",
        ("rollout", "where"),
    ),
    Family(
        "stepdown_rollout_verdict",
        "gauge",
        "What a rollout comes to, as its verdict endpoint has it: 1 success, 0 inconclusive, -1 failure; `of` is the "
        "step where it stands, or the whole rollout.",
        ("rollout", "of"),
    ),
    Family(
        "stepdown_rollout_evidence",
        "gauge",
        "Natural logarithm of the evidence E that the candidate is worse, which may be looked at any number of times: "
        "the mean over all guards of the step, for which `guard` is empty, and of each guard alone.",
        ("rollout", "guard"),
    ),
    Family(
        "stepdown_rollout_evidence_level",
        "gauge",
        "Natural logarithm of the E from which on the candidate is taken back: of the mean over all guards, and of one "
        "guard with which the mean is enough.",
        ("rollout", "guard"),
    ),
    Family(
        "stepdown_rollout_guard_readable",
        "gauge",
        "Whether a guard of the present step could be read in the latest window; one that cannot is never a pass.",
        ("rollout", "guard"),
    ),
    Family(
        "stepdown_rollout_quarantined",
        "gauge",
        "Candidates of a rollout that get nothing until a person starts them again.",
        ("rollout",),
    ),
    Family(
        "stepdown_rollout_state",
        "gauge",
        "1 for what is true of the stored state of a rollout, 0 for the rest: ok, lost (the store cannot be used, so "
        "nothing advances) or missing (there is none: it was never started, or its state is gone; the candidate gets "
        "nothing until a person starts it). Absent where the file names no place for it.",
        ("rollout", "state"),
    ),
    Family(
        "stepdown_rollout_transitions_total",
        "counter",
        "What this sidecar decided about a rollout since its controller was started, by the phase that it led to.",
        ("rollout", "phase"),
    ),
    Family(
        "stepdown_rollout_leads",
        "gauge",
        "1 where this sidecar decides over a rollout; of the replicas that share it, one does.",
        ("rollout",),
    ),
    Family(
        "stepdown_config_reload_ok",
        "gauge",
        "1 where the file as it is now runs, 0 where its last reload was refused and the one before it runs on.",
    ),
    Family(
        "stepdown_config_last_reload_timestamp_seconds",
        "gauge",
        "When the file was last read, in Unix seconds; whether it was accepted, `stepdown_config_reload_ok` says.",
    ),
    Family("stepdown_config_digest_info", "info", "The configuration that runs.", ("digest",)),
    Family(
        "stepdown_flags_ok",
        "gauge",
        "1 where the flag file was good when the configuration was last accepted, 0 where it could not be used and the "
        "flags that were read before it stay in force; absent where the configuration has no flags.",
    ),
    Family(
        "stepdown_flag_provider_ok",
        "gauge",
        "1 where the OpenFeature provider has started and its last answers were no failures, 0 where it has not, or "
        "three in a row failed, or it hangs; absent where no provider is configured.",
    ),
    Family(
        "stepdown_flag_questions_total",
        "counter",
        "Questions that the provider was asked; `result` is answered, failed (it raised, said that it failed, or gave "
        "what is of another type than was declared), late (it took longer than `timeout`) or refused (it had not "
        "started, or there was no room, so it was not asked).",
        ("result",),
    ),
    Family(
        "stepdown_colour_active",
        "gauge",
        "1 for the colour that takes requests, 0 for the other; `place` is a route or `model/version`.",
        ("place", "colour"),
    ),
    Family(
        "stepdown_switched_by_hand",
        "gauge",
        "1 where the active colour is not the one that the file declares.",
        ("place",),
    ),
    Family(
        "stepdown_switches_total",
        "counter",
        "Switches asked for since the controller was started; `result` is done, forced (to a colour that was not "
        "ready) or refused.",
        ("place", "result"),
    ),
    Family(
        "stepdown_overlay_saved",
        "gauge",
        "1 where what was switched by hand is on disk, 0 where it could not be written; absent where the file names no "
        "place for it.",
    ),
    Family(
        "stepdown_version_info",
        "info",
        "The declared versions of the models; `deprecated` and `sunset` are dates, empty where not announced.",
        ("model", "version", "deprecated", "sunset", "retired"),
    ),
    Family(
        "stepdown_version_sunset_timestamp_seconds",
        "gauge",
        "When a version's shape goes away, in Unix seconds, where it is announced.",
        ("model", "version"),
    ),
)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        *_WORKER,
        *(family._replace(writer="comparer") for family in _COMPARER),
        *(family._replace(writer="controller") for family in _CONTROLLER),
    )
}
"""By name, in the order of `/metrics`."""
