"""Real MLServers for tests: the two versions of the example's model, each on a free port, and a sidecar in front."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.churn.processes import Program, free_port
from config.churn.servers import MLSERVER, ModelServer, train

EXAMPLE = Path(__file__).parents[2] / "config" / "churn"


def question(rows: list[list[float]], **more: object) -> dict[str, object]:
    """An Open Inference request about `rows` of ten numbers, with more members if given."""
    data = [number for row in rows for number in row]
    return {"inputs": [{"name": "x", "shape": [len(rows), 10], "datatype": "FP64", "data": data}], **more}


@dataclass(frozen=True)
class Pair:
    """Both model servers, running, and rows of ten numbers that neither model was trained on."""

    v1: ModelServer
    v2: ModelServer
    customers: list[list[float]]


@contextmanager
def model_servers(folder: Path) -> Iterator[Pair]:
    """Trains the models into `folder` and serves them; skips the test where MLServer is not installed."""
    if not (MLSERVER / "mlserver").exists():
        pytest.skip("MLServer is not installed; `make servers` installs it")
    train(folder)
    pair = Pair(
        v1=ModelServer(folder / "v1", free_port()),
        v2=ModelServer(folder / "v2", free_port()),
        customers=json.loads((folder / "customers.json").read_text()),
    )
    try:
        pair.v1.start()
        pair.v2.start()
        pair.v1.wait()
        pair.v2.wait()
        yield pair
    finally:
        pair.v1.stop()
        pair.v2.stop()


@dataclass(frozen=True)
class RunningSidecar:
    """A running `stepdown run`."""

    url: str
    status_url: str
    log: Path


@contextmanager
def running_sidecar(pair: Pair, folder: Path, split: str | None = None) -> Iterator[RunningSidecar]:
    """Runs the example's file in front of `pair`; `split` stands in for the file's own, as in `{"2.0.0": 100}`."""
    shutil.copytree(EXAMPLE / "contracts", folder / "contracts", dirs_exist_ok=True)
    text = (EXAMPLE / "stepdown.yaml").read_text()
    own = '{"1.1.0": 95, "2.0.0": 5}'
    assert own in text
    file = folder / "stepdown.yaml"
    file.write_text(text.replace(own, split or own))
    listen, status = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    program = Program(
        name="the sidecar",
        arguments=[str(Path(sys.executable).parent / "stepdown"), "run", str(file)],
        log=folder / "stepdown.log",
        environment={
            "CHURN_LISTEN": listen,
            "CHURN_STATUS": status,
            "CHURN_V1_URL": pair.v1.url,
            "CHURN_V2_URL": pair.v2.url,
            "PATH": os.environ["PATH"],
        },
        folder=folder,
    )
    try:
        program.wait_for(f"http://{status}/readyz", seconds=30)
        yield RunningSidecar(f"http://{listen}", f"http://{status}", program.log)
    finally:
        program.stop()
