"""docs/contracts.md says what the readers of contracts do: its vocabulary, its forms, and Protobuf's mapping."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from stepdown_adapters import Contract
from stepdown_adapters.contract import source
from stepdown_adapters.contract.semantic import vocabulary
from tests.docs.repository import ROOT

PAGE = (ROOT / "docs/contracts.md").read_text(encoding="utf-8")
TYPES = re.findall(r"^\| ((?:`[\w.]+`(?:, )?)+) \| [^`|]+ \| `(.+)` \| `(.+)` \|$", PAGE, re.MULTILINE)


def test_the_vocabulary_is_that_of_the_code() -> None:
    shown = re.search(r"<!-- vocabulary -->\n(.*)<!-- end -->", PAGE, re.DOTALL)
    assert shown is not None
    assert shown[1] == vocabulary()


def test_both_forms_of_a_reference_are_the_same() -> None:
    section = PAGE[PAGE.index("| source |") : PAGE.index("Files are relative")]
    rows = re.findall(r"^\| [^|`]+(?:`\w+`)? \| `(.+?)` \| `(.+?)` \|$", section, re.MULTILINE)
    assert len(rows) == 7
    for text, mapping in rows:
        assert source._of_text(text) == source._of_mapping(yaml.safe_load(mapping))


def test_the_example_in_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "config/library")
    [block] = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(block, "docs/contracts.md", "exec"), {"__name__": "documentation"})


def test_the_example_in_json_is_a_contract() -> None:
    [block] = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert Contract.of(json.loads(block)).warnings == ()


def test_protobuf_is_mapped_as_the_table_says(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="the extra 'protobuf' is not installed")
    named = [(kind, good, bad) for kinds, good, bad in TYPES for kind in re.findall(r"`([\w.]+)`", kinds)]
    assert len(named) == 18
    fields = [f"  {kind} field{number} = {number};" for number, (kind, _, _) in enumerate(named, 1)]
    imports = [f'import "google/protobuf/{name}.proto";' for name in ("timestamp", "duration", "struct")]
    lines = ['syntax = "proto3";', "package a;", *imports, "message M {", *fields, "}"]
    (tmp_path / "m.proto").write_text("\n".join(lines))
    contract = Contract.load("m.proto::a.M", tmp_path)
    for number, (kind, good, bad) in enumerate(named, 1):
        assert contract.is_valid({f"field{number}": json.loads(good)}), (kind, good)
        assert not contract.is_valid({f"field{number}": json.loads(bad)}), (kind, bad)
