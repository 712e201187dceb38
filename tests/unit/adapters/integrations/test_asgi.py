"""The middleware, message by message: what an application sends, what its client gets."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters import Model, ModelError, VersionError
from stepdown_adapters.integrations.asgi import Application, StepDown

CHURN = Path(__file__).parents[4] / "config" / "library" / "churn.yaml"
MODEL = Model.load(CHURN)
NEW = b'{"logit": 0.0, "label": "stay", "explanation": ["x"]}'
JSON = (b"content-type", b"application/json")
Headers = Iterable[tuple[bytes, bytes]]


@dataclass
class Exchange:
    """What the client got, and what the application was asked."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    scope: dict[str, Any] = field(default_factory=dict)
    asked: bytes = b""
    messages: list[Any] = field(default_factory=list)
    failure: BaseException | None = None

    def header(self, name: str) -> str | None:
        found = [value.decode() for key, value in self.headers if key.decode().lower() == name]
        assert len(found) <= 1, f"{name} is there twice"
        return found[0] if found else None

    @property
    def problem(self) -> tuple[int, str]:
        document = json.loads(self.body)
        assert self.header("content-type") == "application/problem+json"
        assert document["status"] == self.status
        return self.status, document["type"].removeprefix("urn:stepdown:problem:")


def application(*parts: bytes, status: int = 200, headers: Headers = (JSON,)) -> Callable[[Exchange], Application]:
    """An application that reads its request and answers these parts of a body."""

    def made(exchange: Exchange) -> Application:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            exchange.scope = dict(scope)
            more = True
            while more:
                message = await receive()
                exchange.asked += message.get("body", b"")
                more = message.get("more_body", False)
            await send({"type": "http.response.start", "status": status, "headers": list(headers)})
            for index, part in enumerate(parts):
                await send({"type": "http.response.body", "body": part, "more_body": index < len(parts) - 1})

        return answer

    return made


def ask(
    made: Callable[[Exchange], Application],
    version: str | None = "1.0.0",
    *,
    method: str = "POST",
    path: str = "/predict",
    headers: Headers = (),
    body: Iterable[bytes] = (b'{"customer": "c", "months": 1}',),
    root_path: str = "",
    model: Model = MODEL,
    **options: Any,
) -> Exchange:
    """One exchange through the middleware; `version` is what `X-Model-Version` says."""
    exchange = Exchange()
    waiting = list(body)
    pins = [(b"x-model-version", version.encode("latin-1"))] if version is not None else []
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": root_path,
        "headers": [*pins, *headers],
    }
    scope["extensions"] = {"http.response.pathsend": {}, "other": {}}

    async def receive() -> Any:
        if not waiting:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        exchange.messages.append(message)
        if message["type"] == "http.response.start":
            assert not exchange.status, "a second answer"
            exchange.status, exchange.headers = message["status"], list(message["headers"])
        else:
            exchange.body += message.get("body", b"")

    settings: dict[str, Any] = {"served": "2.0.0", "paths": ["/predict", "/v2/{name}/infer"], **options}
    middleware = StepDown(made(exchange), model=model, **settings)
    try:
        asyncio.run(middleware(scope, receive, send))
    except Exception as error:
        exchange.failure = error
    return exchange


def test_an_old_client_gets_the_shape_that_it_pins() -> None:
    stale = [(b"ETag", b'"1"'), (b"content-length", b"53"), (b"last-modified", b"x"), (b"x-other", b"kept")]
    exchange = ask(application(NEW[:10], NEW[10:], headers=[JSON, *stale]))
    assert json.loads(exchange.body) == {"probability": 0.5, "label": "stay"}
    assert exchange.header("content-length") == str(len(exchange.body))
    assert exchange.header("x-model-version") == "1.0.0"
    assert exchange.header("x-model-served") == "2.0.0"
    assert exchange.header("vary") == "X-Model-Version"
    assert exchange.header("x-other") == "kept"
    assert exchange.header("etag") is exchange.header("last-modified") is None
    assert json.loads(exchange.asked) == {"customer_id": "c", "months": 1}


def test_the_application_is_asked_for_a_whole_and_readable_answer() -> None:
    sent = [(b"accept-encoding", b"gzip"), (b"range", b"bytes=0-1"), (b"content-length", b"30"), (b"x-a", b"b")]
    exchange = ask(application(NEW), headers=sent, body=[b'{"customer": ', b'"c", "months": 1}'])
    headers = dict(exchange.scope["headers"])
    assert headers.keys() == {b"x-model-version", b"x-a", b"content-length"}
    assert headers[b"content-length"] == str(len(exchange.asked)).encode()
    assert json.loads(exchange.asked) == {"customer_id": "c", "months": 1}
    assert exchange.scope["extensions"] == {"other": {}}


def test_a_client_of_the_served_version_gets_everything_as_it_is() -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"etag", b'"1"'), (b"x-model-version", b"mine")]
    exchange = ask(application(b"data: 1\n\n", b"data: 2\n\n", headers=headers), "2.0.0", headers=[(b"range", b"x")])
    assert exchange.body == b"data: 1\n\ndata: 2\n\n"
    assert len(exchange.messages) == 3
    assert exchange.header("etag") == '"1"'
    assert exchange.header("x-model-version") == "2.0.0"
    assert exchange.asked == b'{"customer": "c", "months": 1}'
    assert (b"range", b"x") in exchange.scope["headers"]


@pytest.mark.parametrize(
    ("pin", "delivered"),
    [
        (None, "1.1.0"),
        ("1", "1.1.0"),
        ("v1.0", "1.0.0"),
        ("latest", "2.0.0"),
        ("churn=1.0.0, other=9", "1.0.0"),
        ("other=9.0.0", "1.1.0"),
        (">=1", "2.0.0"),
    ],
)
def test_a_pin_is_read_as_the_sidecar_reads_it(pin: str | None, delivered: str) -> None:
    assert ask(application(NEW), pin).header("x-model-version") == delivered


@pytest.mark.parametrize(
    ("pin", "problem"),
    [
        ("one", (400, "bad-version")),
        ("1.0.0, 2.0.0", (400, "bad-version")),
        ("1\u00e9", (400, "bad-version")),
        ("", (400, "bad-version")),
        ("3.0.0", (406, "version-not-available")),
    ],
)
def test_a_version_that_is_none_is_refused_before_the_application_is_asked(pin: str, problem: tuple[int, str]) -> None:
    exchange = ask(application(NEW), pin)
    assert exchange.problem == problem
    assert not exchange.scope
    assert ask(application(NEW), pin, method="HEAD").body == b""


def test_a_newer_version_than_the_served_one_is_not_available() -> None:
    exchange = ask(application(NEW), "2.0.0", served="1.1.0", default="1.0.0")
    assert exchange.problem == (406, "version-not-available")
    assert "'1.1.0', '1.0.0'" in json.loads(exchange.body)["detail"]
    assert ask(application(b"{}"), "latest", served="1.1.0").header("x-model-version") == "1.1.0"


def test_other_paths_and_preflights_are_none_of_its_business() -> None:
    html = application(b"<p>", headers=[(b"content-type", b"text/html")])
    for exchange in (ask(html, path="/docs"), ask(html, method="OPTIONS"), ask(html, path="/predict/more")):
        assert (exchange.status, exchange.body, exchange.header("x-model-version")) == (200, b"<p>", None)


def test_a_mounted_application_and_parts_of_the_path_are_found() -> None:
    assert ask(application(NEW), path="/api/predict", root_path="/api").header("x-model-version") == "1.0.0"
    assert ask(application(NEW), path="/v2/churn/infer").header("x-model-version") == "1.0.0"
    assert ask(application(NEW), path="/v2/a/b/infer").header("x-model-version") is None


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ([(b"content-type", b"text/html")], 200, "adapter-failed"),
        ([], 200, "adapter-failed"),
        ([(b"content-type", b"text/event-stream; charset=utf-8")], 200, "stream-not-adaptable"),
        ([(b"content-type", b"application/x-ndjson")], 200, "stream-not-adaptable"),
        ([JSON, (b"content-encoding", b"gzip")], 200, "adapter-failed"),
        ([(b"content-type", b"application/json; charset=utf-16")], 200, "adapter-failed"),
        ([JSON, (b"content-range", b"bytes 0-1/9")], 206, "adapter-failed"),
    ],
    ids=["html", "none", "sse", "ndjson", "gzip", "utf-16", "part"],
)
def test_what_cannot_be_stepped_down_is_never_passed_on(headers: Headers, status: int, kind: str) -> None:
    exchange = ask(application(NEW, status=status, headers=headers))
    assert exchange.problem == (502, kind)
    assert exchange.failure is None
    assert exchange.header("x-model-version") is None


@pytest.mark.parametrize("media", [b"application/json;charset=UTF-8", b"application/hal+json", b"Application/JSON"])
def test_json_has_several_names(media: bytes) -> None:
    assert ask(application(NEW, headers=[(b"content-type", media)])).status == 200


@pytest.mark.parametrize(
    "body", [b"", b"[1", b'{"label": "stay"}', b'{"logit": NaN}', b'{"logit": 0}{}', b'{"logit": "\xff"}']
)
def test_a_body_that_the_adapters_refuse_is_a_problem_of_the_server(body: bytes) -> None:
    exchange = ask(application(body))
    assert exchange.problem == (502, "adapter-failed")
    assert exchange.header("content-length") == str(len(exchange.body))


def test_an_endless_answer_is_cut_off_at_the_limit() -> None:
    def endless(exchange: Exchange) -> Application:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            exchange.scope["sent"] = 0
            await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
            while True:
                await send({"type": "http.response.body", "body": b" " * 100, "more_body": True})
                exchange.scope["sent"] += 1

        return answer

    exchange = ask(endless, most_bytes=1000)
    assert exchange.problem == (502, "answer-too-large")
    assert exchange.scope["sent"] == 11  # the one over the limit is told of the next time
    assert exchange.failure is None


def test_an_application_that_waits_for_its_client_hears_that_it_has_gone() -> None:
    def waiting(exchange: Exchange) -> Application:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
            exchange.scope["received"] = await receive()

        return answer

    assert ask(waiting).scope["received"] == {"type": "http.disconnect"}


def test_what_fails_in_the_application_fails_as_it_would_without() -> None:
    def failing(exchange: Exchange) -> Application:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
            raise ZeroDivisionError

        return answer

    exchange = ask(failing)
    assert isinstance(exchange.failure, ZeroDivisionError)
    assert exchange.messages == []  # so the server can still say 500


@pytest.mark.parametrize("status", [204, 304, 307, 404, 422, 500])
def test_answers_without_the_shape_pass_with_its_name_on_them(status: int) -> None:
    exchange = ask(application(b'{"detail":"no"}', status=status, headers=[JSON, (b"content-length", b"15")]))
    assert (exchange.status, exchange.body) == (status, b'{"detail":"no"}')
    assert exchange.header("x-model-served") == "2.0.0"


def test_head_has_the_fields_and_no_length_of_another_body() -> None:
    exchange = ask(application(b"", headers=[JSON, (b"content-length", b"53"), (b"etag", b"x")]), method="HEAD")
    assert (exchange.status, exchange.body) == (200, b"")
    assert exchange.header("x-model-version") == "1.0.0"
    assert exchange.header("content-length") is exchange.header("etag") is None


def test_vary_is_added_to_what_the_application_says() -> None:
    def vary(*values: bytes) -> list[bytes]:
        headers = [JSON, *((b"vary", value) for value in values)]
        exchange = ask(application(NEW, headers=headers))
        return [value for name, value in exchange.headers if name == b"vary"]

    assert vary(b"Origin") == [b"Origin", b"X-Model-Version"]
    assert vary(b"*") == [b"*"]
    assert vary(b"x-model-version, Origin") == [b"x-model-version, Origin"]


def test_a_request_that_cannot_be_stepped_up_is_the_clients_mistake() -> None:
    assert ask(application(NEW), body=[b"{"]).problem == (422, "request-not-adaptable")
    assert ask(application(NEW), headers=[(b"content-encoding", b"gzip")]).problem == (415, "request-not-adaptable")
    long = ask(application(NEW), body=[b" " * 600] * 2, most_bytes=1000)
    assert long.problem == (413, "body-too-large")
    assert not long.scope


def test_a_client_that_goes_while_it_asks_is_the_applications_to_notice() -> None:
    def noting(exchange: Exchange) -> Application:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            exchange.scope["received"] = await receive()

        return answer

    assert ask(noting, body=[]).scope["received"] == {"type": "http.disconnect"}
    assert ask(application(NEW), body=[b""]).asked == b""


@pytest.fixture
def errors(tmp_path: Path) -> Model:
    file = tmp_path / "m.yaml"
    file.write_text("""
versions: {"1.0.0": {}, "2.0.0": {}}
adapters:
  - from: "2.0.0"
    to: "1.0.0"
    request:
      - carry: {from: /width, as: width}
    response:
      - add: {path: /width, value: {carried: width}}
      - add: {path: /name, value: {param: name}}
      - add: {path: /unit, value: {header: x-unit}}
      - header_set: {x-shape: old}
    errors:
      - move: {from: /detail, to: /error}
      - status_map: {422: 400}
      - header_remove: [x-trace]
""")
    return Model.load(file)


def test_operations_read_the_request_and_edit_the_head(errors: Model) -> None:
    exchange = ask(
        application(b"{}"),
        model=errors,
        path="/v2/churn/infer",
        headers=[(b"X-Unit", b"px"), (b"x-unit", b"pt")],
        body=[b'{"width": 640}'],
    )
    assert json.loads(exchange.body) == {"width": 640, "name": "churn", "unit": "px, pt"}
    assert exchange.header("x-shape") == "old"
    assert exchange.asked == b'{"width":640}'


def test_errors_are_stepped_down_where_the_chain_says_how(errors: Model) -> None:
    headers = [JSON, (b"x-trace", b"1"), (b"content-length", b"15")]
    exchange = ask(application(b'{"detail":"no"}', status=422, headers=headers), model=errors, body=[b'{"width": 1}'])
    assert (exchange.status, json.loads(exchange.body)) == (400, {"error": "no"})
    assert exchange.header("x-trace") is None


def test_an_error_that_cannot_be_stepped_down_keeps_its_status(errors: Model) -> None:
    html = application(b"<p>", status=503, headers=[(b"content-type", b"text/html")])
    for made in (html, application(b'{"other": 1}', status=503)):
        exchange = ask(made, model=errors, body=[b'{"width": 1}'])
        assert exchange.problem == (503, "error-not-adaptable")


def test_websockets_and_lifespan_pass() -> None:
    async def heard(scope: Any, receive: Any, send: Any) -> None:
        await send(scope["type"])

    async def told() -> list[Any]:
        found: list[Any] = []

        async def send(message: Any) -> None:
            found.append(message)

        for kind in ("websocket", "lifespan"):
            await StepDown(heard, model=MODEL, served="2.0.0", paths=["/predict"])({"type": kind}, None, send)  # type: ignore[arg-type]
        return found

    assert asyncio.run(told()) == ["websocket", "lifespan"]


def test_mistakes_show_when_the_application_starts(tmp_path: Path) -> None:
    def made(**options: Any) -> StepDown:
        return StepDown(application()(Exchange()), **{"model": CHURN, "served": "2.0.0", "paths": ["/"], **options})

    with pytest.raises(ModelError, match="there is no version '3'"):
        made(served="3")
    with pytest.raises(ModelError, match="adapters step down only"):
        made(served="1.0.0", default="2.0.0")
    with pytest.raises(VersionError):
        made(default="new")
    with pytest.raises(ModelError, match="cannot be read"):
        made(model=tmp_path / "gone.yaml")
    with pytest.raises(ValueError, match="is no name of a part"):
        made(paths=["/v2/{a b}"])
    with pytest.raises(ValueError, match="there twice"):
        made(paths=["/{a}/{a}"])
