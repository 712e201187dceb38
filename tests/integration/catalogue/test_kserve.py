"""An Open Inference answer with binary tensors is JSON for a V1 client, and never half of either."""

from __future__ import annotations

import gzip
import json
import struct
from typing import Any

import pytest

from stepdown.decide.spec import Limits
from stepdown_adapters.catalogue.entries import entry
from tests.kit import specs
from tests.kit.upstream import exact, serve, then_fin
from tests.kit.world import world

NAMES = ["kserve/v2-to-v1", "kserve/mlserver-to-v1"]
TENSOR = {"name": "y", "shape": [2], "datatype": "FP16", "parameters": {"binary_data_size": 4}}
JSON_PART = json.dumps({"model_name": "m", "outputs": [TENSOR]}).encode()
BODY = JSON_PART + struct.pack("<2e", 0.5, -1.25)
FOUND = {"predictions": [0.5, -1.25]}
ASKED = b'{"instances": [[1.0, 2.0]]}'
POST = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(ASKED), ASKED)


def answer(body: bytes = BODY, length: int = len(JSON_PART), *lines: bytes, status: bytes = b"200 OK") -> bytes:
    fields = b"".join(line + b"\r\n" for line in lines)
    return (
        b"HTTP/1.1 %b\r\nContent-Type: application/octet-stream\r\nInference-Header-Content-Length: %d\r\n"
        b"%bContent-Length: %d\r\n\r\n%b" % (status, length, fields, len(body), body)
    )


def adapted(name: str = NAMES[0], **options: Any) -> Any:
    brings = entry(name).brings
    given = (brings["response"], brings["request"])
    return lambda port: specs.adapted(port, *given, error_answers=brings["errors"], **options)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("slice_every", [0, 7])
def test_a_client_gets_the_items_as_rows_and_no_word_of_their_bytes(name: str, slice_every: int) -> None:
    with world(then_fin(answer(), slice_every=slice_every), spec=adapted(name)) as here:
        found = here.ask(POST, "POST")
        assert (found.status, json.loads(found.body)) == (200, FOUND)
        assert found.all(b"content-type") == [b"application/json"]
        assert found.get(b"inference-header-content-length") is None
        (request,) = here.upstream.requests
        assert json.loads(request.body)["inputs"][0]["data"] == [1.0, 2.0]
        assert here.sidecar.log()[-1]["adapter"] == "adapted"


def test_a_content_coding_is_undone_before_the_json_is_measured() -> None:
    raw = answer(gzip.compress(BODY), len(JSON_PART), b"Content-Encoding: gzip")
    with world(exact(raw), spec=adapted()) as here:
        found = here.ask(POST, "POST")
        assert (json.loads(found.body), found.get(b"content-encoding")) == (FOUND, None)


def test_an_answer_in_another_shape_keeps_its_tensors_and_gets_data() -> None:
    """As a client of an older V2 shape may ask for what is binary, and reads either."""
    rename = [{"in": "/outputs/*", "do": [{"map_values": {"path": "/name", "table": {"y": "z"}}}]}]
    with world(exact(answer()), spec=lambda port: specs.adapted(port, rename)) as here:
        asked = POST.replace(b"Host: a", b"Host: a\r\nInference-Header-Content-Length: %d" % len(ASKED))
        (output,) = json.loads(here.ask(asked, "POST").body)["outputs"]
        assert output == {"name": "z", "shape": [2], "datatype": "FP16", "data": [0.5, -1.25]}
        (request,) = here.upstream.requests  # nobody changes the request, so its binary tensors stay, too
        assert request.get(b"inference-header-content-length") == b"%d" % len(ASKED)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (answer(BODY[:-1]), "tensor 'y' has 4 bytes, and 3 are left"),
        (answer(BODY + b"x"), "1 bytes follow the last tensor"),
        (answer(BODY, len(BODY) + 1), f"Inference-Header-Content-Length is '{len(BODY) + 1}'"),
        (answer(BODY, 3), "the JSON before the tensors cannot be read"),
    ],
)
@pytest.mark.parametrize("policy", ["fail", "passthrough"])
def test_what_does_not_add_up_is_a_502_that_says_so_or_passes_as_what_it_is(
    raw: bytes, reason: str, policy: str
) -> None:
    with world(serve(raw), spec=adapted(on_adapter_failure=policy)) as here:
        found = here.ask(POST, "POST")
        if policy == "passthrough":
            assert (found.body, found.get(b"x-model-version")) == (raw.partition(b"\r\n\r\n")[2], b"2.0.0")
            assert found.get(b"inference-header-content-length") is not None
            return
        assert (found.status, found.get(b"x-stepdown-error")) == (502, b"adapter-failed")
        said = json.loads(found.body)["detail"]
        assert "binary tensors" in said
        assert reason in said
        assert "`binary_data_output`" in said


def test_data_that_are_too_long_as_text_are_refused_and_never_passed_unadapted() -> None:
    many = {"name": "y", "shape": [900], "datatype": "BOOL", "parameters": {"binary_data_size": 900}}
    text = json.dumps({"model_name": "m", "outputs": [many]}).encode()
    raw = answer(text + bytes(900), len(text))
    spec = adapted(on_adapter_failure="passthrough", limits=Limits(adapted_body=2000))
    with world(exact(raw), spec=spec) as here:
        found = here.ask(POST, "POST")
        assert (found.status, found.get(b"x-stepdown-error")) == (502, b"answer-too-large")


def test_a_large_tensor_is_read_too() -> None:
    count = 100_000
    tensor = {"name": "y", "shape": [count], "datatype": "FP32", "parameters": {"binary_data_size": 4 * count}}
    text = json.dumps({"model_name": "m", "outputs": [tensor]}).encode()
    raw = answer(text + struct.pack(f"<{count}f", *range(count)), len(text))
    with world(exact(raw), spec=adapted()) as here:
        assert json.loads(here.ask(POST, "POST").body) == {"predictions": list(range(count))}


def test_an_error_is_one_whatever_its_head_says_of_tensors() -> None:
    said = b'{"error": "no model"}'
    with world(exact(answer(said, len(said), status=b"404 Not Found")), spec=adapted()) as here:
        found = here.ask(POST, "POST")
        assert (found.status, json.loads(found.body)) == (404, {"error": "no model"})


@pytest.mark.parametrize("body", [ASKED, ASKED + b"\x00\x01", ASKED + b"   "])
def test_a_request_with_binary_tensors_is_refused_before_it_is_adapted(body: bytes) -> None:
    asked = (
        b"POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n"
        b"Inference-Header-Content-Length: %d\r\nContent-Length: %d\r\n\r\n%b" % (len(ASKED), len(body), body)
    )
    with world(serve(answer()), spec=adapted()) as here:
        found = here.ask(asked, "POST")
        assert (found.status, found.get(b"x-stepdown-error")) == (415, b"request-not-adaptable")
        assert "binary tensors" in json.loads(found.body)["detail"]
        assert not here.upstream.requests
