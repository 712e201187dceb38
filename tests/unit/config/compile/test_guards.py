"""Guards whose numbers come from elsewhere, and the breaker: what is compiled, and what is refused with its fix."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepdown.decide.rollout_spec import (
    Breaker,
    Ceiling,
    Counters,
    Guard,
    Hook,
    MetricServer,
    PerArm,
    Query,
    Share,
    Threshold,
)
from tests.kit.configuration import Folder

TEXT = """\
{top}
models:
  churn:
    default_version: "1.1.0"
    versions:
      "1.1.0": {{endpoints: ["http://v1:8080"]}}
      "2.0.0": {{endpoints: ["http://v2:8080"]}}
    adapters: [{{from: "2.0.0", to: "1.1.0", response: [{{remove: /explanation}}]}}]
routes:
  churn: {{match: {{path: /infer}}, model: churn, rules: [{{name: everyone, rollout: churn-2}}]}}
rollouts:
  churn-2:
    stable: "1.1.0"
    candidate: "2.0.0"
    steps: [5, 50, 100]
    {rollout}
    guards:
      - {guard}
"""
TOP = "prometheus: http://prometheus:9090"
CLICKS, SHOWN = 'clicks_total{version="{{version}}"}', 'shown_total{version="{{version}}"}'
SERVER = MetricServer(url="http://prometheus:9090")


def text(guard: dict[str, Any] | str, top: str = TOP, rollout: str = "promotion: manual") -> str:
    return TEXT.format(top=top, rollout=rollout, guard=guard if isinstance(guard, str) else json.dumps(guard))


def guard(folder: Folder, top: str = TOP, environ: dict[str, str] | None = None, **fields: Any) -> Guard:
    """The one guard of a file that has these fields."""
    (one,) = folder.load(text(fields, top), environ=environ or {}).spec.rollouts[0].guards
    return one


def refusal(folder: Folder, top: str = TOP, **fields: Any) -> str:
    """The one error about it, without its place in the file."""
    found = [line for line in folder.refusal(text(fields, top)) if ": warning: " not in line]
    assert len(found) == 1, found
    return found[0].split(": ", 1)[1]


def counted(**fields: Any) -> dict[str, Any]:
    return {"kind": "prometheus", "name": "ctr", "must_not": "fall", "events": CLICKS, "trials": SHOWN} | fields


def hooked(**fields: Any) -> dict[str, Any]:
    return {"kind": "webhook", "name": "ctr", "must_not": "fall", "webhook": "http://app:80/counts"} | fields


def threshold(**fields: Any) -> dict[str, Any]:
    asked = {"query": 'ready{version="{{candidate}}"}', "success": "result[0] >= 0.95", "interval": "30s"}
    return {"kind": "threshold", "name": "ready", **asked} | fields


def without(key: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != key}


# --- what is compiled -------------------------------------------------------------------------------------------------


def test_counters_are_asked_of_the_files_prometheus_under_a_kind_that_no_event_can_have(folder: Folder) -> None:
    both = {"events": PerArm(candidate=CLICKS, stable=CLICKS), "trials": PerArm(candidate=SHOWN, stable=SHOWN)}
    assert guard(folder, **counted(margin="10%")) == Share(
        name="ctr", kind="metric:ctr", must_not="fall", margin=0.1, source=Counters(servers=(SERVER,), **both)
    )


def test_a_guard_may_ask_others_each_of_which_knows_a_part(folder: Folder) -> None:
    folder.write("ca.pem", "certificate")
    others = {
        "servers": ["http://a:9090", {"url": "https://b/prom?x=1", "set_headers": {"x-org": "7"}, "ca_file": "ca.pem"}],
        "several": "parts",
        "timeout": "3s",
        "stale_after": "1m",
    }
    texts = {"candidate": "sum(increase(c[{{since}}]))", "stable": "s_total"}
    found = guard(folder, top="", **counted(prometheus=others, events=texts))
    assert isinstance(found, Share)
    assert found.source == Counters(
        servers=(
            MetricServer(url="http://a:9090", timeout=3),
            MetricServer(
                url="https://b/prom?x=1",
                set_headers=(("x-org", "7"),),
                ca_file=str(folder.path / "ca.pem"),
                timeout=3,
            ),
        ),
        events=PerArm(**texts),
        trials=PerArm(candidate=SHOWN, stable=SHOWN),
        parts=True,
        stale_after=60,
    )


def test_a_limit_asks_about_the_candidate_alone(folder: Folder) -> None:
    limit = without("must_not", counted(limit="2%"))
    found = guard(folder, **limit)
    assert isinstance(found, Ceiling)
    assert isinstance(found.source, Counters)
    assert (found.limit, found.source.events, found.source.trials) == (
        0.02,
        PerArm(candidate=CLICKS),
        PerArm(candidate=SHOWN),
    )
    alone = guard(folder, **(limit | {"events": {"candidate": "a"}, "trials": {"candidate": "b"}}))
    assert isinstance(alone, Ceiling)
    hook = guard(folder, **without("must_not", hooked(limit="2%")))
    assert isinstance(hook, Ceiling)
    assert isinstance(hook.source, Hook)
    assert hook.source.events == PerArm(candidate="/candidate/events")


def test_a_webhook_may_count_with_its_own_shape_and_its_secrets(folder: Folder) -> None:
    webhook = {
        "url": "https://app/of/{{candidate}}",
        "set_headers": {"authorization": {"env": "KEY"}},
        "tell": {"team": {"name": "growth"}},
        "pointer": "/data",
        "timeout": 5,
    }
    texts = {"candidate": "/new/clicks", "stable": "/old/clicks"}
    found = guard(folder, environ={"KEY": "s3cret"}, **hooked(webhook=webhook, events=texts))
    assert found == Share(
        name="ctr",
        kind="metric:ctr",
        must_not="fall",
        source=Hook(
            server=MetricServer(
                url="https://app/of/{{candidate}}", set_headers=(("authorization", "s3cret"),), timeout=5
            ),
            reads="counts",
            tells=(("team", '{"name":"growth"}'),),
            pointer="/data",
            events=PerArm(**texts),
        ),
    )
    assert "s3cret" not in repr(found)


def test_a_threshold_has_argos_limits_and_defaults(folder: Folder) -> None:
    query = Query(servers=(SERVER,), query='ready{version="{{candidate}}"}')
    usual = Threshold(name="ready", success="result[0] >= 0.95", interval=30, source=query)
    assert guard(folder, **threshold()) == usual
    assert (usual.failure_limit, usual.inconclusive_limit, usual.consecutive_error_limit) == (0, 0, 4)
    limits = {
        "count": 10,
        "failure_limit": -1,
        "inconclusive_limit": 2,
        "consecutive_error_limit": 3,
        "consecutive_success_limit": 4,
        "dry_run": True,
    }
    found = guard(folder, **threshold(failure="result[0] < 0.5", **limits))
    assert found == Threshold(
        name="ready", success="result[0] >= 0.95", failure="result[0] < 0.5", interval=30, source=query, **limits
    )


@pytest.mark.parametrize(("condition", "as_is"), [
    ("isNaN(result[0]) || result[0] > 1", True), ("len(result) == 0 || result[0] < 2", True), ("result[0] > 1", False),
])  # fmt: skip
def test_a_condition_that_deals_with_everything_gets_it_as_it_is(folder: Folder, condition: str, as_is: bool) -> None:
    for fields in (threshold(success=condition), threshold(failure=condition)):
        found = guard(folder, **fields)
        assert isinstance(found, Threshold)
        assert isinstance(found.source, Query)
        assert found.source.as_is is as_is


def test_a_threshold_may_ask_a_webhook_for_a_value_or_for_its_status(folder: Folder) -> None:
    value = without("query", threshold(webhook={"url": "http://app/m", "pointer": "/rate"}, success="result >= 0.9"))
    found = guard(folder, **value)
    assert isinstance(found, Threshold)
    assert found.source == Hook(server=MetricServer(url="http://app/m"), reads="value", pointer="/rate")
    status = {"kind": "threshold", "name": "gate", "webhook": {"url": "http://app/m", "reads": "status"}}
    found = guard(folder, **status, failure_limit=4)
    assert isinstance(found, Threshold)
    assert (found.success, found.source) == (
        "result == 1",
        Hook(server=MetricServer(url="http://app/m"), reads="status"),
    )


def test_a_scalar_is_compared_without_an_index(folder: Folder) -> None:
    assert guard(folder, **threshold(query="scalar(sum(up))", success="result > 0")).name == "ready"


def test_one_that_is_never_measured_is_left_out_with_a_warning(folder: Folder) -> None:
    loaded = folder.load(text(threshold(count=0)))
    assert loaded.spec.rollouts[0].guards == ()
    assert [one.message for one in loaded.warnings if "guards" in one.key] == [
        "found 0: it is never measured; allowed measurements to take, or no count"
    ]


def test_one_without_a_condition_is_told(folder: Folder) -> None:
    loaded = folder.load(text(without("success", threshold())))
    assert [one.message for one in loaded.warnings if "guards" in one.key] == [
        "found neither success nor failure: whatever is measured succeeds; allowed a condition such as success: "
        "result[0] >= 0.95"
    ]


@pytest.mark.parametrize(("written", "breaker"), [
    ("promotion: manual", Breaker()),
    ("breaker: {failures: 20%, min_requests: 200, stable_at_most: 5%}",
     Breaker(failures=0.2, least=200, stable_at_most=0.05)),
    ("breaker: false", Breaker(off=True)),
])  # fmt: skip
def test_the_breaker_is_the_files_and_off_only_where_that_is_said(
    folder: Folder, written: str, breaker: Breaker
) -> None:
    assert folder.load(text("errors", rollout=written)).spec.rollouts[0].breaker == breaker


def test_without_guards_and_breaker_it_is_told_that_nothing_watches(folder: Folder) -> None:
    bare = text("errors", rollout="breaker: false").replace("guards:\n      - errors", "guards: []")
    found = [one.message for one in folder.load(bare).warnings if "guards" in one.key]
    assert found == ["found no guard and no breaker: nothing would take the candidate back; allowed at least one"]


# --- what is refused --------------------------------------------------------------------------------------------------

AT = "rollouts.churn-2.guards[0]"
BOTH = "{{version}} or {{arm}} in it, or a text for candidate and one for stable"
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a limit of measurements with what counts": (
        counted(failure_limit=3),
        f"{AT}: found failure_limit with prometheus; allowed it with kind: threshold only",
    ),
    "a margin with what measures": (
        threshold(margin="10%"),
        f"{AT}: found margin with threshold; allowed it with a kind that counts",
    ),
    "counters without a name": (
        without("name", counted()),
        f"{AT}: found a guard of prometheus without its name; allowed name: NAME",
    ),
    "counters without a direction": (
        without("must_not", counted()),
        f"{AT}: found no must_not of ctr; allowed must_not: rise or must_not: fall, or a limit",
    ),
    "counters without trials": (
        without("trials", counted()),
        f'{AT}: found no trials; allowed a counter such as trials: trials_total{{version="{{{{version}}}}"}}',
    ),
    "a limit for what must not fall": (
        counted(limit="2%"),
        f"{AT}: found limit for an event that must not fall; allowed limit for what must not rise",
    ),
    "a rate in the place of a counter": (
        counted(events='rate(clicks_total{version="{{version}}"}[5m])'),
        f'{AT}: found `rate(clicks_total{{version="{{{{version}}}}"}}[5m])` in events, which is no counter and does '
        'not say since when it counts; allowed a counter such as events_total{version="{{version}}"}, or a query with '
        "{{since}}",
    ),
    "a name that nothing fills in": (
        counted(trials="shown_total{v='{{args.version}}'}"),
        f"{AT}: found {{{{args.version}}}} in trials, which nothing fills in; allowed {{{{arm}}}} or {{{{candidate}}}} "
        "or {{rollout}} or {{since}} or {{stable}} or {{step}} or {{version}}",
    ),
    "the same counter for both versions": (
        counted(events="clicks_total"),
        f"{AT}: found events that are the same for both versions; allowed {BOTH}",
    ),
    "a counter of the candidate alone": (
        counted(events={"candidate": "clicks_total"}),
        f"{AT}: found events without stable; allowed a text, or one for candidate and one for stable",
    ),
    "servers that may be anything to each other": (
        counted(prometheus=["http://a:9090", "http://b:9090"]),
        f"{AT}.prometheus: found 2 servers, and not what they are to each other; allowed several: replicas, where they "
        "know the same, or several: parts, where their counts add up",
    ),
    "credentials in a URL": (
        counted(prometheus="http://me:s3cret@a:9090"),
        f"{AT}.prometheus: found a URL with credentials in it; allowed a URL such as "
        "http://prometheus:9090; credentials go to `set_headers`",
    ),
    "no URL": (
        counted(prometheus={"servers": ["prometheus:9090"]}),
        f'{AT}.prometheus.servers[0]: found "prometheus:9090"; allowed a URL such as http://prometheus:9090',
    ),
    "authorities without TLS": (
        counted(prometheus={"servers": [{"url": "http://a:9090", "ca_file": "stepdown.yaml"}]}),
        f"{AT}.prometheus.servers[0].ca_file: found ca_file for http://; allowed ca_file with https:// only",
    ),
    "authorities that are not there": (
        counted(prometheus={"servers": [{"url": "https://a:9090", "ca_file": "ca.pem"}]}),
        f"{AT}.prometheus.servers[0].ca_file: the file ca.pem does not exist; allowed a file of certificates (PEM)",
    ),
    "a secret that is not there": (
        hooked(webhook={"url": "http://app", "set_headers": {"authorization": {"env": "NONE_SUCH"}}}),
        f"{AT}.webhook.set_headers.authorization.env: the environment variable NONE_SUCH is not set; allowed a "
        "variable that is set",
    ),
    "a wait that is longer than a window's": (
        hooked(webhook={"url": "http://app", "timeout": "1m"}),
        f'{AT}.webhook.timeout: found "1m"; allowed a number up to 15',
    ),
    "a webhook that is not named": (
        without("webhook", hooked()),
        f"{AT}: found no webhook; allowed webhook: URL or {{url: URL}}, without reads",
    ),
    "a webhook that counts its status": (
        hooked(webhook={"url": "http://app", "reads": "status"}),
        f"{AT}: found reads, and counts are asked for; allowed webhook: URL or {{url: URL}}, without reads",
    ),
    "no pointers": (
        hooked(events={"candidate": "clicks", "stable": "/stable/clicks"}),
        f'{AT}: found "clicks" in events; allowed JSON Pointers such as /candidate/clicks',
    ),
    "one pointer for both versions": (
        hooked(trials="/shown"),
        f"{AT}: found trials that are the same for both versions; allowed a pointer for candidate and another for "
        "stable",
    ),
    "a URL with a name that nothing fills in": (
        hooked(webhook="http://app/{{version}}"),
        f"{AT}.webhook: found {{{{version}}}}, which nothing fills in; allowed {{{{candidate}}}} or {{{{rollout}}}} or "
        "{{since}} or {{stable}} or {{step}}",
    ),
    "a body that is not sent": (
        hooked(webhook={"url": "http://app", "method": "GET", "tell": {"a": 1}}),
        f"{AT}.webhook: found tell with GET, which has no body; allowed tell with method: POST only",
    ),
    "a pointer into a status": (
        without("query", threshold(webhook={"url": "http://app", "reads": "status", "pointer": "/a"})),
        f"{AT}.webhook: found pointer and reads: status, which does not look into the answer; allowed one of them",
    ),
    "nothing to measure": (
        without("query", threshold()),
        f"{AT}: found nothing to ask; allowed query: PROMQL or webhook: URL",
    ),
    "two to ask": (
        threshold(webhook="http://app"),
        f"{AT}: found both; allowed query: PROMQL or webhook: URL",
    ),
    "a condition that cannot be read": (
        threshold(success="result[0] >"),
        f"{AT}.success: found no condition: `result[0] >` cannot be read: its end is not expected; allowed a condition "
        "such as result[0] >= 0.95",
    ),
    "a list that is compared with a number": (
        threshold(failure="result < 0.5"),
        f"{AT}: found `result < 0.5`, which has no answer for a list, and Prometheus gives one; allowed result[0] in "
        "the place of result, or scalar(...) around the query",
    ),
    "an arm in a query of the whole": (
        threshold(query='ready{version="{{version}}"}'),
        f"{AT}: found {{{{version}}}} in query, which nothing fills in; allowed {{{{candidate}}}} or {{{{rollout}}}} "
        "or {{since}} or {{stable}} or {{step}}",
    ),
    "values of parts": (
        threshold(prometheus={"servers": ["http://a:9090", "http://b:9090"], "several": "parts"}),
        f"{AT}: found servers that each know a part, and values cannot be added up; allowed several: replicas, or one "
        "server that knows all",
    ),
    "an interval of nothing": (
        threshold(interval="100ms"),
        f'{AT}.interval: found "100ms"; allowed a number from 1 on',
    ),
    "a limit below none": (
        threshold(failure_limit=-2),
        f"{AT}.failure_limit: found the number -2; allowed a number from -1 on",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_its_place_and_its_fix(name: str, folder: Folder) -> None:
    fields, message = MISTAKES[name]
    assert refusal(folder, **fields) == message


@pytest.mark.parametrize("fields", [counted(), threshold()])
def test_nobody_to_ask_is_told_at_the_guard(folder: Folder, fields: dict[str, Any]) -> None:
    assert refusal(folder, top="", **fields) == (
        f"{AT}: found no Prometheus to ask; allowed prometheus: http://HOST:9090 at the guard, or at the top of the "
        "file for all"
    )


def test_parts_of_the_file_are_none_for_a_value(folder: Folder) -> None:
    top = "prometheus: {servers: [http://a:9090, http://b:9090], several: parts}"
    assert refusal(folder, top, **threshold()) == (
        f"{AT}: found servers that each know a part, and values cannot be added up; allowed prometheus with several: "
        "replicas, or one server that knows all"
    )


def test_a_prometheus_that_cannot_be_used_is_told_once(folder: Folder) -> None:
    assert refusal(folder, "prometheus: ftp://a", **counted()) == (
        'prometheus: found "ftp://a"; allowed a URL such as http://prometheus:9090'
    )


def test_a_breaker_is_a_mapping_or_false(folder: Folder) -> None:
    found = folder.refusal(text("errors", rollout="breaker: true"))
    assert [line.split(": ", 1)[1] for line in found if ": warning: " not in line] == [
        "rollouts.churn-2.breaker: found true; allowed a mapping such as {failures: 50%, min_requests: 50}, or false "
        "for none"
    ]
