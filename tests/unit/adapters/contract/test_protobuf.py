import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from stepdown_adapters.contract.protobuf import contract_of
from stepdown_adapters.contract.validator import Validator
from stepdown_adapters.errors import ContractError

FILES = Path(__file__).parent / "files"
PROTO3 = 'syntax = "proto3";\npackage p;\n'


UNDEFINED = {"name": "a", "number": 1, "type_name": "N", "type": 11, "label": 1}


def written(folder: Path, text: str, name: str = "m.proto") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def schema_of(folder: Path, text: str, message: str = "p.M") -> dict[str, Any]:
    schema = contract_of(written(folder, text), message, folder).schema
    assert isinstance(schema, dict)
    return schema


def refused(path: Path, message: str = "p.M", folder: Path | None = None) -> str:
    with pytest.raises(ContractError) as error:
        contract_of(path, message, folder or path.parent)
    return str(error.value)


def descriptor_set(path: Path, *options: str) -> Path:
    """What protoc itself writes for a file."""
    output = path.with_suffix(".binpb")
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{path.parent}", f"--descriptor_set_out={output}"]
    subprocess.run([*command, *options, path.name], check=True)
    return output


def test_every_field_has_its_json_and_its_note(tmp_path: Path) -> None:
    text = PROTO3 + (
        "message M {\n"
        "  reserved 4, 6 to 8; reserved 'gone';\n"
        "  optional int32 a_b = 1;\n"
        "  repeated E es = 2;\n"
        "  map<string, int64> sizes = 3;\n"
        "  oneof one { M m = 5; bool flag = 9; string text = 10; }\n"
        "}\n"
        "enum E { E_ZERO = 0; E_ONE = 1; reserved 2 to 3; reserved 'E_GONE'; }\n"
    )
    assert schema_of(tmp_path, text) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "aB": {
                "type": "integer",
                "minimum": -(2**31),
                "maximum": 2**31 - 1,
                "x-protobuf": note("a_b", "aB", 1, "int32", "optional"),
            },
            "es": {
                "type": "array",
                "items": {"$ref": "#/$defs/p.E"},
                "x-protobuf": note("es", "es", 2, "enum p.E", "repeated"),
            },
            "sizes": {
                "type": "object",
                "additionalProperties": {"type": "string", "pattern": "^(0|-?[1-9][0-9]*)$"},
                "x-protobuf": note("sizes", "sizes", 3, "map<string, int64>", "map"),
            },
            "m": {"$ref": "#", "x-protobuf": {**note("m", "m", 5, "message p.M", "optional"), "oneof": "one"}},
            "flag": {
                "type": "boolean",
                "x-protobuf": {**note("flag", "flag", 9, "bool", "optional"), "oneof": "one"},
            },
            "text": {
                "type": "string",
                "x-protobuf": {**note("text", "text", 10, "string", "optional"), "oneof": "one"},
            },
        },
        "dependentSchemas": {
            "m": {"properties": {"flag": False, "text": False}},
            "flag": {"properties": {"text": False}},
        },
        "x-protobuf": {"message": "p.M", "reserved_numbers": [[4, 4], [6, 8]], "reserved_names": ["gone"]},
        "$defs": {
            "p.E": {
                "anyOf": [
                    {"type": "string", "enum": ["E_ZERO", "E_ONE"], "x-extensible-enum": True},
                    {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
                ],
                "x-protobuf": {
                    "enum": "p.E",
                    "closed": False,
                    "numbers": {"E_ZERO": 0, "E_ONE": 1},
                    "reserved_numbers": [[2, 3]],
                    "reserved_names": ["E_GONE"],
                },
            }
        },
    }


def note(name: str, json_name: str, number: int, kind: str, cardinality: str) -> dict[str, Any]:
    return {"name": name, "json_name": json_name, "number": number, "type": kind, "cardinality": cardinality}


def test_proto2_has_required_fields_and_closed_enums(tmp_path: Path) -> None:
    text = (
        'syntax = "proto2"; package p; message M { required E e = 1; optional group G = 2 { optional int32 n = 1; } }'
    )
    schema = schema_of(tmp_path, text + " enum E { A = 1; }")
    assert schema["required"] == ["e"]
    assert schema["properties"]["e"]["x-protobuf"]["cardinality"] == "required"
    assert schema["$defs"]["p.E"]["enum"] == ["A"]
    assert schema["properties"]["g"]["x-protobuf"]["type"] == "group p.M.G"


def test_editions_are_read(tmp_path: Path) -> None:
    text = 'edition = "2023"; package p; message M { int32 a = 1; int32 b = 2 [features.field_presence = IMPLICIT]; }'
    properties = schema_of(tmp_path, text)["properties"]
    assert [properties[name]["x-protobuf"]["cardinality"] for name in "ab"] == ["optional", "implicit"]


@pytest.mark.parametrize(
    ("document", "keyword"),
    [
        ({"text": "a", "flag": True}, "falseSchema"),
        ({"bigNumber": 5}, "type"),
        ({"bigNumber": "05"}, "pattern"),
        ({"raw": "a-b_"}, "pattern"),
        ({"kind": "KIND_B"}, "anyOf"),
        ({"score": "inf"}, "anyOf"),
        ({"at": "2026-01-01"}, "pattern"),
        ({"took": "1h"}, "pattern"),
        ({"sizes": ["-1"]}, "pattern"),
        ({"byNumber": {"x": {}}}, "propertyNames"),
        ({"byFlag": {"yes": "KIND_A"}}, "propertyNames"),
        ({"nothing": {"x": 0}}, "type"),
        ({"is/so": -1}, "minimum"),
        ({"wrapped": 5}, "type"),
        ({"inner": {"parent": {"maybe": 2**31}}}, "maximum"),
    ],
)
def test_json_that_no_encoder_writes_is_a_violation(document: Any, keyword: str) -> None:
    validator = Validator(contract_of(FILES / "answer.proto", "demo.v1.Answer", FILES).schema)
    assert keyword in {one.keyword for one in validator.violations(document)}
    assert validator.is_valid({"kind": 77, "score": "NaN", "stray": 1})


def test_a_descriptor_set_says_the_same_as_its_file(tmp_path: Path) -> None:
    path = written(tmp_path, (FILES / "answer.proto").read_text(), "answer.proto")
    expected = contract_of(path, "demo.v1.Answer", tmp_path).schema
    assert contract_of(descriptor_set(path, "--include_imports"), "demo.v1.Answer", tmp_path).schema == expected
    assert contract_of(descriptor_set(path), "demo.v1.Answer", tmp_path).schema == expected


def test_imports_are_found_from_a_folder_above(tmp_path: Path) -> None:
    written(tmp_path, 'syntax = "proto3"; package q; message N { int32 n = 1; }', "protos/shop/q/n.proto")
    path = written(tmp_path, PROTO3 + 'import "shop/q/n.proto"; message M { q.N n = 1; }', "protos/shop/p/m.proto")
    schema = contract_of(path, "p.M", tmp_path).schema
    assert isinstance(schema, dict)
    assert "q.N" in schema["$defs"]
    assert "shop/q/n.proto" in refused(path, folder=tmp_path / "protos/shop")


def test_imports_reach_no_further_than_the_folder(tmp_path: Path) -> None:
    written(tmp_path, PROTO3 + "message N {}", "secret.proto")
    path = written(tmp_path, PROTO3 + 'import "../secret.proto"; message M { N n = 1; }', "in/m.proto")
    assert 'm.proto:3:1: Import "../secret.proto" was not found or had errors.' in refused(path)
    path = written(tmp_path, PROTO3 + 'import "secret.proto"; message M { N n = 1; }', "in/m.proto")
    assert "secret.proto: is imported, but there is no such file in the contract's folder" in refused(path)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("p.Mesage", "there is no message 'p.Mesage'; did you mean 'p.Message'?"),
        ("Message", "there is no message 'Message'; did you mean 'p.Message'?"),
        ("q.Message", "did you mean 'p.Message'?"),
        ("p.zzz", "there is no message 'p.zzz'; there is 'p.Message', 'p.Message.Inner'"),
        ("p.Message.MapEntry", "there is no message"),
        ("p.E", "there is no message 'p.E'"),
    ],
)
def test_a_message_that_is_not_there_is_named_with_those_that_are(tmp_path: Path, message: str, sentence: str) -> None:
    text = PROTO3 + "message Message { message Inner {} map<string, string> map = 1; } enum E { Z = 0; }"
    assert sentence in refused(written(tmp_path, text), message)


def test_all_mistakes_of_a_file_are_named_with_line_and_column(tmp_path: Path) -> None:
    path = written(tmp_path, PROTO3 + "message M {\n  Nope a = 1;\n  int32 b = 1;\n  Nix c = 3;\n}\n")
    lines = refused(path).splitlines()
    assert {line.removeprefix(str(path)).partition(": ")[0] for line in lines} == {":4:3", ":5:13", ":6:3"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("message M {\n  int32 a = 1\n  int32 b = 2;\n}", 'm.proto:5:3: Expected ";".'),
        ("message M {", "Reached end of input in message definition (missing '}')"),
        ("message M { int32 a = 0; }", "Field numbers must be positive integers"),
        ("\x00\x01", "m.proto:3:1: "),
    ],
)
def test_a_syntax_error_is_named_with_line_and_column(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in refused(written(tmp_path, PROTO3 + text))


def test_what_protoc_warns_about_is_a_warning(tmp_path: Path) -> None:
    written(tmp_path, PROTO3 + "message N {}", "n.proto")
    path = written(tmp_path, PROTO3 + 'import "n.proto";\nmessage M { bool b = 1; }')
    (warning,) = contract_of(path, "p.M", tmp_path).warnings
    assert warning.endswith("m.proto:3:1: Import n.proto is unused.")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is a descriptor set without files"),
        (b"\xff\xff\xff", "is no descriptor set"),
        (b"syntax = proto3;", "is no descriptor set"),
    ],
)
def test_what_is_no_descriptor_set_is_refused(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "m.binpb"
    path.write_bytes(data)
    assert sentence in refused(path)


def test_a_truncated_descriptor_set_is_refused(tmp_path: Path) -> None:
    path = descriptor_set(written(tmp_path, PROTO3 + "message M { bool b = 1; }"))
    path.write_bytes(path.read_bytes()[:-3])
    assert "is no descriptor set" in refused(path)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([{"name": "m.proto", "dependency": ["n.proto"]}], "m.proto imports n.proto, which is not in the set"),
        (
            [{"name": "a.proto", "dependency": ["b.proto"]}, {"name": "b.proto", "dependency": ["a.proto"]}],
            "files import one another in a circle",
        ),
        ([{"name": "m.proto", "dependency": ["google/protobuf/nope.proto"]}], "nope.proto, which is not there"),
        (
            [{"name": "m.proto", "message_type": [{"name": "M", "field": [UNDEFINED]}]}],
            "m.proto is broken",
        ),
    ],
    ids=["missing", "circle", "unknown", "undefined"],
)
def test_a_broken_descriptor_set_is_refused(tmp_path: Path, files: list[Any], sentence: str) -> None:
    path = tmp_path / "m.binpb"
    path.write_bytes(FileDescriptorSet(file=files).SerializeToString())
    assert sentence in refused(path)


@pytest.mark.parametrize("missing", ["google.protobuf", "grpc_tools"])
def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, missing: str) -> None:
    written(tmp_path, PROTO3 + "message M {}")
    code = "import sys; from pathlib import Path; from stepdown_adapters.contract.source import load_contract\n"
    if missing == "google.protobuf":
        code += "sys.modules['google.protobuf'] = None\n"
    else:  # protoc is a process of its own, so its package has to be missing there
        (tmp_path / "grpc_tools").mkdir()
        (tmp_path / "grpc_tools/__init__.py").write_text('raise ModuleNotFoundError("No module named grpc_tools")')
    code += f"load_contract('m.proto::p.M', Path({str(tmp_path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, check=False
    )
    assert "needs the extra 'protobuf': pip install 'stepdown[protobuf]'" in done.stderr
