"""The example application, and one that streams, behind the middleware on a real server."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

EXAMPLE = Path(__file__).parents[3] / "config" / "library"
STREAMING = """
import asyncio
from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, StreamingResponse
from stepdown_adapters.integrations.asgi import StepDown

app = FastAPI()
app.state.sent = 0
PATHS = ["/stream", "/pieces", "/large"]
app.add_middleware(StepDown, model={model!r}, served="2.0.0", paths=PATHS, most_bytes=200_000)
app.add_middleware(GZipMiddleware, minimum_size=1)

async def events():
    while True:
        yield "data: 1\\n\\n"
        app.state.sent += 1
        await asyncio.sleep(0.001)

@app.get("/stream")
async def stream():
    return StreamingResponse(events(), media_type="text/event-stream")

@app.get("/pieces")
async def pieces():
    async def parts():
        for part in ('{{"logit": 0', '.0, "label": "stay",', ' "explanation": []}}'):
            yield part
    return StreamingResponse(parts(), media_type="application/json")

@app.get("/large")
async def large():
    return JSONResponse({{"logit": 0.0, "label": "stay", "explanation": ["x" * 300_000]}})

@app.get("/sent")
async def sent():
    return app.state.sent
"""


def serve(folder: Path, module: str) -> Iterator[httpx.Client]:
    """A client of `module:app` on a free port; the server is ended afterwards."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        options = ["--fd", str(listener.fileno()), "--log-level", "warning", "--loop", "asyncio", "--http", "h11"]
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(folder), *options, f"{module}:app"]
        server = subprocess.Popen(command, pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            client.get("/openapi.json")  # waits in the socket's queue until the server is up
            yield client
    finally:
        server.terminate()
        _, complaints = server.communicate(timeout=30)
    assert "Traceback" not in complaints, complaints


@pytest.fixture(scope="module")
def churn() -> Iterator[httpx.Client]:
    yield from serve(EXAMPLE, "app")


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("streaming")
    (folder / "streaming.py").write_text(STREAMING.format(model=str(EXAMPLE / "churn.yaml")))
    yield from serve(folder, "streaming")


def test_one_application_answers_clients_of_three_versions(churn: httpx.Client) -> None:
    old = {"customer": "c-7", "months": 6}
    first = churn.post("/predict", json=old, headers={"x-model-version": "1.0.0"})
    assert (first.status_code, first.headers["x-model-version"]) == (200, "1.0.0")
    assert first.json() == {"probability": pytest.approx(0.731, abs=0.001), "label": "churn"}
    nothing_said = churn.post("/predict", json=old)
    assert nothing_said.headers["x-model-version"] == "1.1.0"
    assert nothing_said.json() == first.json()
    newest = churn.post(
        "/predict", json={"customer_id": "c-7", "months": 6}, headers={"x-model-version": "^2", "origin": "x"}
    )
    assert newest.json() == {"logit": 1.0, "label": "churn", "explanation": ["a customer for less than a year"]}
    assert {answer.headers["x-model-served"] for answer in (first, nothing_said, newest)} == {"2.0.0"}
    assert {answer.headers["vary"] for answer in (first, nothing_said, newest)} == {"X-Model-Version"}


def test_errors_of_the_application_and_of_the_pin_are_told_apart(churn: httpx.Client) -> None:
    unknown = churn.post("/predict", json={"customer": "nobody", "months": 6})
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "there is no such customer"})
    invalid = churn.post("/predict", json={"customer": "c-7", "months": -1})
    assert (invalid.status_code, invalid.json()["detail"][0]["loc"]) == (422, ["body", "months"])
    nothing = churn.post("/predict", json={}, headers={"x-model-version": "7.0.0"})
    assert (nothing.status_code, nothing.json()["title"]) == (406, "Version not available")
    words = churn.post("/predict", json={}, headers={"x-model-version": "newest!"})
    assert words.status_code == 400
    assert churn.get("/docs").headers.get("x-model-version") is None


def test_many_requests_pass_over_one_connection(churn: httpx.Client) -> None:
    for months in range(20):
        answer = churn.post("/predict", json={"customer": "c", "months": months}, headers={"x-model-version": "1"})
        assert 0 < answer.json()["probability"] < 1


def test_a_stream_is_refused_for_an_old_client_and_the_application_stops(streaming: httpx.Client) -> None:
    refused = streaming.get("/stream", headers={"x-model-version": "1.0.0"})
    assert (refused.status_code, refused.json()["title"]) == (502, "Stream cannot be adapted")
    sent = [streaming.get("/sent").json() for _ in range(20)]
    assert sent[-1] <= 2  # one that was refused, and one that was told so
    with streaming.stream("GET", "/stream", headers={"x-model-version": "2.0.0"}) as passed:
        assert next(passed.iter_lines()) == "data: 1"
        assert passed.headers["x-model-version"] == "2.0.0"


def test_an_answer_in_pieces_is_stepped_down_and_compressed_outside(streaming: httpx.Client) -> None:
    answer = streaming.get("/pieces", headers={"x-model-version": "1.0.0"})
    assert answer.json() == {"probability": 0.5, "label": "stay"}
    assert answer.headers["content-encoding"] == "gzip"


def test_an_answer_over_the_limit_is_refused_for_who_needs_it_adapted(streaming: httpx.Client) -> None:
    refused = streaming.get("/large", headers={"x-model-version": "1.0.0"})
    assert (refused.status_code, refused.json()["title"]) == (502, "Answer too large to adapt")
    assert len(streaming.get("/large", headers={"x-model-version": "2.0.0"}).content) > 300_000
