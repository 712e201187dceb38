"""config/argo-rollouts, config/flagger and config/prometheus: what other tools make of a rollout's real answers.

There is no cluster here. What Argo Rollouts does with an AnalysisTemplate is done by the guard that conforms to it
(`rollout.guards.threshold`), on answers that the admin API gives; what Flagger has a shell do is done by a shell.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml

from stepdown.control import admin, status
from stepdown.decide.rollout_spec import Threshold
from stepdown.rollout import events
from stepdown.rollout.counts import Measurement
from stepdown.rollout.guards import threshold
from stepdown.telemetry.families import FAMILIES
from tests.docs.repository import ROOT
from tests.kit.controller_state import Answer, Server, SetState, a_token, served
from tests.kit.processes import eventually
from tests.kit.prometheus import PROMETHEUS, Prometheus, scraping
from tests.kit.rollouts import rollout
from tests.kit.walked import Walked

ARGO, FLAGGER, RULES = (ROOT / "config" / name for name in ("argo-rollouts", "flagger", "prometheus"))
TOKENS = (a_token("view", "view", "look-only"), a_token("operate", "operate", "s3cret"))
NAME = "stepdown-admin.models.svc"
PROMTOOL = shutil.which("promtool")
with_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed (apt: prometheus)")
with_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (apt: prometheus)")


class Template(NamedTuple):
    """The one metric of an AnalysisTemplate, with its arguments filled in."""

    guard: Threshold
    provider: dict[str, Any]

    @classmethod
    def read(cls, file: str, **arguments: str) -> Template:
        document = yaml.safe_load((ARGO / file).read_text())
        assert (document["apiVersion"], document["kind"]) == ("argoproj.io/v1alpha1", "AnalysisTemplate")
        spec = document["spec"]
        secrets = [one["name"] for one in spec["args"] if "valueFrom" in one]
        values = {one["name"]: one["value"] for one in spec["args"] if "value" in one} | arguments
        assert set(values) == {one["name"] for one in spec["args"]}
        assert secrets == ([] if "prometheus" in file else ["token"])
        (metric,) = spec["metrics"]
        filled = re.sub(r"\{\{args\.([\w-]+)\}\}", lambda found: values[found[1]], json.dumps(metric["provider"]))
        guard = Threshold(
            name=metric["name"],
            success=metric["successCondition"],
            failure=metric.get("failureCondition", ""),
            count=metric["count"],
            interval=60.0 if metric.get("interval") == "1m" else 0.0,
            failure_limit=metric["failureLimit"],
            inconclusive_limit=metric.get("inconclusiveLimit", 0),
            consecutive_error_limit=metric["consecutiveErrorLimit"],
            consecutive_success_limit=metric.get("consecutiveSuccessLimit", 0),
        )
        return cls(guard, json.loads(filled))


class Run:
    """An AnalysisRun: asks as the template says, and counts as Argo does."""

    def __init__(self, template: Template, ask: Any) -> None:
        self.template, self.ask = template, ask
        self.state = threshold.ThresholdState()

    def measures(self, times: int = 1) -> str:
        for _ in range(times):
            self.state = threshold.measured(self.state, self.template.guard, self.ask(self.template.provider))
        return threshold.status(self.state, self.template.guard)


class Web:
    """Argo's web provider, whose requests end at a served admin API."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.said: list[Answer] = []

    def __call__(self, provider: dict[str, Any]) -> Measurement:
        web = provider["web"]
        url = urlsplit(web["url"])
        headers = {one["key"]: one["value"] for one in web["headers"]} | {"Host": url.netloc}
        options: dict[str, Any] = {"json": web["jsonBody"]} if "jsonBody" in web else {}
        answer = self.server.ask(web.get("method", "GET"), f"{url.path}?{url.query}", headers=headers, **options)
        self.said.append(answer)
        if not 200 <= answer.status < 300:
            return Measurement(at=0.0, error=f"received non 2xx response code: {answer.status}")
        member = re.fullmatch(r"\{\$\.(\w+)\}", web["jsonPath"])
        assert member is not None
        value = json.loads(answer.body)[member[1]]
        return Measurement(at=0.0, value=str(float(value)) if not isinstance(value, bool) else str(int(value)))


@pytest.fixture
def walked() -> Walked:
    return Walked(rollout(5, 25, 100, gate=True))


@pytest.fixture
def web(walked: Walked) -> Iterator[Web]:
    state = SetState(tokens=TOKENS, rollouts=walked, admin_hosts=(NAME,))
    with served(lambda: admin.application(state)) as server:
        yield Web(server)


def verdict_of(what: str, web: Web, token: str = "look-only") -> Run:
    return Run(Template.read("verdict.yaml", rollout="churn-2", of=what, token=token), web)


# --- Argo Rollouts ----------------------------------------------------------------------------------------------------


def test_an_analysis_goes_on_without_a_verdict_and_ends_with_the_first_success(web: Web, walked: Walked) -> None:
    run = verdict_of("rollout", web)
    walked.one.started()
    assert run.measures(3) == "running"
    walked.one.sees(10)
    assert run.measures() == "running"  # a step has passed, not the rollout
    walked.one.does(events.PromotedByHand, who="ann")
    assert run.measures() == "successful"
    assert run.state.inconclusive == 4


def test_an_analysis_ends_with_the_first_failure(web: Web, walked: Walked) -> None:
    run = verdict_of("rollout", web)
    walked.one.started()
    assert run.measures(2) == "running"
    walked.one.does(events.AbortedByHand, who="ann")
    assert run.measures() == "failed"


def test_an_analysis_of_a_step_ends_when_that_has_passed(web: Web, walked: Walked) -> None:
    first, second = verdict_of("1", web), verdict_of("2", web)
    walked.one.started()
    assert (first.measures(), second.measures()) == ("running", "running")
    walked.one.sees(10)
    assert (first.measures(), second.measures()) == ("successful", "running")


def test_an_analysis_that_never_gets_a_verdict_ends_inconclusive_so_that_argo_pauses(web: Web, walked: Walked) -> None:
    run = verdict_of("rollout", web)
    run.template = run.template._replace(
        guard=Threshold(**{**_fields(run.template.guard), "count": 5, "inconclusive_limit": 5})
    )
    walked.one.started()
    assert run.measures(4) == "running"
    assert run.measures() == "inconclusive"
    guard = verdict_of("rollout", web).template.guard
    assert guard.count == guard.inconclusive_limit  # as in the short one above


def _fields(guard: Threshold) -> dict[str, Any]:
    return {name: getattr(guard, name) for name in guard.__struct_fields__}


@pytest.mark.parametrize(("name", "token", "status_"), [("churn-2", "guess", 401), ("chrun-2", "look-only", 404)])
def test_no_answer_is_never_a_success(web: Web, walked: Walked, name: str, token: str, status_: int) -> None:
    run = Run(Template.read("verdict.yaml", rollout=name, token=token), web)
    assert run.measures() == "running"
    assert web.said[-1].status == status_
    assert (run.state.errors, run.state.successful) == (1, 0)


def test_an_action_is_done_once_and_fails_where_it_is_not_possible(web: Web, walked: Walked) -> None:
    def asked(action: str) -> str:
        return Run(Template.read("action.yaml", rollout="churn-2", action=action, token="s3cret"), web).measures()

    assert asked("resume") == "failed"
    assert asked("start") == "successful"
    walked.one.sees(10)
    assert asked("resume") == "successful"
    assert walked.one.position.step == 1
    assert [one.by for one in walked.asked] == ["operate"] * 3
    viewer = Run(Template.read("action.yaml", rollout="churn-2", action="abort", token="look-only"), web)
    assert viewer.measures() == "error"


def test_the_table_of_the_page_is_what_the_templates_make_of_scores() -> None:
    rows = re.findall(r"^\| `(\w+)`[^|]*\| (-?\d) \| (\w+) \|", (ARGO / "README.md").read_text(), re.MULTILINE)
    guard = Template.read("verdict.yaml", rollout="r", token="t").guard
    found = [(word, score, threshold.judged(guard, Measurement(at=0.0, value=score))[0]) for word, score, _ in rows]
    assert [(word, score, outcome.title()) for word, score, outcome in found] == rows
    assert [word for word, _, _ in rows] == ["success", "failure", "inconclusive"]


# --- Prometheus -------------------------------------------------------------------------------------------------------


@pytest.mark.real
@with_prometheus
def test_queries_of_argo_and_flagger_find_the_verdict_in_a_real_prometheus(tmp_path: Path, walked: Walked) -> None:
    argo = Template.read("verdict-prometheus.yaml", rollout="churn-2")
    flagger = yaml.safe_load((FLAGGER / "verdict.yaml").read_text())
    assert (flagger["apiVersion"], flagger["kind"]) == ("flagger.app/v1beta1", "MetricTemplate")
    variables = yaml.safe_load((FLAGGER / "analysis.yaml").read_text())["analysis"]["metrics"][0]["templateVariables"]
    queries = [
        argo.provider["prometheus"]["query"],
        re.sub(r"\{\{ variables\.(\w+) \}\}", lambda one: variables[one[1]], flagger["spec"]["query"]),
    ]
    with (
        served(lambda: status.application(SetState(rollouts=walked))) as server,
        scraping(tmp_path, server.port) as asked,
    ):

        def both_are(score: float) -> bool:
            return [asked.value(query) for query in queries] == [score, score]

        eventually(lambda: both_are(0))
        server.thread.run(lambda: walked.one.started().does(events.AbortedByHand, who="ann"))
        eventually(lambda: both_are(-1))
        server.thread.run(walked.one.started)
        server.thread.run(lambda: walked.one.does(events.PromotedByHand, who="ann"))
        eventually(lambda: both_are(1))
        _judges(argo, asked)


def _judges(argo: Template, asked: Prometheus) -> None:
    """A vector of one value is a success, and an empty one an error."""
    query = argo.provider["prometheus"]["query"]
    found = str(asked.value(query))
    assert threshold.judged(argo.guard, Measurement(at=0.0, value=(found,))) == ("successful", "")
    assert asked.value(query.replace("churn-2", "nothing")) is None
    assert threshold.judged(argo.guard, Measurement(at=0.0, value=()))[0] == "error"


@with_promtool
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "rollouts.rules.yaml"),
        ("test", "rules", "rollouts.test.yaml"),
        ("check", "config", "prometheus.yml"),
    ],
)
def test_promtool_takes_the_rules_and_their_tests_hold(arguments: tuple[str, ...]) -> None:
    assert PROMTOOL is not None
    ran = subprocess.run([PROMTOOL, *arguments], cwd=RULES, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_is_on_a_family_that_there_is_with_labels_that_it_has_and_is_tested() -> None:
    (group,) = yaml.safe_load((RULES / "rollouts.rules.yaml").read_text())["groups"]
    tested = (RULES / "rollouts.test.yaml").read_text()
    for rule in group["rules"]:
        families = re.findall(r"\b(stepdown_\w+)(?:\{(\w+))?", rule["expr"])
        assert families
        for name, label in families:
            assert name in FAMILIES
            assert not label or label in FAMILIES[name].labels
        assert f"alertname: {rule['alert']}\n        exp_alerts:\n" in tested, rule["alert"]
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")


# --- Flagger ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_flaggers_webhooks_say_yes_when_stepdown_has_promoted_or_taken_back(web: Web, walked: Walked) -> None:
    hooks = yaml.safe_load((FLAGGER / "analysis.yaml").read_text())["analysis"]["webhooks"]
    address = f"http://127.0.0.1:{web.server.port}"
    environ = {**os.environ, "STEPDOWN_ADMIN": address, "STEPDOWN_ADMIN_TOKEN": "look-only"}

    def says_yes() -> dict[str, bool]:
        """By type of hook; flagger-loadtester answers 200 where the command ends with 0."""
        commands = {hook["type"]: hook["metadata"]["cmd"] for hook in hooks}
        return {
            kind: subprocess.run(["bash", "-c", command], env=environ, timeout=30, check=False).returncode == 0
            for kind, command in commands.items()
        }

    assert says_yes() == {"confirm-promotion": False, "rollback": False}
    walked.one.started().does(events.PromotedByHand, who="ann")
    assert says_yes() == {"confirm-promotion": True, "rollback": False}
    walked.one.does(events.UndoneByHand, who="ann")
    assert says_yes() == {"confirm-promotion": False, "rollback": True}
    environ["STEPDOWN_ADMIN_TOKEN"] = "guess"
    assert says_yes() == {"confirm-promotion": False, "rollback": False}


def test_what_flagger_takes_for_a_failed_check_is_a_failure_only() -> None:
    (metric,) = yaml.safe_load((FLAGGER / "analysis.yaml").read_text())["analysis"]["metrics"]
    least = metric["thresholdRange"]["min"]
    assert [score < least for score in (1, 0, -1)] == [False, False, True]
