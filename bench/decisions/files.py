"""The configurations that decide: one model in four versions, and routes that choose among them in different ways."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from stepdown.config import load
from stepdown.decide.snapshot import Snapshot, compile_snapshot

VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")
ENVIRON = {"SECRET": "a-secret-for-the-benchmark"}

_COOKIE = "{cookie: {name: sd_uid, set: true, secrets: {env: SECRET}, ttl: 30d}}"
_EVEN = '{"1.0.0": 95, "1.1.0": 5}'
_ALL = '{"1.0.0": 1}'


CONDITIONS = (
    "header: {x-plan: {in: [beta, trial]}}",
    "header: {x-plan: {prefix: internal-}}",
    "header: {x-plan: partner, x-region: eu}",
    "header: {user-agent: {suffix: -internal}}",
    "host: canary.example.com",
    "cookie: {theme: light}",
    'query: {debug: "1"}',
    "methods: [PUT, PATCH]",
    "client: 10.9.0.0/16",
    "any: [{header: {x-plan: gold}}, {not: {methods: [POST]}}]",
)
"""Ten of different kinds, none of which holds for the requests that are timed."""


def _ten_rules() -> str:
    """All ten are looked at before the last rule, which is for everyone."""
    rules = (f"{{name: rule-{place}, when: {{{when}}}, split: {_ALL}}}" for place, when in enumerate(CONDITIONS))
    return f"rules: [{', '.join(rules)}, {{name: all, split: {_ALL}}}]"


def _flagged(flag: str) -> str:
    """The version that a flag gives."""
    return f'rules: [{{name: all, flag: {{name: {flag}, versions: {{a: "1.0.0", b: "1.1.0"}}, default: "1.0.0"}}}}]'


def _flag_file() -> str:
    """A flag that reads a header with few values, whose outcomes are remembered, and one that deals users."""
    variants = {"state": "ENABLED", "variants": {"a": 1, "b": 2}, "defaultVariant": "a"}
    by_plan = {"if": [{"in": [{"var": "header.x-plan"}, ["beta", "trial"]]}, "b", "a"]}
    by_key = {"fractional": [{"var": "header.x-request-id"}, ["b", 5], ["a", 95]]}
    flags = {"by-plan": variants | {"targeting": by_plan}, "by-key": variants | {"targeting": by_key}}
    return json.dumps({"flags": flags})


ROUTES: Mapping[str, str] = {
    "no-split": f"split: {_ALL}",
    "drawn": f"split: {_EVEN}",
    "in-turn": f"rules: [{{name: all, split: {_EVEN}, smooth: true}}]",
    "header-key": f"key: [{{header: x-user-id}}], split: {_EVEN}",
    "cookie-key": f"key: [{{cookie: uid}}], split: {_EVEN}",
    "set-cookie": f"key: [{_COOKIE}], split: {_EVEN}",
    "ten-rules": _ten_rules(),
    "flag-kept": _flagged("by-plan"),
    "flag-new": _flagged("by-key"),
}
"""Each is a route of its own, at the path of its name."""


def text(routes: Mapping[str, str]) -> str:
    """A file with these routes, each at `/NAME`."""
    versions = "\n".join(f'      "{version}": {{endpoints: [http://127.0.0.1:8000]}}' for version in VERSIONS)
    adapters = ", ".join(f'{{from: "{newer}", to: "{older}"}}' for older, newer in pairwise(VERSIONS))
    listed = "\n".join(
        f"  {name}: {{match: {{path: /{name}, methods: [POST]}}, model: churn, {rest}}}"
        for name, rest in routes.items()
    )
    process = "listen: 127.0.0.1:8080\ntrusted_hops: 0\nflags: {file: flags.json}"
    head = f'{process}\nmodels:\n  churn:\n    default_version: "1.0.0"\n    versions:'
    return f"{head}\n{versions}\n    adapters: [{adapters}]\nroutes:\n{listed}\n"


def snapshot(routes: Mapping[str, str]) -> Snapshot:
    """The file as a worker compiles it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stepdown.yaml"
        file.write_text(text(routes))
        (file.parent / "flags.json").write_text(_flag_file())
        return compile_snapshot(load(file, ENVIRON).spec)


def many(count: int) -> Snapshot:
    """So many routes, all of which split by a header's key."""
    return snapshot({f"route-{number}": ROUTES["header-key"] for number in range(count)})
