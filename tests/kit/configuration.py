"""A configuration in a folder of its own: the worked example, ways to change it, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stepdown.config import Loaded, RefusedError, load

SCHEMA_1_0 = (
    '{"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"],'
    ' "additionalProperties": false}'
)
SCHEMA_1_1 = (
    '{"type": "object", "properties": {"score": {"type": "number"}, "note": {"type": "string"}},'
    ' "required": ["score"], "additionalProperties": false}'
)
SCHEMA_2_0 = '{"type": "object", "properties": {"logit": {"type": "number"}}, "required": ["logit"]}'

GOOD = """\
listen: 127.0.0.1:8080
models:
  churn:
    default_version: "1.1.0"
    repeatable: true
    versions:
      "1.0.0": {schema: contracts/1.0.0.json, deprecated: 2026-12-01, sunset: 2027-06-01}
      "1.1.0": {schema: contracts/1.1.0.json, endpoints: [http://churn-v1:8080]}
      "2.0.0":
        schema: contracts/2.0.0.json
        endpoints:
          - {url: http://churn-v2:8080, path: /v2/models/churn/versions/v2/infer, expect: {model_version: v2}}
    adapters:
      - from: "2.0.0"
        to: "1.1.0"
        response:
          - move: {from: /logit, to: /score}
          - sigmoid: /score
    clients:
      - {match: {header: {x-api-key: abc}}, version: ^1.0}
routes:
  churn:
    match: {path: /v2/models/churn/infer, methods: [POST]}
    model: churn
    key: [{header: x-user-id}, {cookie: uid}]
    rules:
      - {name: beta, when: {header: {x-plan: beta}}, split: {"2.0.0": 100}}
      - {name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}
"""

REPAIRED = GOOD.replace(
    "          - sigmoid: /score\n", "          - sigmoid: /score\n          - project: {keep: [score]}\n"
)
"""The same without its leak: 2.0.0 is open, and what it does not declare rides along to a closed 1.1.0."""

CHURN = """\
models:
  churn:
    default_version: "1.1.0"
    versions:
      "1.1.0": {endpoints: ["http://127.0.0.1:18081"]}
      "2.0.0": {endpoints: ["http://127.0.0.1:18082"]}
    adapters:
      - {from: "2.0.0", to: "1.1.0", response: [{remove: /explanation}]}
"""
"""Two versions and an adapter between them, for a file whose routes a test writes itself."""


def changed(*changes: tuple[str, str]) -> str:
    """The worked example with each first text replaced by the second; the first must be there."""
    text = GOOD
    for old, new in changes:
        assert old in text, f"the example has no {old!r}"
        text = text.replace(old, new)
    return text


class Folder:
    """A folder with a configuration and its contracts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "stepdown.yaml"
        self.write("contracts/1.0.0.json", SCHEMA_1_0)
        self.write("contracts/1.1.0.json", SCHEMA_1_1)
        self.write("contracts/2.0.0.json", SCHEMA_2_0)

    def write(self, name: str, text: str | bytes) -> Path:
        """Write one file, and the folders on the way to it."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def load(
        self,
        text: str | bytes | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        previous: Loaded | None = None,
    ) -> Loaded:
        """Load the file, after writing `text` to it."""
        if text is not None:
            self.write(self.file.name, text)
        return load(self.file, environ or {}, previous)

    def refusal(self, text: str | bytes | None = None, **options: Any) -> list[str]:
        """Every finding about a file that is refused, one text each, with places relative to the folder."""
        try:
            loaded = self.load(text, **options)
        except RefusedError as refused:
            return [self._relative(finding) for finding in refused.findings]
        raise AssertionError(f"accepted: {loaded}")

    def warnings(self, text: str | bytes | None = None, **options: Any) -> list[str]:
        """What is doubtful about a file that is accepted."""
        return [self._relative(finding) for finding in self.load(text, **options).warnings]

    def _relative(self, finding: object) -> str:
        return str(finding).replace(f"{self.path}/", "")
