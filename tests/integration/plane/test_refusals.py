"""What a refused request is told, and what its operator can see of it."""

import http.client
import logging
import socket

import orjson
import pytest

from stepdown.decide import spec
from tests.kit import specs
from tests.kit.upstream import serve
from tests.kit.world import World, world

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
RENAME = [{"move": {"from": "/score", "to": "/probability"}}]


def ask(here: World, *lines: bytes, method: str = "GET"):
    return here.ask(method.encode() + GET[3:] + b"".join(line + b"\r\n" for line in lines) + b"\r\n", method)


def refused(here: World, status_class: str) -> float:
    return here.sidecar.metric("stepdown_requests_total", route="r", reason="refused", status_class=status_class)


def retired(port: int) -> spec.SnapshotSpec:
    old = specs.version("1.0.0", retired=True, link="https://churn.example/moving")
    new = specs.version("2.0.0", port)
    return specs.snapshot(specs.route({"2.0.0": 100}), models=[specs.model(old, new, default="2.0.0")])


def test_requests_without_a_choice_are_counted_as_answered_requests():
    with world() as here:
        assert ask(here, b"X-Model-Version: nonsense!").status == 400
        assert ask(here, b"X-Model-Version: 9").status == 406
        assert refused(here, "4xx") == 2
        assert here.sidecar.metric("stepdown_errors_total", route="r", error="bad-version") == 1
        down = {f"m/1.0.0/http://127.0.0.1:{here.upstream.port}": False}
        here.thread.run(lambda: here.sidecar.plane.set_health(down))
        assert ask(here).status == 503
        assert refused(here, "5xx") == 1


def test_a_retired_version_says_where_to_read_on():
    with world(spec=retired) as here:
        response = ask(here, b"X-Model-Version: 1.0.0")
        assert (response.status, response.get(b"x-stepdown-error")) == (410, b"version-retired")
        assert response.get(b"link") == b'<https://churn.example/moving>; rel="deprecation"'


def test_several_lines_of_pins_are_one_list():
    with world() as here:
        assert ask(here, b"X-Model-Version: other=2", b"X-Model-Version: m=1.0.0").status == 200
        assert ask(here, b"X-Model-Version: 1.0.0", b"X-Model-Version: 2.0.0").status == 400


def test_a_library_that_reads_answers_only_after_sending_gets_its_413():
    limits = spec.Limits(request_body=1000)
    with world(spec=lambda port: specs.plain(port, route_options={"limits": limits})) as here:
        connection = http.client.HTTPConnection("127.0.0.1", here.sidecar.port, timeout=20)
        connection.request("POST", "/", body=bytes(9_000_000))
        assert connection.getresponse().status == 413
        connection.close()
        assert not here.upstream.requests


def test_a_head_says_of_an_adapted_answer_what_a_get_would_say():
    raw = b'HTTP/1.1 200 OK\r\nETag: "of-the-upstreams-bytes"\r\nContent-Length: 13\r\n\r\n'
    with world(serve(raw), spec=lambda port: specs.adapted(port, RENAME)) as here:
        response = ask(here, method="HEAD")
        assert response.get(b"x-model-version") == b"1.0.0"
        assert response.get(b"etag") is None
        assert response.get(b"content-length") is None


def test_what_cannot_be_reached_says_when_to_come_back_and_its_explanation_agrees():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    explain = spec.Explain(allow=("127.0.0.0/8",))
    with world(spec=lambda _port: specs.plain(port, explain=explain)) as here:
        assert ask(here).status == 502
        response = ask(here, b"X-Stepdown-Explain: 1")
        assert (response.status, response.get(b"retry-after")) == (502, b"1")
        explanation = orjson.loads(response.get(b"x-stepdown-explain"))
        assert (explanation["served"], explanation["refusal"]) == ("1.0.0", None)


def test_operators_read_why_an_answer_could_not_be_adapted(caplog: pytest.LogCaptureFixture):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with caplog.at_level(logging.WARNING), world(serve(answer), spec=lambda port: specs.adapted(port, RENAME)) as here:
        assert ask(here).status == 502
        told = [record.fields for record in caplog.records if record.message == "answer cannot be adapted"]
        assert [(about["route"], about["served"], about["pinned"]) for about in told] == [("r", "2.0.0", "1.0.0")]
        assert "/score" in told[0]["reason"]


def test_operators_read_that_an_endpoint_is_unreachable_and_that_it_is_back(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO), world(frozen=True) as here:
        here.upstream.stop()
        assert ask(here).status == 502
        assert ask(here).status == 502
        here.upstream.__enter__()
        assert ask(here).status == 200
        told = [record.message for record in caplog.records if record.name.startswith("stepdown")]
        assert told == ["endpoint unreachable", "endpoint reachable again"]
