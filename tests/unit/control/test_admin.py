import json
import logging

import pytest

from stepdown.control import admin
from stepdown.control.phases import Phase
from stepdown.control.refusals import SwitchRefusedError
from stepdown.control.reports import Reports
from stepdown.control.state import ReloadView, WorkerView
from stepdown.control.switching import UnderWay
from stepdown.control.warming import Warmth
from stepdown.control.wishes import Wish
from stepdown.decide.colours import Overlay, Switched
from stepdown.decide.spec import WarmUp
from stepdown.decide.warming import Copies, WarmUpAsked
from tests.kit.client import Client, ask
from tests.kit.controller_state import CHURN, DOWN, SetState, a_token, served, with_colours
from tests.kit.processes import eventually
from tests.kit.reports import boarded, counted, pin_up, post, whole, with_shadows

TOKENS = (a_token("grafana", "view", "look-only"), a_token("deploy", "operate", "s3cret"))
VIEW = {"Authorization": "Bearer look-only"}
OPERATE = {"Authorization": "Bearer s3cret"}
JSON = {"Content-Type": "application/json"}
READING = ["/v1/status", "/v1/config", "/v1/routes", "/v1/switches", "/v1/shadows"]
SWITCHES = ["/v1/routes/churn/switch", "/v1/models/churn/versions/2.0.0/switch"]
RESET = "/v1/shadows/churn/next/reset"
CHANGING = ["/v1/reload", "/v1/drain", RESET, *SWITCHES]


@pytest.fixture
def state():
    return SetState(tokens=TOKENS)


@pytest.fixture
def server(state):
    with served(lambda: admin.application(state, hosts=["Stepdown.example"])) as server:
        yield server


def problem(answer):
    """The tail of a problem's type, when the answer is one of RFC 9457."""
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    content = json.loads(answer.body)
    assert content["status"] == answer.status
    assert content["title"]
    assert content["detail"].endswith(".")
    return content["type"].removeprefix("urn:stepdown:problem:")


# --- what it answers --------------------------------------------------------------------------------------------------


def test_status_has_workers_with_their_reports_health_and_the_last_reload(state, server):
    state.workers = (
        WorkerView(index=0, pid=7, alive=True, digest="d", restarts=0),
        WorkerView(index=1, pid=0, alive=False, digest="", restarts=2),
    )
    state.health = {CHURN: DOWN}
    state.not_ready = ("worker 1 is not serving",)
    state.last_reload = ReloadView(ok=False, when=5.0, findings=("file.yaml:3:1: no",))
    shown = json.loads(server.ask("GET", "/v1/status", headers=VIEW).body)
    assert shown["digest"] == state.digest
    assert (shown["ready"], shown["not_ready"], shown["draining"]) == (False, ["worker 1 is not serving"], False)
    assert shown["workers"][0] == {
        "index": 0, "pid": 7, "alive": True, "digest": "d", "restarts": 0, "report": {"index": 0, "connections": 3},
    }  # fmt: skip
    assert shown["workers"][1]["report"] is None
    assert shown["health"] == {CHURN: {"state": "down", "since": 1.0, "reason": "connection refused"}}
    assert shown["last_reload"] == {"ok": False, "when": 5.0, "findings": ["file.yaml:3:1: no"]}
    assert len(shown["degraded"]) == 1


def test_config_is_the_specification_in_force(state, server):
    shown = json.loads(server.ask("GET", "/v1/config", headers=VIEW).body)
    assert shown["digest"] == state.digest
    assert [model["name"] for model in shown["config"]["models"]] == ["churn", "fraud"]


def test_routes_say_what_they_match_how_they_split_and_what_is_ready(state, server):
    state.health = {CHURN: DOWN}
    churn, fraud = json.loads(server.ask("GET", "/v1/routes", headers=VIEW).body)["routes"]
    assert churn == {
        "name": "churn",
        "match": {"path": "/churn"},
        "model": "churn",
        "default_version": "1.0.0",
        "latest": "2.0.0",
        "rules": [{"name": "everyone", "split": {"2.0.0": 100}}],
        "ready": {"2.0.0": False},
    }
    assert fraud["ready"] == {"1.0.0": True}


def test_shadows_are_listed_and_each_has_a_whole_report(state, server):
    state.spec, report = with_shadows(), counted(20, 3)
    with boarded(post(report)) as board:
        state.reports = Reports(board, lambda *_wish: None)
        (listed,) = json.loads(server.ask("GET", "/v1/shadows", headers=VIEW).body)["shadows"]
        shown = json.loads(server.ask("GET", "/v1/shadows/churn/next", headers=VIEW).body)
        unknown = server.ask("GET", "/v1/shadows/churn/gone", headers=VIEW)
    assert (listed["route"], listed["shadow"], listed["compared"], listed["different"]) == ("churn", "next", 20, 3)
    assert shown["report"] == whole(report)["report"]
    assert (unknown.status, problem(unknown)) == (404, "not-found")


def test_a_report_is_begun_anew_in_the_name_of_the_token(state, server, caplog):
    state.spec = with_shadows()
    with boarded(post(counted(20, 3))) as board, caplog.at_level(logging.INFO):
        state.reports = Reports(board, lambda _r, _s, wish: pin_up(board, [post(counted(0), wish=wish)]))
        answer = server.ask("POST", RESET, headers=OPERATE, json={})
        (listed,) = json.loads(server.ask("GET", "/v1/shadows", headers=VIEW).body)["shadows"]
    assert (answer.status, json.loads(answer.body)["begun"]) == (200, "2023-11-14T22:13:20.000Z")
    assert listed["compared"] == 0
    (record,) = [record for record in caplog.records if record.getMessage() == "admin call: reset"]
    assert record.fields == {"token": "deploy", "address": "127.0.0.1", "route": "churn", "shadow": "next"}
    assert server.ask("POST", "/v1/shadows/churn/gone/reset", headers=OPERATE, json={}).status == 404


def test_a_reload_that_is_accepted_says_so(state, server):
    state.next_reload = ReloadView(ok=True, when=6.0, findings=("file.yaml:1:1: a warning",))
    answer = server.ask("POST", "/v1/reload", headers=OPERATE | JSON)
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "digest": state.digest, "ok": True, "when": 6.0, "findings": ["file.yaml:1:1: a warning"],
    }  # fmt: skip
    assert state.asked == ["reload"]


def test_a_reload_that_is_refused_is_a_problem_with_every_finding(state, server):
    state.next_reload = ReloadView(ok=False, when=6.0, findings=("file.yaml:3:1: no", "file.yaml:4:1: neither"))
    answer = server.ask("POST", "/v1/reload", headers=OPERATE, json={})
    assert (answer.status, problem(answer)) == (422, "configuration")
    assert json.loads(answer.body)["findings"] == list(state.next_reload.findings)


def test_a_drain_is_asked_for_and_answered_at_once(state, server):
    answer = server.ask("POST", "/v1/drain", headers=OPERATE, json={})
    assert (answer.status, json.loads(answer.body)) == (202, {"draining": True})
    assert state.asked == ["drain"]


def test_who_changed_something_is_in_the_log(server, caplog):
    with caplog.at_level(logging.INFO):
        server.ask("POST", "/v1/reload", headers=OPERATE, json={})
    (record,) = [record for record in caplog.records if record.getMessage() == "admin call: reload"]
    assert record.fields == {"token": "deploy", "address": "127.0.0.1"}


def test_a_switch_is_asked_for_in_the_name_of_the_token_and_its_report_is_the_answer(state, server):
    answer = server.ask("POST", SWITCHES[0], headers=OPERATE, json={"colour": "green", "dry_run": True})
    assert answer.status == 200
    shown = json.loads(answer.body)
    assert (shown["place"], shown["colour"], shown["digest"]) == ("churn", "green", state.digest)
    server.ask("POST", SWITCHES[1], headers=OPERATE, json={"colour": "back", "force": True})
    assert state.wishes == [
        Wish("churn", "green", "deploy", dry_run=True),
        Wish("churn/2.0.0", "back", "deploy", force=True),
    ]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (None, None),
        (False, False),
        (True, True),
        ({}, WarmUpAsked()),
        ({"duration": 60, "percent": 20, "max_errors": 0}, WarmUpAsked(duration=60.0, percent=20.0, max_errors=0.0)),
    ],
    ids=range(5),
)
def test_a_switch_may_say_how_the_colour_is_warmed_up(state, server, written, wanted):
    members = {"colour": "green", "warm_up": written}
    assert server.ask("POST", SWITCHES[0], headers=OPERATE, json=members).status == 200
    assert state.wishes == [Wish("churn", "green", "deploy", warm_up=wanted)]


def test_a_switch_under_way_is_shown_with_how_far_it_is(state, server):
    state.spec = with_colours()
    way = UnderWay(Wish("churn", "green", "deploy"), 7.5, frozenset({"churn"}), Phase.WARMING)
    way.warmth = Warmth(WarmUp(min_copies=10), 20.0, Copies({"answered": 3, "timeout": 1}, 2))
    state.under_way = {"churn": way}
    (place,) = json.loads(server.ask("GET", "/v1/switches", headers=VIEW).body)["places"]
    shown = place["under_way"]
    assert (shown["colour"], shown["by"], shown["since"], shown["phase"]) == ("green", "deploy", 7, "warming")
    warmth = shown["warm_up"]
    assert (warmth["copies"], warmth["min_copies"], warmth["answered"], warmth["failed"]) == (4, 10, 3, 1)
    assert (warmth["failures"], warmth["client_errors"], warmth["seconds_left"]) == ({"timeout": 1}, 2, 40.0)
    status = json.loads(server.ask("GET", "/v1/status", headers=VIEW).body)
    assert status["switches_under_way"] == {"churn": shown}


def test_a_switch_can_tell_that_its_caller_has_left(state, server):
    """Closing the connection is all that Ctrl-C does."""
    state.patient = True
    with Client(server.port) as client:
        client.send(
            b"POST /v1/routes/churn/switch HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer s3cret\r\n"
            b'Content-Type: application/json\r\nContent-Length: 19\r\n\r\n{"colour": "green"}'
        )
        eventually(lambda: state.wishes)
        assert "left" not in state.asked
    eventually(lambda: "left" in state.asked)


def test_why_a_switch_is_refused_is_a_problem_with_its_status(state, server):
    state.refusal = SwitchRefusedError(409, "colour-not-ready", "green is not ready.", endpoints=["a", "b"])
    answer = server.ask("POST", SWITCHES[0], headers=OPERATE, json={"colour": "green"})
    assert (answer.status, problem(answer)) == (409, "colour-not-ready")
    assert json.loads(answer.body)["endpoints"] == ["a", "b"]


@pytest.mark.parametrize("body", ["", "{}", "[", '{"colour": 7}', '{"colour": "green", "colour_": 1}', '"green"'])
def test_a_body_that_asks_for_no_switch_is_told_what_is_wrong(state, server, body):
    answer = server.ask("POST", SWITCHES[0], headers={**OPERATE, **JSON}, data=body)
    assert (answer.status, problem(answer)) == (400, "bad-request")
    assert state.wishes == []


def test_switches_say_what_is_active_who_did_it_and_what_is_ready(state, server):
    state.spec, state.health = with_colours(active="green"), {CHURN: DOWN}
    entry = Switched(colour="green", declared="blue", before="blue", by="deploy", when=7)
    state.overlay, state.overlay_saved = Overlay(revision=1, switched={"churn": entry}), True
    shown = json.loads(server.ask("GET", "/v1/switches", headers=VIEW).body)
    assert (shown["digest"], shown["saved"]) == (state.digest, True)
    assert shown["places"] == [
        {
            "place": "churn",
            "active": "green",
            "declared": "blue",
            "differs": True,
            "colours": {
                "blue": {"version": "2.0.0", "endpoints": [{"endpoint": CHURN, "ready": False}]},
                "green": {
                    "version": "3.0.0",
                    "endpoints": [{"endpoint": "churn/3.0.0/http://churn-3.0.0:80", "ready": True}],
                },
            },
            "switched": {"by": "deploy", "when": 7, "back": "blue"},
            "under_way": None,
        }
    ]
    status = json.loads(server.ask("GET", "/v1/status", headers=VIEW).body)
    assert status["switched"] == {"churn": {"declared": "blue", "active": "green"}}
    (rule,) = json.loads(server.ask("GET", "/v1/routes", headers=VIEW).body)["routes"][0]["rules"]
    assert (rule["split"], rule["colours"]["active"]) == ({"2.0.0": 0, "3.0.0": 1}, "green")


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("token", [VIEW, OPERATE])
def test_both_roles_may_view(server, path, token):
    assert server.ask("GET", path, headers=token).status == 200
    head = server.ask("HEAD", path, headers=token)
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("path", CHANGING)
def test_a_token_that_may_only_view_changes_nothing(state, server, path):
    answer = server.ask("POST", path, headers=VIEW, json={})
    assert (answer.status, problem(answer)) == (403, "forbidden")
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert state.asked == state.wishes == []


@pytest.mark.parametrize("path", [*READING, *CHANGING, "/", "/v1/nothing"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_without_a_token_it_cannot_even_be_seen_which_paths_exist(state, server, method, path):
    answer = server.ask(method, path, headers=JSON)
    assert (answer.status, problem(answer)) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="stepdown"'
    assert state.asked == []


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer wrong",
        "Bearer s3cret0",
        "Bearer s3cre",
        "Bearer S3CRET",
        "Bearer",
        "Basic czNjcmV0",
        "s3cret",
        "Bearer s3cret, Bearer s3cret",
        "Bearer " + "x" * 4000,
        "Bearer " + TOKENS[1].sha256.hex(),
        "Bearer \u00e9",
    ],
)
def test_a_wrong_or_malformed_token_opens_nothing(state, server, authorization):
    answer = server.ask("POST", "/v1/drain", headers={"Authorization": authorization}, json={})
    assert (answer.status, problem(answer)) == (401, "unauthorized")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert state.asked == []


def test_a_token_in_the_query_or_in_a_cookie_is_none(server):
    assert server.ask("GET", "/v1/status?access_token=s3cret", cookies={"token": "s3cret"}).status == 401


def test_two_tokens_are_none(server):
    headers = [("Authorization", "Bearer s3cret"), ("Authorization", "Bearer s3cret")]
    assert server.ask("GET", "/v1/status", headers=headers).status == 401


def test_without_tokens_every_call_is_refused_and_the_log_says_why(state, server, caplog):
    state.tokens = ()
    for authorization in ("Bearer s3cret", "Bearer ", "Bearer x"):
        assert server.ask("GET", "/v1/status", headers={"Authorization": authorization}).status == 401
    assert "admin call refused: no tokens are configured" in caplog.text


def test_a_token_that_a_reload_took_back_opens_nothing_any_more(state, server):
    assert server.ask("GET", "/v1/status", headers=VIEW).status == 200
    state.tokens = TOKENS[1:]
    assert server.ask("GET", "/v1/status", headers=VIEW).status == 401


def test_an_address_that_guesses_has_to_wait_also_with_the_right_token(state, server):
    for number in range(10):
        assert server.ask("GET", "/v1/status", headers={"Authorization": f"Bearer guess-{number}"}).status == 401
    answer = server.ask("POST", "/v1/drain", headers=OPERATE, json={})
    assert (answer.status, problem(answer)) == (429, "too-many-failures")
    assert 1 <= int(answer.headers["Retry-After"]) <= 6
    assert state.asked == []


def test_calls_without_a_token_are_no_guesses(server):
    for _ in range(15):
        assert server.ask("GET", "/v1/status").status == 401
    assert server.ask("GET", "/v1/status", headers=VIEW).status == 200


def test_a_wrong_token_is_logged_with_its_address_and_without_the_token(server, caplog):
    server.ask("GET", "/v1/status", headers={"Authorization": "Bearer nearly-secret"})
    (record,) = [record for record in caplog.records if "wrong token" in record.getMessage()]
    assert record.fields == {"address": "127.0.0.1", "path": "/v1/status"}
    assert "nearly-secret" not in caplog.text


# --- what browsers could be tricked into ------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", ""])
def test_a_request_from_a_web_page_is_refused_even_with_the_token(state, server, origin):
    answer = server.ask("POST", "/v1/drain", headers=OPERATE | {"Origin": origin}, json={})
    assert (answer.status, problem(answer)) == (403, "cross-site")
    assert state.asked == []


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 202), ("none", 202)]
)
def test_what_a_browser_says_of_the_cause_counts(server, site, status):
    assert server.ask("POST", "/v1/drain", headers=OPERATE | {"Sec-Fetch-Site": site}, json={}).status == status


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "application/jsonp",
        None,
    ],
)
def test_what_an_html_form_can_send_is_refused(state, server, content_type):
    headers = OPERATE if content_type is None else OPERATE | {"Content-Type": content_type}
    answer = server.ask("POST", "/v1/drain", headers=headers, data=b"{}", skip_auto_headers=["Content-Type"])
    assert (answer.status, problem(answer)) == (415, "unsupported-media-type")
    assert state.asked == []


def test_a_compressed_body_is_refused(server):
    headers = OPERATE | JSON | {"Content-Encoding": "gzip"}
    assert server.ask("POST", "/v1/drain", headers=headers, data=b"{}").status == 415


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"force": true}', b"null", b"\xff\xfe", b"[" * 30_000])
def test_a_body_that_says_something_is_refused(state, server, body):
    answer = server.ask("POST", "/v1/drain", headers=OPERATE | JSON, data=body)
    assert (answer.status, problem(answer)) == (400, "bad-request")
    assert state.asked == []


def test_a_body_that_is_longer_than_any_call_needs_is_refused(state, server):
    answer = server.ask("POST", "/v1/drain", headers=OPERATE | JSON, data=b" " * (admin.BODY_LIMIT + 1))
    assert (answer.status, problem(answer)) == (413, "body-too-large")
    assert state.asked == []


@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post_has_an_effect(state, server, method, path):
    answer = server.ask(method, path, headers=OPERATE | JSON)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert state.asked == []


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/status/", "/v1/nothing", "/v1/%73tatus%00", "//v1/status"])
def test_what_does_not_exist_is_a_problem_too(server, path):
    answer = server.ask("GET", path, headers=VIEW)
    assert (answer.status, problem(answer)) == (404, "not-found")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:9999",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.9.9.9",
        "[::1]:9901",
        "stepdown.example",
        "STEPDOWN.EXAMPLE.:1",
    ],
)
def test_a_host_that_leads_here_is_let_in(server, host):
    assert server.ask("GET", "/v1/status", headers=VIEW | {"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "stepdown.example.evil",
        "127.0.0.1@evil.example",
        "10.0.0.1",
        "[2001:db8::1]",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0",
        "[",
        "",
    ],
)
def test_a_host_that_a_rebound_name_would_send_is_refused_even_with_the_token(state, server, host):
    answer = server.ask("POST", "/v1/drain", headers=OPERATE | {"Host": host}, json={})
    assert (answer.status, problem(answer)) == (403, "host-not-allowed")
    assert state.asked == []


def test_a_name_that_the_file_gives_it_is_taken_from_then_on(state, server):
    asked = VIEW | {"Host": "stepdown.models.svc:9901"}
    assert server.ask("GET", "/v1/status", headers=asked).status == 403
    state.admin_hosts = ("stepdown.models.svc",)
    assert server.ask("GET", "/v1/status", headers=asked).status == 200
    assert server.ask("GET", "/v1/status", headers=VIEW | {"Host": "evil.models.svc"}).status == 403


@pytest.mark.parametrize("listen", ["0.0.0.0", "::", ""])
def test_the_address_of_every_interface_is_no_name_of_this_one(state, listen):
    with served(lambda: admin.application(state, hosts=[listen])) as server:
        host = f"[{listen}]" if ":" in listen else listen
        assert server.ask("GET", "/v1/status", headers=VIEW | {"Host": host}).status == 403


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n",
        b"GET /v1/status HTTP/1.1\r\n",
        b"GET /v1/status HTTP/1.0\r\n",
        b"GET http://localhost/v1/status HTTP/1.1\r\nHost: evil.example\r\n",
    ],
    ids=["two-hosts", "two-hosts-reversed", "no-host", "http-1.0", "absolute-form"],
)
def test_nothing_but_one_host_counts(server, head):
    answer = ask(server.port, head + b"Authorization: Bearer look-only\r\n\r\n")
    assert answer.status in {400, 403}
    assert b"digest" not in answer.body
