"""The work of the third table: `stepdown check` of a model with many versions, each with a contract and an adapter."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.processes import environment

OTHER_MEMBERS = 10
"""Members of a prediction that no adapter names."""


@dataclass(frozen=True)
class Checked:
    """Medians over some runs of the whole command, in seconds."""

    wall: float
    cpu: float


def check(file: Path, times: int) -> Checked:
    """Run `stepdown check FILE`, once unmeasured and then `times` times; raises if it finds the file bad."""
    command = [sys.executable, "-m", "stepdown", "check", str(file)]
    walls, cpus = [], []
    for _ in range(times + 1):
        start, before = time.perf_counter(), _children()
        ended = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        walls.append(time.perf_counter() - start)
        cpus.append(_children() - before)
        if ended.returncode != 0:
            raise RuntimeError(f"{command!r} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return Checked(statistics.median(walls[1:]), statistics.median(cpus[1:]))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def configuration(folder: Path, versions: int) -> Path:
    """Write a model of `versions` versions into the folder; returns the configuration's path.

    Every version renames the score and one label of the version before it. The newest and the one before it have
    servers; all older ones are answered through up to `versions - 1` adapters.
    """
    (folder / "contracts").mkdir(parents=True)
    for version in range(1, versions + 1):
        (folder / f"contracts/{version}.json").write_text(json.dumps(_contract(version)))
    declared: dict[str, dict[str, Any]] = {
        f"{v}.0.0": {"schema": f"contracts/{v}.json"} for v in range(1, versions + 1)
    }
    for version in (versions, versions - 1):
        declared[f"{version}.0.0"]["endpoints"] = ["http://churn:8080"]
    model = {
        "default_version": "1.0.0",
        "versions": declared,
        "adapters": [_adapter(version) for version in range(versions, 1, -1)],
    }
    route = {"match": {"path": "/infer"}, "model": "churn", "split": {f"{versions}.0.0": 100}}
    file = folder / "stepdown.yaml"
    whole = {"listen": "127.0.0.1:8080", "models": {"churn": model}, "routes": {"churn": route}}
    file.write_text(yaml.safe_dump(whole, sort_keys=False))
    return file


def _contract(version: int) -> dict[str, Any]:
    members: dict[str, Any] = {
        f"score_{version}": {"type": "number", "minimum": 0, "maximum": 1},
        "label": {"enum": ["stay", "churn", f"unsure_{version}"]},
        **{f"feature_{number}": {"type": "number"} for number in range(OTHER_MEMBERS)},
    }
    prediction = _closed(members, [f"score_{version}", "label"])
    usage = {
        "type": "object",
        "properties": {"rows": {"type": "integer", "minimum": 0}, "milliseconds": {"type": "number"}},
        "required": ["rows"],
    }
    answer = {
        "id": {"type": "string"},
        "model_version": {"type": "string"},
        "predictions": {"type": "array", "maxItems": 64, "items": prediction},
        "usage": usage,
    }
    return _closed(answer, ["id", "predictions"])


def _closed(members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": required, "additionalProperties": False}


def _adapter(version: int) -> dict[str, Any]:
    labels = {"stay": "stay", "churn": "churn", f"unsure_{version}": f"unsure_{version - 1}"}
    edits = [
        {"move": {"from": f"/score_{version}", "to": f"/score_{version - 1}"}},
        {"map_values": {"path": "/label", "table": labels}},
    ]
    return {
        "from": f"{version}.0.0",
        "to": f"{version - 1}.0.0",
        "response": [{"in": "/predictions/*", "do": edits}],
    }
