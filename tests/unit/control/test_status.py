import json

import pytest
from msgspec import structs
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from stepdown import __version__
from stepdown.control import status
from stepdown.control.reports import Reports
from stepdown.control.state import ComparerView, ReloadView, WorkerView
from stepdown.decide.spec import Chain, Endpoint, Version
from stepdown.telemetry.families import FAMILIES
from tests.kit.controller_state import CHURN, DOWN, FRAUD, UP, SetState, served, slabs, with_colours
from tests.kit.reports import boarded, counted, post, with_shadows
from tests.kit.walked import Walked


@pytest.fixture
def state():
    with slabs(2) as made:
        yield SetState(slabs=made)


@pytest.fixture
def server(state):
    with served(lambda: status.application(state)) as server:
        yield server


def samples(answer, parse=parse_text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(answer.body.decode())
        for sample in family.samples
    }


def test_metrics_are_those_of_all_workers_and_of_the_controller(state, server):
    for slab in state.slabs:
        slab.cells[slab.counter("stepdown_errors_total", ("churn", "no-route"))] += 2
    answer = server.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(answer)
    assert found["stepdown_errors_total", ("error", "no-route"), ("route", "churn")] == 4
    assert found["stepdown_workers",] == 1
    assert found["stepdown_config_reload_ok",] == 1
    assert found["stepdown_config_digest_info", ("digest", state.digest)] == 1
    assert next(name for name in found if name[0] == "stepdown_build_info")[2] == ("version", __version__)


def test_every_value_of_the_controller_is_in_the_table_of_families(state):
    state.comparer = ComparerView(pid=7, alive=True, restarts=2)
    state.spec, state.overlay_saved, state.switch_counts = with_colours(), True, {("churn", "done"): 1}
    state.flags_ok = state.provider_ok = True
    state.question_counts = {"answered": 1}
    state.rollouts = Walked.of(5, 100)
    state.rollouts.one.started().sees(1)
    with_reports = SetState(spec=with_shadows())
    with boarded(post(counted(10, 2, noise=1))) as board:
        with_reports.reports = Reports(board, lambda *_wish: None)
        found = [sample for one in (state, with_reports) for sample in status.samples(one)]
    assert {sample.family for sample in found} == {
        family.name for family in FAMILIES.values() if family.writer == "controller"
    }
    for sample in found:
        assert len(sample.labels) == len(FAMILIES[sample.family].labels)


def test_a_shadow_shows_how_often_it_differs_and_only_what_is_known(state, server):
    state.spec = with_shadows()
    labels = (("route", "churn"), ("shadow", "next"))
    for report, expected in (
        (counted(0), (None, None)),
        (counted(10, 2), (0.2, None)),
        (counted(10, 2, 1), (0.3, 0.1)),
    ):
        with boarded(post(report)) as board:
            state.reports = Reports(board, lambda *_wish: None)
            found = samples(server.ask("GET", "/metrics"))
        ratios = (found.get((f"stepdown_shadow_{name}_ratio", *labels)) for name in ("difference", "noise"))
        assert tuple(ratios) == expected
    assert found["stepdown_shadow_evidence", *labels] > 0


def test_a_comparer_is_shown_where_there_is_to_be_one(state, server):
    assert not any(name[0].startswith("stepdown_comparer") for name in samples(server.ask("GET", "/metrics")))
    state.comparer = ComparerView(pid=0, alive=False, restarts=2)
    found = samples(server.ask("GET", "/metrics"))
    assert found["stepdown_comparer_up",] == 0
    assert found["stepdown_comparer_restarts_total",] == 2


def test_colours_show_which_is_active_and_where_that_is_not_what_the_file_says(state, server):
    state.spec, state.switch_counts = with_colours(active="green"), {("churn", "done"): 2, ("churn", "refused"): 1}
    found = samples(server.ask("GET", "/metrics"))
    place = ("place", "churn")
    assert found["stepdown_colour_active", ("colour", "blue"), place] == 0
    assert found["stepdown_colour_active", ("colour", "green"), place] == 1
    assert found["stepdown_switched_by_hand", place] == 1
    assert found["stepdown_switches_total", place, ("result", "done")] == 2
    assert found["stepdown_switches_total", place, ("result", "refused")] == 1
    assert not any(name[0] == "stepdown_overlay_saved" for name in found)
    state.overlay_saved = False
    assert samples(server.ask("GET", "/metrics"))["stepdown_overlay_saved",] == 0


def test_a_flag_file_that_cannot_be_used_shows(state, server):
    assert not any(name[0] == "stepdown_flags_ok" for name in samples(server.ask("GET", "/metrics")))
    for good in (False, True):
        state.flags_ok = good
        assert samples(server.ask("GET", "/metrics"))["stepdown_flags_ok",] == good


def test_a_flag_provider_that_does_not_answer_shows(state, server):
    assert not any(name[0] == "stepdown_flag_provider_ok" for name in samples(server.ask("GET", "/metrics")))
    state.question_counts = {"answered": 5, "late": 2}
    for good in (False, True):
        state.provider_ok = good
        found = samples(server.ask("GET", "/metrics"))
        assert found["stepdown_flag_provider_ok",] == good
        assert found["stepdown_flag_questions_total", ("result", "late")] == 2


def test_a_version_that_goes_away_says_when(state, server):
    found = samples(server.ask("GET", "/metrics"))
    announced = (("deprecated", "2026-12-01"), ("model", "churn"), ("retired", "false"), ("sunset", "2027-06-01"))
    assert found["stepdown_version_info", *announced, ("version", "1.0.0")] == 1
    assert found["stepdown_version_sunset_timestamp_seconds", ("model", "churn"), ("version", "1.0.0")] == 1811808000
    assert ("stepdown_version_sunset_timestamp_seconds", ("model", "churn"), ("version", "2.0.0")) not in found


def test_what_has_happened_since_is_in_the_next_scrape(state, server):
    server.ask("GET", "/metrics")
    state.last_reload = ReloadView(ok=False, when=1.9e9, findings=("line 3: no",))
    state.workers = (
        WorkerView(index=0, pid=0, alive=False, digest="", restarts=3),
        WorkerView(index=1, pid=9, alive=True, digest="d", restarts=1),
    )
    found = samples(server.ask("GET", "/metrics"))
    assert found["stepdown_config_reload_ok",] == 0
    assert found["stepdown_config_last_reload_timestamp_seconds",] == 1.9e9
    assert found["stepdown_workers",] == 1
    assert found["stepdown_worker_restarts_total",] == 4


def test_openmetrics_is_given_to_those_who_ask_for_it(server):
    answer = server.ask("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert samples(answer, parse_openmetrics)["stepdown_workers",] == 1


def test_metrics_are_compressed_for_those_who_ask_for_it(server):
    answer = server.ask("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in server.ask("GET", "/metrics", headers={"Accept-Encoding": "identity"}).headers


def test_a_process_that_answers_is_alive_even_when_it_is_not_ready(state, server):
    state.not_ready = ("worker 0 is not serving",)
    answer = server.ask("GET", "/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")


def test_ready_says_so(server):
    answer = server.ask("GET", "/readyz")
    assert (answer.status, answer.body) == (200, b"ready\n")


def test_not_ready_says_why_in_lines_or_in_json(state, server):
    state.not_ready = ("the sidecar is being drained", "worker 0 is not serving")
    answer = server.ask("GET", "/readyz")
    assert (answer.status, answer.body) == (503, b"the sidecar is being drained\nworker 0 is not serving\n")
    answer = server.ask("GET", "/readyz", headers={"Accept": "application/json"})
    assert answer.status == 503
    assert json.loads(answer.body) == {"ready": False, "reasons": list(state.not_ready), "degraded": []}


def test_one_route_of_several_that_is_down_is_named_and_keeps_no_traffic_from_the_others(state, server):
    state.health = {CHURN: DOWN, FRAUD: UP}
    answer = server.ask("GET", "/readyz")
    reason = "route churn: no version that gives churn its default shape has a ready endpoint"
    assert (answer.status, answer.body.decode()) == (200, f"ready\ndegraded: {reason}\n")


def test_when_no_route_can_be_answered_nothing_should_come_here(state, server):
    state.health = {CHURN: DOWN, FRAUD: DOWN}
    answer = server.ask("GET", "/readyz", headers={"Accept": "application/json"})
    assert answer.status == 503
    assert len(json.loads(answer.body)["reasons"]) == 2


def test_a_version_that_cannot_give_the_default_shape_does_not_make_a_route_ready(state):
    churn = state.spec.models[0]
    assert len(status.degraded(state)) == 0
    state.spec = type(state.spec)(
        models=(type(churn)(name="churn", default_version="1.0.0", latest="2.0.0", versions=churn.versions),),
        routes=state.spec.routes[:1],
    )
    assert len(status.degraded(state)) == 1


def test_a_version_that_no_rule_of_a_route_names_does_not_make_it_ready(state):
    fraud = state.spec.models[1]
    newer = Version(id="1.1.0", endpoints=(Endpoint(id="http://fraud-1.1.0:80", host="a", port=80),))
    chain = Chain(served="1.1.0", pinned="1.0.0", steps=())
    model = structs.replace(fraud, versions=(*fraud.versions, newer), chains=(chain,))
    state.spec = structs.replace(state.spec, models=(state.spec.models[0], model))
    state.health = {CHURN: UP, FRAUD: DOWN, "fraud/1.1.0/http://fraud-1.1.0:80": UP}
    assert status.degraded(state) == ["route fraud: no version that gives fraud its default shape has a ready endpoint"]


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_head_is_get_without_a_body(server, path):
    head, get = server.ask("HEAD", path), server.ask("GET", path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


@pytest.mark.parametrize(
    "path", ["/", "/metrics/", "/metrics/x", "/v1/status", "/v1/reload", "/..%2fmetrics", "/READYZ"]
)
def test_everything_else_is_not_there(server, path):
    assert server.ask("GET", path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(server, method):
    assert server.ask(method, "/metrics").status == 405


def test_no_answer_tells_versions_of_what_serves_it_or_is_kept(server):
    for path in ("/healthz", "/nothing"):
        headers = server.ask("GET", path).headers
        assert headers["Server"] == "stepdown"
        assert headers["Cache-Control"] == "no-store"
