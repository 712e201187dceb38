"""Guards of the file to those of a snapshot, with whom they ask, and the breaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.endpoints import set_headers
from stepdown.config.compile.resources import Resources
from stepdown.config.file.guards import ArmsSection, BreakerSection, GuardSection
from stepdown.config.file.metrics import PrometheusSection, WebhookSection
from stepdown.config.file.model import HeaderValue
from stepdown.config.tree import Path
from stepdown.decide import rollout_spec
from stepdown.rollout.counts import SLOW
from stepdown.rollout.guards.conditions import deals_with_anything

_COUNTED = {"latency": SLOW}
"""What is counted of a kind of guard, where that has another name."""
_LEAST_RESULT = "result == 1"
"""What a hook that is asked for its status has to come to."""


class GuardCompiler:
    """Of all rollouts of a file; notes what is missing."""

    def __init__(self, prometheus: PrometheusSection | None, resources: Resources, checker: Checker) -> None:
        """`prometheus` is asked by guards that name nobody else."""
        self._prometheus = prometheus
        self._resources = resources
        self._checker = checker

    def compiled(self, sections: Sequence[GuardSection], path: Path) -> tuple[rollout_spec.Guard, ...]:
        """The guards at `path`, but those that measure nothing."""
        found = (self._guard(section, (*path, index)) for index, section in enumerate(sections))
        return tuple(guard for guard in found if guard is not None)

    def _guard(self, section: GuardSection, path: Path) -> rollout_spec.Guard | None:
        if section.kind == "threshold":
            return self._threshold(section, path)
        counted, source = section.event or _COUNTED.get(section.kind, section.kind), None
        if section.kind in {"prometheus", "webhook"}:
            source = self._source(section, path)
            counted = f"metric:{section.called}"  # no event that is reported has a colon in its name
            if source is None:
                return None
        if section.limit is not None:
            return rollout_spec.Ceiling(name=section.called, kind=counted, limit=section.limit, source=source)
        must_not = section.must_not or ("fall" if section.kind == "event" else "rise")
        return rollout_spec.Share(
            name=section.called, kind=counted, must_not=must_not, margin=section.margin, source=source
        )

    # --- counts -------------------------------------------------------------------------------------------------------

    def _source(self, section: GuardSection, path: Path) -> rollout_spec.Counters | rollout_spec.Hook | None:
        alone = section.limit is not None
        if section.webhook is not None:
            hook = self._hook(section.webhook, path, reads="counts")
            return msgspec.structs.replace(
                hook,
                events=_per_arm(section.events or hook.events, alone=alone),
                trials=_per_arm(section.trials or hook.trials, alone=alone),
            )
        asked, servers = self._servers(section, path)
        if asked is None or section.events is None or section.trials is None:
            return None
        return rollout_spec.Counters(
            servers=servers,
            events=_per_arm(section.events, alone=alone),
            trials=_per_arm(section.trials, alone=alone),
            parts=asked.several == "parts",
            stale_after=asked.stale_after,
        )

    # --- values -------------------------------------------------------------------------------------------------------

    def _threshold(self, section: GuardSection, path: Path) -> rollout_spec.Threshold | None:
        success, failure = section.success or "", section.failure or ""
        by_status = section.webhook is not None and section.webhook.reads == "status"
        if by_status and not success and not failure:
            success = _LEAST_RESULT
        if not success and not failure:
            problem = "found neither success nor failure: whatever is measured succeeds"
            self._checker.warn(path, problem, "a condition such as success: result[0] >= 0.95")
        if section.count == 0:
            self._checker.warn((*path, "count"), "found 0: it is never measured", "measurements to take, or no count")
            return None
        as_is = deals_with_anything(success) or deals_with_anything(failure)
        source: rollout_spec.Query | rollout_spec.Hook
        if section.webhook is not None:
            hook = self._hook(section.webhook, path, reads=section.webhook.reads or "value")
            source = msgspec.structs.replace(hook, as_is=as_is)
        else:
            asked, servers = self._servers(section, path)
            if asked is None:
                return None
            if asked.several == "parts":
                problem = "found servers that each know a part, and values cannot be added up"
                self._checker.error(path, problem, "prometheus with several: replicas, or one server that knows all")
            source = rollout_spec.Query(
                servers=servers, query=section.query or "", stale_after=asked.stale_after, as_is=as_is
            )
        return rollout_spec.Threshold(
            name=section.called,
            success=success,
            failure=failure,
            count=section.count,
            interval=section.interval or 0.0,
            failure_limit=section.failure_limit,
            inconclusive_limit=section.inconclusive_limit,
            consecutive_error_limit=section.consecutive_error_limit,
            consecutive_success_limit=section.consecutive_success_limit,
            dry_run=section.dry_run,
            source=source,
        )

    # --- whom to ask --------------------------------------------------------------------------------------------------

    def _servers(
        self, section: GuardSection, path: Path
    ) -> tuple[PrometheusSection | None, tuple[rollout_spec.MetricServer, ...]]:
        own = section.prometheus
        asked, at = (self._prometheus, ("prometheus",)) if own is None else (own, (*path, "prometheus"))
        if asked is None:
            if not self._checker.is_damaged("prometheus"):
                allowed = "prometheus: http://HOST:9090 at the guard, or at the top of the file for all"
                self._checker.error(path, "found no Prometheus to ask", allowed)
            return None, ()
        return asked, tuple(
            self._server(one.url, one.set_headers, one.ca_file, asked.timeout, (*at, "servers", index))
            for index, one in enumerate(asked.servers)
        )

    def _hook(self, section: WebhookSection, path: Path, **fields: Any) -> rollout_spec.Hook:
        at = (*path, "webhook")
        return rollout_spec.Hook(
            server=self._server(section.url, section.set_headers, section.ca_file, section.timeout, at),
            method=section.method,
            tells=tuple((name, msgspec.json.encode(value).decode()) for name, value in section.tell.items()),
            pointer=section.pointer or "",
            **fields,
        )

    def _server(
        self, url: str, headers: Mapping[str, HeaderValue], ca_file: str | None, timeout: float, path: Path
    ) -> rollout_spec.MetricServer:
        if ca_file is not None and not url.startswith("https://"):
            self._checker.error((*path, "ca_file"), "found ca_file for http://", "ca_file with https:// only")
        return rollout_spec.MetricServer(
            url=url,
            set_headers=set_headers(headers, (*path, "set_headers"), self._resources, self._checker),
            ca_file=None if ca_file is None else str((self._checker.folder(path) / ca_file).absolute()),
            timeout=timeout,
        )


def breaker_of(section: BreakerSection) -> rollout_spec.Breaker:
    """The breaker, or one that is off."""
    return rollout_spec.Breaker(
        failures=section.failures,
        least=section.min_requests,
        stable_at_most=section.stable_at_most,
        off=section.off,
    )


def _per_arm(texts: ArmsSection | rollout_spec.PerArm, *, alone: bool) -> rollout_spec.PerArm:
    """Of both versions; a limit is the candidate's alone."""
    return rollout_spec.PerArm(candidate=texts.candidate, stable="" if alone else texts.stable or "")
