"""An Open Inference answer with binary tensors never reaches a V1 client, adapted or not."""

from __future__ import annotations

import json
import struct

import pytest

from stepdown_adapters.catalogue.entries import entry
from tests.kit import specs
from tests.kit.upstream import serve
from tests.kit.world import world

TENSOR = {"name": "y", "shape": [2], "datatype": "FP16", "parameters": {"binary_data_size": 4}}
JSON_PART = json.dumps({"model_name": "m", "outputs": [TENSOR]}).encode()
BODY = JSON_PART + struct.pack("<2e", 0.5, -1.25)
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    b"Inference-Header-Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (len(JSON_PART), len(BODY))
)
ASKED = b'{"instances": [[1.0, 2.0]]}'
POST = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(ASKED), ASKED)


@pytest.mark.parametrize("name", ["kserve/v2-to-v1", "kserve/mlserver-to-v1"])
def test_binary_tensors_are_a_502_that_names_the_adapter(name: str) -> None:
    brings = entry(name).brings
    with world(
        serve(HEAD + BODY), spec=lambda port: specs.adapted(port, brings["response"], brings["request"])
    ) as here:
        refused = here.ask(POST, "POST")
        assert (refused.status, refused.get(b"x-stepdown-error")) == (502, b"adapter-failed")
        assert json.loads(refused.body)["type"] == "urn:stepdown:problem:adapter-failed"
        (request,) = here.upstream.requests
        assert json.loads(request.body)["inputs"][0]["data"] == [1.0, 2.0]
