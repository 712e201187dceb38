"""Writes docs/metrics.md from the table of families: `python -m stepdown.telemetry.reference > docs/metrics.md`."""

from __future__ import annotations

from collections.abc import Iterable

from stepdown.telemetry.families import FAMILIES, Family

_HEAD = """# Metrics

`GET /metrics` on the status address answers in Prometheus's text format, or in OpenMetrics where `Accept` asks for it.
This page is made from the table in `proxy/stepdown/telemetry/families.py` (`python -m stepdown.telemetry.reference`).

Label values come from the configuration or from small closed sets, never from what a client sends: a client cannot make
series. Counters go on where a worker is replaced, also after a crash. When a worker has no room for more series (some
30,000 fit), what is new counts with every label `other`, and `stepdown_metrics_full` is 1.
"""

# ruff: noqa: E501 - a row of a table is one line
_QUERIES = """## Questions

| question | query |
|---|---|
| Requests a second, by served version | `sum by (route, served) (rate(stepdown_requests_total[1m]))` |
| Share of answers that failed, by *assigned* version | `sum by (route, assigned) (rate(stepdown_requests_total{status_class="5xx"}[5m])) / sum by (route, assigned) (rate(stepdown_requests_total[5m]))` |
| Who still gets an old shape | `sum by (route, pinned) (increase(stepdown_requests_total[1d]))` |
| 99th percentile as clients see it | `histogram_quantile(0.99, sum by (le, route) (rate(stepdown_request_duration_seconds_bucket[5m])))` |
| What Stepdown and its adapters add | `rate(stepdown_request_duration_seconds_sum[5m]) - rate(stepdown_upstream_duration_seconds_sum[5m])` |
| Adapters that fail | `sum by (route, error) (rate(stepdown_errors_total{error=~"adapter-failed\\|answer-too-large\\|stream-not-adaptable"}[5m])) > 0` |
| Share of answers that break the contract | `sum by (model, served, contract) (rate(stepdown_validations_total{result="violated"}[5m])) / sum by (model, served, contract) (rate(stepdown_validations_total[5m]))` |
| Where they break it | `topk(10, sum by (model, contract, path, keyword) (increase(stepdown_violations_total[1h])))` |
| Share of compared answers that differ from the served ones | `sum by (route, shadow) (rate(stepdown_shadow_compared_total{result="different"}[5m])) / sum by (route, shadow) (rate(stepdown_shadow_compared_total{result!="incomparable"}[5m]))` |
| Copies that are not sent, and why | `sum by (route, shadow, reason) (rate(stepdown_shadow_skipped_total{reason!="served"}[5m])) > 0` |
| The comparer is stuck | `time() - stepdown_comparer_turn_timestamp_seconds > 10` |
| An endpoint is down or put aside | `stepdown_endpoint_ready == 0` |
| The file on disk is not the one that runs | `stepdown_config_reload_ok == 0` |
| Replicas run different files | `count(count by (digest) (stepdown_config_digest_info)) > 1` |
| Shapes that go away within 30 days | `stepdown_version_sunset_timestamp_seconds - time() < 30 * 86400` |
"""


def page() -> str:
    """The whole page."""
    workers, comparer, controller = (
        [family for family in FAMILIES.values() if family.writer == writer]
        for writer in ("worker", "comparer", "controller")
    )
    parts = [
        _HEAD,
        "## What workers count\n\n" + _table(workers),
        "## What the comparer counts\n\n" + _table(comparer),
        "## What the controller knows\n\n" + _table(controller),
        "## Buckets\n\n" + "\n".join(_buckets([*workers, *comparer])) + "\n",
        _QUERIES,
    ]
    return "\n".join(parts)


def _table(families: Iterable[Family]) -> str:
    rows = [f"| `{family.name}` | {family.kind} | {_labels(family)} | {_meaning(family)} |\n" for family in families]
    return "| name | kind | labels | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _labels(family: Family) -> str:
    return ", ".join(f"`{label}`" for label in family.labels)


def _meaning(family: Family) -> str:
    if family.kind == "gauge" and family.across != "sum":
        return f"{family.help} Over workers: the {'least' if family.across == 'min' else 'greatest'}."
    return family.help


def _buckets(families: Iterable[Family]) -> Iterable[str]:
    for family in families:
        if family.kind == "histogram":
            yield f"- `{family.name}`: {', '.join(f'{bound:g}' for bound in family.buckets)} seconds"


if __name__ == "__main__":
    print(page(), end="")
