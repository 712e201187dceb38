"""buf's WIRE_JSON rules on contracts made from Protobuf: what they let pass, and what they find in a real file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters.contract.source import load_contract
from stepdown_adapters.diff import compare
from stepdown_adapters.diff.protobuf import compare as rules
from tests.unit.adapters.diff.test_catalogue import proto, proto_enum, proto_field

OLDER = """
syntax = "proto3";
package shop.v1;
message Answer {
  string id = 1;
  double score = 2;
  Label label = 3;
  repeated Answer parts = 4;
  int32 count = 5;
}
enum Label { UNKNOWN = 0; STAY = 1; }
"""
NEWER = """
syntax = "proto3";
package shop.v1;
message Answer {
  string id = 1;
  double probability = 2;
  Label label = 3;
  repeated Answer parts = 4;
  sint32 count = 5;
  bool sure = 6;
}
enum Label { UNKNOWN = 0; STAY = 1; LEAVE = 2; }
"""


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (proto((1, "a", "string")), proto(reserved_numbers=[[1, 2]], reserved_names=["a"])),
        (proto_field(type="int32"), proto_field(type="sint32")),
        (proto_field(), proto_field(cardinality="optional")),
        (proto_enum({"A": 0, "B": 1}), proto_enum({"A": 0}, reserved_numbers=[[1, 1]], reserved_names=["B"])),
        (proto_enum({"A": 0}), proto_enum({"A": 0, "ALIAS": 0, "B": 1})),
        (proto(reserved_numbers=[[4, 9]]), proto(reserved_numbers=[[2, 10]])),
        ({"type": "object"}, proto((1, "a", "string"))),
    ],
    ids=["reserved", "same in JSON", "presence", "reserved value", "alias", "wider reservation", "not both Protobuf"],
)
def test_no_rule_is_broken_by(older: Any, newer: Any) -> None:
    assert rules(older, newer) == []


def test_a_real_file_is_compared_by_names_and_by_numbers(tmp_path: Path) -> None:
    pytest.importorskip("google.protobuf")
    contracts = []
    for name, text in (("older.proto", OLDER), ("newer.proto", NEWER)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        contracts.append(load_contract(f"{name}::shop.v1.Answer", tmp_path))
    found = compare(*contracts, client="tolerant")
    assert {(change.kind, change.path) for change in found.breaking} == {
        ("renamed", "/score"),
        ("FIELD_SAME_NAME", "/score"),
        ("FIELD_SAME_JSON_NAME", "/score"),
    }
    grown = [change for change in found.changes if change.kind == "enum-value-added/extensible"]
    assert [(change.after, change.compatible, change.strict) for change in grown] == [("LEAVE", True, "breaking")]
